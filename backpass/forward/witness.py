"""Sizes by witness: run the forward pass at three choices of sizes and explain what changed.

Python code wants real integers (`len(X)`, `np.ones((X.shape[0], 1))`, `range(L)`), so the pass
runs with two small primes and one number above 1,000 for each named size. The recordings must be
the same graph; a number that changes must be a simple expression in the sizes. Equality at a few
points is evidence and no proof, so a derivation states its witnesses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np

from backpass.calculus import indexing
from backpass.calculus.op import Op
from backpass.forward.trace import Node, Place, Tape, show_line
from backpass.language.errors import TraceError
from backpass.language.expr import Number, Term, multiply, number, power, size_term
from backpass.language.program import Array
from backpass.language.shapes import Size, evaluate_size, size

World = Mapping[str, int]  # what every named size is in one run


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


def worlds(names: Sequence[str], fixed: frozenset[int]) -> tuple[World, ...]:
    """Choices of sizes: two small ones, and for every size one in which it is above 1,000.

    No two names and no fixed number share a witness. The second choice runs through the names
    backwards, so that no two sizes differ by the same amount everywhere, and `k` is never
    mistaken for `n+6`. With three names or more they take turns at being large: a forward pass
    may fill an array of its own with three axes.
    """
    small = list(islice((p for p in _primes(5) if p not in fixed), 2 * len(names)))
    large = list(islice((p for p in _primes(1009) if p not in fixed), len(names)))
    first = dict(zip(names, small, strict=False))
    second = dict(zip(reversed(names), small[len(names) :], strict=True))
    turns = 1 if len(names) < 3 else 3
    return (
        first,
        second,
        *(
            {
                name: large[place] if place % turns == turn else (first, second)[turn % 2][name]
                for place, name in enumerate(names)
            }
            for turn in range(turns)
        ),
    )


def _primes(start: int) -> Iterator[int]:
    candidate = start | 1
    while True:
        if all(candidate % d for d in range(3, int(candidate**0.5) + 1, 2)):
            yield candidate
        candidate += 2


def agree(tapes: Sequence[Tape], where: Sequence[World], returned: Sequence[Any]) -> list[Value]:
    """The one graph behind the recordings; TraceError at the first line on which they differ."""
    first = tapes[0].nodes
    for nodes in zip(*(tape.nodes for tape in tapes), strict=False):
        if any(node.op is not nodes[0].op or len(node.operands) != len(nodes[0].operands)
               or node.params.get("input") != nodes[0].params.get("input") for node in nodes):  # fmt: skip
            raise _refused(nodes[0], _CHANGES)
    if any(len(tape.nodes) != len(first) for tape in tapes) or len(set(returned)) > 1:
        shortest = min(len(tape.nodes) for tape in tapes)
        raise _refused(first[min(shortest, len(first) - 1)], _CHANGES)
    return [_value(nodes, where) for nodes in zip(*(tape.nodes for tape in tapes), strict=True)]


_CHANGES = (
    "the operations here depend on the sizes (a loop over samples, or an `if` on a length); "
    "write them for whole arrays, or declare the size as a number"
)


def _refused(node: Node, message: str) -> TraceError:
    line = node.place.line
    return TraceError(message, line=line.text if line else None, where=show_line(line))


def _value(nodes: tuple[Node, ...], where: Sequence[World]) -> Value:
    node = nodes[0]
    shapes = tuple(one.shape for one in nodes)
    if node.op is None and "input" not in node.params:
        return _array(nodes, where)
    operands: list[int | Term] = []
    for parts in zip(*(one.operands for one in nodes), strict=True):
        if isinstance(parts[0], Node):
            if any(not isinstance(p, Node) or p.index != parts[0].index for p in parts):
                raise _refused(node, _CHANGES)
            operands.append(parts[0].index)
        else:
            if any(isinstance(p, Node) for p in parts):
                raise _refused(node, _CHANGES)
            operands.append(_number(parts, where, node))
    params = node.params
    if len(nodes) > 1 and any(one.params != params for one in nodes):
        params = {
            key: _param(tuple(one.params[key] for one in nodes), where, node) for key in params
        }
    return Value(node.index, node.op, tuple(operands), params, node.place, shapes, params.get("input"))


def _number(values: tuple[Any, ...], where: Sequence[World], node: Node) -> Term:
    if not all(np.isfinite(values)):
        raise _refused(node, "an infinite number has no slope; use a large one, such as -1e9")
    term = explain(values, where)
    if term is None:
        shown = ", ".join(f"{one:.6g}" for one in values)
        raise _refused(
            node,
            f"a number here changes from run to run ({shown}) and is no simple expression in the "
            "sizes; random numbers must be passed in",
        )
    return term


def _param(values: tuple[Any, ...], where: Sequence[World], node: Node) -> Any:
    first = values[0]
    if all(one == first for one in values):
        return first
    if isinstance(first, tuple) and all(len(one) == len(first) for one in values):  # pyright: ignore[reportUnknownArgumentType]
        return tuple(_param(parts, where, node) for parts in zip(*values, strict=True))
    if isinstance(first, int):
        found = whole(values, where)
        if found is not None:
            return found
    raise _refused(node, _CHANGES)


def _array(nodes: tuple[Node, ...], where: Sequence[World]) -> Value:
    """An array that the forward pass made: constant, or explained by its sizes."""
    node = nodes[0]
    arrays = [one.value for one in nodes]
    shapes = tuple(one.shape for one in nodes)
    shape = _param(shapes, where, node)

    def made(op: Op, *operands: Term, **params: Any) -> Value:
        return Value(node.index, op, operands, params, node.place, shapes)

    if all(a.size and (a == a.flat[0]).all() for a in arrays):
        filling = _number(tuple(a.flat[0].item() * 1 for a in arrays), where, node)
        return made(indexing.full, filling, shape=shape)
    if all(a.ndim == 1 and np.array_equal(a, np.arange(len(a))) for a in arrays):
        return made(indexing.arange, length=shape[0])
    if all(a.ndim == 2 and np.array_equal(a, np.eye(*a.shape)) for a in arrays):
        return made(indexing.eye, rows=shape[0], columns=shape[1])
    if any(not np.array_equal(a, arrays[0]) for a in arrays):
        raise _refused(
            node,
            "an array made here changes from run to run and is neither full, arange nor eye; "
            "pass it in as an argument (random numbers too)",
        )
    below = None if node.below is None else size(node.below)
    return Value(node.index, None, (), {}, node.place, shapes, constant=arrays[0], below=below)


# What a number means in terms of the sizes.

SIMPLE: tuple[tuple[Callable[[Fraction], Fraction], Fraction], ...] = (
    (lambda v: v, Fraction(1)),
    (lambda v: 1 / v, Fraction(-1)),
    (lambda v: v * v, Fraction(1, 2)),
    (lambda v: 1 / (v * v), Fraction(-1, 2)),
)


def explain(values: tuple[Any, ...], where: Sequence[World]) -> Term | None:
    """A number that changes, as q·sᵉ with a size s and e in half steps; None if it is none."""
    if all(one == values[0] for one in values):
        return number(values[0])
    if all(isinstance(one, int) for one in values):
        found = whole(values, where)
        if found is not None:
            return size_term(found)
    if not all(values):
        return None
    sign = -1 if values[0] < 0 else 1
    for change, exponent in SIMPLE:
        changed = [change(abs(Fraction(one))) for one in values]
        for factor in (1, 2, 3, 4, 5, 6, 8, 10, 12, 100, 1000):
            near = [round(one * factor) for one in changed]
            close = [abs(n - o * factor) <= 1e-9 * abs(n) for n, o in zip(near, changed, strict=True)]
            if all(close) and all(near):
                found = whole(tuple(near), where)
                if found is not None:
                    return _scaled(sign, factor, found, exponent)
    return None


def _scaled(sign: int, factor: int, found: Size, exponent: Fraction) -> Term:
    """sign·(found / factor)^exponent, with the content of `found` taken out of the root."""
    content = Fraction(1, factor)
    if len(found.terms) == 1:
        monomial, times = found.terms[0]
        content, found = Fraction(times, factor), Size([(monomial, 1)])
    scale: Term
    if exponent.denominator == 1:
        scale = number(content**exponent.numerator)
    else:
        scale = power(Number(content), Number(exponent))
    factors = [size_term(found)]
    if len(found.terms) == 1:
        factors = [power(size_term(Size([((pair,), 1)])), number(1)) for pair in found.terms[0][0]]
    return multiply(number(sign), scale, *(power(one, Number(exponent)) for one in factors))


def whole(values: tuple[int, ...], where: Sequence[World]) -> Size | None:
    """A whole number that changes, as a polynomial in the sizes; None when none is found."""
    names = list(where[0])
    for name in names:
        a = [world[name] for world in where]
        slope = Fraction(values[1] - values[0], a[1] - a[0])
        rest = values[0] - slope * a[0]
        if slope.denominator == 1 and all(slope * x + rest == v for x, v in zip(a, values, strict=True)):
            return size(name) * int(slope) + int(rest)
    product = _monomial(values, where)
    if product is not None:
        return product
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
    return None


def _monomial(values: tuple[int, ...], where: Sequence[World]) -> Size | None:
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
