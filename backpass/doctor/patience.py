"""How long mistakes are looked for that explain numbers: a deep network has no end of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_until: ContextVar[float | None] = ContextVar("_until", default=None)


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
