"""Left sides: rewritten as plain labels when a write meets every entry of its target once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from backpass.language.expr import Label, Product, Read, Term, labels, multiply, transform
from backpass.language.program import Array, Write, axis_labels, fresh, relabel
from backpass.language.shapes import Shape, Size, size
from backpass.reading.affine import affine, group
from backpass.reading.indexing import is_thin
from backpass.reading.tree import Axes

Arrays = Mapping[str, Array]
ONE = size(1)


def plain(write: Write, shape: Shape, arrays: Arrays) -> Write | None:
    """The write with distinct labels on its left that cover the target; None if it covers less.

    A reversed axis is turned around, the 0 of an axis of length 1 becomes a label, and a group
    such as `w*i+j` becomes its labels, so that the left may be longer than the shape.
    """
    left: list[Label] = []
    turned: dict[Label, Term] = {}
    for part, axis in zip(write.left, shape, strict=True):
        found = group(part, axis)
        if found is not None:
            left.extend(found)
        elif is_thin(part, axis):
            left.append(Label(fresh("o", (label.name for label in (*write.labels, *left))), ONE))
        elif (label := _reversed(part, axis)) is not None:
            left.append(label)
            turned[label] = part
        else:
            return None
    if len(set(left)) != len(left):
        return None
    if write.left == tuple(left) and all(label.size != ONE for label in left):
        return write
    term = transform(write.term, lambda node: turned.get(node) if isinstance(node, Label) else None)
    factors = term.factors if isinstance(term, Product) else (term,)
    summed = set(write.summed)
    term = multiply(
        # under a Σ the reads go by the axes of their neighbours
        *(f if summed & set(labels(f)) else _through_thin(f, tuple(left), arrays) for f in factors)
    )
    return replace(write, left=tuple(left), term=term, labels=(*left, *write.summed))


def _reversed(part: Term, axis: Size) -> Label | None:
    """The label j of `k-1-j`, which walks an axis of size k backwards and is its own inverse."""
    form = affine(part)
    if form is None or len(form.steps) != 1:
        return None
    label, step = form.steps[0]
    fits = step == size(-1) and form.offset == axis - 1 and label.size == axis
    return label if fits else None


def _through_thin(term: Term, left: Axes, arrays: Arrays) -> Term:
    """Read axes of length 1 along the left's own, where the two stand in the same place."""

    def change(node: Term) -> Term | None:
        if not isinstance(node, Read):
            return None
        index = list(node.index)
        used = set(labels(node))
        for place, axis in enumerate(reversed(arrays[node.name].shape), 1):
            label = left[-place] if place <= len(left) else None
            if label and label.size == ONE and label not in used and is_thin(index[-place], axis):
                index[-place] = label
        return Read(node.name, tuple(index))

    return transform(term, change)


def same_labels(writes: Sequence[Write | None], left: Axes | None = None) -> list[Write]:
    """Plain writes with one and the same left side; none at all where they cannot have it."""
    done: list[Write] = []
    for write in writes:
        if write is None:
            return []
        own = plain_left(write)
        left = own if left is None else left
        if [label.size for label in own] != [label.size for label in left]:
            return []
        if own == left:
            done.append(write)
            continue
        new = dict(zip(own, left, strict=True))
        taken = {label.name for label in left}
        for label in write.summed:
            new[label] = Label(fresh(label.name, taken), label.size)
            taken.add(new[label].name)
        done.append(relabel(write, new))
    return done


def plain_left(write: Write) -> Axes:
    """The left side of a write that `plain` has rewritten."""
    return tuple(part for part in write.left if isinstance(part, Label))


def laid_out(
    writes: Sequence[Write], shape: Shape, arrays: Arrays
) -> tuple[int, list[list[Write]]] | None:
    """The axis along which writes lie end to end, and those of each piece, made plain."""
    for place, axis in enumerate(shape):
        found: dict[Size, list[Write]] = {}
        for write in writes:
            piece = _piece(write, place, shape, arrays)
            if piece is None:
                break
            found.setdefault(piece[0], []).append(piece[1])
        else:
            pieces = _end_to_end(found, axis, place)
            if pieces:
                common = axis_labels(shape)
                return place, [_under(piece, common, place) for piece in pieces]
    return None


def _piece(write: Write, place: int, shape: Shape, arrays: Arrays) -> tuple[Size, Write] | None:
    """Where along an axis a write begins, and the same write as if that were all."""
    form = affine(write.left[place])
    if form is None or len(form.steps) > 1:
        return None
    label, step = (*form.steps, (Label(fresh("o", (a.name for a in write.labels)), ONE), ONE))[0]
    if step != ONE:
        return None
    left = (*write.left[:place], label, *write.left[place + 1 :])
    part = (*shape[:place], label.size, *shape[place + 1 :])
    whole = plain(replace(write, left=left, labels=(*write.labels, label)), part, arrays)
    return (form.offset, whole) if whole and len(whole.left) == len(shape) else None


def _end_to_end(found: dict[Size, list[Write]], axis: Size, place: int) -> list[list[Write]]:
    """Pieces in order, if each begins where the one before it ends; none otherwise."""
    at, row = size(0), list[list[Write]]()
    while at != axis:
        here = found.pop(at, None)
        if here is None or len({plain_left(write)[place].size for write in here}) > 1:
            return []
        row.append(here)
        at += plain_left(here[0])[place].size
    return [] if found else row


def _under(piece: list[Write], common: Axes, place: int) -> list[Write]:
    """The writes of a piece under the labels that all pieces share, but for the laid-out axis."""
    others = {label.name for i, label in enumerate(common) if i != place}
    own = plain_left(piece[0])[place]
    label = Label(fresh(own.name, others), own.size)
    return same_labels(piece, (*common[:place], label, *common[place + 1 :]))
