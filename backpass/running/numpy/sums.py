"""Loop nests that sum, in NumPy: one Σ, a tensor product, or `einsum`.

Factors without a summed label wait outside. Two factors go to BLAS where axes can be brought
together (`tensordot`, or `@` under a batch); what is left is for `einsum`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from backpass.language.expr import Label, Read, Term, labels, size_term
from backpass.language.program import Write
from backpass.reading.entrywise import split
from backpass.reading.tree import Axes
from backpass.running.numpy import code
from backpass.running.numpy.code import Code, Desk
from backpass.running.numpy.terms import Grid, entries, multiplied, permuted, read_entries, union


def value(write: Write, left: Axes, desk: Desk) -> Grid:
    """What a write adds, over those labels of its left side that it mentions, sorted so."""
    mentioned = set(labels(write.term))
    summed = tuple(label for label in write.labels if label in mentioned and label not in left)
    order = (*left, *summed)
    counts = [
        entries(size_term(label.size), order, desk)
        for label in write.labels
        if label not in mentioned and label not in left
    ]
    if not summed and not counts:
        return entries(write.term, order, desk)
    factors = split(write.term)
    inner = [f for f in factors.above if _carries(f, summed)]
    under = [f for f in factors.below if _carries(f, summed)]
    above = [entries(f, order, desk) for f in factors.above if f not in inner]
    below = [entries(f, order, desk) for f in factors.below if f not in under]
    if summed:
        above.append(_sum(inner, under, summed, left, desk))
    return multiplied(factors.number, [*counts, *above], below, order, desk)


def _carries(factor: Term, summed: Axes) -> bool:
    return not set(summed).isdisjoint(labels(factor))


def _sum(
    above: Sequence[Term], below: Sequence[Term], summed: Axes, left: Axes, desk: Desk
) -> Grid:
    """Σ over factors that all carry a summed label."""
    order = (*left, *summed)
    operands = [_operand(factor, order, desk) for factor in above]
    under = [entries(factor, order, desk) for factor in below]
    if len({frozenset(grid.axes) for grid in (*operands, *under)}) == 1:
        sorted_ = [permuted(grid, order) for grid in operands]
        return _add_up(multiplied(Fraction(1), sorted_, under, order, desk), summed, desk)
    operands += [multiplied(Fraction(1), [], [grid], order, desk) for grid in under]
    return contracted(operands, left, desk)


def _operand(factor: Term, order: Axes, desk: Desk) -> Grid:
    """A factor with its axes as they come: whoever contracts them will not care for the order."""
    grid = read_entries(factor, desk) if isinstance(factor, Read) else entries(factor, order, desk)
    return Grid(code.cast(grid.code, desk), grid.axes)


def _add_up(grid: Grid, summed: Axes, desk: Desk) -> Grid:
    kept = tuple(axis for axis in grid.axes if axis not in summed)
    if kept == grid.axes:
        return grid
    places = [place for place, axis in enumerate(grid.axes) if axis in summed]
    return Grid(code.add_up(grid.code, places if kept else None, desk), kept)


def contracted(operands: Sequence[Grid], left: Axes, desk: Desk) -> Grid:
    """Σ over all labels that are not on the left, of a product of two or more arrays."""
    kept = union(operands, left)
    counts = Counter(axis for one in operands for axis in one.axes)
    alone = tuple(axis for axis, count in counts.items() if count == 1 and axis not in kept)
    operands = [_add_up(one, alone, desk) for one in operands]
    if len(operands) > 2:
        return Grid(_einsum(operands, kept), kept)
    first, second = operands
    batch = tuple(axis for axis in kept if counts[axis] == 2)
    gone = tuple(axis for axis in first.axes if counts[axis] == 2 and axis not in batch)
    free = [tuple(axis for axis in one.axes if counts[axis] == 1) for one in operands]
    # with a batch, @ wants exactly two more axes on either side; without, one will do
    rest = [len(one.axes) - len(batch) for one in operands]
    if len(gone) == 1 and (rest == [2, 2] if batch else max(rest) <= 2):
        sides = (
            permuted(first, (*batch, *free[0], *gone)),
            permuted(second, (*batch, *gone, *free[1])),
        )
        product = code.matmul(sides[0].code, sides[1].code, desk)
        return permuted(Grid(product, (*batch, *free[0], *free[1])), kept)
    if gone and not batch:
        return permuted(_tensordot(first, second, gone), kept)
    return Grid(_einsum(operands, kept), kept)


def _tensordot(first: Grid, second: Grid, gone: Axes) -> Grid:
    places = [[one.axes.index(axis) for axis in gone] for one in (first, second)]
    single = places[0][0], places[1][0]
    axes = single if len(gone) == 1 else (tuple(places[0]), tuple(places[1]))
    text = f"np.tensordot({first.code.text}, {second.code.text}, axes={axes})"
    rest = (axis for one in (first, second) for axis in one.axes if axis not in gone)
    return Grid(Code(text), tuple(rest))


def _einsum(operands: Sequence[Grid], kept: Axes) -> Code:
    """One letter a label, its own where that is free."""
    letters: dict[Label, str] = {}
    spare = iter("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    found = list(dict.fromkeys(axis for one in operands for axis in one.axes))
    own = Counter(axis.name for axis in found)
    for axis in found:
        if (
            len(axis.name) == 1
            and axis.name.isascii()
            and axis.name.isalpha()
            and own[axis.name] == 1
        ):
            letters[axis] = axis.name
    for axis in found:
        if axis not in letters:
            letters[axis] = next(one for one in spare if one not in letters.values())
    inputs = ",".join("".join(letters[axis] for axis in one.axes) for one in operands)
    output = "".join(letters[axis] for axis in kept)
    order = ", optimize=True" if len(operands) > 2 else ""
    arrays = ", ".join(one.code.text for one in operands)
    return Code(f'np.einsum("{inputs}->{output}", {arrays}{order})')
