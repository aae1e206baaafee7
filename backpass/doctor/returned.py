"""Updates that are handed back or made of names inside a function, not done to what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run
from backpass.doctor.state import as_numbers

Array = NDArray[Any]


def returned(result: Any, parameters: Mapping[str, Array]) -> dict[str, Array] | None:
    """What a call returned for each parameter: by its key where it has one, else in order.

    For a number that is the next one behind what was found last: a loss may stand before it.
    """
    given = [(*leaf, place) for place, leaf in enumerate(leaves(result), 1)]
    found: dict[str, Array] = {}
    last = 0
    for path, value in parameters.items():
        fitting = [one for one in given if one[1].shape == value.shape]
        named = [one for one in fitting if _key(one[0]) and _key(one[0]).endswith(_key(path))]
        behind = fitting if value.ndim else [one for one in fitting if one[2] > last]
        if not (named or behind):
            return None
        chosen = (named or behind)[0]
        given = [one for one in given if one is not chosen]
        last, found[path] = chosen[2], chosen[1]
    return found


def leaves(result: Any) -> list[tuple[str, Array]]:
    """The arrays and numbers that a call returned, in order, each with its path."""
    return list(_leaves("", result))


def _leaves(path: str, one: Any) -> Iterator[tuple[str, Array]]:
    match one:
        case dict():
            for key, value in one.items():
                yield from _leaves(f"{path}[{key!r}]", value)
        case list() | tuple() if not (isinstance(one, list) and as_numbers(one) is not None):
            for place, value in enumerate(one):
                yield from _leaves(f"{path}[{place}]", value)
        case _:
            found = as_numbers(one)
            if found is not None and found.dtype.kind == "f":
                yield path, np.asarray(found)


def _key(path: str) -> str:
    """The last name in a path, '' where it is a number."""
    last = path.rpartition("[")[2].rpartition(".")[2].strip("]'\"")
    return "" if last.isdigit() else last


def inside(run: Run) -> tuple[dict[str, Array], dict[str, Array]]:
    """What names of a function held first, and what later: another array of that shape, or number.

    A number that stays is in both; it may be the bias of something. Functions that pass arrays on
    have the same names for them: those of the function in which most arrays change are taken.
    """
    before: dict[str, dict[str, Array]] = {}
    after: dict[str, dict[str, Array]] = {}
    for event in run.events:
        place = run.places[event.place]
        if not place.text.isidentifier() or event.value.dtype.kind != "f":
            continue
        held = before.setdefault(place.function, {}).setdefault(place.text, event.value)
        if held.shape != event.value.shape or np.array_equal(held, event.value):
            continue
        after.setdefault(place.function, {}).setdefault(place.text, event.value)
    if not after:
        return {}, {}
    own = max(after, key=lambda function: sum(one.ndim > 0 for one in after[function].values()))
    first, later = before[own], after[own]
    steady = {name: one for name, one in first.items() if name not in later and not one.ndim}
    return {name: first[name] for name in (*later, *steady)}, later | steady
