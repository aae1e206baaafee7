"""What a run shows besides gradients: where it updates, its loss, and the samples that it used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import FAMILIES, RARE, Family
from backpass.doctor.observe import Run
from backpass.doctor.passes import Pass
from backpass.doctor.probe import Probe
from backpass.doctor.rewrite import Place
from backpass.doctor.state import as_numbers

Array = NDArray[np.float64]
_CLOSE = 1e-6
_CLIPPED = 1e-4  # a logarithm that is kept from zero by adding a little


def updating(run: Run, path: str, step: Array) -> Place | None:
    """Where a parameter was first given its new value."""
    old = run.before.get(path)
    if old is None or not np.any(step):
        return None
    new = np.asarray(old, float) - step
    whole = [one for one in run.events if one.value.shape == new.shape]
    for event in whole:
        if np.allclose(event.value, new, rtol=1e-12, atol=0):
            return run.places[event.place]
    where = np.unravel_index(int(np.argmax(np.abs(step))), new.shape) if new.ndim else ()
    for event in run.events:
        given = event.value.ndim == 0 and run.places[event.place].moment == "after"
        if given and math.isclose(float(event.value), float(new[where]), rel_tol=1e-12):
            return run.places[event.place]
    return None


def unchanged(run: Run, path: str) -> Place | None:
    """The statement that assigns a parameter what it was."""
    old = run.before.get(path)
    if old is None or not old.ndim:
        return None
    for event in run.events:
        place = run.places[event.place]
        if place.moment != "after":
            continue
        if event.value.shape == old.shape and np.allclose(event.value, old, rtol=1e-15, atol=0):
            return place
        if event.value.ndim == 0 and place.text.startswith(f"{path}[") and event.value in old:
            return place
    return None


# ── the loss ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Shown:
    """A loss that the code computes: `times` the family's own one, and `decay` times Σ W².

    Where that is `bare`, what meets the ones is no part of the sum.
    """

    family: Family
    title: str
    times: float
    decay: float
    event: int  # the number of the event, -1 for what the call returns
    place: Place | None
    bare: bool = False


def shown(probes: Sequence[Probe], passes: Sequence[Pass], count: int = 0) -> list[Shown]:
    """Losses of the bank that are among the numbers of every run, with what is added to them.

    A mean may be taken over a `count` of samples of which the passes have but a part.
    """
    numbers = [_scalars(one.run) for one in probes]
    placed = [_by_place(one.run) for one in probes]
    found: list[Shown] = []
    hidden: list[Shown] = []
    for family, title, times, values in _losses(passes, count):
        slack = _CLIPPED if "entropy" in family.name else _CLOSE
        event = _among(numbers[0], values[0], slack)
        if event is not None and all(
            _among(other, value, slack) is not None
            for other, value in zip(numbers[1:], values[1:], strict=True)
        ):
            place = _place(probes[0].run, event)
            found.append(Shown(family, title, times, 0.0, event, place))
        else:
            hidden += _penalised(
                probes, passes, Shown(family, title, times, 0.0, -1, None), values, placed
            )
    if not found:
        return hidden[:1]
    last = _last(found)
    more = [
        one
        for plain in last
        for one in _penalised(probes, passes, plain, _values(plain, passes, count), placed)
    ]
    return more or last


def _losses(passes: Sequence[Pass], count: int) -> Iterator[tuple[Family, str, float, list[float]]]:
    """Each loss that fits the outputs, and what it is worth in every run."""
    activation = passes[0].layers[-1].activation
    for family in (*FAMILIES, *RARE):
        if not family.suits(activation, passes[0].layers[-1].units):
            continue
        if family.name == "absolute error" and all(one.y.size == 1 for one in passes):
            continue  # of a single output, that is the error itself
        for title, times in family.members:
            bases = [family.value(one.A[-1], one.y) for one in passes]
            if not all(bases):
                break  # every 0 of the code would be a hinge that is met
            own = [times(*one.y.shape) for one in passes]
            yield family, title, own[0], [f * base for f, base in zip(own, bases, strict=True)]
            far = times(count, passes[0].y.shape[1]) if count else own[0]
            if far != own[0]:
                yield family, title, far, [far * base for base in bases]


def _values(one: Shown, passes: Sequence[Pass], count: int) -> list[float]:
    return next(
        values
        for family, title, times, values in _losses(passes, count)
        if family is one.family and title == one.title and times == one.times
    )


def _last(found: list[Shown]) -> list[Shown]:
    """What is returned is the loss, else what is computed last: a sum becomes a mean."""
    returned = [one for one in found if one.event < 0]
    last = max((one.event for one in found), default=-1)
    return returned or [one for one in found if one.event == last]


def _place(run: Run, event: int) -> Place | None:
    return None if event < 0 else run.places[run.events[event].place]


_Placed = dict[int, list[tuple[int, float]]]  # single numbers, by the place where they stood


def _penalised(
    probes: Sequence[Probe],
    passes: Sequence[Pass],
    plain: Shown,
    values: Sequence[float],
    placed: Sequence[_Placed],
) -> list[Shown]:
    """The loss with a multiple of Σ W² beside it, where one place is worth that in every run."""
    first, *others = placed
    found: list[Shown] = []
    for is_bare, squares in _squares(passes):
        for place, numbers in first.items():
            for event, number in numbers:
                strength = (number - values[0]) / squares[0]
                if strength * squares[0] < 1e-6 * abs(number) or not math.isfinite(strength):
                    continue
                wanted = [v + strength * s for v, s in zip(values[1:], squares[1:], strict=True)]
                if all(
                    any(math.isclose(seen, one, rel_tol=1e-9) for _, seen in other.get(place, []))
                    for other, one in zip(others, wanted, strict=True)
                ):
                    at = _place(probes[0].run, event)
                    found.append(
                        replace(plain, decay=strength, event=event, place=at, bare=is_bare)
                    )
    return found[-1:]


def _squares(passes: Sequence[Pass]) -> Iterator[tuple[bool, list[float]]]:
    """Σ W² in every run: of whole weights, and without what meets the ones."""
    yield False, [sum(float(np.sum(W**2)) for W in one.W[1:]) for one in passes]
    if any(layer.ones is not None for layer in passes[0].layers):
        inner = [[one.inner(place, W) for place, W in enumerate(one.W) if place] for one in passes]
        yield True, [sum(float(np.sum(W**2)) for W in own) for own in inner]


def _by_place(run: Run) -> _Placed:
    """The first numbers of each place; -1 is the result."""
    found: _Placed = {}
    for number, event in enumerate(run.events):
        if event.value.size == 1 and event.value.dtype.kind == "f":
            seen = found.setdefault(event.place, [])
            if len(seen) < 3:  # a loop over entries shows no loss
                seen.append((number, float(event.value.reshape(()))))
    result = as_numbers(run.result)
    if result is not None and result.size == 1:
        found[-1] = [(-1, float(result.reshape(())))]
    return found


def _scalars(run: Run) -> dict[float, int]:
    """Single numbers of a run, with the event where each was seen first; -1 is the result."""
    found: dict[float, int] = {}
    result = as_numbers(run.result)
    if result is not None and result.size == 1:
        found[float(result.reshape(()))] = -1
    for number, event in enumerate(run.events):
        if event.value.size == 1 and event.value.dtype.kind == "f":
            found.setdefault(float(event.value.reshape(())), number)
    return found


def _among(numbers: Mapping[float, int], value: float, slack: float) -> int | None:
    for number, place in numbers.items():
        if math.isclose(number, value, rel_tol=slack):
            return place
    return None


# ── the samples ──────────────────────────────────────────────────────────────────────────────


def used(run: Run, output: Array) -> list[int]:
    """Which samples went through the network before any of its parameters was updated."""
    arrays = [event.value for event in run.events if event.value.ndim]
    if output.shape[1] == 1:  # one number each, of which loops have thousands
        single = [float(event.value) for event in run.events if not event.value.ndim]
        arrays.append(np.array(single)[:, None])
    rows = {row for value in arrays for row in _rows_of(value, output)}
    return sorted(rows) if rows else list(range(len(output)))


def _rows_of(value: Array, output: Array) -> Iterator[int]:
    for given in (value, value.T) if value.ndim == 2 else (np.atleast_2d(value),):
        if given.ndim != 2 or given.shape[-1] != output.shape[1]:
            continue
        first, order = output[:, 0], np.argsort(given[:, 0])  # which rows may be one, at a glance
        sides = first - 2e-12 * np.abs(first), first + 2e-12 * np.abs(first)
        low = np.searchsorted(given[order, 0], sides[0], "left")
        high = np.searchsorted(given[order, 0], sides[1], "right")
        for place in np.flatnonzero(high > low):
            alike = given[order[low[place] : high[place]]]
            if np.any(np.all(np.isclose(alike, output[place], rtol=1e-12, atol=0), axis=1)):
                yield int(place)
