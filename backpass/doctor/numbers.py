"""The numbers of a run, asked whether the values of a layer are among them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import leaky
from backpass.doctor.masks import Masks
from backpass.doctor.match import Index
from backpass.doctor.observe import LARGE
from backpass.doctor.probe import Probe

Array = NDArray[np.float64]


class Numbers:
    """Every value of a run; an array of layers' values has a row for each sample.

    Where it `is_mixed`, units may stand where a layer should have a constant for its bias.
    """

    def __init__(self, probe: Probe, *, is_mixed: bool = False) -> None:
        self.is_mixed = is_mixed
        self.Y = np.atleast_2d(np.asarray(probe.Y, float))
        self.is_bare = bool(probe.run.gaps)  # some of what ran has no source: names are seen
        self.masks, self.index = _read(probe)

    def has(self, values: Array, sample: int | None = 0) -> bool:
        """Whether it was seen whole, or one sample of it, or that sample's entries one by one.

        Without a sample, only the whole counts. With the other sign it counts too:
        1/(1 + e^(−x·W − b)) never makes x·W + b.
        """
        parts = (values,) if sample is None else (values, values[sample])
        if any(self.index.find(sign * part) for part in parts for sign in (1, -1)):
            return True
        return sample is not None and self._entries(values[sample])

    def samples(self, values: Array) -> int:
        """Of how many samples these are among the numbers."""
        if self.index.find(values) or self.index.find(-values):
            return len(values)
        return sum(self.has(row[None]) for row in values)

    def since(self, values: Array) -> int:
        """The first event that is this array, or what its first sample or an entry of it has."""
        for part in (values, values[0], values[0, np.argmax(np.abs(values[0]))]):
            found = self.index.find(np.asarray(part))
            if found:
                return min(int(one.name) for one in found)
        return 0

    def tells(self, values: Array, other: Array) -> bool:
        """Whether what was seen is this array, and cannot be the other one."""
        if self.index.find(values):
            return True
        if np.array_equal(values[0], other[0]):
            return False
        if self.index.find(values[0]):
            return True
        new = values[0][values[0] != other[0]]
        even = len(new) > 1 and not np.ptp(new)  # as of a sample that is off: any number is that
        return not even and self._entries(new)

    def allows(self, values: Array) -> bool:
        """Whether every entry of the first sample was seen, or is one that nobody could tell."""
        return all(self._entries(entry[None]) for entry in values[0] if entry)

    def leaks(self, Z: Array) -> Iterator[str]:
        """Leaky ReLUs that this was put through: above zero it stays, below it shrinks."""
        for part in (Z, Z[0]):
            low = part < 0
            if np.count_nonzero(low) < 2:
                continue
            for value in self.index.alike(part, ~low):
                leak = float(f"{(value[low] / part[low])[0]:.6g}")
                if leak not in (0.0, 1.0) and np.allclose(value[low], leak * part[low], rtol=1e-9):
                    yield leaky(leak)

    def _entries(self, row: Array) -> bool:
        telling = [np.asarray(entry) for entry in row if abs(entry) not in (0.0, 1.0)]
        return bool(telling) and all(self.index.find(entry) for entry in telling)


def _read(probe: Probe) -> tuple[Masks, Index]:
    """What the events of a run hold, worked out once for all who ask."""
    events, tolerance = probe.run.events, probe.tolerance
    known = probe.run.read.get(tolerance)
    if known is not None and known[0] is events and known[1] == len(events):
        return known[2], known[3]
    first: dict[object, tuple[str, Array]] = {}
    for number, event in enumerate(events):
        first.setdefault(_same(event.value), (str(number), event.value))
    found = Masks(probe), Index(dict(first.values()), parts=False, tolerance=tolerance)
    probe.run.read[tolerance] = events, len(events), *found
    return found


def _same(value: Array) -> object:
    """Equal for equal numbers in the same places; of a large array there is one copy."""
    return value.shape, value.dtype, value.tobytes() if value.size < LARGE else id(value)
