"""Samples in pairs with their targets, or each a column of its own, as rows of two arrays.

The code is called with what it takes: only what is said of its data is in rows.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backpass.doctor.probe import data_places, is_data

Function = Callable[..., Any]


def unpaired(call: Function, args: Sequence[Any]) -> tuple[Function, Sequence[Any]]:
    """The call on samples and targets apart, if all the data that it is given are pairs of them."""
    places = [place for place, one in enumerate(args) if is_pairs(one)]
    others = [one for place, one in enumerate(args) if place not in places and is_data(one)]
    return apart(call, args, places[0]) if len(places) == 1 and not others else (call, args)


def apart(call: Function, args: Sequence[Any], place: int) -> tuple[Function, Sequence[Any]]:
    """The call on the samples and on the targets of a list of pairs."""
    X, Y = (np.array([one[side] for one in args[place]], float) for side in (0, 1))
    paired = functools.partial(_paired, args, place, call)
    return paired, (X.reshape(len(X), -1), Y.reshape(len(Y), -1))


def _paired(args: Sequence[Any], pairs: int, function: Function, X: Any, Y: Any) -> Any:
    """Call it with these samples and targets as a list of pairs, each in the shape it had."""
    x, y = (np.shape(one) for one in args[pairs][0])
    both = [(np.reshape(a, x), np.reshape(b, y)) for a, b in zip(X, Y, strict=True)]
    return function(*(both if place == pairs else one for place, one in enumerate(args)))


def is_pairs(one: object) -> bool:
    """Whether this is a list of samples, each with its target."""
    if not isinstance(one, (list, tuple)) or not one:
        return False
    shapes: set[tuple[Any, ...]] = set()
    for pair in one:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            return False
        if not all(isinstance(side, (list, np.ndarray)) and np.size(side) for side in pair):
            return False
        shapes.add((np.shape(pair[0]), np.shape(pair[1])))
    return len(shapes) == 1


def in_rows(call: Function, args: Sequence[Any]) -> tuple[Function, Sequence[Any]] | None:
    """The call on samples in rows, if each is a column of its own; None where none is.

    Only an axis of length 1 is left out: what else there is may be steps of time.
    """
    places = data_places(call, args, None, None)
    shapes = {place: np.shape(args[place]) for place in places}
    rows = {place: (shape[0], *(n for n in shape[1:] if n > 1)) for place, shape in shapes.items()}
    rows = {place: row if len(row) > 1 else (row[0], 1) for place, row in rows.items()}
    if len(shapes[places[0]]) != 3 or any(len(row) != 2 for row in rows.values()):
        return None
    if not all(isinstance(args[place], np.ndarray) for place in places):
        return None
    given = [one.reshape(rows[at]) if at in rows else one for at, one in enumerate(args)]
    shaped: Any = functools.partial(_shaped, call, shapes)
    with contextlib.suppress(TypeError, ValueError):  # arguments keep their names
        shaped.__signature__ = inspect.signature(call)
    return shaped, given


def _shaped(call: Function, shapes: dict[int, tuple[int, ...]], *args: Any) -> Any:
    """Call it with its data in the shape that they had, however many samples there are."""
    given = [
        np.reshape(one, (-1, *shapes[place][1:])) if place in shapes else one
        for place, one in enumerate(args)
    ]
    return call(*given)
