"""Compiled source run by Python itself: slow, but nothing needs to be compiled."""

from typing import Any

import numpy as np

from backpass.calculus.library import FILES
from backpass.calculus.op import SCALARS

assert FILES  # importing them fills SCALARS


def gemm(
    turn_a: bool, turn_b: bool, m: int, n: int, k: int, alpha: Any, a: Any, at_a: int, lda: int,
    b: Any, at_b: int, ldb: int, beta: Any, c: Any, at_c: int, ldc: int,
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


OWN: dict[str, Any] = {
    "np": np,
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
        self.space = dict(OWN)
        exec(text[text.index("def epoch(") :], self.space)

    @staticmethod
    def words(*given: Any) -> list[Any]:
        return [one.view(Careful) if isinstance(one, np.ndarray) else one for one in given]

    def run(self, words: list[Any]) -> Any:
        with np.errstate(all="ignore"):
            return self.space["epoch"](*words)
