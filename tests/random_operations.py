"""Every operation of backpass, as a random program uses it."""

from collections.abc import Callable, Iterable

import numpy as np

from backpass.language.shapes import product as sizes_product
from backpass.language.shapes import size
from tests.random_programs import GAP, Dims, Draft, Operation, Value, length

OPERATIONS: dict[str, Operation] = {}


def operation(name: str) -> Callable[[Operation], Operation]:
    def enter(draw: Operation) -> Operation:
        OPERATIONS[name] = draw
        return draw

    return enter


# Functions of entries. Those in KINKED are not taken where an entry of x lies near zero.

ENTRYWISE = {
    "negative": ["-{x}", "xp.negative({x})"],
    "abs": ["xp.abs({x})", "abs({x})"],
    "sign": ["xp.sign({x}) * {x}"],
    "exp": ["xp.exp({x})", "xp.exp(-{x}**2)"],
    "expm1": ["xp.expm1({x})"],
    "log": ["xp.log({x} * {x} + 0.5)"],
    "log1p": ["xp.log1p({x} ** 2)"],
    "sqrt": ["xp.sqrt({x} * {x} + 0.3)"],
    "square": ["xp.square({x})", "{x}**2"],
    "sin": ["xp.sin({x})"],
    "cos": ["xp.cos({x})"],
    "tanh": ["xp.tanh({x})"],
    "sigmoid": ["nn.sigmoid({x})", "1 / (1 + xp.exp(-{x}))", "(1 + xp.tanh({x} / 2)) / 2"],
    "relu": ["nn.relu({x})", "xp.maximum({x}, 0)", "{x} * ({x} > 0)", "xp.maximum(0.0, {x})"],
    "leaky_relu": ["nn.leaky_relu({x}, 0.1)", "xp.where({x} > 0, {x}, 0.1 * {x})"],
    "softplus": ["nn.softplus({x})", "xp.log(1 + xp.exp({x}))", "xp.log1p(xp.exp({x}))"],
    "powers": ["({x}**2 + 0.5)**-1.5", "{x}**3", "2.0**{x}", "({x} * {x} + 1)**0.5"],
    "numbers": ["2 * {x} - 1", "0.5 - {x} / 3", "{x} / len({x})"],
    "copies": ["{x} + xp.zeros_like({x})", "{x} * xp.full_like({x}, 2)", "xp.copy({x})"],
}
KINKED = {"abs", "sign", "relu", "leaky_relu"}


def entrywise(name: str) -> Operation:
    def draw(draft: Draft) -> None:
        x = draft.array(1, 2, 3) if name == "numbers" else draft.array(0, 1, 2, 3)
        if x.smooth or name not in KINKED:
            draft.add(draft.pick(ENTRYWISE[name]).format(x=x), x.dims, name)

    return draw


OPERATIONS |= {name: entrywise(name) for name in ENTRYWISE}

BINARY = {
    "add": "{x} + {y}",
    "subtract": "{x} - {y}",
    "multiply": "{x} * {y}",
    "divide": "{x} / ({y}**2 + 1)",
    "power": "({x}**2 + 0.5) ** {y}",
    "maximum": "xp.maximum({x}, {y})",
    "minimum": "xp.minimum({x}, {y})",
    "where": "xp.where({x} < {y}, {x}, {y} * {y})",
    "comparisons": "{x} * ({x} >= {y}) + {y} * ({x} < {y}) * ({y} != 0)",
    "clip": "xp.clip({x}, -0.5, xp.exp({y}))",
}
MEETING = {"maximum", "minimum", "where", "comparisons"}  # not where x and y nearly agree


def partner(draft: Draft, x: Value) -> tuple[Value, Dims]:
    """A value that broadcasts with x, and the dims of the two together."""
    kept = x.dims[draft.pick(range(len(x.dims) + 1)) :]
    if len(kept) == len(x.dims):
        kept = draft.pick([x.dims, x.dims, ("m", *x.dims) if len(kept) < 3 else x.dims])
    dims = tuple(draft.pick([dim, dim, dim, "1"]) for dim in kept)
    y = draft.like(dims)
    rank = max(len(x.dims), len(dims))
    pairs = zip(
        ("1",) * (rank - len(x.dims)) + x.dims, ("1",) * (rank - len(dims)) + dims, strict=True
    )
    return y, tuple(b if a == "1" else a for a, b in pairs)


def binary(name: str) -> Operation:
    def draw(draft: Draft) -> None:
        x = draft.array(0, 1, 2, 3)
        y, dims = partner(draft, x)
        distance = [np.abs(x.numbers - y.numbers)] if name in MEETING else []
        if name == "clip":
            distance = [np.abs(x.numbers + 0.5), np.abs(x.numbers - np.exp(y.numbers))]
        if all(gap.min(initial=1) > GAP for gap in distance):
            draft.add(BINARY[name].format(x=x, y=y), dims, name)

    return draw


OPERATIONS |= {name: binary(name) for name in BINARY}


# Products.


@operation("matmul")
def matmul(draft: Draft) -> None:
    x = draft.array(1, 2, 2, 3)
    inner, outer = x.dims[-1], draft.dims(1)
    batch = x.dims[:-2]
    dims = draft.pick([(inner,), (inner, *outer), (inner, *outer), (*batch, inner, *outer),
                       (*("1" for _ in batch), inner, *outer)])  # fmt: skip
    if len(x.dims) == 1 and draft.pick([True, False]):
        dims = ("m", inner, *outer)
    y = draft.like(dims)
    lead = batch or y.dims[:-2]
    result = (*lead, *x.dims[-2:-1], *(y.dims[-1:] if len(y.dims) > 1 else ()))
    draft.add(draft.pick([f"{x} @ {y}", f"xp.matmul({x}, {y})"]), result, "matmul")


@operation("matmul of transposes")
def transposed(draft: Draft) -> None:
    x = draft.array(2)
    y = draft.like((*draft.dims(1), x.dims[0]))
    draft.add(f"{x}.T @ {y}.T", (x.dims[1], y.dims[0]), "matmul of transposes")


@operation("layer")
def layer(draft: Draft) -> None:
    x = draft.array(2)
    w = draft.like((x.dims[1], *draft.dims(1)))
    b = draft.like(w.dims[1:])
    function = draft.pick(["xp.tanh", "nn.sigmoid", "nn.softmax"])
    draft.add(f"{function}({x} @ {w} + {b})", (x.dims[0], w.dims[1]), "layer")


@operation("loop")
def loop(draft: Draft) -> None:
    x = draft.array(2)
    w = [draft.like((x.dims[1], x.dims[1])) for _ in range(2)]
    lines = f"A = {x}", f"for W in [{w[0]}, {w[1]}]:", "    A = xp.tanh(A @ W)"
    draft.add("A * 2", x.dims, "loop", lines[0], "\n    ".join(lines[1:]))


@operation("dot")
def dot(draft: Draft) -> None:
    x = draft.array(1, 2)
    y = draft.like(draft.pick([x.dims[-1:], (x.dims[-1], *draft.dims(1))]))
    draft.add(draft.pick([f"xp.dot({x}, {y})", f"{x}.dot({y})"]), x.dims[:-1] + y.dims[1:], "dot")


@operation("outer")
def outer(draft: Draft) -> None:
    x, y = draft.array(1), draft.array(1)
    draft.add(f"xp.outer({x}, {y})", x.dims + y.dims, "outer")


# fmt: off
EINSUMS = [
    "ij,jk->ik", "ij,ij->", "ij,kj->ki", "i,j->ij", "ij->ji", "ii->i", "ii->", "ij->j", "ij,ij->i",
    "bij,bjk->bik", "ij,jk,kl->il", "ij,j", "ijk->k", "ij,ik->jk", "bij->bji", "bi,bj->bij",
    "...ij,jk->...ik", "ij,i->",
]
# fmt: on


@operation("einsum")
def einsum(draft: Draft) -> None:
    subscripts = draft.pick(EINSUMS)
    known: dict[str, str] = {".": "n"}
    operands: list[Value] = []
    for letters in subscripts.split("->")[0].replace("...", ".").split(","):
        if not operands and len(set(letters)) == len(letters):
            operands.append(draft.array(len(letters)))
            known |= zip(letters, operands[0].dims, strict=True)
        else:
            for letter in letters:
                known.setdefault(letter, *draft.dims(1))
            operands.append(draft.like(tuple(known[letter] for letter in letters)))
    left = "i" if "->" not in subscripts else subscripts.split("->")[1].replace("...", ".")
    names = ", ".join(value.name for value in operands)
    draft.add(f'xp.einsum("{subscripts}", {names})', tuple(known[c] for c in left), "einsum")


# What Python and NumPy code brings along: rebinding, lists, constants, whole numbers.


@operation("python")
def python(draft: Draft) -> None:
    x = draft.array(1, 2)
    text, *before = draft.pick([
        ("A + A", f"A = {x}", "A = 2 * A", "A = A - 1"),
        ("A * B", f"A, B = {x} + 1, {x} / 2"),
        ("sum(rows)", f"rows = [{x} * c for c in (1.0, -0.5)]"),
        ("parts['a'] * parts['b']", f"parts = {{'a': {x}, 'b': {x} + 1}}"),
        ("(lambda z: z * z)(A)", f"A = {x}", "for c in range(2):", "    A = A + c"),
    ])  # fmt: skip
    draft.add(text, x.dims, "python", *before)


@operation("constants")
def constants(draft: Draft) -> None:
    x = draft.like(draft.dims(draft.pick([1, 2])))  # made for large sizes too: no products
    square = draft.like(x.dims[:1] * 2)
    text, dims = draft.pick([
        (f"{x} + xp.arange({x}.shape[-1])", x.dims),
        (f"{square} - xp.eye(len({square}))", square.dims),
        (f"{x} * xp.ones({x}.shape)", x.dims),
        (f"{x} * xp.arange({x}.shape[0])[::-1].sum()", x.dims),
    ])  # fmt: skip
    draft.add(text, dims, "constants")


@operation("whole numbers")
def whole_numbers(draft: Draft) -> None:
    x = draft.array(2)
    y, one = draft.whole(x.dims[:1], x.dims[1]), draft.whole((), x.dims[0])
    text, dims = draft.pick([
        (f"{x} * {y}[:, None]", x.dims),
        (f"xp.where({y}[:, None] == 0, {x}, -{x})", x.dims),
        (f"{x} * ({y}[:, None] == xp.arange({x}.shape[1]))", x.dims),
        (f"{x} * xp.mean(1.0 * ({y} > 0))", x.dims),
        (f"{x}[{one}]", x.dims[1:]),
        (f"{x}[{one}, {y}]", x.dims[:1]),
        (f"xp.argmax({x}, axis=1) * xp.sum({x}, axis=1)", x.dims[:1]),
    ])  # fmt: skip
    if apart(x, 1):
        draft.add(text, dims, "whole numbers")


# Rearranging.


def product(dims: Iterable[str]) -> str:
    return str(sizes_product(map(size, dims)))


def plus(*dims: str) -> str:
    return str(sum(map(size, dims), size(0)))


@operation("transpose")
def transpose(draft: Draft) -> None:
    x = draft.array(1, 2, 3)
    order = draft.pick([tuple(reversed(range(len(x.dims)))), (*range(1, len(x.dims)), 0)])
    text = draft.pick([f"xp.transpose({x}, {order})", f"{x}.transpose({order})"])
    if order == tuple(reversed(range(len(x.dims)))):
        text = draft.pick([text, f"{x}.T", f"xp.transpose({x})"])
    draft.add(text, tuple(x.dims[place] for place in order), "transpose")


@operation("swapaxes")
def swapaxes(draft: Draft) -> None:
    x = draft.array(2, 3)
    text = draft.pick([f"xp.swapaxes({x}, -1, -2)", f"{x}.swapaxes(-2, -1)", f"{x}.mT"])
    draft.add(text, (*x.dims[:-2], x.dims[-1], x.dims[-2]), "swapaxes")


@operation("reshape")
def reshape(draft: Draft) -> None:
    x = draft.array(1, 2, 3)
    dims, rows = x.dims, x.dims[0]
    text, result = draft.pick([
        (f"{x}.reshape(-1)", (product(dims),)),
        (f"xp.reshape({x}, (-1, 1))", (product(dims), "1")),
        (f"{x}.reshape(1, {x}.shape[0], -1)", ("1", rows, product(dims[1:]))),
        (f"{x}.reshape({x}.shape[-1], -1)", (dims[-1], product(dims[:-1]))),
        (f"xp.ravel({x})", (product(dims),)),
    ])  # fmt: skip
    draft.add(text, result, "reshape")


@operation("slice")
def slices(draft: Draft) -> None:
    x = draft.array(1, 2, 3)
    first, *rest = x.dims
    options = [(f"{x}[::-1]", x.dims), (f"{x}[0]", (*rest,)), (f"{x}[..., -1]", x.dims[:-1]),
               (f"{x}[None]", ("1", *x.dims)), (f"{x}[:, None]", (first, "1", *rest))]  # fmt: skip
    if length(first) > 1:
        options += [
            (f"{x}[1:]", (plus(first, "-1"), *rest)),
            (f"{x}[:-1]", (plus(first, "-1"), *rest)),
        ]
    text, dims = draft.pick(options)
    if len(dims) < 4:
        draft.add(text, dims, "slice")


@operation("concatenate")
def concatenate(draft: Draft) -> None:
    x = draft.array(1, 2)
    rows, *rest = x.dims
    y = draft.like((*draft.dims(1), *rest))
    both = (plus(rows, y.dims[0]), *rest)
    options = [
        (f"xp.concatenate([{x}, {y}])", both),
        (f"xp.concatenate([{y}, {x}, {y}], axis=0)", (plus(y.dims[0], both[0]), *rest)),
        (f"xp.stack([{x}, {x} * 2])", ("2", *x.dims)),
    ]
    if rest:
        ones = (rows, plus(rest[0], "1"))
        options += [(f"xp.column_stack([{x}, xp.ones(len({x}))])", ones)] * 2
        options += [(f"xp.hstack([xp.ones(({x}.shape[0], 1)), {x}])", ones)]
    draft.add(*draft.pick(options), "concatenate")


@operation("gather")
def gather(draft: Draft) -> None:
    x = draft.array(1, 2)
    rows, *rest = x.dims
    ids = draft.whole(draft.dims(draft.pick([1, 1, 2])), rows)
    options = [
        (f"{x}[{ids}]", (*ids.dims, *rest)),
        (f"xp.take({x}, {ids}, axis=0)", (*ids.dims, *rest)),
    ]
    if rest:
        y = draft.whole((rows,), rest[0])
        options += [(f"{x}[xp.arange(len({y})), {y}]", (rows,))] * 2
        across = draft.whole(draft.dims(1), rest[0])
        options += [(f"{x}[:, {across}]", (rows, *across.dims))]
    draft.add(*draft.pick(options), "gather")


@operation("broadcast")
def broadcast(draft: Draft) -> None:
    x = draft.array(1, 2)
    draft.add(f"xp.broadcast_to({x}, (2, *{x}.shape))", ("2", *x.dims), "broadcast")


@operation("diag")
def diag(draft: Draft) -> None:
    x = draft.array(1)
    square = draft.like(x.dims * 2)
    text, dims = draft.pick([(f"xp.diag({x})", x.dims * 2), (f"xp.diag({square})", x.dims)])
    draft.add(text, dims, "diag")


@operation("trace")
def trace(draft: Draft) -> None:
    x = draft.array(1)
    square = draft.like(x.dims * 2)
    draft.add(
        draft.pick([f"xp.trace({square})", f"xp.trace(xp.tril({square}) @ {square})"]), (), "trace"
    )


# Reductions.


def reduction(name: str) -> Operation:
    def draw(draft: Draft) -> None:
        x = draft.array(1, 2, 3)
        rank = len(x.dims)
        axis = draft.pick([None, *range(-rank, rank)])
        if name in ("sum", "mean") and rank > 1:
            axis = draft.pick([axis, (0, rank - 1)])
        if name in ("max", "min") and not apart(x, axis):
            return
        keep = draft.pick([False, False, True]) and not (name in ("max", "min") and axis is None)
        gone = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis % rank,)
        kept = [
            ("1" if at in gone else dim) for at, dim in enumerate(x.dims) if keep or at not in gone
        ]
        options = ", ".join(["keepdims=True"] * keep + [f"axis={axis}"] * (axis is not None))
        text = draft.pick([f"{x}.{name}({options})", f"xp.{name}({x}, {options})"]).replace(
            ", )", ")"
        )
        draft.add(text, tuple(kept), name)

    return draw


def apart(x: Value, axis: int | None) -> bool:
    """Whether no two entries along an axis nearly tie."""
    ordered = np.sort(x.numbers, axis=axis)
    return np.diff(ordered, axis=-1 if axis is None else axis).min(initial=1) > GAP


OPERATIONS |= {name: reduction(name) for name in ("sum", "mean", "max", "min")}


def along(name: str) -> Operation:
    def draw(draft: Draft) -> None:
        x = draft.array(1, 2, 3)
        axis = draft.pick(range(-len(x.dims), len(x.dims)))
        place = axis % len(x.dims)
        dims = x.dims if name != "logsumexp" else x.dims[:place] + x.dims[place + 1 :]
        text = f"nn.{name}({x}, axis={axis})"
        if name == "softmax" and draft.pick([True, False]):
            top = f"{x} - xp.max({x}, axis={axis}, keepdims=True)"
            if apart(x, axis):
                text = f"xp.exp({top}) / xp.sum(xp.exp({top}), axis={axis}, keepdims=True)"
        draft.add(text, dims, name)

    return draw


OPERATIONS |= {name: along(name) for name in ("softmax", "log_softmax", "logsumexp")}
