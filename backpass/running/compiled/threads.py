"""How many threads BLAS takes: one for small products, which a second thread only slows down."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

from backpass.running.compiled.blas import enter_blas

# Multiplications of a product from which on a second thread pays, by a third on idle cores. It
# waits for the first at every product, and forty times as long if its core is taken away meanwhile.
LARGE = 2e6


@cache
def _libraries() -> tuple[Any, ...]:
    """The BLAS that SciPy calls; NumPy may have brought another one."""
    enter_blas()  # loads it
    found: Any = import_module("threadpoolctl").ThreadpoolController()
    blas = [one for one in found.lib_controllers if one.user_api == "blas"]
    own = [one for one in blas if "scipy" in one.filepath.replace("libscipy_", "")]
    return tuple(own or blas)


def threads_for(multiplications: float) -> int:
    """The threads for a program whose largest product has so many multiplications."""
    most = max((one.get_num_threads() for one in _libraries()), default=1)
    return most if multiplications >= LARGE else 1


@contextmanager
def threads(count: int) -> Generator[None]:
    """Let BLAS take so many threads for a while."""
    before = [(one, one.get_num_threads()) for one in _libraries()]
    for one, number in before:
        if number != count:
            one.set_num_threads(count)
    try:
        yield
    finally:
        for one, number in before:
            if number != count:
                one.set_num_threads(number)
