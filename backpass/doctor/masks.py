"""Dropout: random masks of a run, told by what they leave of the activations that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run
from backpass.doctor.probe import Probe
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]
Drawn = tuple[int, int]  # a place, and its visit there
KINDS = 4  # of what is kept, as told by numbers alone: the next layer decides
CLOSE = 1e-7  # of what is kept, as it is known
ROWS = 8  # samples that are asked one by one


class Masks:
    """The arrays of a run, asked what may be left of activations whose units were dropped.

    Activations have a row for each sample; a mask has 0 where a unit was dropped, and elsewhere
    what the kept ones are multiplied by, 1/p or 1.
    """

    def __init__(self, probe: Probe) -> None:
        self.tolerance = 10 * probe.tolerance
        self.by_size: dict[int, list[Array]] = {}
        self.drawn: list[Array] = []
        for event in probe.run.events:
            value = event.value
            if not value.ndim or value.size < 2:
                continue
            if two_valued(value):
                self.drawn.append(np.asarray(value, float))
            if value.dtype.kind == "f" and np.isfinite(value).all():
                self.by_size.setdefault(value.size, []).append(np.asarray(value, float))
        self.holed = {
            size: [one for one in values if not one.all()] for size, values in self.by_size.items()
        }
        self.lines: dict[int, Array] = {}

    def kept(self, A: Array) -> list[float]:
        """What kept units may be multiplied by, where some of these were dropped."""
        found: dict[float, int] = {}
        pairs = [(A, V) for V in _like(A, self.holed)]
        if len(A) > 1 and A.shape[1] > 1:
            pairs += [(row, V) for row in A[:ROWS] for V in _like(row, self.holed)]
        for given, V in pairs:
            times = self._times(given, V)
            if times is not None:
                found[times] = found.get(times, 0) + given.size
        return sorted(found, key=lambda one: -found[one])[:KINDS]

    def of(self, A: Array, times: float) -> Iterator[Array]:
        """Masks that leave `times` the activation of what they keep, the likeliest first."""
        whole = [M for V in _like(A, self.by_size) if (M := self._mask(A, V, times)) is not None]
        whole = _different(self._told(A, M) for M in whole)
        some = [M for M in whole if not M.all()]
        yield from some
        if not some and len(A) > 1 and A.shape[1] > 1:
            rows = [self._row(row, times) for row in A]
            if any(row is not None for row in rows):
                yield np.stack([np.full(A.shape[1], times) if row is None else row for row in rows])
        yield from (M for M in whole if M.all())

    # ── one array ────────────────────────────────────────────────────────────────────────────

    def _times(self, A: Array, V: Array) -> float | None:
        """What the kept units are multiplied by, where this is what was left after dropping some.

        A ReLU drops what is below zero: that is no mask.
        """
        kept, told = V != 0, A != 0
        if np.count_nonzero(kept) < 2 or kept[told].all() or not told[kept].all():
            return None
        top = int(np.argmax(np.abs(A[kept])))
        times = float(f"{V[kept][top] / A[kept][top]:.9g}")
        is_bend = (A[kept] > 0).all() and (A[told & ~kept] < 0).all()
        if times <= 0 or is_bend:
            return None
        return times if self._mask(A, V, times) is not None else None

    def _mask(self, A: Array, V: Array, times: float) -> Array | None:
        """The mask with which the one is made of the other; `times` is known to some digits."""
        top = np.unravel_index(int(np.argmax(np.abs(V))), V.shape)
        exact = float(V[top] / A[top]) if V[top] and A[top] else times
        if abs(exact - times) > CLOSE * times:
            return None
        bound = self.tolerance * exact * float(np.max(np.abs(A), initial=0.0))
        M = np.where((V != 0) | (A == 0), exact, 0.0)
        return M if np.all(np.abs(A * M - V) <= bound) else None

    def _told(self, A: Array, M: Array) -> Array:
        """The mask with its entries where the activation is 0, if an array of the run has them."""
        open_ = A == 0
        if not open_.any():
            return M
        for one in self.drawn:
            for way in (one, one.T):
                if way.shape == M.shape and np.array_equal(way[~open_] != 0, M[~open_] != 0):
                    return np.where(way != 0, M.max(), 0.0)
        return M

    def _row(self, A: Array, times: float) -> Array | None:
        """The mask of one sample with the fewest units kept, and zeros where there is no other."""
        lines = self.lines.get(A.size)
        if lines is None:
            found = [V.ravel() for V in self.by_size.get(A.size, []) if max(V.shape) == V.size]
            lines = self.lines[A.size] = np.array(found).reshape(-1, A.size)
        bound = CLOSE * times * np.abs(A)
        fits = np.all((lines == 0) | (np.abs(lines - times * A) <= bound), axis=1)
        found = [M for V in lines[fits] if (M := self._mask(A, V, times)) is not None]
        return min(found, key=lambda M: np.count_nonzero(M) or len(M) + 1, default=None)


def _like(A: Array, by_size: Mapping[int, list[Array]]) -> Iterator[Array]:
    """Arrays of this shape, turned if need be."""
    for V in by_size.get(A.size, []):
        if V.shape == A.shape:
            yield V
        elif V.T.shape == A.shape:
            yield V.T
        elif 1 in V.shape and A.ndim == 1:
            yield V.ravel()


def told(run: Run, masks: Sequence[Array | None]) -> list[str]:
    """What is said of masks: where each was drawn, in a call whose random numbers were seeded."""
    found: list[str] = []
    for place, mask in enumerate(masks):
        if mask is None:
            continue
        into = f"A{place}" if place else "X"
        where = _where(run, mask)
        line = "" if where is None else f", drawn at line {where.line}"
        found.append(
            f"{into} ⊙ M{place} goes on, with a random mask M{place} of 0 and "
            f"{mask.max():.4g}{line}."
        )
    if not found:
        return []
    seeded = "The call was seeded, and is held to what it drew."
    return [" ".join(["Dropout:", *found, seeded])]


def _where(run: Run, mask: Array) -> Place | None:
    """Where the mask, or that of one sample, was first seen."""
    rows = {row.tobytes() for row in mask != 0}
    for event in run.events:
        value = event.value
        for way in (value, value.T) if value.ndim and two_valued(value) else ():
            lines = np.atleast_2d(way != 0)
            alike = lines.shape in (mask.shape, (1, mask.shape[1]))
            if alike and {row.tobytes() for row in lines} <= rows:
                return run.places[event.place]
    return None


def _different(found: Iterator[Array]) -> list[Array]:
    kept: list[Array] = []
    for M in found:
        if not any(np.array_equal(M, other) for other in kept):
            kept.append(M)
    return kept


def two_valued(value: NDArray[np.generic]) -> bool:
    """Whether some entries are 0, and all others one positive number."""
    some = np.asarray(value, float)
    top = some.max(initial=0.0)
    return bool(top > 0 and some.min() == 0 and np.all((some == 0) | (some == top)))


def drawn(probe: Probe, shape: tuple[int, int]) -> Mapping[Drawn, Array]:
    """Arrays of the run that may be masks of activations of this shape, by where they stood.

    Those that were drawn sample by sample, at one place, are put together.
    """
    found: dict[Drawn, Array] = {}
    rows: dict[int, list[Array]] = {}
    for event in probe.run.events:
        value = np.asarray(event.value, float)
        if value.ndim == 1 and value.shape == shape[1:] and value.min() >= 0:
            rows.setdefault(event.place, []).append(value)
        if value.ndim != 2 or shape not in (value.shape, value.T.shape) or not two_valued(value):
            continue
        way = value if value.shape == shape else value.T
        if not any(np.array_equal(way, other) for other in found.values()):
            visit = sum(place == event.place for place, _ in found)
            found[event.place, visit] = way
    for place, each in rows.items():
        made = np.array(each[: shape[0]])
        if made.shape == shape and two_valued(made):
            found[place, 0] = made
    return found
