"""What a run did to each parameter first: the step from what it was before to what came next."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run

Array = NDArray[np.float64]
SHORT = 1000  # events, which take no time


def first_updates(
    run: Run, parameters: Mapping[str, Array], since: int | None = None
) -> dict[str, Array]:
    """Before minus after the first update of each parameter, 0 where there was none.

    Where an assignment was watched whose statement reads its own target as the parameter was
    before, its result counts; otherwise what the parameter is worth when the run has ended. (A
    gradient with weight decay, `grads["W"] = … + decay * W`, reads W and is none.)

    `since` is the first event of the outputs: a name that only then stops to be a number that was
    given stands for that parameter, and one that did before is of a sum that begins with it.
    """
    found = {path: _first(run, path, value) for path, value in parameters.items()}
    if since is not None:
        own = _updating(run, found, parameters)
        for path, value in parameters.items():
            if not value.ndim and path.isidentifier() and np.array_equal(found[path], value):
                found[path] = _renamed(run, value, since, own)
    return {path: value - found[path] for path, value in parameters.items()}


def begun(run: Run, parameters: Mapping[str, Array]) -> Run:
    """The run up to its first updates and about as far again; all of it where one is not seen.

    What comes after many rounds of a loop says nothing of the first updates, and takes long.
    """
    last = 0
    for path, value in parameters.items():
        new = _first(run, path, value)
        if value.ndim and not np.array_equal(new, value):
            places = (
                number
                for number, event in enumerate(run.events)
                if event.value.shape == new.shape and np.array_equal(event.value, new)
            )
            last = max(last, next(places, len(run.events)))
    return replace(run, events=run.events[: 2 * last + SHORT]) if last else run


def _updating(run: Run, found: Mapping[str, Array], parameters: Mapping[str, Array]) -> set[str]:
    """The functions in which parameters come to be what they are after their first update."""
    moved = [one for path, one in found.items() if not np.array_equal(one, parameters[path])]
    return {
        run.places[event.place].function
        for event in run.events
        if run.places[event.place].moment == "after"
        and any(np.array_equal(event.value, one) for one in moved)
    }


def _renamed(run: Run, value: Array, since: int, functions: Collection[str]) -> Array:
    """What a name of these functions that stands for this number becomes after the outputs."""
    reading: set[tuple[str, int, str]] = set()
    sums: set[tuple[str, int, str]] = set()
    for number, event in enumerate(run.events):
        place = run.places[event.place]
        if event.value.ndim or not place.text.isidentifier() or place.function not in functions:
            continue
        statement = run.files[event.place], place.statement, place.text
        if place.moment == "after" and statement in reading - sums:
            if number > since:
                return np.asarray(event.value, float)
            sums.add(statement)
        if event.value == value:
            reading.add(statement)
    return value


def _first(run: Run, path: str, value: Array) -> Array:
    """What the first assignment that reads these very numbers in its target makes of them."""
    reading: set[tuple[str, int, str]] = set()
    for event in run.events:
        place = run.places[event.place]
        if event.value.shape != value.shape or (not value.ndim and _is_sum(place.text, path)):
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
