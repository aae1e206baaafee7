"""Moving entries about: every operation here copies, and only its indices say from where to where.

    y[j,i]       = x[i,j]           transpose
    y[i,p]       = x[3*i+p]         split an axis
    y[3*i+p]     = x[i,p]           join two
    y[n]         = P[n, ids[n]]     gather
    y[i] = a[i]; y[i+k] = b[i]      concatenate

What was copied once gets its gradient back, what was copied often gets the sum, and what was
left out gets zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backpass.calculus.op import RESULT, Op, Operand, Steps, form, named, register
from backpass.language.errors import ShapeError
from backpass.language.expr import (
    ONE,
    ZERO,
    Bracket,
    Comparison,
    Label,
    Read,
    Term,
    add,
    multiply,
    size_term,
)
from backpass.language.program import Array, Kind, Step, Write, axis_labels, canonical
from backpass.language.shapes import (
    Shape,
    Size,
    broadcast,
    divide,
    may_exceed,
    product,
    show_shape,
    size,
)

Whole = int | Size  # a number that the forward pass fixes, perhaps through the sizes
Terms = Sequence[Term]
Labels = tuple[Label, ...]


def _array(operand: Operand) -> Array:
    if isinstance(operand, Array):
        return operand
    raise ShapeError("a single number has no axes to rearrange")


def _copy(source: Array, shape: Shape, left: Terms, index: Terms, labels: Labels) -> Step:
    """One write that only copies: `out[left] = source[index]`."""
    target = replace(source, name=RESULT, shape=shape)
    write = Write(tuple(left), Read(source.name, tuple(index)), labels)
    return canonical(Step(target, (write,)))


def _sizes(labels: Sequence[Label]) -> Shape:
    return tuple(label.size for label in labels)


# Diagonals and triangles.

# fmt: off
diagonal = named("diagonal", form("d[...,i] = A[...,i,i]",              "Row and column agree."))
spread   = named("spread",   form("D[...,i,i] = d[...,i]",              "Along the diagonal."))
tril     = named("tril",     form("B[...,i,j] = A[...,i,j] * [j <= i]", "The diagonal and below."))
triu     = named("triu",     form("B[...,i,j] = A[...,i,j] * [j >= i]", "The diagonal and above."))
# fmt: on


# Axes in another order: y[j,i] = x[i,j].


def _transpose(a: Operand, axes: tuple[int, ...] | None = None) -> Steps:
    array = _array(a)
    rank = len(array.shape)
    order = tuple(reversed(range(rank))) if axes is None else tuple(one % rank for one in axes)
    if sorted(order) != list(range(rank)):
        raise ShapeError(f"axes {axes} do not name each of the {rank} axes once")
    labels = axis_labels(array.shape)
    left = tuple(labels[place] for place in order)
    return (_copy(array, _sizes(left), left, labels, left),)


transpose = register(Op("transpose", "The axes in another order.", _transpose, ("axes",)))


# The same entries under another shape: y[i,p] = x[3*i+p].


def _reshape(a: Operand, shape: Whole | tuple[Whole, ...]) -> Steps:
    array = _array(a)
    wanted = shape if isinstance(shape, tuple) else (shape,)
    new = _completed(array.shape, tuple(map(size, wanted)))
    pieces = _pieces(array.shape, new)
    if all(len(before) < 2 or len(after) < 2 for before, after in pieces):
        return (_regroup(array, new, pieces),)
    # an axis ends inside another one: through a single long axis
    long = (product(array.shape),)
    flat = _regroup(array, long, [(array.shape, long)])
    flat = replace(flat, target=replace(flat.target, name=f"flat_{RESULT}"))
    return (flat, _regroup(flat.target, new, [(long, new)]))


def _completed(old: Shape, new: Shape) -> Shape:
    """The new shape, with an axis of −1 as long as the entries ask for."""
    rest = size(-1)
    if rest not in new:
        return new
    length = divide(product(old), product(axis for axis in new if axis != rest))
    if length is None or new.count(rest) > 1:
        raise _no_reshape(old, new)
    return tuple(length if axis == rest else axis for axis in new)


def _pieces(old: Shape, new: Shape) -> list[tuple[Shape, Shape]]:
    """Cut both shapes into the shortest runs of axes that hold equally many entries."""
    if not old and not new:
        return []
    ends = [(a, b) for a in range(len(old) + 1) for b in range(len(new) + 1) if a + b]
    for a, b in sorted(ends, key=sum):
        if product(old[:a]) == product(new[:b]) and product(old[a:]) == product(new[b:]):
            return [(old[:a], new[:b]), *_pieces(old[a:], new[b:])]
    raise _no_reshape(old, new)


def _no_reshape(old: Shape, new: Shape) -> ShapeError:
    return ShapeError(f"{show_shape(old)} does not reshape to {show_shape(new)}")


def _regroup(array: Array, shape: Shape, pieces: list[tuple[Shape, Shape]]) -> Step:
    """One copy in which every run of axes stands either joined or split on each side."""
    left: list[Term] = []
    index: list[Term] = []
    labels: list[Label] = []
    for old, new in pieces:
        fine = old if len(new) < 2 and len(old) != 1 else new
        own = [Label(str(place), axis) for place, axis in enumerate(fine, len(labels))]
        joined = row_major(own)
        index += own if fine is old else [joined] * len(old)
        left += own if fine is new else [joined] * len(new)
        labels += own
    return _copy(array, shape, left, index, tuple(labels))


def row_major(labels: Sequence[Label]) -> Term:
    """The place in a flat array, the last label running fastest: `(i*J + j)*K + k`."""
    place: Term = ZERO
    stride = size(1)
    for label in reversed(labels):
        if label.size != size(1):
            place = add(multiply(size_term(stride), label), place)
        stride = stride * label.size
    return place


reshape = register(Op("reshape", "The same entries, counted anew.", _reshape, ("shape",)))


# Some of the entries. There is one item for each axis of the source, and `new` adds an axis:
#
#     ("slice", start, length, step)    y[i] = x[step*i + start]
#     ("at", place)                     y    = x[place]
#     ("array", which)                  y[n] = x[ids[n]], with the index array of that number
#     ("new",)                          y[0,i] = x[i]

Item = tuple[str] | tuple[str, Whole] | tuple[str, Whole, Whole, Whole]


def _getitem(a: Operand, *arrays: Operand, items: tuple[Item, ...]) -> Steps:
    source = _array(a)
    wide = broadcast([_array(array).shape for array in arrays])
    if wide is None:
        raise ShapeError("the index arrays do not broadcast against each other")
    front = tuple(Label(f"a{place}", axis) for place, axis in enumerate(wide))
    left: list[Term] = []
    shape: list[Size] = []
    index: list[Term] = []
    labels: list[Label] = []
    spots: list[int] = []  # where the labels of the index arrays would stand
    for place, item in enumerate(items):
        match item:
            case ("slice", start, length, step):
                label = Label(f"s{place}", size(length))
                labels.append(label)
                left.append(label)
                shape.append(label.size)
                index.append(add(multiply(size_term(step), label), size_term(start)))
            case ("at", where):
                index.append(size_term(where))
                spots.append(len(left))
            case ("array", int(which)):
                array = within(_array(arrays[which]), source.shape[len(index)])
                index.append(Read(array.name, _aligned(array.shape, front)))
                spots.append(len(left))
            case _:
                left.append(ZERO)
                shape.append(size(1))
    if arrays:
        # NumPy: neighbouring index arrays put their axes where they stand, others in front
        spot = spots[0] if len(set(spots)) == 1 else 0
        left[spot:spot] = front
        shape[spot:spot] = wide
    return (_copy(source, tuple(shape), left, index, (*front, *labels)),)


def within(index: Array, axis: Size) -> Array:
    """An array of integers that are places on this axis, as far as its bound can tell.

    Whether integers below 10 fit an axis of m is found out at the call.
    """
    below = index.below
    if below is None or (below.number is not None and axis.number is None):
        return index
    if may_exceed(below, axis):
        raise ShapeError(
            f"the integers run below {below}, and what they pick from has {axis} entries; "
            f"declare them int<{axis}"
        )
    return index


def _aligned(shape: Shape, labels: Labels) -> tuple[Term, ...]:
    """Read an array of this shape along broadcast labels."""
    last = labels[len(labels) - len(shape) :]
    return tuple(
        ZERO if axis == size(1) and label.size != size(1) else label
        for axis, label in zip(shape, last, strict=True)
    )


getitem = register(Op("getitem", "Some entries, perhaps more than once.", _getitem, ("items",)))


# The same entries many times: y[n,k] = x[k].


def _broadcast_to(a: Operand, shape: Whole | tuple[Whole, ...]) -> Steps:
    wanted = tuple(map(size, shape if isinstance(shape, tuple) else (shape,)))
    labels = axis_labels(wanted)
    if not isinstance(a, Array):
        return (Step(Array(RESULT, wanted), (Write(labels, a, labels),)),)
    if broadcast([a.shape, wanted]) != wanted:
        raise ShapeError(f"{show_shape(a.shape)} does not broadcast to {show_shape(wanted)}")
    return (_copy(a, wanted, labels, _aligned(a.shape, labels), labels),)


broadcast_to = register(
    Op("broadcast_to", "The same entry, many times.", _broadcast_to, ("shape",))
)


# Arrays put together: y[i] = a[i] and y[i+k] = b[i].


def _concatenate(*operands: Operand, axis: int = 0) -> Steps:
    arrays = [_array(operand) for operand in operands]
    first = arrays[0].shape
    axis = _from_front(axis, len(first))
    offset = size(0)
    writes: list[Write] = []
    for array in arrays:
        shape = array.shape
        if len(shape) != len(first) or _without(shape, axis) != _without(first, axis):
            both = f"{show_shape(first)} and {show_shape(shape)}"
            raise ShapeError(f"{both} do not join along axis {axis}")
        labels = axis_labels(shape)
        left = (*labels[:axis], add(labels[axis], size_term(offset)), *labels[axis + 1 :])
        writes.append(Write(left, Read(array.name, labels), labels))
        offset = offset + shape[axis]
    return _together(arrays, (*first[:axis], offset, *first[axis + 1 :]), writes)


def _stack(*operands: Operand, axis: int = 0) -> Steps:
    arrays = [_array(operand) for operand in operands]
    first = arrays[0].shape
    axis = _from_front(axis, len(first) + 1)
    labels = axis_labels(first)
    writes: list[Write] = []
    for place, array in enumerate(arrays):
        if array.shape != first:
            raise ShapeError(f"{show_shape(first)} and {show_shape(array.shape)} do not stack")
        left = (*labels[:axis], size_term(place), *labels[axis:])
        writes.append(Write(left, Read(array.name, labels), labels))
    return _together(arrays, (*first[:axis], size(len(arrays)), *first[axis:]), writes)


def _from_front(axis: int, rank: int) -> int:
    if -rank <= axis < rank:
        return axis % rank
    raise ShapeError(f"axis {axis} does not exist among {rank}")


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _together(arrays: Sequence[Array], shape: Shape, writes: Sequence[Write]) -> Steps:
    """The writes as one array, of whole numbers only if all of them are."""
    first = arrays[0]
    kind = first.kind if all(one.kind == first.kind for one in arrays) else "real"
    below = first.below if all(one.below == first.below for one in arrays) else None
    target = Array(RESULT, shape, kind, below)
    return (canonical(Step(target, tuple(writes))),)


concatenate = register(Op("concatenate", "One after the other.", _concatenate, ("axis",)))
stack = register(Op("stack", "One beside the other, along a new axis.", _stack, ("axis",)))


# Arrays that a forward pass makes itself.


def _arange(length: Whole, axis: int = 0, rank: int = 1, start: int = 0) -> Steps:
    shape = tuple(size(length) if place == axis else size(1) for place in range(rank))
    (label,) = axis_labels([size(length)])
    left = tuple(label if place == axis else ZERO for place in range(rank))
    target = Array(RESULT, shape, "int", label.size + start)
    return (Step(target, (Write(left, add(label, size_term(start)), (label,)),)),)


def _eye(rows: Whole, columns: Whole) -> Steps:
    return _triangle(rows=rows, columns=columns, relation="==")


def _triangle(
    value: Operand = ONE, *, rows: Whole, columns: Whole, relation: Comparison,
    kind: Kind = "real", offset: int = 0,
) -> Steps:  # fmt: skip
    if isinstance(value, Array) and value.shape:
        raise ShapeError("the value on one side of the diagonal is one number")
    factor = Read(value.name, ()) if isinstance(value, Array) else value
    shape = (size(rows), size(columns))
    i, j = labels = axis_labels(shape)
    term = multiply(factor, Bracket(relation, j, add(i, size_term(offset))))
    return (Step(Array(RESULT, shape, kind), (Write(labels, term, labels),)),)


def _one_hot(y: Operand, classes: Whole) -> Steps:
    array = _array(y)
    if array.kind != "int":
        raise ShapeError("one_hot takes integers; declare them with a bound, like y: n int<m")
    within(array, size(classes))
    labels = axis_labels((*array.shape, size(classes)))
    term = Bracket("==", labels[-1], Read(array.name, labels[:-1]))
    shape = (*array.shape, size(classes))
    return (Step(Array(RESULT, shape), (Write(labels, term, labels),)),)


def _full(value: Operand = ONE, *, shape: tuple[Whole, ...]) -> Steps:
    return _broadcast_to(value, shape)


arange = register(
    Op("arange", "Every place says its own number.", _arange, ("length", "axis", "rank", "start"))
)
one_hot = register(Op("one_hot", "1 at the place that y names.", _one_hot, ("classes",)))
triangle = register(
    Op(
        "triangle",
        "1 on one side of the diagonal.",
        _triangle,
        ("rows", "columns", "relation", "kind", "offset"),
    )
)
eye = register(Op("eye", "1 where row and column agree.", _eye, ("rows", "columns")))
full = register(Op("full", "One number everywhere.", _full, ("shape",)))
