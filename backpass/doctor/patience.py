"""How long somebody's code is run, and mistakes are looked for: neither needs to have an end.

Seconds are those of a processor, so that what is found does not depend on who else is using it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

WAITING = 4  # times as long by the clock: code that sleeps uses no processor
_until: ContextVar[float | None] = ContextVar("_until", default=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on the processor and by the clock."""

    worked: float = field(default_factory=time.process_time)
    clock: float = field(default_factory=time.monotonic)

    def since(self, earlier: Moment) -> float:
        """The seconds in between, in which others may have had the processor too."""
        return max(self.worked - earlier.worked, (self.clock - earlier.clock) / WAITING)


class Exhausted(Exception):
    """So long was looked, and it is not found."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Look for so many seconds of a processor at most; less where less was left already."""
    before = _until.get()
    end = time.thread_time() + seconds
    token = _until.set(end if before is None else min(before, end))
    try:
        yield
    finally:
        _until.reset(token)


def look_on() -> None:
    """Raise Exhausted when the time is up."""
    until = _until.get()
    if until is not None and time.thread_time() > until:
        raise Exhausted
