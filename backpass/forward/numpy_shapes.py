"""NumPy's functions that move entries about: other axes, other shapes, arrays put together.

Each turns NumPy's signature into one of our operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, SupportsIndex, TypeGuard

from backpass.calculus import indexing
from backpass.forward.subscript import WHOLE, counted, subscript
from backpass.forward.tape import Ints, Node, Tape

Axis = int | Sequence[int] | None
Adapter = Callable[..., Any]  # of a tape and NumPy's arguments


def from_front(tape: Tape, rank: int, axis: object) -> Ints:
    """Axes counted from the front, in the order given; all of them for None."""
    if axis is None:
        return tuple(range(rank))
    places: list[int] = []
    for one in axis if _is_sequence(axis) else (axis,):
        if not isinstance(one, SupportsIndex):
            raise tape.refused("an axis is a whole number")
        place = one.__index__()
        if not -rank <= place < rank:
            raise tape.refused(f"there is no axis {place}: the array has {counted(rank, 'axis')}")
        places.append(place % rank)
    if len(set(places)) < len(places):
        raise tape.refused(f"the axes {axis} name one axis twice")
    return tuple(places)


def _is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple))


def nodes(tape: Tape, arrays: Iterable[object]) -> list[Node]:
    """The arrays of a list that NumPy joins."""
    return [tape.node(one) for one in arrays]


# Axes in another order.


def _transpose(tape: Tape, a: object, axes: Sequence[int] | None = None) -> Node:
    a = tape.node(a)
    if axes is None:
        return tape.record(indexing.transpose, a) if a.ndim > 1 else a
    return tape.record(indexing.transpose, a, axes=from_front(tape, a.ndim, axes))


def _swapaxes(tape: Tape, a: object, axis1: int, axis2: int) -> Node:
    a = tape.node(a)
    order = list(range(a.ndim))
    (one,), (other,) = (from_front(tape, a.ndim, axis) for axis in (axis1, axis2))
    order[one], order[other] = other, one
    return tape.record(indexing.transpose, a, axes=tuple(order))


def _matrix_transpose(tape: Tape, x: object) -> Node:
    return _swapaxes(tape, x, -1, -2)


def _moveaxis(tape: Tape, a: object, source: Axis, destination: Axis) -> Node:
    a = tape.node(a)
    moved, spots = from_front(tape, a.ndim, source), from_front(tape, a.ndim, destination)
    order = [one for one in range(a.ndim) if one not in moved]
    for spot, one in sorted(zip(spots, moved, strict=True)):
        order.insert(spot, one)
    return tape.record(indexing.transpose, a, axes=tuple(order))


def _flip(tape: Tape, m: object, axis: Axis = None) -> Node:
    m = tape.node(m)
    axes = from_front(tape, m.ndim, axis)
    back = slice(None, None, -1)
    return subscript(tape, m, tuple(back if p in axes else WHOLE for p in range(m.ndim)))


# The same entries under another shape.


def _reshape(tape: Tape, a: object, shape: Axis = None, order: str = "C") -> Node:
    a = tape.node(a)
    if order != "C":
        raise tape.refused("reshape counts rows first here (order='C'); transpose first")
    wanted = shape if _is_sequence(shape) else (-1 if shape is None else shape,)
    found = tuple(one.__index__() for one in wanted if isinstance(one, SupportsIndex))
    if len(found) < len(wanted):
        raise tape.refused("a shape is one or several whole numbers, (-1, 3)")
    return tape.record(indexing.reshape, a, shape=found)


def ravel(tape: Tape, a: object, order: str = "C") -> Node:
    """All entries along one axis, the last axis running fastest."""
    return _reshape(tape, a, -1, order)


def _squeeze(tape: Tape, a: object, axis: Axis = None) -> Node:
    a = tape.node(a)
    ones = [place for place, length in enumerate(a.shape) if length == 1]
    drop = ones if axis is None else from_front(tape, a.ndim, axis)
    if not set(drop) <= set(ones):
        raise tape.refused("squeeze drops axes of length 1 only")
    return subscript(tape, a, tuple(0 if p in drop else WHOLE for p in range(a.ndim)))


def _expand_dims(tape: Tape, a: object, axis: Axis) -> Node:
    a = tape.node(a)
    rank = a.ndim + (len(axis) if isinstance(axis, Sequence) else 1)
    new = from_front(tape, rank, axis)
    return subscript(tape, a, tuple(None if p in new else WHOLE for p in range(rank)))


def _atleast_1d(tape: Tape, *arrays: object) -> Node | tuple[Node, ...]:
    return _alone([a if a.ndim else subscript(tape, a, None) for a in nodes(tape, arrays)])


def _atleast_2d(tape: Tape, *arrays: object) -> Node | tuple[Node, ...]:
    return _alone([_row(tape, a) for a in nodes(tape, arrays)])


def _alone(arrays: list[Node]) -> Node | tuple[Node, ...]:
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def _row(tape: Tape, a: Node) -> Node:
    return a if a.ndim > 1 else subscript(tape, a, (None, ...) if a.ndim else (None, None))


def _broadcast_to(tape: Tape, a: object, shape: int | Sequence[int]) -> Node:
    wanted = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    return tape.record(indexing.broadcast_to, a, shape=tuple(map(int, wanted)))


# Arrays put together.


def _concatenate(tape: Tape, arrays: Iterable[object], axis: int | None = 0) -> Node:
    parts = nodes(tape, arrays)
    if axis is None:
        parts, axis = [ravel(tape, one) for one in parts], 0
    return tape.record(indexing.concatenate, *parts, axis=int(axis))


def _stack(tape: Tape, arrays: Iterable[object], axis: int = 0) -> Node:
    return tape.record(indexing.stack, *nodes(tape, arrays), axis=int(axis))


def _column_stack(tape: Tape, arrays: Iterable[object]) -> Node:
    parts = [a if a.ndim > 1 else subscript(tape, a, (..., None)) for a in nodes(tape, arrays)]
    return _concatenate(tape, parts, 1)


def _hstack(tape: Tape, arrays: Iterable[object]) -> Node:
    parts = [a if a.ndim else subscript(tape, a, None) for a in nodes(tape, arrays)]
    return _concatenate(tape, parts, 0 if parts[0].ndim == 1 else 1)


def _vstack(tape: Tape, arrays: Iterable[object]) -> Node:
    return _concatenate(tape, [_row(tape, a) for a in nodes(tape, arrays)], 0)


# Entries picked out.


def _take(tape: Tape, a: object, indices: object, axis: int | None = None) -> Node:
    a = tape.node(a)
    if axis is None:
        a, axis = ravel(tape, a), 0
    (place,) = from_front(tape, a.ndim, axis)
    return subscript(tape, a, (*[WHOLE] * place, indices))


def _diag(tape: Tape, v: object, k: int = 0) -> Node:
    v = tape.node(v)
    if k:
        raise tape.refused("diag takes the main diagonal only")
    return tape.record(indexing.spread if v.ndim == 1 else indexing.diagonal, v)


def _diagonal(tape: Tape, a: object) -> Node:
    a = tape.node(a)
    # NumPy takes the first two axes, and puts what it finds last
    return tape.record(indexing.diagonal, _moveaxis(tape, a, (0, 1), (-2, -1)) if a.ndim > 2 else a)


def _full_like(tape: Tape, a: object, fill_value: object, **rest: Any) -> Node:
    return tape.record(indexing.full, fill_value, shape=tape.node(a).shape)


def _ones_like(tape: Tape, a: object, **rest: Any) -> Node:
    return _full_like(tape, a, 1.0)


def _zeros_like(tape: Tape, a: object, **rest: Any) -> Node:
    return _full_like(tape, a, 0.0)


MOVES: dict[str, Adapter] = {
    "transpose": _transpose,
    "matrix_transpose": _matrix_transpose,
    "swapaxes": _swapaxes,
    "moveaxis": _moveaxis,
    "flip": _flip,
    "reshape": _reshape,
    "ravel": ravel,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "atleast_1d": _atleast_1d,
    "atleast_2d": _atleast_2d,
    "broadcast_to": _broadcast_to,
    "concatenate": _concatenate,
    "stack": _stack,
    "column_stack": _column_stack,
    "hstack": _hstack,
    "vstack": _vstack,
    "take": _take,
    "diag": _diag,
    "diagonal": _diagonal,
    "full_like": _full_like,
    "ones_like": _ones_like,
    "zeros_like": _zeros_like,
}
