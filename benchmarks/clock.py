"""Two things measured in turns, so that a machine that is busy slows both of them alike."""

from __future__ import annotations

import gc
import resource
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Time:
    """Seconds: those that a processor worked, and those that passed."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Race:
    """Times of ours and theirs, pair by pair."""

    ours: Sequence[Time]
    theirs: Sequence[Time]

    @property
    def ratios(self) -> list[float]:
        """How many times the processor time of ours theirs took, in each pair."""
        return [b.cpu / a.cpu for a, b in zip(self.ours, self.theirs, strict=True)]

    def shared(self, parts: int) -> Race:
        """The same race, with the time of one of as many equal parts."""

        def of(times: Sequence[Time]) -> list[Time]:
            return [Time(one.cpu / parts, one.wall / parts) for one in times]

        return Race(of(self.ours), of(self.theirs))


def middle(times: Sequence[Time]) -> Time:
    """The median of each clock."""
    return Time(median(one.cpu for one in times), median(one.wall for one in times))


def race(ours: Callable[[], Time], theirs: Callable[[], Time], pairs: int) -> Race:
    """Measure in pairs; who goes first alternates."""
    found: dict[Callable[[], Time], list[Time]] = {ours: [], theirs: []}
    for count in range(pairs):
        for one in (ours, theirs) if count % 2 else (theirs, ours):
            found[one].append(one())
    return Race(found[ours], found[theirs])


def warm(go: Callable[[], object], calls: int = 1) -> Callable[[], Time]:
    """A clock for one call in this process, which has been made before."""
    go()

    def measure() -> Time:
        gc.collect()  # nobody pays for what the other has left behind
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            go()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return Time(cpu / calls, wall / calls)

    return measure


def process(*command: str) -> Callable[[], Time]:
    """A clock for a whole process, from its start to its end."""

    def measure() -> Time:
        before, wall = _children(), time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return Time(_children() - before, time.perf_counter() - wall)

    return measure


def _children() -> float:
    """Processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(go: Callable[[], object]) -> tuple[int, int]:
    """The peak of what one call allocates, and what its result keeps, in bytes."""
    go()
    gc.collect()
    tracemalloc.start()
    result = go()
    _, peak = tracemalloc.get_traced_memory()
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return peak, kept
