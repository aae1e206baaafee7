"""Index expressions in NumPy: slices where they walk evenly, windows as views, else integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backpass.language.expr import Label, Read, Term, labels
from backpass.language.shapes import Shape, Size, size
from backpass.reading.affine import Affine, affine
from backpass.reading.tree import Axes
from backpass.running.numpy import code
from backpass.running.numpy.code import Code, Desk

Spell = Callable[[Term, Axes, Desk], Code]
ZERO, ONE = size(0), size(1)


@dataclass(frozen=True, slots=True)
class Place:
    """What stands in the square brackets, and the axes that come out, in NumPy's order.

    `distinct` says that no entry is met twice, so that `+=` may be used.
    """

    index: tuple[Code, ...]
    axes: Axes
    distinct: bool


def parts(index: Sequence[Term], shape: Shape, desk: Desk, spell: Spell) -> Place:
    """Slices for labels that stand alone, integers, and for all else arrays over a common grid.

    `spell` writes an index expression over a grid of labels.
    """
    counts = Counter(label for part in index for label in set(labels(part)))
    forms = [affine(part) for part in index]
    even = [_even(form, axis, counts, desk) for form, axis in zip(forms, shape, strict=True)]
    rest = [part for part, found in zip(index, even, strict=True) if found is None]
    grid = tuple(label for label in labels(*rest) if label not in desk.loops)
    written = tuple(
        found or spell(part, grid, desk) for part, found in zip(index, even, strict=True)
    )
    walks = {moving[0][0] for form in forms if form and len(moving := _moving(form, desk)) == 1}
    return Place(written, _out(index, even, grid, desk), set(grid) <= walks)


def _moving(form: Affine, desk: Desk) -> list[tuple[Label, Size]]:
    """The labels and their steps, without those that a Python loop runs over."""
    return [(label, step) for label, step in form.steps if label not in desk.loops]


def _even(form: Affine | None, axis: Size, counts: Counter[Label], desk: Desk) -> Code | None:
    """One entry or a slice; None when the index is no even walk or could fall below zero."""
    if form is None or _below_zero(form):
        return None
    moving = _moving(form, desk)
    start = _offset(form, form.offset, desk)
    if not moving:
        return Code(start.text, start.level, "number")
    ((label, step), *more) = moving
    if more or counts[label] > 1 or (step.number is not None and step.number < 0):
        return None
    reach = form.offset + step * label.size
    first = "" if start.text == "0" else start.text
    last = "" if reach == axis and len(form.steps) == 1 else _offset(form, reach, desk).text
    return Code(f"{first}:{last}" if step == ONE else f"{first}:{last}:{desk.size(step).text}")


def _below_zero(form: Affine) -> bool:
    """Whether an entry may count from the end, which a slice cannot do."""
    last = sum((step * (label.size - 1) for label, step in form.steps), form.offset)
    return any(end.number is not None and end.number < 0 for end in (form.offset, last))


def _offset(form: Affine, number: Size, desk: Desk) -> Code:
    """A number plus the variables of Python loops, each times its step."""
    terms = [
        code.product([*([] if step == ONE else [desk.size(step)]), desk.loops[label]], desk)
        for label, step in form.steps
        if label in desk.loops
    ]
    return code.total([*terms, desk.size(number)] if number.terms or not terms else terms, desk)


def _out(index: Sequence[Term], even: Sequence[Code | None], grid: Axes, desk: Desk) -> Axes:
    """The axes that come out: integer arrays that are apart send theirs to the front."""
    single = [i for i, one in enumerate(even) if one is None or one.holds == "number"]
    arrays = [i for i, one in enumerate(even) if one is None]
    apart = bool(arrays) and single[-1] - single[0] != len(single) - 1
    axes: list[Label] = list(grid) if apart else []
    for place, (part, one) in enumerate(zip(index, even, strict=True)):
        if one is None:
            axes.extend(grid if place == arrays[0] and not apart else ())
        elif one.holds != "number":
            axes.extend(label for label in labels(part) if label not in desk.loops)
    return tuple(axes)


# ── windows ──────────────────────────────────────────────────────────────────────────────────


def window_of(form: Affine) -> tuple[Label, Size] | None:
    """Which label of `2*p+u` walks inside the window: the one that looks shorter."""
    if len(form.steps) != 2 or any((step.number or 0) < 1 for _, step in form.steps):
        return None

    def length(one: tuple[Label, Size]) -> tuple[bool, int, int]:
        label, step = one
        count = label.size.number
        return count is None, len(label.size.terms) if count is None else count, step.number or 0

    return min(reversed(form.steps), key=length)  # of two alike, the one written last


def windows(read: Read, desk: Desk) -> tuple[Code, Axes] | None:
    """A strided view of the windows that a convolution looks through, `X[n,2*p+u]`."""
    array = desk.arrays[read.name]
    if len(labels(*read.index)) < sum(len(labels(part)) for part in read.index):
        return None  # a label that stands in two places
    index: list[Code] = []
    outside: list[Label] = []
    inside: list[tuple[int, Label, Size]] = []
    for place, (part, axis) in enumerate(zip(read.index, array.shape, strict=True)):
        form = affine(part)
        inner = window_of(form) if form else None
        if form and inner:
            label, step = inner
            inside.append((place, label, step))
            axis = axis - step * (label.size - 1)  # so many places for a window to begin at
            if _below_zero(form):
                return None
            form = Affine(form.offset, tuple(one for one in form.steps if one != inner))
        one = _even(form, axis, Counter(), desk)
        if one is None:
            return None
        outside.extend(form.labels if form else ())
        index.append(one)
    if not inside:
        return None
    lengths = ", ".join(desk.size(step * (label.size - 1) + 1).text for _, label, step in inside)
    places = ", ".join(str(place) for place, _, _ in inside)
    many = (f"({lengths})", f"({places})") if len(inside) > 1 else (lengths, places)
    view = code.function("sliding_window_view", [desk.array(read.name).text, *many], desk).text
    index += [Code(":" if step == ONE else f"::{step}") for _, _, step in inside]
    while index and index[-1].text == ":":
        index.pop()
    text = f"{view}[{', '.join(one.text for one in index)}]" if index else view
    axes = (*outside, *(label for _, label, _ in inside))
    return Code(text, holds=array.kind, shared=True), axes
