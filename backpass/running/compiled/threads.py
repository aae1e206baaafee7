"""Threads that run a step together: one for small products, which a second one only slows down.

BLAS takes none of its own meanwhile: each of ours has its part of every product.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import Event, Thread
from typing import Any, TypeVar

from backpass.running.compiled.blas import enter_blas, has_own

# Multiplications of a product from which on a second thread pays, by a third on idle cores. They
# wait for each other several times a step, and long if one's core is taken away meanwhile.
LARGE = 2e6
Row = TypeVar("Row")
Result = TypeVar("Result")


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
def one_thread_for_blas() -> Generator[None]:
    """Let BLAS take no threads of its own for a while."""
    before = [] if has_own() else [(one, one.get_num_threads()) for one in _libraries()]
    for one, number in before:
        if number != 1:
            one.set_num_threads(1)
    try:
        yield
    finally:
        for one, number in before:
            if number != 1:
                one.set_num_threads(number)


def together(run: Callable[[Row], Result], rows: Sequence[Row]) -> Result:
    """Run on every row at once, in threads that wait for one another; what the first row gives.

    None of them is left alone: a KeyboardInterrupt, which can come to this thread at any moment,
    is raised when all are done. RuntimeError where the system has no more threads; then none has
    begun.
    """
    if len(rows) == 1:
        return run(rows[0])
    begun, given_up = Event(), Event()
    found: list[Result] = []

    def follow(row: Row) -> None:
        begun.wait()
        if not given_up.is_set():
            result = run(row)
            if row is rows[0]:
                found.append(result)

    team = [Thread(target=follow, args=(row,), daemon=True) for row in rows]
    try:
        for one in team:
            one.start()
    except BaseException:
        given_up.set()
        raise
    finally:
        begun.set()
    _wait(team)
    return found[0]


def _wait(team: Sequence[Thread]) -> None:
    interrupted: KeyboardInterrupt | None = None
    for one in team:
        while one.is_alive():
            try:
                one.join()
            except KeyboardInterrupt as error:
                interrupted = error
    if interrupted is not None:
        raise interrupted
