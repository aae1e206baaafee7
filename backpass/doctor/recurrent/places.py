"""Where a mistake in going back in time stands: the statements whose values are mistaken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import unchanged
from backpass.doctor.lines import Lines
from backpass.doctor.omitted import Updates
from backpass.doctor.recurrent.dense import Moved
from backpass.doctor.recurrent.explained import Account
from backpass.doctor.recurrent.rows import RIGHT, Row
from backpass.doctor.recurrent.through_time import Taken, taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]


def way_place(lines: Lines, wrong: Taken, way: Way, other: Way) -> Place | None:
    """Where the first number stood that is not what the `other` way makes, which has not this."""
    errors = [error for error in wrong.errors if error is not None]
    right = taken(wrong.one, errors, other)
    last = wrong.dz[wrong.order[0]]
    if way.forward:
        found = lines.first(wrong.dz[0])
        return found and (lines.source.loop(found) or found)
    if not way.sloped or (not way.weighed and way.bent):  # it is the number that was there before
        given = last_named(lines, last)
        if given is not None:
            return given
    if not _is_alone(lines, wrong, way):
        return _first_apart(lines, wrong, right) or lines.first(last)
    if not way.chained:  # each output's own loop over steps ends too soon
        turns = lines.late(right.carry[wrong.order[0]])
        place = lines.place(turns[0][0]) if turns else lines.first(last)
        return place and (lines.source.loop(place) or place)
    found = _first_apart(lines, _of_last(wrong, way), _of_last(wrong, other))
    return found or lines.first(last)


def _is_alone(lines: Lines, wrong: Taken, way: Way) -> bool:
    """Whether code goes back from each output on its own: what later steps send is not added."""
    if not wrong.one.seen.every:
        return False
    second = wrong.order[1]
    whole, part = wrong.dz[second], _of_last(wrong, Way() if not way.chained else way).dz[second]
    summed, own = ([n for n, _ in lines.late(one) if not lines.adds(n)] for one in (whole, part))
    return bool(own) and not summed


def _of_last(wrong: Taken, way: Way) -> Taken:
    """What the error of the output alone that is taken first makes."""
    errors = [np.zeros_like(error) for error in wrong.errors if error is not None]
    first = wrong.errors[wrong.order[0]]
    assert first is not None
    errors[wrong.order[0]] = first
    return taken(wrong.one, errors, way)


def _first_apart(lines: Lines, wrong: Taken, right: Taken) -> Place | None:
    """Where the first number stood, in the order of the steps, that the two do not share."""
    for t in wrong.order:
        for name in ("dh", "dz", "carry"):
            value = getattr(wrong, name)[t]
            if np.allclose(value, getattr(right, name)[t]):
                continue
            found = lines.first(value)
            if found is not None:
                return found
    return None


def left_out(lines: Lines, one: Account, moved: Moved, name: str) -> Place | None:
    """The statement that an update should have followed that was never made.

    The order is that in which the gradients were there at last, or the network's own; if the
    updates that were made do not keep to it, it tells nothing.
    """
    paths = one.at[0].one.seen.paths
    kept = unchanged(lines.run, paths[name])
    if kept is not None:
        return kept
    updates = Updates(lines, one.story, moved, {})
    made = {other: updates.updated(path) for other, path in paths.items() if other != name}
    at = {other: number for other, number in made.items() if number is not None}
    if not at:
        return None
    here = lines.statement(min(at.values()))
    begun = min(at.values())
    while begun >= 0 and lines.statement(begun) == here:
        begun -= 1
    last: dict[str, int] = {}
    for other in paths:
        hits = lines.late(_gradient(one, other), samples=False)
        early = [number for number, _ in hits if number <= begun]
        last |= {other: early[-1]} if early else {}
    if name not in last:
        return None
    for order in (sorted(last, key=lambda one: last[one]), list(paths)):
        if [one for one in order if one in at] == sorted(at, key=lambda one: at[one]):
            before = [one for one in order[: order.index(name)] if one in at]
            if before:
                return lines.place(at[before[-1]])
            return lines.place(begun) if begun >= 0 else None
    return None


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


def _gradient(one: Account, name: str) -> Array:
    top = one.story.at[0]
    if name in RIGHT:
        return np.sum(RIGHT[name].terms(one.at[0]), axis=0)
    return top.weight() if name == "Wy" else top.bias()


def last_named(lines: Lines, value: Array) -> Place | None:
    """The last statement that gave a name this value, which had one before or was made there."""
    made = [lines.place(number) for number, _ in lines.late(value, samples=False)]
    named = [one for one in made if one.moment == "after" or one.text.isidentifier()]
    given = [one for one in named if one.parent is None and lines.source.names(one)]
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
