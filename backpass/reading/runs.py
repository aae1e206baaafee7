"""Names that count along with the layers, each run of them as one: W1 … W30 is Wₗ."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from backpass.reading.fold import Layers, low
from backpass.reading.repeat import numbered


@dataclass(frozen=True)
class Run:
    """The names `name` for l = `first` … `last`, as `layers` knows them."""

    name: str  # Wₗ
    first: int
    last: int
    layers: Layers

    @property
    def start(self) -> str:
        """The name of the first."""
        return self.name.removesuffix(low(0)) + str(self.first)


def runs(
    names: Iterable[str],
    layers: Sequence[Layers],
    alike: Callable[[str, int], Hashable] = lambda name, number: None,
) -> list[str | Run]:
    """The names in their order, those of equal layers as one where the first of them stands.

    `alike` tells apart, of a name and its number, what must not be said in one breath.
    """
    found: dict[Hashable, list[str]] = {}
    of: dict[Hashable, Layers] = {}
    for name in names:
        base, number = numbered(name) or (name, 0)
        key: Hashable = name
        for one in layers:
            between = min(one.first, one.last) <= number <= max(one.first, one.last)
            if between and base + low(0) in one.passes.arrays:
                key = (base, one.first, alike(name, number))
                of[key] = one
        found.setdefault(key, []).append(name)
    return [part for key, row in found.items() for part in _joined(row, of.get(key))]


def _joined(row: list[str], layers: Layers | None) -> list[str | Run]:
    """One run, if the names count up or down by one and are more than two."""
    parts = [numbered(name) or (name, 0) for name in row]
    numbers = [number for _, number in parts]
    steps = {after - before for before, after in pairwise(numbers)}
    if layers is None or len(row) < 3 or steps not in ({1}, {-1}):
        return [*row]
    return [Run(parts[0][0] + low(0), numbers[0], numbers[-1], layers)]


def seen_from(text: str, number: int) -> str:
    """The names in a text by their distance from a layer: dW5, seen from 4, is dWₗ₊₁."""

    def relative(word: re.Match[str]) -> str:
        parts = numbered(word[0])
        return word[0] if parts is None else parts[0] + low(parts[1] - number)

    return re.sub(r"[^\s,]+", relative, text)
