"""Index notation to matrix notation: a recognition that may fail, and never guesses.

A write is taken apart into factors that carry only the left's labels, which act entry by entry,
and factors that are summed: one of them is a Σ, two or more are matrix products or nothing.
Where the answer is None the step stays in index notation, in print and when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from backpass.language.expr import ZERO, Label, Term, labels, size_term
from backpass.language.program import Array, Call, Step, Write, axis_labels
from backpass.reading.contraction import contract
from backpass.reading.entrywise import arrange, entrywise, quotient, split, spread_whole, total
from backpass.reading.indexing import pick
from backpass.reading.left import Arrays, laid_out, plain, plain_left, same_labels
from backpass.reading.tree import (
    Axes,
    Called,
    DiagonalMatrix,
    Matmul,
    Name,
    Node,
    Reshaped,
    Scalar,
    Stacked,
    Total,
    Transpose,
)


def matrix(step: Step, arrays: Arrays) -> Node | None:
    """The whole step in matrix notation, all its writes added; None where that fails.

    `arrays` holds at least every array that the step reads. The node's axes are the labels of
    the step's left side, or fresh ones where the left is not plain labels.
    """
    if isinstance(step.body, Call):
        return _call(step.body, arrays)
    if not step.body:
        return spread_whole(Scalar(ZERO), axis_labels(step.target.shape))
    return _added(step.body, step.target, arrays) or _stacked(step, arrays)


def matrix_write(write: Write, target: Array, arrays: Arrays) -> Node | None:
    """One loop nest of a step that assigns `target`, in matrix notation; None where that fails."""
    return _added((write,), target, arrays)


def _call(call: Call, arrays: Arrays) -> Node | None:
    args = [pick(arg, arrays) for arg in call.args]
    names = tuple(_samples_first(arg, call) for arg in args if isinstance(arg, Name))
    return Called(call.function, names, call.over, call.left) if len(names) == len(args) else None


def _samples_first(arg: Name, call: Call) -> Name | Transpose:
    """A loss takes a row for each sample: where samples are columns, the matrix is turned."""
    if not call.left and len(arg.axes) == 2 and arg.axes == call.over[::-1]:
        return Transpose(arg, arg.axes[::-1])
    return arg


def _added(writes: Sequence[Write], target: Array, arrays: Arrays) -> Node | None:
    """Writes that each meet every entry of the target, added."""
    same = same_labels([plain(write, target.shape, arrays) for write in writes])
    if not same:
        return _diagonal(writes, target, arrays)
    axes = plain_left(same[0])
    parts = [_value(write, axes, arrays) for write in same]
    whole = parts[0] if len(parts) == 1 else total(parts, axes)
    if whole is None:
        return None
    whole = spread_whole(whole, axes)
    return whole if len(axes) == len(target.shape) else Reshaped(whole, axis_labels(target.shape))


def _diagonal(writes: Sequence[Write], target: Array, arrays: Arrays) -> Node | None:
    """A single write to `D[i,i]`."""
    if len(writes) != 1 or len(target.shape) != 2:
        return None
    left, axis = writes[0].left, target.shape[0]
    label = left[0]
    if left[0] != left[1] or not isinstance(label, Label) or {*target.shape} != {label.size}:
        return None
    value = _value(writes[0], (label,), arrays)
    return value and DiagonalMatrix(spread_whole(value, (label,)), axis_labels((axis, axis)))


def _stacked(step: Step, arrays: Arrays) -> Node | None:
    """Writes that lie end to end along one axis of the target."""
    found = laid_out(step.writes, step.target.shape, arrays)
    if found is None:
        return None
    place, pieces = found
    parts: list[Node] = []
    for writes in pieces:
        shape = tuple(label.size for label in plain_left(writes[0]))
        part = _added(writes, Array(step.name, shape), arrays)
        if part is None:
            return None
        parts.append(part)
    return Stacked(tuple(parts), place, axis_labels(step.target.shape))


# ── the right side ───────────────────────────────────────────────────────────────────────────


def _value(write: Write, left: Axes, arrays: Arrays) -> Node | None:
    """What a write adds, over those of the left's axes that it depends on, in their order."""
    mentioned = set(labels(write.term))
    counts = [size_term(label.size) for label in write.summed if label not in mentioned]
    summed = tuple(label for label in write.summed if label in mentioned)
    if not summed and not counts:
        node = entrywise(write.term, arrays, left)
        return node and arrange(node, left)
    factors = split(write.term)
    above: list[Node | None] = [entrywise(count, arrays) for count in counts]
    inner, outer = _apart(factors.above, summed)
    under, below = _apart(factors.below, summed)
    above.extend(entrywise(factor, arrays) for _, factor in outer)
    if summed:
        place = len(counts) + (inner[0][0] if inner else 0)
        above.insert(
            place, _sum([f for _, f in inner], [f for _, f in under], summed, left, arrays)
        )
    return quotient(factors.number, above, [entrywise(f, arrays) for _, f in below], left)


def _apart(
    factors: Sequence[Term], summed: Axes
) -> tuple[list[tuple[int, Term]], list[tuple[int, Term]]]:
    """The factors that carry a summed label, and those that do not, with their places."""
    parts: tuple[list[tuple[int, Term]], list[tuple[int, Term]]] = ([], [])
    for place, factor in enumerate(factors):
        parts[set(summed).isdisjoint(labels(factor))].append((place, factor))
    return parts


def _sum(
    above: Sequence[Term], below: Sequence[Term], summed: Axes, left: Axes, arrays: Arrays
) -> Node | None:
    """Σ over factors that all carry summed labels; factors of the same labels go together."""
    nodes = [entrywise(f, arrays) for f in above], [entrywise(f, arrays) for f in below]
    groups: dict[frozenset[Label], tuple[list[Node], list[Node]]] = {}
    for side, found in enumerate(nodes):
        for node in found:
            if node is None:
                return None
            groups.setdefault(frozenset(node.axes), ([], []))[side].append(node)
    if len(groups) == 1:
        ((over, under),) = groups.values()
        if len(over) == 2 and not under and over[0].axes == summed and len(summed) == 1:
            return Matmul(over[0], over[1], summed[0], ())
    products: list[Node] = []
    for over, under in groups.values():
        product = quotient(Fraction(1), over, under)
        if product is None:
            return None
        products.append(product)
    if len(products) > 1:
        return contract(products, summed, left)
    (product,) = products
    if not set(summed) <= set(product.axes):
        return None
    kept = tuple(label for label in product.axes if label not in summed)
    return arrange(Total(product, summed, kept), left)
