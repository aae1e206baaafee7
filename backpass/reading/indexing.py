"""What a read takes out of an array: all of it, a slice, the diagonal, entries that ids name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import chain

from backpass.language.expr import Label, Number, Read, SizeTerm, Term, labels
from backpass.language.program import Array, axis_labels
from backpass.language.shapes import Shape, size
from backpass.reading.affine import affine, group
from backpass.reading.tree import (
    Axes,
    Diagonal,
    Name,
    Node,
    Picked,
    Ramp,
    Reshaped,
    Scalar,
    Slice,
    Thin,
)

Index = tuple[Term, ...]


def pick(read: Read, arrays: Mapping[str, Array]) -> Node | None:
    """The whole array that `A[…]` is one entry of, its axes in the order in which they stand."""
    shape, index = arrays[read.name].shape, read.index
    own = Name(read.name, axis_labels(shape, (label.name for label in labels(read))))
    if whole(index, shape):
        return Name(read.name, tuple(part for part in index if isinstance(part, Label)))
    if len(index) == 2 and index[0] == index[1] and isinstance(index[0], Label):
        square = all(axis == index[0].size for axis in shape)
        return Diagonal(own, (index[0],)) if square else None
    return _thin(own, index, shape) or _reshaped(own, index, shape) or _parts(own, read, arrays)


def whole(index: Index, shape: Shape) -> bool:
    """Whether an index is one label for each axis, every one different and covering its axis."""
    covered = all(
        isinstance(part, Label) and part.size == axis
        for part, axis in zip(index, shape, strict=True)
    )
    return covered and len(set(index)) == len(index)


def is_thin(part: Term, axis: object) -> bool:
    """Whether this is the 0 that stands for an axis of length 1."""
    return isinstance(part, Number) and not part.value and axis == size(1)


def _thin(own: Name, index: Index, shape: Shape) -> Node | None:
    wide = [i for i, part in enumerate(index) if not is_thin(part, shape[i])]
    if not whole(tuple(index[i] for i in wide), tuple(shape[i] for i in wide)):
        return None
    kept = {i: part for i, part in enumerate(index) if isinstance(part, Label)}
    axes = tuple(kept.get(i, axis) for i, axis in enumerate(own.axes))
    return Thin(Name(own.name, axes), tuple(kept.values()))


def _reshaped(own: Name, index: Index, shape: Shape) -> Node | None:
    groups = [group(part, axis) for part, axis in zip(index, shape, strict=True)]
    if None in groups:
        return None
    axes = tuple(chain.from_iterable(labels for labels in groups if labels))
    return Reshaped(own, axes) if len(set(axes)) == len(axes) else None


def _parts(own: Name, read: Read, arrays: Mapping[str, Array]) -> Node | None:
    index: list[Slice | Node] = []
    gathered = {
        label for part in read.index for inner in _reads(part) for label in labels(*inner.index)
    }
    for part, axis in zip(read.index, arrays[read.name].shape, strict=True):
        if isinstance(part, Label) and part in gathered:
            index.append(Ramp((part,)))
            continue
        one = pick(part, arrays) if isinstance(part, Read) else _along(part, axis)
        if one is None:
            return None
        index.append(one)
    axes = _picked_axes(read.index, index)
    return None if axes is None else Picked(own, tuple(index), axes)


def _reads(part: Term) -> tuple[Read, ...]:
    return (part,) if isinstance(part, Read) else ()


def _along(part: Term, axis: object) -> Slice | Node | None:
    """A slice or one entry, when that is what the index expression takes of its axis."""
    form = affine(part)
    if form is None or len(form.steps) > 1:
        return None
    if not form.steps:
        number = form.offset.number
        if number is None:
            return Scalar(SizeTerm(form.offset))
        return Scalar(Number(Fraction(number))) if number >= 0 else None
    label, step = form.steps[0]
    last = form.offset + (label.size - 1) * step
    if step.number is None or any(
        end.number is not None and end.number < 0 for end in (form.offset, last)
    ):
        return None  # a negative index counts from the end, and a slice cannot wrap around
    full = label.size == axis and step.number == 1 and not form.offset.terms
    return Slice(form.offset, label.size, step.number, full)


def _picked_axes(parts: Index, index: list[Slice | Node]) -> Axes | None:
    """The axes of the result, where NumPy puts them; None when it would put them elsewhere."""
    many = [one.axes for one in index if not isinstance(one, Slice) and one.axes]
    places = [i for i, one in enumerate(index) if not isinstance(one, Slice)]
    if many and (len(set(many)) > 1 or places[-1] - places[0] != len(places) - 1):
        return None  # integer arrays that are apart send their axes to the front
    axes: list[Label] = []
    for i, (part, one) in enumerate(zip(parts, index, strict=True)):
        if isinstance(one, Slice):
            axes.extend(labels(part))
        elif many and i == places[0]:
            axes.extend(many[0])
    return tuple(axes) if len(set(axes)) == len(axes) else None
