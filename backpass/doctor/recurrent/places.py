"""Where a mistake in going back in time stands: the statements whose values are mistaken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.lines import Lines
from backpass.doctor.recurrent.explained import Account
from backpass.doctor.recurrent.through_time import RIGHT, Row, Taken, Way, taken
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]


def way_place(lines: Lines, wrong: Taken, way: Way) -> Place | None:
    """Where the first number stood that is not what it should be."""
    errors = [error for error in wrong.errors if error is not None]
    right = taken(wrong.one, errors, Way())
    found: Place | None = None
    if way.forward:
        found = lines.first(wrong.dz[0])
        return found and (lines.source.loop(found) or found)
    if not way.sloped:  # the last name that was given it is that which lacks f′
        return last_made(lines, wrong.dz[wrong.order[0]]) or lines.first(wrong.dz[wrong.order[0]])
    for t in wrong.order:
        for name in ("dh", "dz", "carry"):
            value = getattr(wrong, name)[t]
            if found is None and not np.allclose(value, getattr(right, name)[t]):
                found = lines.first(value)
    return found or lines.first(wrong.dz[wrong.order[0]])


def row_place(lines: Lines, at: Taken, row: Row, name: str, ratio: float) -> Place | None:
    """Where the part that a step adds was made, with its factor; the last step's is made first."""
    whole = None if row.whole is None else row.whole(at)
    made = [] if whole is None else [whole]
    right = RIGHT[name].terms(at) if name in RIGHT else []
    for term in (*made, *reversed(row.terms(at)), *reversed(right)):
        if np.any(term):
            hits = lines.late(term, samples=False)
            if hits and row.bug in (2, 4, 9):
                scaled = [hit for hit in hits if np.isclose(hit[1], ratio)]
                hits = scaled or lines.added(term * ratio) or hits
            if hits:
                place = lines.made(hits[0][0])
                left_out = row.bug == 60 and "left out" in row.name
                return lines.source.loop(place) or place if left_out else place
    return None


def last_made(lines: Lines, value: Array) -> Place | None:
    """The last statement that gave a name this value."""
    made = [lines.place(number) for number, _ in lines.late(value, samples=False)]
    named = [one for one in made if one.moment == "after" or one.text.isidentifier()]
    given = [one for one in named if one.moment == "after" or one.parent is None]
    return given[-1] if given else None


def is_right_before(lines: Lines, one: Account, name: str) -> bool:
    """Whether the gradient was right, with the factor that others have, before it was used."""
    factors: dict[str, set[float]] = {}
    for other, fit in one.fits.items():
        total = fit and fit.row.bug == 0 and other in RIGHT and RIGHT[other].total(one.at[0])
        if isinstance(total, np.ndarray) and len(one.at[0].one.x) > 1:
            factors[other] = {float(f"{f:.6g}") for _, f in lines.late(total, samples=False)}
    others = [own for other, own in factors.items() if other != name]
    return bool(factors.get(name, set()) & set[float]().union(*others))
