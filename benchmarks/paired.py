"""Two ways of doing the same, timed in turn, so that a change of the machine's speed hits both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Row:
    """Milliseconds of processor time for ours and theirs, and the ratio theirs/ours."""

    what: str
    ours: float
    theirs: float
    ratio: float
    spread: tuple[float, float]  # the middle half of the ratios, pair by pair
    wanted: str

    def __str__(self) -> str:
        low, high = self.spread
        return (
            f"{self.what:<44} {self.ours:9.2f} {self.theirs:9.2f} {self.ratio:6.2f} "
            f"({low:.2f}-{high:.2f})  {self.wanted}"
        )


def paired(
    what: str, ours: Callable[[], object], theirs: Callable[[], object], times: int, wanted: str
) -> Row:
    """Run both in turn, once unmeasured, and take medians; the clock counts processor time."""
    seconds: list[tuple[float, float]] = []
    for turn in range(times + 1):
        pair: list[float] = []
        for run in (ours, theirs):
            start = time.process_time()
            run()
            pair.append(time.process_time() - start)
        if turn:
            seconds.append((pair[0], pair[1]))
    return _row(what, seconds, wanted)


def commands(what: str, ours: list[str], theirs: list[str], times: int, wanted: str) -> Row:
    """The same for whole Python processes, by the clock on the wall."""
    seconds: list[tuple[float, float]] = []
    for turn in range(times + 1):
        pair: list[float] = []
        for arguments in (ours, theirs):
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            pair.append(time.perf_counter() - start)
        if turn:
            seconds.append((pair[0], pair[1]))
    return _row(what, seconds, wanted)


def _row(what: str, seconds: list[tuple[float, float]], wanted: str) -> Row:
    ratios = [theirs / max(ours, 1e-9) for ours, theirs in seconds]
    low, _, high = quantiles(ratios, n=4)
    ours = 1e3 * median(one for one, _ in seconds)
    theirs = 1e3 * median(two for _, two in seconds)
    return Row(what, ours, theirs, median(ratios), (low, high), wanted)
