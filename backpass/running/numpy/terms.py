"""Terms that are no matrix notation, in NumPy: axes are inserted so that entries meet.

Every expression goes with its axes, sorted as the whole loop nest wants them; what lacks an axis
gets one of length 1 in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import assert_never

from backpass.language.expr import (
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    labels,
    negate,
)
from backpass.reading.affine import affine
from backpass.reading.entrywise import split
from backpass.reading.indexing import pick
from backpass.reading.tree import Axes
from backpass.running.numpy import code
from backpass.running.numpy.code import ATOM, Code, Desk
from backpass.running.numpy.expression import expression, inserted, subscript
from backpass.running.numpy.index import parts, windows


@dataclass(frozen=True, slots=True)
class Grid:
    """An expression and the labels of its axes."""

    code: Code
    axes: Axes


def entries(term: Term, order: Axes, desk: Desk) -> Grid:
    """A term over whole arrays, its axes in the order given, which knows all of them."""
    match term:
        case Label() if term in desk.loops:
            return Grid(desk.loops[term], ())
        case Label():
            return Grid(Code(f"np.arange({desk.size(term.size).text})", holds="int"), (term,))
        case Number(value=value):
            return Grid(code.number(value), ())
        case SizeTerm(size=size):
            return Grid(desk.size(size), ())
        case Read():
            return permuted(read_entries(term, desk), order)
        case Bracket(relation=relation, left=left, right=right):
            sides, axes = _aligned((left, right), order, desk.plain())
            return Grid(code.compare(sides[0], relation, sides[1]), axes)
        case Apply(function=function, args=args):
            codes, axes = _aligned(args, order, desk)
            return Grid(code.apply(function.name, codes, desk), axes)
        case Sum(terms=terms):
            signs = [split(part).number < 0 for part in terms]
            bare = [negate(part) if sign else part for part, sign in zip(terms, signs, strict=True)]
            codes, axes = _aligned(bare, order, desk)
            return Grid(code.total(codes, desk, signs), axes)
        case Product():
            return _product(term, order, desk)
        case Power(base=base, exponent=exponent):
            if isinstance(exponent, Number) and exponent.value < 0:
                return _product(term, order, desk)
            codes, axes = _aligned((base, exponent), order, desk)
            return Grid(code.power(codes[0], codes[1], desk), axes)
        case _:
            assert_never(term)


def _product(term: Term, order: Axes, desk: Desk) -> Grid:
    factors = split(term)
    above = [entries(factor, order, desk) for factor in factors.above]
    below = [entries(factor, order, desk) for factor in factors.below]
    return multiplied(factors.number, above, below, order, desk)


def multiplied(
    number: Fraction, above: Iterable[Grid], below: Iterable[Grid], order: Axes, desk: Desk
) -> Grid:
    """`number · above / below`, entry by entry; a number that is 1 goes without saying."""
    upper, lower = list(above), list(below)
    if number < 0:
        inner = multiplied(-number, upper, lower, order, desk)
        return replace(inner, code=code.negative(inner.code, desk))
    if number != 1 or not upper:
        upper.insert(0, Grid(code.number(number), ()))
    axes = union((*upper, *lower), order)
    over = code.product([align(grid, axes) for grid in upper], desk)
    if not lower:
        return Grid(over, axes)
    under = code.product([align(grid, axes) for grid in lower], desk)
    return Grid(code.quotient(over, under, desk), axes)


def _aligned(terms: Sequence[Term], order: Axes, desk: Desk) -> tuple[list[Code], Axes]:
    grids = [entries(term, order, desk) for term in terms]
    axes = union(grids, order)
    return [align(grid, axes) for grid in grids], axes


def union(grids: Iterable[Grid], order: Axes) -> Axes:
    """All the axes that occur, sorted."""
    found = {axis for grid in grids for axis in grid.axes}
    return tuple(axis for axis in order if axis in found)


def align(grid: Grid, axes: Axes) -> Code:
    """The expression with axes of length 1 where it lacks one, but for the leading ones."""
    if not grid.axes:
        return grid.code
    first = next(place for place, axis in enumerate(axes) if axis in grid.axes)
    return inserted(grid.code, grid.axes, axes[first:])


def permuted(grid: Grid, order: Axes) -> Grid:
    """The axes sorted: a view."""
    axes = tuple(axis for axis in order if axis in grid.axes)
    if axes == grid.axes:
        return grid
    if axes == (*grid.axes[:-2], grid.axes[-1], grid.axes[-2]):
        turn = ".T" if len(axes) == 2 else ".mT"
    else:
        turn = f".transpose({', '.join(str(grid.axes.index(axis)) for axis in axes)})"
    return Grid(grid.code.view(grid.code.at(ATOM) + turn), axes)


def read_entries(read: Read, desk: Desk) -> Grid:
    """What a read takes out of an array, its axes as they come."""
    if desk.loops.keys().isdisjoint(labels(read)):
        node = pick(read, desk.arrays)
        if node is not None:
            return Grid(expression(node, desk), node.axes)
        window = windows(read, desk)
        if window is not None:
            return Grid(*window)
    found = parts(read.index, desk.arrays[read.name].shape, desk, whole_numbers)
    return Grid(subscript(desk.array(read.name), found.index), found.axes)


def whole_numbers(term: Term, order: Axes, desk: Desk) -> Code:
    """An index expression, over a grid of labels if it mentions any."""
    grid = entries(term, order, desk.plain())
    aligned = align(grid, order)
    if aligned.holds == "number" and affine(term) is None:
        return Code(f"int({aligned.text})", holds="number")
    if aligned.holds == "real":
        return Code(f"{aligned.at(ATOM)}.astype(int)", holds="int")
    return code.cast(aligned, desk.plain())
