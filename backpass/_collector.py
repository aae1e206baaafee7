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


@contextmanager
def importing() -> Generator[None]:
    """Hold the garbage collector off, and have it take all that was made for old at the end.

    Modules stay for good; as young ones they would all be looked through as soon as it is back.
    """
    with held_off():
        yield
        if not gc.get_freeze_count():  # what somebody froze is to stay frozen
            gc.freeze()
            gc.unfreeze()  # into the oldest generation, wherever it came from
