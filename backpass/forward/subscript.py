"""`a[key]`: None, integers, slices, an ellipsis and integer arrays; a mask has no shape."""

from __future__ import annotations

from typing import Any, SupportsIndex, TypeGuard

import numpy as np

from backpass.calculus import indexing
from backpass.forward.tape import Node, Tape

WHOLE = slice(None)


def subscript(tape: Tape, a: Node, key: object) -> Node:
    """The entries that a key picks out, as NumPy counts them."""
    parts = list(key) if _is_tuple(key) else [key]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > a.ndim:
        raise tape.refused(f"{counted(taken, 'index')} for an array with {counted(a.ndim, 'axis')}")
    spots = [place for place, part in enumerate(parts) if part is Ellipsis]
    if len(spots) > 1:
        raise tape.refused("an index has at most one ellipsis")
    spot = spots[0] if spots else len(parts)
    parts[spot : spot + 1] = [WHOLE] * (a.ndim - taken)
    items: list[tuple[Any, ...]] = []
    arrays: list[Node] = []
    axis = 0
    for part in parts:
        if part is None:
            items.append(("new",))
            continue
        length = a.shape[axis]
        axis += 1
        if _is_slice(part):
            items.append(_slice(tape, part, length))
        elif _is_integer(part):
            items.append(("at", _place(tape, int(part), length)))
        else:
            items.append(("array", len(arrays)))
            arrays.append(_array(tape, part))
    return tape.record(indexing.getitem, a, *arrays, items=tuple(items))


def counted(count: int, word: str) -> str:
    """`1 axis`, `2 axes`."""
    several = {"axis": "axes", "index": "indices"}
    return f"{count} {word if count == 1 else several[word]}"


def _is_tuple(key: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(key, tuple)


def _is_slice(part: object) -> TypeGuard[slice[Any, Any, Any]]:
    return isinstance(part, slice)


def _is_integer(part: object) -> TypeGuard[SupportsIndex]:
    return isinstance(part, (int, np.integer)) and not isinstance(part, bool)


def _slice(tape: Tape, part: slice[Any, Any, Any], length: int) -> tuple[object, ...]:
    try:
        start, stop, step = part.indices(length)
    except TypeError:
        raise tape.refused("a slice needs whole numbers as its bounds") from None
    except ValueError:
        raise tape.refused("the step of a slice cannot be 0") from None
    return ("slice", start, len(range(start, stop, step)), step)


def _place(tape: Tape, place: int, length: int) -> int:
    """Count an index from the front."""
    if -length <= place < length:
        return place % length
    if length in tape.lengths:
        raise tape.refused(
            f"the index {place} may lie outside an axis whose length is not fixed; "
            "declare that length as a number"
        )
    raise tape.refused(f"the index {place} lies outside an axis of length {length}")


def _array(tape: Tape, part: object) -> Node:
    """An index that is an array of integers."""
    if type(part) not in (Node, list, tuple, range, np.ndarray):
        word = "truth value" if type(part) in (bool, np.bool_) else type(part).__name__
        raise tape.refused(f"a {word} is no index; use whole numbers, slices or integer arrays")
    found = tape.node(np.asarray(part) if isinstance(part, range) else part)
    if found.kind == "bool":
        raise tape.refused(
            "X[mask] has as many entries as the mask has ones, so no shape; "
            "use np.where(mask, X, 0), and divide by mask.sum() for a mean"
        )
    if found.kind != "int":
        raise tape.refused("an index must be integers; declare it with a bound, like y: n int<m")
    return found
