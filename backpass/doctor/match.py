"""Arrays looked up by what they hold: whole, transposed, one row or column of them, one entry.

Two arrays with the same entries in any order have the same size and the same sum of squares. That
finds the few that could be meant; then entries are compared. Probes are random, so that nothing
agrees by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
class _Shelf:
    """Parts of one size, by their sums of squares, in ascending order."""

    squares: Array
    owners: NDArray[np.intp]  # places among the quantities
    kinds: NDArray[np.intp]  # places in PARTS
    places: NDArray[np.intp]  # which row, column, entry or cut


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
        self.names = list(quantities)
        self.values = [np.asarray(one, float) for one in quantities.values()]
        raw: dict[int, list[_Parts]] = {}
        single = [owner for owner, value in enumerate(self.values) if not value.ndim]
        if single:  # as in loops over entries, which are many
            numbers = np.array([self.values[owner] for owner in single])
            owners, none = np.array(single, np.intp), np.zeros(len(single), np.intp)
            with np.errstate(over="ignore"):
                raw[1] = [(owners, "whole", numbers * numbers, none)]
        for owner, value in enumerate(self.values):
            for part, size, squares, places in _parts(value, parts) if value.ndim else ():
                owners = np.full(len(squares), owner, np.intp)
                raw.setdefault(size, []).append((owners, part, squares, places))
        self.by_size = {size: _shelf(found) for size, found in raw.items()}

    def find(self, value: NDArray[Any], scale: float = 1.0) -> list[Match]:
        """What the value may be, the larger parts first; `scale` times it is what was seen."""
        wanted = np.asarray(value, float) / scale
        square = float(np.vdot(wanted, wanted))
        shelf = self.by_size.get(wanted.size)
        if shelf is None or not np.isfinite(square) or square == 0:
            return []
        slack = 8 * self.tolerance * square + 1e-300
        first, last = np.searchsorted(shelf.squares, (square - slack, square + slack))
        found: list[Match] = []
        for number in range(int(first), int(last)):
            owner, kind = int(shelf.owners[number]), PARTS[shelf.kinds[number]]
            place, mine = self._part(self.values[owner], kind, int(shelf.places[number]))
            part = self._fits(kind, mine, wanted)
            if part is not None:
                found.append(Match(self.names[owner], part, place, scale))
        return sorted(found, key=lambda match: PARTS.index(match.part))

    def alike(self, value: NDArray[Any], where: NDArray[np.bool_]) -> Iterator[Array]:
        """Quantities that have the entries of this one in some places, and others elsewhere."""
        for mine in self.values:
            for turned in (mine, mine.T) if mine.size == value.size else ():
                if turned.shape == value.shape and self._equal(turned[where], value[where]):
                    yield turned

    def _part(self, value: Array, kind: Part, number: int) -> tuple[tuple[int, ...], Array]:
        match kind:
            case "row":
                return (number,), value[number]
            case "column":
                return (number,), value[:, number]
            case "entry":
                place = np.unravel_index(number, value.shape)
                return tuple(map(int, place)), value[place]
            case "narrower":
                cut = value[_CUTS[number]]
                return cut.shape, cut
            case _:
                return (), value

    def _fits(self, kind: Part, mine: Array, wanted: Array) -> Part | None:
        if self._equal(mine, wanted):
            return kind
        if kind == "whole" and mine.ndim == 2 and self._equal(mine.T, wanted):
            return "transposed"
        thin = min(mine.shape, default=1) == 1 or min(wanted.shape, default=1) == 1
        if thin and self._equal(mine.ravel(), wanted.ravel()):  # (1,k), (k,1) and (k,) are one row
            return "flat" if kind == "whole" else kind
        return None

    def _equal(self, mine: Array, wanted: Array) -> bool:
        if mine.shape != wanted.shape:
            return False
        if mine.ndim == 0:
            return bool(abs(float(mine) - float(wanted)) <= self.tolerance * abs(float(mine)))
        bound = self.tolerance * float(np.max(np.abs(mine), initial=0.0))
        return bool(np.all(np.abs(mine - wanted) <= bound))


PARTS: list[Part] = [
    "whole", "transposed", "flat", "narrower", "row", "column", "entry",
]  # fmt: skip
_CUTS = (
    np.s_[:, :-1], np.s_[:, 1:], np.s_[:-1], np.s_[1:],
)  # fmt: skip
_NONE = np.zeros(1, np.intp)
ENTRIES = 50_000


_Parts = tuple[NDArray[np.intp], Part, Array, NDArray[np.intp]]  # owners, squares, places


def _shelf(found: Sequence[_Parts]) -> _Shelf:
    squares = np.concatenate([one for _, _, one, _ in found])
    places = np.concatenate([own for _, _, _, own in found])
    owners = np.concatenate([owner for owner, _, _, _ in found])
    kinds = np.concatenate([np.full(len(one), PARTS.index(part)) for _, part, one, _ in found])
    order = np.argsort(squares, kind="stable")
    return _Shelf(squares[order], owners[order], kinds[order], places[order])


def _is_even(value: Array) -> bool:
    """Whether all entries are one number, which is none of this array's alone."""
    return bool(np.ptp(value) <= 1e-9 * np.abs(value).max(initial=0.0))


def _parts(value: Array, parts: bool) -> Iterator[tuple[Part, int, Array, NDArray[np.intp]]]:
    """The quantity and its parts: kind, size, sums of squares, which one each is.

    Numbers that are no accident, 0 and ±1, tell nothing alone.
    """
    with np.errstate(over="ignore"):  # an empty buffer may hold anything
        all_squares = value * value
    yield "whole", value.size, np.array([all_squares.sum()]), _NONE
    if not parts:
        return
    if value.ndim == 2 and min(value.shape) > 1:
        rows, columns = all_squares.sum(axis=1), all_squares.sum(axis=0)
        yield "row", len(columns), rows, np.arange(len(rows))
        yield "column", len(rows), columns, np.arange(len(columns))
        for number, cut in enumerate(_CUTS):
            yield "narrower", value[cut].size, np.array([all_squares[cut].sum()]), _NONE + number
    if value.ndim:
        small = value.size <= ENTRIES  # who loops over more than that would wait for ever
        small = small and (value.size == 1 or not _is_even(value))
        telling = np.flatnonzero((value != 0) & (np.abs(value) != 1)) if small else _NONE[:0]
        yield "entry", 1, all_squares.ravel()[telling], telling
