"""What a run did to each parameter first: the step from what it was before to what came next."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run

Array = NDArray[np.float64]


def first_updates(run: Run, parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Before minus after the first update of each parameter, 0 where there was none.

    Where an assignment was watched whose statement reads its own target as the parameter was
    before, its result counts; otherwise what the parameter is worth when the run has ended. (A
    gradient with weight decay, `grads["W"] = … + decay * W`, reads W and is none.)
    """
    return {path: value - _first(run, path, value) for path, value in parameters.items()}


def _first(run: Run, path: str, value: Array) -> Array:
    """What the first assignment that reads these very numbers in its target makes of them."""
    reading: set[tuple[str, int, str]] = set()
    for event in run.events:
        place = run.places[event.place]
        if event.value.shape != value.shape:
            continue
        statement = run.files[event.place], place.statement, place.text
        if place.moment == "after" and statement in reading:
            return np.asarray(event.value, float)
        if np.array_equal(event.value, value):
            reading.add(statement)
    found = run.after.get(path)
    return value if found is None or found.shape != value.shape else np.asarray(found, float)
