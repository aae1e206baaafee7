"""Update rules: the gradients that were there before they were clipped, divided or bent.

The first array of the run that an update can have been made of, at one place in every run, is its
gradient. Which rule made the one of the other is read off the numbers of both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.fits import proportion
from backpass.doctor.observe import Run
from backpass.doctor.watched import Watched

Array = NDArray[np.float64]
Arrays = Sequence[Array]
_CLOSE = 1e-7
_EVEN = 1.05  # sizes that differ by less are one, but for what is added below a root


@dataclass(frozen=True, slots=True)
class Rule:
    """How updates may have been made of gradients; only a `known` one is any rule's own."""

    says: str
    known: bool
    makes: Callable[[Arrays, Arrays], bool]  # of the gradients, these updates


def _norm(gradients: Arrays, steps: Arrays) -> bool:
    """Each run has a positive factor of its own."""
    for gradient, step in zip(gradients, steps, strict=True):
        length = float(np.vdot(gradient, gradient))
        scale = float(np.vdot(step, gradient)) / length if length else 0.0
        if scale <= 0 or not np.allclose(
            step, scale * gradient, rtol=0, atol=_CLOSE * float(np.abs(step).max())
        ):
            return False
    return True


def _entries(gradients: Arrays, steps: Arrays) -> bool:
    """One factor for all entries, but for those that stopped at one size."""
    gradient, step = _line(gradients), _line(steps)
    most = float(np.abs(step).max())
    inside = np.abs(step) < most * (1 - _CLOSE)
    if not most or not np.array_equal(np.sign(gradient), np.sign(step)):
        return False
    if not inside.any():
        return True
    length = float(gradient[inside] @ gradient[inside])
    scale = float(step[inside] @ gradient[inside]) / length if length else 0.0
    straight = np.clip(scale * gradient, -most, most)
    return np.allclose(step, straight, rtol=0, atol=_CLOSE * most)


def _signs(gradients: Arrays, steps: Arrays) -> bool:
    """Every entry of one size, with the sign of the gradient."""
    return all(
        np.array_equal(np.sign(gradient), np.sign(step)) and _is_even(step)
        for gradient, step in zip(gradients, steps, strict=True)
    )


def _rooted(gradients: Arrays, steps: Arrays) -> bool:
    """g/√(g² + ε) or g/(|g| + ε) of each entry, but for those that were clipped before."""
    gradient, step = _line(gradients), _line(steps)
    most = float(np.abs(step).max())
    moves = step != 0
    inside = moves & (np.abs(step) < most * (1 - _CLOSE))
    same_signs = np.array_equal(np.sign(gradient), np.sign(step))
    if not same_signs or np.count_nonzero(inside) < 6:
        return _signs(gradients, steps)
    for power in (2, 1):
        size = np.abs(gradient[inside]) ** power
        ratio = np.abs(gradient[inside] / step[inside]) ** power
        parts = np.array([size / ratio, np.max(size) / ratio]).T  # a line, each place as near
        (slope, rest), *_ = np.linalg.lstsq(parts, np.ones(len(size)), rcond=None)
        if slope > 0 and rest > 0 and np.allclose(parts @ [slope, rest], 1, rtol=1e-5, atol=0):
            return True
    return _signs(gradients, steps)


def _bent(gradients: Arrays, steps: Arrays) -> bool:
    """A function of each entry, which grows with it and keeps its sign."""
    gradient, step = _line(gradients), _line(steps)
    order = np.argsort(gradient)
    grows = bool(np.all(np.diff(step[order]) >= -_CLOSE * np.abs(step).max()))
    return grows and np.array_equal(np.sign(gradient), np.sign(step))


_RULES = (
    Rule(
        "Gradients are clipped by their norm before they are used, which hides a factor that one "
        "of them may have.", True, _norm,
    ),
    Rule("The entries of each gradient are clipped before they are used.", True, _entries),
    Rule(
        "The first step takes from each entry of the gradient its sign alone, as those of Adam, "
        "RMSProp and Adagrad do.", True, _signs,
    ),
    Rule(
        "Each entry of the gradient is divided by its own size, with a little added, as the first "
        "steps of Adam, RMSProp and Adagrad do.", True, _rooted,
    ),
    Rule(
        "The gradients are the ones above, but each of their entries is bent before the step: "
        "that is no rule that is known here.", False, _bent,
    ),
)  # fmt: skip


def behind(way: Watched, trained: Collection[str]) -> Iterator[tuple[Watched, Rule]]:
    """The gradients that one rule makes all updates of; the likeliest rule first."""
    arrays = {path: _alike(way, path) for path in way.moved[0] if path in trained}
    for rule in _RULES:
        found = [dict(own) for own in way.moved]
        bends = False
        for path, alike in arrays.items():
            steps = [own[path] for own in way.moved]
            fitting = [one for one in alike if rule.makes(one, steps)] if _moves(steps) else [steps]
            if not fitting:
                break
            bent = [one for one in fitting if proportion(steps, one, _CLOSE) is None]
            bends = bends or bool(bent)
            nearest = (bent or fitting)[0]
            first = next(one for one in reversed(fitting) if proportion(nearest, one, _CLOSE))
            for own, value in zip(found, first, strict=True):
                own[path] = value
        else:
            if bends:  # else no rule is needed: these are gradients times a rate
                yield replace(way, moved=tuple(found), gradients=True), rule


def of_first_sample(way: Watched) -> Watched | None:
    """The steps of the first sample alone, where some arrays take it at once.

    Of the others, whose gradients are added up until the end, it is what was added first.
    """
    found: list[dict[str, Array]] = []
    for one, own in zip(way.probes, way.moved, strict=True):
        steps: dict[str, Array] = {}
        at_once = 0
        for path, step in own.items():
            total = one.parameters[path] - one.run.after.get(path, np.nan)
            if total.shape != step.shape or np.isnan(total).any():
                return None
            added = _added_first(one.run, total)
            at_once += added is None and np.any(step)
            steps[path] = step if added is None else added
        if not 0 < at_once < len(own):
            return None
        found.append(steps)
    return replace(way, moved=tuple(found))


def _added_first(run: Run, total: Array) -> Array | None:
    """What was added first to an array that began at zero, as a part of what it came to."""
    ends: dict[tuple[int, str], tuple[Array, Array]] = {}
    for event in run.events:
        place, value = run.places[event.place], event.value
        key = place.statement, place.text
        if value.shape != total.shape or value.dtype.kind != "f" or place.moment == "value":
            continue
        if place.moment == "before" and key not in ends and not np.any(value):
            ends[key] = value, value
        elif place.moment == "after" and key in ends:
            first, _ = ends[key]
            ends[key] = first if np.any(first) else value, value
    for first, last in ends.values():
        length = float(np.vdot(last, last))
        factor = float(np.vdot(total, last)) / length if length else 0.0
        if factor and np.allclose(total, factor * last, rtol=1e-7, atol=1e-12):
            return factor * np.asarray(first, float)
    return None


def _moves(steps: Arrays) -> bool:
    return any(np.any(step) for step in steps)


def _alike(way: Watched, path: str) -> list[list[Array]]:
    """Arrays of a parameter's shape that a place is worth at first, or at last, in every run.

    Those nearest to the update are first: of a few entries, many an array has the signs.
    """
    seen: list[dict[tuple[int, bool], Array]] = []
    for one, own in zip(way.probes, way.moved, strict=True):
        step = own[path]
        found: dict[tuple[int, bool], Array] = {}
        was = one.parameters[path]
        for event in one.run.events:
            value = event.value
            if one.run.places[event.place].moment == "after" and np.array_equal(value, was - step):
                break
            is_like = value.shape == was.shape and value.dtype.kind == "f"
            if is_like and np.any(value) and not np.array_equal(value, was):
                found.setdefault((event.place, False), np.asarray(value, float))
                found[event.place, True] = np.asarray(value, float)
        seen.append(found)
    common = [place for place in seen[0] if all(place in found for found in seen)]
    alike = [[found[place] for found in seen] for place in reversed(common)]
    return [one for one in alike if not all(map(_is_even, one))]


def _is_even(step: Array) -> bool:
    sizes = np.abs(step[step != 0])
    return sizes.size > 0 and bool(sizes.max() <= _EVEN * sizes.min())


def _line(arrays: Arrays) -> Array:
    return np.concatenate([one.ravel() for one in arrays])
