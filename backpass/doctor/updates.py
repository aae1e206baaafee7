"""What a run did to each parameter first: the step from what it was before to what came next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Event, Run

Array = NDArray[np.float64]


def first_updates(run: Run, parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Before minus after the first update of each parameter, 0 where there was none.

    Where an assignment was watched whose statement reads its own target as the parameter was
    before, its result counts; otherwise what the parameter is worth when the run has ended. (A
    gradient with weight decay, `grads["W"] = … + decay * W`, reads W and is none.)
    """
    by_shape: dict[tuple[int, ...], list[Event]] = {}
    for event in run.events:
        by_shape.setdefault(event.value.shape, []).append(event)
    return {
        path: value - _first(run, by_shape.get(value.shape, []), path, value)
        for path, value in parameters.items()
    }


def _first(run: Run, alike: Sequence[Event], path: str, value: Array) -> Array:
    """What the first assignment that reads these very numbers in its target makes of them."""
    reading: set[tuple[str, int, str]] = set()
    for event in alike:
        place = run.places[event.place]
        if not value.ndim and _is_sum(place.text, path):
            continue
        statement = run.files[event.place], place.statement, place.text
        if place.moment == "after" and statement in reading:
            return np.asarray(event.value, float)
        if np.array_equal(event.value, value):
            reading.add(statement)
    found = run.after.get(path)
    if found is None or found.shape != value.shape:
        return value
    last = np.asarray(found, float)
    return _entries(run, value, last) if value.ndim else last


def _is_sum(text: str, path: str) -> bool:
    """Whether a name is but a number's copy, as of a sum that begins with the bias."""
    return text.isidentifier() and text != path


def _entries(run: Run, value: Array, last: Array) -> Array:
    """What the first assignments to single entries left; `last` where none was seen."""
    places = {float(entry): place for place, entry in np.ndenumerate(value)}
    reading: dict[tuple[str, int, str], tuple[int, ...]] = {}
    new: dict[tuple[int, ...], float] = {}
    for event in run.events:
        place = run.places[event.place]
        if event.value.ndim or place.text.isidentifier():
            continue
        statement = run.files[event.place], place.statement, place.text
        entry = places.get(float(event.value))
        if place.moment == "after" and statement in reading:
            new.setdefault(reading.pop(statement), float(event.value))
        elif entry is not None:
            reading[statement] = entry
    found = last.copy()
    for entry, number in new.items():
        found[entry] = number
    return found
