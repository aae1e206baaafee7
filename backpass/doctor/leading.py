"""Networks of runs that begin with some of their samples, as shuffled batches do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen, networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe

Array = NDArray[np.float64]


def leading_networks(probes: Sequence[Probe], *, is_mixed: bool = False) -> list[Seen]:
    """The network in each run, on all samples or on those that come first."""
    numbers = [Numbers(one, is_mixed=is_mixed) for one in probes]
    found = networks(probes, numbers=numbers)
    rows = [leading(one) for one in probes]
    first = [] if None in rows else networks(probes, rows, numbers)
    return first if _depth(first) > _depth(found) else found


def _depth(seen: Sequence[Seen]) -> int:
    return min((len(one.layers) for one in seen), default=0)


def leading(one: Probe) -> list[int] | None:
    """Which samples come first in the run, where it does not begin with all of them."""
    return _taken(one, whole=False)


def _taken(one: Probe, *, whole: bool) -> list[int] | None:
    """Which samples are first taken together: some of them, or the `whole` in another order."""
    X = np.asarray(one.X, float)
    if X.ndim != 2:
        return None
    for event in one.run.events:
        value = event.value
        if value.dtype.kind != "f" or not value.ndim or (value.size == X.size) != whole:
            continue
        for samples, given in ((X, value), (X.T, value.T)):
            rows = np.atleast_2d(given)
            if rows.shape[1] != samples.shape[1] or rows.ndim != 2:
                continue
            places = list(_places(rows, samples))
            same = whole and np.array_equal(rows, samples)
            if len(places) == len(rows) > 0 and not same:
                return places
    return None


def in_order(one: Probe) -> Probe:
    """Samples that are shuffled, all of them, in the order that the run took them."""
    rows = _taken(one, whole=True)
    if rows is None or sorted(rows) != list(range(len(rows))):
        return one
    for axis in (0, 1):
        fits = all(np.ndim(data) > axis and np.shape(data)[axis] == len(rows)
                   for data in (one.X, one.Y))  # fmt: skip
        X = np.take(one.X, rows, axis) if fits else one.X
        if fits and any(np.array_equal(event.value, X) for event in one.run.events):
            return replace(one, X=X, Y=np.take(one.Y, rows, axis))
    return one


def _places(rows: Array, samples: Array) -> Iterator[int]:
    """Which sample each of these rows is, up to the first that is none."""
    for row in rows:
        found = np.flatnonzero((samples == row).all(axis=1))
        if not len(found):
            return
        yield int(found[0])
