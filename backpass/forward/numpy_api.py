"""What NumPy's functions mean when they are called on traced values.

A table holds what has a meaning here; whatever is not in it is refused by name, with the
spelling to use or the nearest name that is known.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np

from backpass.calculus import contraction, elementwise, indexing, reduction
from backpass.calculus.op import OPS, Op, bound
from backpass.forward.length import entries, lengths
from backpass.forward.numpy_made import LINALG, MADE
from backpass.forward.numpy_shapes import MOVES, Adapter, Axis, from_front, nodes, ravel
from backpass.forward.tape import Ints, Node, Tape
from backpass.language.errors import TraceError, nearest

# Functions of numbers, by NumPy's names, most of which are ours.

UFUNCS: dict[str, Op] = {
    name: OPS[name]
    for name in (
        "add", "subtract", "multiply", "divide", "power", "negative", "positive", "square", "sqrt",
        "matmul", "exp", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "sin", "cos",
        "tanh", "sign", "maximum", "minimum", "greater", "greater_equal", "less", "less_equal",
        "equal", "not_equal",
    )
} | {
    "absolute":    elementwise.absolute,
    "fabs":        elementwise.absolute,
    "float_power": elementwise.power,
    "fmax":        elementwise.maximum,
    "fmin":        elementwise.minimum,
    "logical_and": elementwise.both,
    "logical_or":  elementwise.either,
    "logical_not": elementwise.negation,
    "bitwise_and": elementwise.both,
    "bitwise_or":  elementwise.either,
    "invert":      elementwise.negation,
}  # fmt: skip


# Sums and extremes.


def _reduction(op: Op) -> Adapter:
    def adapter(
        tape: Tape, a: object, axis: Axis = None, keepdims: bool = False, **rest: object
    ) -> Node:
        for name, value in rest.items():
            if value is not None:
                raise tape.refused(f"np.{op.name} with {name}= is not known here; leave it out")
        a = tape.node(a)
        axes = tuple(sorted(from_front(tape, a.ndim, axis)))
        return tape.record(op, a, axis=axes, keepdims=bool(keepdims))

    return adapter


def _place(op: Op) -> Adapter:
    def adapter(tape: Tape, a: object, axis: Axis = None) -> Node:
        a = tape.node(a)
        return tape.record(op, a, axis=from_front(tape, a.ndim, axis))

    return adapter


_sum = _reduction(reduction.sum)


# Choices.


def _clip(tape: Tape, a: object, a_min: object = None, a_max: object = None, *,
          min: object = None, max: object = None) -> Node:  # fmt: skip
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    match low, high:
        case None, None:
            return tape.node(a)
        case None, _:
            return tape.record(elementwise.minimum, a, high)
        case _, None:
            return tape.record(elementwise.maximum, a, low)
        case _:
            return tape.record(elementwise.clip, a, low, high)


def _where(tape: Tape, condition: object, x: object = None, y: object = None) -> Node:
    if x is None or y is None:
        raise tape.refused("np.where of one argument has no shape; give both sides, (c, a, b)")
    return tape.record(elementwise.where, condition, x, y)


def _half(op: Op, relation: str, strict: int) -> Adapter:
    """`np.tril` and `np.triu`: at any diagonal but the main one, entries times a mask."""

    def adapter(tape: Tape, m: object, k: object = 0) -> Node:
        m = tape.node(m)
        if m.ndim < 2 or not isinstance(k, SupportsIndex):
            raise tape.refused(f"np.{op.name} takes a matrix, and a whole number as its diagonal k")
        offset = k.__index__()
        if not offset:
            return tape.record(op, m)
        turned = (relation[0], 0) if offset == strict else (relation, offset)
        *_, rows, columns = m.shape
        mask = tape.record(indexing.triangle, rows=rows, columns=columns,
                           relation=turned[0], kind="bool", offset=turned[1])  # fmt: skip
        return tape.record(elementwise.multiply, m, mask)

    return adapter


# Products.


def _outer(tape: Tape, a: object, b: object) -> Node:
    return tape.record(contraction.outer, ravel(tape, a), ravel(tape, b))


def _inner(tape: Tape, a: object, b: object) -> Node:
    b = tape.node(b)
    turned = tape.record(indexing.transpose, b) if b.ndim > 1 else b
    return tape.record(contraction.dot, a, turned)


def _vdot(tape: Tape, a: object, b: object) -> Node:
    return tape.record(contraction.dot, ravel(tape, a), ravel(tape, b))


def _einsum(tape: Tape, subscripts: object, *operands: object, optimize: object = None) -> Node:
    if not isinstance(subscripts, str):
        raise tape.refused('einsum takes its subscripts as a text, "nk,kj->nj"')
    return tape.record(contraction.einsum, *nodes(tape, operands), subscripts=subscripts)


def _plain(op: Op) -> Adapter:
    def adapter(tape: Tape, *args: object) -> Node:
        return tape.record(op, *args)

    return adapter


# What an array knows of itself.


def _copy(tape: Tape, a: object) -> Node:
    return tape.node(a)


def _item(tape: Tape, a: Node) -> Node:
    if a.size != 1:
        raise tape.refused("item() takes out the only entry of an array; pick one, x[0, 0]")
    return tape.record(indexing.reshape, a, shape=()) if a.shape else a


def _shape(tape: Tape, a: object) -> Ints:
    return lengths(tape, tape.node(a).shape)


def _ndim(tape: Tape, a: object) -> int:
    return tape.node(a).ndim


def _size(tape: Tape, a: object, axis: int | None = None) -> int:
    shape = tape.node(a).shape
    return entries(tape, shape) if axis is None else lengths(tape, shape)[axis]


FUNCTIONS: dict[str, Adapter] = {
    **MOVES,
    **MADE,
    "sum": _sum,
    "mean": _reduction(reduction.mean),
    "max": _reduction(reduction.max),
    "min": _reduction(reduction.min),
    "amax": _reduction(reduction.max),
    "amin": _reduction(reduction.min),
    "argmax": _place(reduction.argmax),
    "argmin": _place(reduction.argmin),
    "clip": _clip,
    "where": _where,
    "dot": _plain(contraction.dot),
    "outer": _outer,
    "inner": _inner,
    "vdot": _vdot,
    "einsum": _einsum,
    "trace": _plain(contraction.trace),
    "tril": _half(indexing.tril, "<=", -1),
    "triu": _half(indexing.triu, ">=", 1),
    "copy": _copy,
    "shape": _shape,
    "ndim": _ndim,
    "size": _size,
}

METHODS: dict[str, Adapter] = {
    name: FUNCTIONS[name]
    for name in (
        "sum", "mean", "max", "min", "argmax", "argmin", "clip", "swapaxes", "ravel", "squeeze",
        "take", "trace", "diagonal", "dot", "copy", "reshape", "transpose", "var", "std",
    )
} | {"flatten": ravel, "item": _item}  # fmt: skip

# What is often wanted and not known, and how to say it with what is.

INSTEAD = {
    "prod": "np.exp(np.sum(np.log(x))) for positive entries",
    "cumsum": "np.tril(np.ones((len(x), len(x)))) @ x",
    "average": "np.mean(x), or np.sum(w * x) / np.sum(w)",
    "reciprocal": "1 / x",
    "sinh": "(np.exp(x) - np.exp(-x)) / 2",
    "cosh": "(np.exp(x) + np.exp(-x)) / 2",
    "tan": "np.sin(x) / np.cos(x)",
    "heaviside": "x > 0",
    "sinc": "np.sin(np.pi * x) / (np.pi * x)",
    "cbrt": "x ** (1 / 3)",
    "roll": "np.concatenate([x[-1:], x[:-1]])",
    "split": "its parts, x[:k] and x[k:]",
    "kron": "np.einsum",
    "multi_dot": "A @ B @ C",
    "matrix_power": "A @ A",
    "select": "np.where",
    "nansum": "np.sum",
    "nanmean": "np.mean",
    "exp2": "2 ** x",
    "hypot": "np.sqrt(x ** 2 + y ** 2)",
    "cross": "its three products",
    "tensordot": "np.einsum",
    "append": "np.concatenate([a, b])",
    "pad": "np.concatenate with np.zeros",
    "repeat": "np.broadcast_to, or an index such as x[[0, 0, 1, 1]]",
    "tile": "np.broadcast_to, or np.concatenate([x, x])",
    "nan_to_num": "np.where",
    "sort": "np.take(x, order) with an order that is passed in",
    "argsort": "an order that is passed in",
    "any": "np.max(mask)",
    "all": "np.min(mask)",
    "tolist": "the array itself",
    "flat": "x.ravel()",
    "real": "x",
    "expit": "bp.sigmoid(x)",
    "log_expit": "-bp.softplus(-x)",
    "logit": "np.log(p) - np.log(1 - p)",
    "xlogy": "x * np.log(y)",
    "entr": "-x * np.log(x)",
    "fill": "np.full_like(x, value)",
}

JUMPS = {
    "floor", "ceil", "round", "around", "rint", "trunc", "fix", "remainder", "fmod", "mod",
    "floor_divide", "divmod",
}  # fmt: skip


def call_ufunc(
    tape: Tape, ufunc: np.ufunc, method: str, inputs: Sequence[object], options: Mapping[str, Any]
) -> Node:
    """A ufunc on traced values, such as np.tanh or np.add."""
    if options.get("out") is not None:
        raise tape.refused("out= and += change an array in place; write A = A + B")
    if options.get("where", True) is not True:
        raise tape.refused("where= leaves entries undefined; use np.where")
    if method == "reduce" and ufunc is np.add:
        return _sum(tape, *inputs, **{"axis": 0, **options})
    if method == "outer" and ufunc is np.multiply:
        return tape.record(contraction.outer, *inputs)
    name = ufunc.__name__
    if method != "__call__":
        raise tape.refused(f"np.{name}.{method} has no rule here")
    if name not in UFUNCS:
        raise tape.refused(_without_rule(f"np.{name}" if hasattr(np, name) else name, name))
    return tape.record(UFUNCS[name], *inputs)


def call_function(
    tape: Tape, function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """A NumPy function on traced values, such as np.sum or np.concatenate."""
    name = function.__name__
    shown = f"{function.__module__}.{name}".replace("numpy", "np", 1)
    for module, adapters in ((np, FUNCTIONS), (np.linalg, LINALG)):
        if function is getattr(module, name, None) and name in adapters:
            return _adapted(tape, shown, adapters[name], args, options)
    raise tape.refused(_without_rule(shown, name))


def call_method(tape: Tape, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A method of an array, such as `.sum` or `.reshape`; the array comes first."""
    if name in ("reshape", "transpose") and len(args) > 2:
        args = (args[0], args[1:])  # a.reshape(2, 3) is a.reshape((2, 3))
    return _adapted(tape, f".{name}", METHODS[name], args, options)


def _adapted(
    tape: Tape, shown: str, adapter: Adapter, args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Call an adapter; arguments that it does not take are refused in a sentence."""
    try:
        inspect.signature(adapter).bind(tape, *args, **options)
    except TypeError as error:
        raise tape.refused(f"{shown} here: {error}") from None
    start = len(tape.nodes)
    result = adapter(tape, *args, **options)
    if isinstance(result, Node):
        tape.one_line(start, result)
    return result


def call_op(tape: Tape, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """One of our own operations, `bp.softmax(Z, axis=1)`; NumPy's are called as NumPy's."""
    if op.name in FUNCTIONS:
        return _adapted(tape, f"bp.{op.name}", FUNCTIONS[op.name], args, params)
    try:
        operands, given = bound(op, args, params)
        inspect.signature(op.build).bind(*operands, **given)
    except TypeError as error:
        raise tape.refused(f"bp.{op.name} here: {error}") from None
    if any(isinstance(value, Node) for value in given.values()):
        raise tape.refused(f"bp.{op.name} takes plain numbers for {', '.join(op.params)}")
    if "axis" in op.params:
        given["axis"] = from_front(tape, tape.node(operands[0]).ndim, given.get("axis", -1))
    return tape.record(op, *operands, **given)


class NoSuchAttribute(TraceError, AttributeError):
    """Lets `hasattr` answer no."""


def no_such_attribute(tape: Tape, name: str) -> NoSuchAttribute:
    """What to say of an array method or attribute that is not known."""
    shown = f".{name} of an array"
    if name in INSTEAD or hasattr(np.ndarray, name):
        message = _without_rule(shown, name)
    else:
        known = [*METHODS, "T", "mT", "shape", "ndim", "size", "dtype", "astype"]
        message = f"{shown} does not exist{nearest(name, known)}"
    error = tape.refused(message)
    return NoSuchAttribute(error.message, line=error.line, where=error.where)


def _without_rule(shown: str, name: str) -> str:
    """What to say of a function that exists, so that no other is meant."""
    if name in JUMPS:
        return f"{shown} goes up in jumps and has no slope; leave it out"
    if name in INSTEAD:
        return f"{shown} has no rule here; write {INSTEAD[name]}"
    return f"{shown} has no rule here, so nothing could flow back through it"
