"""Times at which what is made stays, so that looking for garbage among it is in vain."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def held_off() -> Generator[None]:
    """Hold the garbage collector off, if it works at all.

    It looks through all that there is again and again while that grows: for a network through ever
    more layers, and while modules are imported through all others, which takes longer than that.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
