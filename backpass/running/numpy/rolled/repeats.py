"""Where a sequence repeats itself: runs of equal turns, the best first."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 40  # of the runs that are worth trying


@dataclass(frozen=True, slots=True)
class Run:
    """`count` turns of `period` items each, the first of which begins at `start`."""

    start: int
    period: int
    count: int

    @property
    def end(self) -> int:
        return self.start + self.period * self.count

    def without(self, turns: int) -> Run:
        """The run without its first turns."""
        return Run(self.start + turns * self.period, self.period, self.count - turns)

    def turns(self) -> Iterator[range]:
        """The places of the items, turn by turn."""
        for first in range(self.start, self.end, self.period):
            yield range(first, first + self.period)


def repeats(keys: Sequence[Hashable], numbers: Sequence[int | None]) -> list[Run]:
    """The runs of two equal turns and more, those that cover most first.

    Of turns that are out of phase the better ones have items of one number, as Z2 and A2 have.
    """
    order = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    codes = np.array([order[key] for key in keys])
    stretches: list[tuple[range, int]] = []
    for period in range(1, len(codes) // 2 + 1):
        for stretch in _stretches(codes, period):
            # two turns taken as one say nothing new
            if not any(_inside(stretch, other) and period % p == 0 for other, p in stretches):
                stretches.append((stretch, period))

    def rank(run: Run) -> tuple[int, int, int, int]:
        first = next(run.turns())
        agree = len({numbers[place] for place in first})
        return -run.count * run.period, run.period, agree, run.start

    found = [run for stretch, period in stretches for run in _runs(stretch, period)]
    return sorted(found, key=rank)[:MOST]


def _stretches(codes: Any, period: int) -> Iterator[range]:
    """Where the sequence goes on repeating itself for two turns at least."""
    same = np.concatenate([[False], codes[:-period] == codes[period:], [False]])
    begins = np.flatnonzero(same[1:] & ~same[:-1])
    ends = np.flatnonzero(same[:-1] & ~same[1:])
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if end - begin >= period:
            yield range(begin, end + period)


def _inside(stretch: range, other: range) -> bool:
    return other.start <= stretch.start and stretch.stop <= other.stop


def _runs(stretch: range, period: int) -> Iterator[Run]:
    """The longest runs in every phase, and those without their first or last turn."""
    for start in stretch[:period]:
        count = (stretch.stop - start) // period
        for first, turns in (start, count), (start + period, count - 1), (start, count - 1):
            if turns > 1:
                yield Run(first, period, turns)
