"""Sizes by witness: run the forward pass at three choices of sizes and explain what changed.

Python code wants real integers (`len(X)`, `np.ones((X.shape[0], 1))`, `range(L)`), so the pass
runs with two small primes and one large number for each named size (`trials`). The recordings must
be the same graph; a number that changes must be a simple expression in the sizes. Equality at a few
points is evidence and no proof, so a derivation states its witnesses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import isclose, prod
from typing import Any

import numpy as np

from backpass.calculus import indexing
from backpass.calculus.op import Op
from backpass.forward.tape import Node, Place, Tape, show_line
from backpass.forward.trials import World
from backpass.language.errors import TraceError
from backpass.language.expr import Number, Term, multiply, number, power, size_term
from backpass.language.program import Array
from backpass.language.shapes import Size, evaluate_size, product, size


@dataclass(slots=True, eq=False)
class Value:
    """A node on which all three recordings agree; numbers in it may be sizes."""

    index: int
    op: Op | None
    operands: tuple[int | Term, ...]
    params: dict[str, Any]
    place: Place
    shapes: tuple[tuple[int, ...], ...]  # in each of the runs
    input: str | None = None
    constant: Any = None
    below: Size | None = None


def agree(tapes: Sequence[Tape], where: Sequence[World]) -> list[Value]:
    """The one graph behind the recordings; TraceError at the first line on which they differ."""
    values = [_value(nodes, where) for nodes in zip(*(tape.nodes for tape in tapes), strict=True)]
    return _fixed_once(values)


def _fixed_once(values: list[Value]) -> list[Value]:
    """The graph with equal fixed arrays as one, wherever the forward pass makes them anew."""
    first: dict[tuple[object, ...], int] = {}
    same: dict[int | Term, int] = {}
    for value in values:
        if value.constant is not None:
            entries = value.constant.dtype, value.constant.shape, value.constant.tobytes()
            same[value.index] = first.setdefault(entries, value.index)
    for value in values:
        value.operands = tuple(same.get(one, one) for one in value.operands)
    return values


def compare(first: Tape, other: Tape, result: int, returned: int) -> None:
    """Refuse a recording whose operations are not those of the first, at the line that differs."""
    for one, two in zip(first.nodes, other.nodes, strict=False):
        if one.op is not two.op or one.input != two.input or _links(one) != _links(two):
            raise _refused(one, CHANGES)
    if len(first.nodes) != len(other.nodes) or result != returned:
        last = min(len(first.nodes), len(other.nodes)) - 1
        raise _refused(first.nodes[last], CHANGES)


def compare_length(tapes: Sequence[Tape], other: Tape, result: int, returned: int) -> None:
    """Refuse what is done otherwise, or with another number, at a length that only `len` tells."""
    compare(tapes[0], other, result, returned)
    for nodes in zip(other.nodes, *(tape.nodes for tape in tapes), strict=True):
        for found, *numbers in zip(*(one.operands for one in nodes), strict=True):
            if len(set(numbers)) == 1 and found not in numbers and not isinstance(found, Node):
                raise _refused(nodes[1], CHANGES)


def made_arrays(tapes: Sequence[Tape], where: Sequence[World]) -> list[Size]:
    """How many entries the arrays have that a forward pass makes itself, as far as it ran."""
    found: list[Size] = []
    for nodes in zip(*(tape.nodes for tape in tapes), strict=False):
        if all(one.value is not None for one in nodes):
            axes = zip(*(one.shape for one in nodes), strict=False)
            # few runs: 25 and 49 are k² rather than 12k−35
            found.append(product(_monomial(one, where) or meaning(one, where) for one in axes))
    return found


CHANGES = (
    "the operations here depend on the sizes (a loop over samples, or an `if` on a length); "
    "write them for whole arrays, or declare the size as a number"
)

JUMPS = (
    "what is picked here is no simple part of the axis: half of it, every second entry or at most "
    "ten of them are counted in jumps while the length grows; declare the length as a number"
)


def _links(node: Node) -> list[int | None]:
    """Which earlier nodes a node is computed from, and where numbers stand."""
    return [one.index if isinstance(one, Node) else None for one in node.operands]


def _refused(node: Node, message: str) -> TraceError:
    line = node.place.line
    return TraceError(message, line=line.text if line else None, where=show_line(line))


def _value(nodes: tuple[Node, ...], where: Sequence[World]) -> Value:
    node = nodes[0]
    shapes = tuple(one.shape for one in nodes)
    if node.value is not None:
        return _array(nodes, where)
    operands: list[int | Term] = []
    for parts in zip(*(one.operands for one in nodes), strict=True):
        numbers = [one for one in parts if not isinstance(one, Node)]
        operands.append(_number(numbers, where, node) if numbers else parts[0].index)
    params = parameters(nodes, where)
    return Value(node.index, node.op, tuple(operands), params, node.place, shapes, node.input)


def _number(values: Sequence[float], where: Sequence[World], node: Node) -> Term:
    term = explain(values, where)
    if term is None:
        shown = ", ".join(f"{one:.6g}" for one in values)
        raise _refused(
            node,
            f"a number here changes from run to run ({shown}): it is random, or no simple "
            "expression in the sizes; pass it in as an argument",
        )
    return term


def parameters(nodes: Sequence[Node], where: Sequence[World]) -> dict[str, Any]:
    """The plain values that an operation takes, with sizes for whole numbers that change."""
    first = nodes[0]
    return {
        key: _parameter([one.params[key] for one in nodes], where, first) for key in first.params
    }


def _parameter(values: Sequence[Any], where: Sequence[World], node: Node) -> Any:
    first = values[0]
    if all(one == first for one in values):
        return first
    if isinstance(first, tuple) and len({len(one) for one in values}) == 1:
        return tuple(_parameter(parts, where, node) for parts in zip(*values, strict=True))
    found = whole(values, where) if isinstance(first, int) else None
    if found is None:
        raise _refused(node, JUMPS if node.op is indexing.getitem else CHANGES)
    return found


def _triangle(arrays: Sequence[Any]) -> tuple[str, int] | None:
    """How column and row compare where arrays are 1 and not 0: `("<=", 2)` for j ≤ i + 2."""
    if any(a.ndim != 2 or not ((a == 0) | (a == 1)).all() for a in arrays):
        return None
    diagonals = np.concatenate([j - i for i, j in map(np.nonzero, arrays)])
    # one array may be too small to show where the ones end; all of them together do
    low, high = int(diagonals.min()), int(diagonals.max())
    for relation, half, k in (("<=", np.tril, high), (">=", np.triu, low), ("==", _band, low)):
        if all(np.array_equal(a, half(np.ones(a.shape), k)) for a in arrays):
            strict = (relation, k) in (("<=", -1), (">=", 1))
            return (relation[0], 0) if strict else (relation, k)
    return None


def _band(ones: Any, k: int) -> Any:
    return np.eye(*ones.shape, k=k)


def _array(nodes: tuple[Node, ...], where: Sequence[World]) -> Value:
    """An array that the forward pass made: constant, or explained by its sizes."""
    node = nodes[0]
    arrays = [one.value for one in nodes if one.value is not None]
    shapes = tuple(one.shape for one in nodes)
    shape = _parameter(shapes, where, node)
    first = arrays[0]
    grows = len({a.shape for a in arrays}) > 1  # of fixed lengths, numbers tell more

    def made(op: Op, *operands: Term, **params: Any) -> Value:
        return Value(node.index, op, operands, params, node.place, shapes)

    if all(a.size and (a == a.flat[0]).all() for a in arrays):
        filling = _number([a.flat[0].item() * 1 for a in arrays], where, node)
        return made(indexing.full, filling, shape=shape)
    if all(a.ndim and a.size == max(a.shape) > 1 for a in arrays):
        axis = max(range(first.ndim), key=lambda place: first.shape[place])
        start = int(first.flat[0]) if grows and 0 < first.flat[0] < np.inf else 0
        if all(np.array_equal(a.ravel(), start + np.arange(a.size)) for a in arrays):
            return made(
                indexing.arange, length=shape[axis], axis=axis, rank=first.ndim, start=start
            )
    if all(a.ndim == 2 and np.array_equal(a, np.eye(*a.shape)) for a in arrays):
        return made(indexing.eye, rows=shape[0], columns=shape[1])
    scale = next((one for a in arrays for one in a[a != 0][:1].tolist()), 1) if grows else 1
    triangle = _triangle([a / scale for a in arrays])
    if triangle is not None:
        relation, offset = triangle
        kind = "bool" if node.kind == "bool" else "real"
        return made(indexing.triangle, number(scale), rows=shape[0], columns=shape[1],
                    relation=relation, kind=kind, offset=offset)  # fmt: skip
    if grows:
        raise _refused(
            node,
            "an array made here depends on the sizes, and is neither one number everywhere, "
            "arange, eye nor a triangle of ones; pass it in as an argument",
        )
    if not all(np.array_equal(a, first) for a in arrays):
        raise _refused(
            node,
            "an array made here changes from run to run; pass it in as an argument "
            "(random numbers too)",
        )
    below = size(int(first.max()) + 1) if node.kind == "int" and first.size else None
    return Value(node.index, None, (), {}, node.place, shapes, constant=first, below=below)


# What a number means in terms of the sizes.

EXPONENTS = tuple(Fraction(half, 2) for half in (2, -2, 1, -1, 4, -4, 3, -3))
Factor = tuple[Size, Fraction]


def explain(values: Sequence[float], where: Sequence[World]) -> Term | None:
    """A number that changes, as q·Π pᵉ with sizes p such as n or n−1; None if it is none."""
    if all(one == values[0] for one in values):
        return number(values[0])
    integers = [one for one in values if isinstance(one, int)]
    if len(integers) == len(values) and (found := whole(integers, where)) is not None:
        return size_term(found)
    for factors in _products(list(where[0])):
        rest = [
            value / prod(evaluate_size(base, world) ** float(e) for base, e in factors)
            for value, world in zip(values, where, strict=True)
        ]
        if rest[0] and all(isclose(one, rest[0], rel_tol=1e-12) for one in rest):
            root = any(e.denominator == 2 for _, e in factors)
            powers = (power(size_term(base), Number(e)) for base, e in factors)
            return multiply(_exact(rest[0], root), *powers)
    return None


def _products(names: Sequence[str]) -> Iterator[tuple[Factor, ...]]:
    """What a forward pass may compute from lengths, the plainest first."""
    plain = [size(name) for name in names]
    near = [one + shift for one in plain for shift in (0, -1, 1, -2, 2)]
    sums = [one + other for one, other in combinations(plain, 2)]
    yield from (((base, e),) for base in (*near, *sums) for e in EXPONENTS)
    short = near if len(names) < 8 else plain
    for one, other in combinations(short, 2):
        yield from (((one, e), (other, f)) for e in EXPONENTS[:4] for f in EXPONENTS[:4])


def _exact(value: float, root: bool) -> Term:
    """The simplest number within rounding of this one; beside a root it may be one itself."""
    candidates = [Fraction(value).limit_denominator(1000), Fraction(f"{value:.10g}")]
    for near in candidates:
        if isclose(near, value, rel_tol=1e-12):
            return Number(near)
    square = Fraction(value * value).limit_denominator(1000)
    if root and value > 0 and isclose(square, value * value, rel_tol=1e-12):
        return power(Number(square), Number(Fraction(1, 2)))
    return number(value)


def fixed(values: Sequence[float], where: Sequence[World]) -> Term:
    """What a number means as far as some runs tell, else what it is in the first."""
    return explain(values, where) or number(values[0])


def meaning(values: Sequence[int], where: Sequence[World]) -> Size:
    """Which size a length is as far as some runs tell, else what it is in the first."""
    if len(values) > 1:
        found = whole(values, where) if len(set(values)) > 1 else None
        return found or size(values[0])
    named = {length: name for name, length in where[0].items()}
    return size(named.get(values[0], values[0]))


def whole(values: Sequence[int], where: Sequence[World]) -> Size | None:
    """A whole number that changes, as a polynomial in the sizes; None when none is found."""
    names = list(where[0])
    for name in names:
        a = [world[name] for world in where]
        if a[0] == a[1]:
            continue
        slope = Fraction(values[1] - values[0], a[1] - a[0])
        rest = values[0] - slope * a[0]
        line = [slope * x + rest for x in a]
        if slope.denominator == 1 and line == list(values):
            return size(name) * int(slope) + int(rest)
    monomial = _monomial(values, where)
    if monomial is not None:
        return monomial
    for name in names:
        for shift in (-2, -1, 1, 2):
            a = [world[name] + shift for world in where]
            if all(x and v % x == 0 for x, v in zip(a, values, strict=True)):
                quotient = tuple(v // x for x, v in zip(a, values, strict=True))
                other = _monomial(quotient, where)
                if other is not None:
                    return other * (size(name) + shift)
    for place, name in enumerate(names):
        for other in names[place + 1 :]:
            rest = {v - world[name] - world[other] for v, world in zip(values, where, strict=True)}
            if len(rest) == 1:
                return size(name) + size(other) + rest.pop()
    for shift in (-1, 1):  # n*k − 1
        product = _monomial([value - shift for value in values], where)
        if product is not None:
            return product + shift
    return None


def _monomial(values: Sequence[int], where: Sequence[World]) -> Size | None:
    """q·s·t·… with whole q, by dividing out the witnesses, which are primes."""
    found = size(1)
    rest = list(values)
    for name in where[0]:
        witness = [world[name] for world in where]
        while all(v and v % p == 0 for v, p in zip(rest, witness, strict=True)):
            rest = [v // p for v, p in zip(rest, witness, strict=True)]
            found = found * size(name)
    return found * rest[0] if len(set(rest)) == 1 else None


def shapes_of(array: Array, world: World) -> tuple[int, ...]:
    """The shape that an input has in one run."""
    return tuple(evaluate_size(axis, world) for axis in array.shape)
