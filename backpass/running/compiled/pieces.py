"""A long epoch in several calls of machine code, so that Ctrl-C need not wait for its end."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

PIECE = 0.1  # seconds that a call takes at most, if a step of it does not take longer
GROWTH = 16  # of a call beside the one before, whose steps may have been the quick ones


class Pieces:
    """Calls of about `PIECE` seconds; how many steps these are, it learns from call to call.

    A step reads nothing but its arguments, so where one call ends and the next begins makes no
    difference to what it computes.
    """

    def __init__(self) -> None:
        self.length = 1  # steps of the next call

    def run(self, steps: int, run: Callable[[int, int], tuple[int, int]]) -> tuple[int, int]:
        """Take all `steps`; `run` takes those from one to another, tells how many, and a count.

        What comes in between, such as a KeyboardInterrupt, finds the step before whole.
        """
        done = total = 0
        while done < steps:
            stop = min(done + self.length, steps)
            start = perf_counter()
            taken, count = run(done, stop)
            total += count
            wanted, done = stop - done, done + taken
            if taken < wanted:
                break
            self._learn(taken, perf_counter() - start)
        return done, total

    def _learn(self, steps: int, took: float) -> None:
        fits = int(steps * PIECE / max(took, 1e-9))
        # the last call of an epoch may have been a short one
        self.length = max(1, min(fits, max(self.length, GROWTH * steps)))
