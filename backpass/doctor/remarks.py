"""What else is worth knowing of a run: samples that it shuffled, and what it asked."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.finite import short
from backpass.doctor.observe import Run
from backpass.doctor.raised import question

SEEDED = "The call was seeded, and is held to the order that it drew."


def remarks(run: Run) -> list[str]:
    """What is said of a run below its report, whatever the verdict."""
    found = [shuffled(run)]
    if run.asked:
        asked = ", ".join(dict.fromkeys(map(question, run.asked)))
        found.append(f"It asks at the keyboard: {asked} was answered with an empty line.")
    return [one for one in (*found, run.gaps) if one]


# ── the order of samples ─────────────────────────────────────────────────────────────────────


def shuffled(run: Run) -> str:
    """Where samples are put into another order by chance; "" where they are not."""
    ran = {run.places[event.place].function for event in run.events}
    orders = {event.place for event in run.events if _is_order(event.value)}
    for place in run.places.values():
        drawn = re.search(r"\b(permutation|permuted|shuffle|sample|choice|randperm)\(", place.text)
        if drawn is None or place.function not in ran:
            continue
        if place.number in orders or drawn[1] == "shuffle":
            return f"Samples are shuffled at line {place.line}, {short(place)}. {SEEDED}"
    return ""


def _is_order(value: NDArray[np.generic]) -> bool:
    """Whether these are the numbers from 0 on, each once, in another order."""
    if value.ndim != 1 or value.dtype.kind not in "iu" or len(value) < 2:
        return False
    counted = np.arange(len(value))
    return bool(np.array_equal(np.sort(value), counted) and not np.array_equal(value, counted))
