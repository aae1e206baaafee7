"""Arrays looked up by what they hold: whole, transposed, one row or column of them, one entry.

Two arrays with the same entries in any order have the same size and the same sum of squares. That
finds the few that could be meant; then entries are compared. Probes are random, so that nothing
agrees by accident.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Part = Literal["whole", "transposed", "flat", "row", "column", "entry", "narrower"]


@dataclass(frozen=True, slots=True)
class Match:
    """An array is `scale` times a part of the quantity `name`; `place` says which row or entry."""

    name: str
    part: Part
    place: tuple[int, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class _Entry:
    square: float
    name: str
    part: Part
    place: tuple[int, ...]
    value: Array


class Index:
    """Quantities by what they hold; `tolerance` is relative to an array's largest entry."""

    def __init__(
        self,
        quantities: Mapping[str, NDArray[Any]],
        *,
        parts: bool = True,
        tolerance: float = 1e-9,
    ) -> None:
        self.tolerance = tolerance
        self.by_size: dict[int, list[_Entry]] = {}
        for name, quantity in quantities.items():
            for entry in _entries(name, np.asarray(quantity, float), parts):
                self.by_size.setdefault(entry.value.size, []).append(entry)
        for entries in self.by_size.values():
            entries.sort(key=lambda entry: entry.square)
        self.squares = {s: [one.square for one in found] for s, found in self.by_size.items()}

    def find(self, value: NDArray[Any], scale: float = 1.0) -> list[Match]:
        """What the value may be, the larger parts first; `scale` times it is what was seen."""
        wanted = np.asarray(value, float) / scale
        square = float(np.vdot(wanted, wanted))
        if not np.isfinite(square) or square == 0:
            return []
        slack = 8 * self.tolerance * square + 1e-300
        squares = self.squares.get(wanted.size, [])
        found: list[Match] = []
        for place in range(bisect_left(squares, square - slack), len(squares)):
            if squares[place] > square + slack:
                break
            entry = self.by_size[wanted.size][place]
            part = self._part(entry, wanted)
            if part is not None:
                found.append(Match(entry.name, part, entry.place, scale))
        return sorted(found, key=lambda match: _ORDER.index(match.part))

    def alike(self, value: NDArray[Any], where: NDArray[np.bool_]) -> Iterator[Array]:
        """Quantities that have the entries of this one in some places, and others elsewhere."""
        for entry in self.by_size.get(value.size, ()):
            for turned in (entry.value, entry.value.T):
                if turned.shape == value.shape and self._equal(turned[where], value[where]):
                    yield turned

    def _part(self, entry: _Entry, wanted: Array) -> Part | None:
        mine = entry.value
        if self._equal(mine, wanted):
            return entry.part
        if entry.part == "whole" and mine.ndim == 2 and self._equal(mine.T, wanted):
            return "transposed"
        thin = min(mine.shape, default=1) == 1 or min(wanted.shape, default=1) == 1
        if thin and self._equal(mine.ravel(), wanted.ravel()):  # (1,k), (k,1) and (k,) are one row
            return "flat" if entry.part == "whole" else entry.part
        return None

    def _equal(self, mine: Array, wanted: Array) -> bool:
        if mine.shape != wanted.shape:
            return False
        bound = self.tolerance * float(np.max(np.abs(mine), initial=0.0))
        return bool(np.all(np.abs(mine - wanted) <= bound))


_ORDER: list[Part] = ["whole", "transposed", "flat", "narrower", "row", "column", "entry"]


def _entries(name: str, quantity: Array, parts: bool) -> Iterator[_Entry]:
    """The quantity and its parts; numbers that are no accident, 0 and ±1, tell nothing alone."""

    def entry(part: Part, place: tuple[int, ...], value: Array) -> _Entry:
        return _Entry(float(np.sum(value * value)), name, part, place, value)

    yield entry("whole", (), quantity)
    if not parts:
        return
    if quantity.ndim == 2:
        rows, columns = quantity.shape
        if columns > 1 and rows > 1:
            for place, row in enumerate(quantity):
                yield entry("row", (place,), row)
            for place, column in enumerate(quantity.T):
                yield entry("column", (place,), column)
            for cut in (quantity[:, :-1], quantity[:, 1:], quantity[:-1], quantity[1:]):
                yield entry("narrower", cut.shape, cut)
    if quantity.ndim:
        for place, number in np.ndenumerate(quantity):
            if abs(number) not in (0.0, 1.0):
                yield entry("entry", place, np.asarray(number))
