"""The update called once more: what it keeps of the call before, and what it never looks at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import call_quietly, observe
from backpass.doctor.probe import (
    Probe,
    Where,
    are_indices,
    data_like,
    data_places,
    indices_like,
)
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place
from backpass.doctor.state import Roots

Array = NDArray[Any]
Steps = Mapping[str, Array]
_CLOSE = 1e-7
_SECONDS = 1.0  # of a processor: what one call may take, when it is to be called some more


@dataclass(frozen=True, slots=True)
class Again:
    """What calls took from each parameter: all that they did, not the first update alone.

    `second` came after `first` on other numbers, `fresh` is the same with nothing before it, and
    `other` is `second` but for the samples, which are others still.
    """

    first: Steps
    second: Steps
    fresh: Steps
    other: Steps


def called_again(
    call: Callable[..., Any], args: Sequence[Any], paths: Iterable[str], x: Where, y: Where
) -> Again | None:
    """Call it on random numbers, and on others after that; None where it cannot be told."""
    trained = list(paths)
    places = data_places(call, args, x, y)
    taken = Roots.of(call, args).state()
    if any(path not in taken.values for path in trained):
        return None
    random = [np.random.default_rng(seed) for seed in (2, 3, 4)]
    data = [_data_like(args, places, r) for r in random]
    held = [{p: r.normal(0.0, 0.5, taken.values[p].shape) for p in trained} for r in random]
    try:
        begun = time.thread_time()
        first = _step(call, args, places, held[0], data[0])
        if time.thread_time() - begun > _SECONDS:
            return None
        second = _step(call, args, places, held[1], data[1])
        taken.restore()
        fresh = _step(call, args, places, held[1], data[1])
        taken.restore()
        _step(call, args, places, held[0], data[0])
        targets = data[2][1] if places[0] == places[1] else data[1][1]
        other = _step(call, args, places, held[1], (data[2][0], targets))
    except Exception:  # whatever a call with other numbers raises, nothing is learnt from it
        return None
    finally:
        taken.restore()
    return Again(first, second, fresh, other)


def _data_like(
    args: Sequence[Any], places: tuple[int, int], random: np.random.Generator
) -> tuple[Any, Any]:
    """Random data; indices, as of the letters of a text, stay indices."""
    given = [args[place] for place in places]
    if all(map(are_indices, given)):
        x, y = (indices_like(one, random) for one in given)
        return x, y
    return data_like(args, places, random)


def _step(
    call: Callable[..., Any], args: Sequence[Any], places: tuple[int, int], held: Steps,
    data: tuple[Any, Any],
) -> Steps:  # fmt: skip
    """What a call takes from parameters that are made to hold these numbers."""
    roots = Roots.of(call, args)
    state = roots.state()
    for path, value in held.items():
        state.replace(path, value)
    given = list(roots.arguments.values())
    given[places[0]], given[places[1]] = data
    call_quietly(call, given)
    after = Roots.of(call, args).state().values
    return {path: value - after[path] for path, value in held.items()}


def remembered(
    one: Again, found: Callable[..., Finding], first: Callable[[str], Place | None]
) -> tuple[list[Finding], list[str]]:
    """Mistakes that a second call shows, and what it shows of the rule.

    `found` makes a finding as an accuser does, and `first` says where a gradient is made.
    """
    added = [path for path in one.first if _kept(one, path) == 1]
    if added:
        place = next((p for path in added if (p := first(path))), None)
        return [
            found(
                48, "gradients are not zeroed between calls", added, place,
                "a second call takes the step of the first one again, with its own: what is added "
                "up still holds the gradients of the call before",
                "set the gradients to zero at the beginning of each call",
            )
        ], []  # fmt: skip
    old = [
        path
        for path in one.first
        if one.fresh[path].any() and _differs(one, path) and _is(one.second, one.other, path)
    ]
    if old:
        return [
            found(
                51, "stale cache", old, None,
                "a second call takes the same step whatever its samples are: it computes with what "
                "the first call left",
                "run the forward pass anew in each call",
            )
        ], []  # fmt: skip
    parts = {float(f"{kept:.6g}") for path in one.first if (kept := _kept(one, path))}
    if len(parts) == 1:
        part = parts.pop()
        return [], [
            f"Each call also takes {part:.4g} times the step of the call before, as momentum does."
        ]
    return [], []


def _kept(one: Again, path: str) -> float | None:
    """How much of the first step was in the second; None if that is not the difference."""
    before, rest = one.first[path], one.second[path] - one.fresh[path]
    length = float(np.vdot(before, before))
    if not length or np.linalg.norm(rest) <= _CLOSE * np.linalg.norm(one.fresh[path]):
        return None
    part = float(np.vdot(before, rest)) / length
    if np.linalg.norm(rest - part * before) > _CLOSE * max(float(np.linalg.norm(rest)), 1e-9):
        return None
    return 1.0 if abs(part - 1) < 1e-6 else part


def _differs(one: Again, path: str) -> bool:
    return not _is(one.second, one.fresh, path)


def _is(some: Steps, others: Steps, path: str) -> bool:
    size = float(np.linalg.norm(others[path]))
    return bool(size) and float(np.linalg.norm(some[path] - others[path])) <= _CLOSE * size


# ── samples ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Skipped:
    """Samples at one end that a call never looks at, and where it takes up the others."""

    last: bool
    place: Place
    count: int = 1


def skipped(
    call: Callable[..., Any], args: Sequence[Any], x: Where, y: Where, probe: Probe
) -> Skipped | None:
    """The one sample, or batch, at an end that is left out, however many samples there are."""
    found = _left_out(probe)
    if found is None:
        return None
    places = data_places(call, args, x, y)
    random = np.random.default_rng(4)
    X, Y = (_doubled(args[place], probe) for place in places)
    if X is None or Y is None:
        return None
    given = list(args)
    for place, doubled in zip(places, (X, Y), strict=True):
        given[place] = doubled
    given[places[0]], given[places[1]] = data_like(given, places, random)
    run = observe(call, given)
    if run.failure is not None:
        return None
    more = Probe(run, np.asarray(given[places[0]]), probe.Y, probe.parameters, probe.frozen)
    other = _left_out(more)
    same = other is not None and (other.last, other.count) == (found.last, found.count)
    return found if same else None


def _doubled(one: Any, probe: Probe) -> Any:
    """Twice as many samples."""
    axis = _samples_axis(probe)
    if isinstance(one, list):
        return None if axis else [*one, *one]
    value = np.asarray(one)
    return np.concatenate([value, value], axis=axis if value.ndim > 1 else 0)


def _samples_axis(probe: Probe) -> int:
    """0 where samples are rows of what was given, 1 where they are columns."""
    X, Y = np.shape(probe.X), np.shape(probe.Y)
    return int(len(X) == 2 and len(Y) > 0 and X[0] != Y[0] and X[1] == Y[-1])


def _left_out(probe: Probe) -> Skipped | None:
    X = np.asarray(probe.X, float)
    if X.ndim != 2:
        return None
    X = X.T if _samples_axis(probe) else X
    touched: set[int] = set()
    batches: set[int] = set()  # how many samples are taken up at once
    place: Place | None = None
    whole: Place | None = None  # where all of them were taken up last, as by the head of a loop
    for event in probe.run.events:
        value, here = event.value, probe.run.places[event.place]
        if value.size == X.size and value.ndim == 2:
            whole = here if np.array_equal(value, probe.X) else whole
        if value.dtype.kind != "f" or not 0 < value.ndim < 3 or value.size >= X.size:
            continue
        turns = (np.atleast_2d(value), np.atleast_2d(value.T))
        for given in (*turns, *(cut for one in turns for cut in (one[:, 1:], one[:, :-1]))):
            if given.shape[-1] != X.shape[1]:
                continue
            rows = {r for r, row in enumerate(X) if np.any(np.all(given == row, axis=1))}
            if len(rows) == len(given):
                touched |= rows
                batches.add(len(rows))
                place = place or (whole if len(rows) == 1 else None) or here
                break
    missing = sorted(set(range(len(X))) - touched)
    count = len(missing)
    is_batch = count in batches and not len(X) % count and not probe.run.stopped
    if place is None or len(X) < 4 or not (count == 1 or (count > 1 and is_batch)):
        return None
    first, last = missing == [*range(count)], missing == [*range(len(X) - count, len(X))]
    return Skipped(last, place, count) if first != last else None
