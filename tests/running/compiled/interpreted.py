"""Compiled source run by Python itself: slow, but nothing needs to be compiled."""

from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any

import numpy as np

from backpass.calculus.library import FILES
from backpass.calculus.op import SCALARS

assert FILES  # importing them fills SCALARS


def gemm(
    turn_a: bool, turn_b: bool, m: int, n: int, k: int, alpha: Any, a: Any, at_a: int, lda: int,
    b: Any, at_b: int, ldb: int, beta: Any, c: Any, at_c: int, ldc: int, room: Any,
) -> None:  # fmt: skip
    """What `machine.gemm` does, entry by entry in flat memory; nothing outside may be touched."""

    def matrix(whole: Any, at: int, apart: int, rows: int, columns: int) -> Any:
        flat = whole.reshape(-1)
        places = at + apart * np.arange(rows)[:, None] + np.arange(columns)
        assert columns <= apart
        assert not places.size or places.max() < flat.size
        return flat, places

    flat_a, rows_a = matrix(a, at_a, lda, *((k, m) if turn_a else (m, k)))
    flat_b, rows_b = matrix(b, at_b, ldb, *((n, k) if turn_b else (k, n)))
    flat_c, rows_c = matrix(c, at_c, ldc, m, n)
    one, other = flat_a[rows_a], flat_b[rows_b]
    product = alpha * ((one.T if turn_a else one) @ (other.T if turn_b else other))
    flat_c[rows_c] = product + (beta * flat_c[rows_c] if beta else 0)


class Careful(np.ndarray):
    """An array without negative indices, as compiled loops see it."""

    def __getitem__(self, index: Any) -> Any:
        _within(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        _within(index)
        super().__setitem__(index, value)


def _within(index: Any) -> None:
    parts = index if isinstance(index, tuple) else (index,)
    assert all(not isinstance(part, int | np.integer) or part >= 0 for part in parts), index


class Turns:
    """Threads of which one runs at a time, each until they all meet, in an order that is given.

    Whoever touches what another one writes before the same meeting comes too early in one order or
    the other.
    """

    def __init__(self, order: Sequence[int]) -> None:
        self.order = [*order]
        self.turn = self.order[0]
        self.changed = Condition()

    def wait(self, thread: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.turn == thread, timeout=60)

    def next(self, thread: int) -> None:
        with self.changed:
            self.turn = self.order[(self.order.index(thread) + 1) % len(self.order)]
            self.changed.notify_all()


class Together:
    """What `threads.together` is, for rows whose threads take turns, forward or backward."""

    def __init__(self, *, backward: bool) -> None:
        self.backward = backward
        self.met = 0

    def __call__(self, run: Callable[[Any], Any], rows: Sequence[Any]) -> Any:
        count = len(rows)
        turns = Turns(range(count)[::-1] if self.backward else range(count))
        found: dict[int, Any] = {}

        def meet(meeting: Any, thread: int, threads: int) -> None:
            assert threads == count
            self.met += 1
            turns.next(thread)
            turns.wait(thread)

        def follow(thread: int) -> None:
            turns.wait(thread)
            try:
                found[thread] = run(rows[thread])
            except Exception as error:
                found[thread] = error
            turns.next(thread)

        OWN["meet"] = meet
        threads = [Thread(target=follow, args=(thread,)) for thread in range(count)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        if isinstance(found[0], Exception):
            raise found[0]
        assert all(one == found[0] for one in found.values())
        return found[0]


def share(turns: int, thread: int, threads: int) -> tuple[int, int]:
    """Ranges of as many turns, however few there are."""
    each = -(-turns // threads)
    return min(thread * each, turns), min((thread + 1) * each, turns)


OWN: dict[str, Any] = {
    "np": np,
    "share": share,
    "real": np.float64,
    "BOUND": 2**63 - 1,
    "gemm": gemm,
    "plus": lambda total, term: total + term,
    "larger": lambda one, other: max(other, one),
    "smaller": lambda one, other: min(other, one),
    "square_": lambda x: x * x,
    "cube_": lambda x: x * x * x,
    "sqrt_": np.sqrt,
    "inverse_sqrt_": lambda x: 1 / np.sqrt(x),
    "power_": lambda x, y: x**y,
    **{f"{name}_": function.value for name, function in SCALARS.items()},
}


class Interpreted:
    """What `Linked` is, for Python: the words of its arguments are these themselves."""

    def __init__(self, text: str) -> None:
        self.text = text[text.index("def epoch(") :]

    @staticmethod
    def words(*given: Any) -> list[Any]:
        return [one.view(Careful) if isinstance(one, np.ndarray) else one for one in given]

    def run(self, words: list[Any]) -> Any:
        space = dict(OWN)
        exec(self.text, space)
        with np.errstate(all="ignore"):
            return space["epoch"](*words)


class Vector:
    """What `object_code.Vector` is, for Python: a part of it is an array."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def words(self, start: int, stop: int) -> list[Any]:
        return Interpreted.words(self.values[start:stop])
