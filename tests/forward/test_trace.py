"""A traced value computes as an array does, and refuses what would need its entries."""

from __future__ import annotations

import copy
import math
import operator

import numpy as np
import pytest

from backpass.forward.record import record
from backpass.language.errors import TraceError
from tests.forward.recording import recorded, refusal


def test_operators_with_arrays_and_numbers_on_either_side():
    def forward(X, v):
        total = X + 1 + (1 + X) - v - (2 - X) + X * 3 * v + 2 * X / 4 + 1 / (X * X + 1)
        total = total + X**2 + 2**v + (X * X + 1) ** v + X @ X.T @ X + abs(-X) + +X
        total = total + np.ones(3) * X + X * np.float64(2) + np.eye(3) @ v + v @ np.eye(3)
        return np.sum(total) + v @ v + np.sum([[1.0, 2.0, 3.0]] @ X.T)

    recorded(forward, "X: n 3, v: 3")


def test_masks_are_compared_joined_and_turned():
    def forward(X, y):
        inside = (X > -1) & (X < 1) | (X >= 2)
        same = (y == 1) | (y != 2) & ~(y <= 0)
        return np.sum(X * inside) + np.sum(X * ~inside) + np.sum(same[:, None] * X)

    recorded(forward, "X: n k, y: n int<3")


def test_shapes_are_plain_lengths_to_the_code():
    def forward(X, v):
        n, k = X.shape
        assert (X.ndim, v.ndim, len(v)) == (2, 1, k)
        assert X.size == n * k
        assert X.dtype == float
        first, second, third = v  # its length is fixed
        return np.sum(X) * first + sum(v) + second * third + v.T @ v

    recorded(forward, "X: n 3, v: 3")


def test_numbers_change_in_place_because_they_cannot():
    def forward(x, v):
        total = 0
        for one in v:
            total += one * x
            total *= 2
        return total

    recorded(forward, "x: (), v: 3")


def test_casts_keep_the_value():
    recorded(lambda X: np.sum((X > 0).astype(float) * X) + X.astype(np.float64).mean(), "X: n k")


REFUSED = [
    (lambda X: X if X.sum() > 0 else -X, "is neither true nor false: its entries are"),
    (lambda X: 1 if X.any else X, ".any of an array has no rule here; write np.max(mask)"),
    (lambda X: math.exp(X[0, 0]), "call np.exp rather than math.exp"),
    (lambda X: int(X[0, 0]), "leave out float() or int()"),
    (lambda X: [1, 2, 3][X[0, 0]], "a traced value is no plain number yet"),
    (lambda X: complex(X[0, 0]), "a traced value is no plain number yet"),
    (lambda X: operator.mod("%.3f", X.sum()), 'no plain number yet: print it as in f"{loss}"'),
    (lambda X: divmod(X, 2), "divmod goes up in jumps and has no slope"),
    (lambda X: X.astype(complex), "values are real numbers here, and cannot become complex128"),
    (lambda X: np.float64(X.sum()), "cannot become a plain array: leave out the conversion"),
    (lambda X: round(X[0, 0]), "rounding has no slope; leave it out"),
    (
        lambda X: np.array(X, float),
        "a traced value cannot become a plain array: leave out np.array()",
    ),
    (lambda X: np.array([X[0], X[1]]), "plain array: join a list by np.stack([a, b])"),
    (lambda X: np.array((X[0], X[1])), "plain array: join a list by np.stack([a, b])"),
    (lambda X: np.sum([X[0], X[1]]), "plain array: join a list by np.stack([a, b]) first"),
    (lambda X: np.c_[X, X], "plain array: np.c_[a, b] is np.column_stack([a, b]), and"),
    (
        lambda X: np.eye(3)[X],
        "a traced value cannot become a plain array: np.eye(k)[y] is bp.one_hot",
    ),
    (lambda X: max(X.sum(), 0), "max(a, b) of two numbers is np.maximum(a, b)"),
    (lambda X: (X > 0) and (X < 1), "masks are joined by & and |, and turned by ~"),
    (lambda X: np.ones((3, 3)) * [X[0], X[1]], "a traced value cannot become a plain array"),
    (lambda X: X * [X[0], X[1]], "a list of traced values is no array; join them with np.stack"),
    (list, "a loop over an axis whose length is not fixed; write it for"),
    (lambda X: list(X.sum()), "a single number cannot be iterated over"),
    (lambda X: len(X.sum()), "a single number has no length"),
    (lambda X: X + "a", "a str cannot take part in an operation"),
    (lambda X: X * None, "a NoneType cannot take part in an operation"),
    (lambda X: X * 1j, "an array of complex128 cannot take part"),
    (lambda X: X * [[1.0], [1.0, 2.0]], "a list of lists of different lengths is no array"),
    (lambda X: np.where(X > 0, X, -np.inf), "-inf has no slope; use a large number, such as -1e9"),
    (lambda X: X % 2, "% goes up in jumps and has no slope"),
    (lambda X: 7 // X, "// goes up in jumps and has no slope"),
    (lambda X: ~X, "~ is for masks; it flips the bits of integers"),
    (lambda X: X.astype(int), "a cast to integers rounds off, which has no slope; leave it out"),
    (lambda X: X.astype(bool), "a mask is written as a comparison, x != 0"),
]


@pytest.mark.parametrize(("use", "sentence"), REFUSED)
def test_what_would_need_entries_is_refused_with_the_spelling_to_use(use, sentence):
    assert sentence in refusal(lambda X: np.sum(use(X)), "X: n k")


def changed(X):
    X[X < 0] = 0
    return np.sum(X)


def grown(X, b):
    X += b
    return np.sum(X)


def filled(X):
    rows = np.zeros(3)
    for row in range(3):
        rows[row] = X[row] @ X[row]
    return np.sum(rows)


def set_one(X):
    Y = np.zeros_like(X)
    Y[0] = X[0]
    return np.sum(Y)


@pytest.mark.parametrize(
    ("forward", "shapes", "sentence", "line", "at"),
    [
        (filled, "X: 3 k", "collect the parts in a list and", "rows[row] = X[row] @ X[row]", 3),
        (set_one, "X: 3 k", "collect the parts in a list and join them", "Y[0] = X[0]", 2),
        (changed, "X: n k", "z[z < 0] = 0 is np.where(z < 0, 0, z)", "X[X < 0] = 0", 1),
        (grown, "X: n k, b: k", "write A = A + B", "X += b", 1),
    ],
)
def test_arrays_are_not_changed_in_place(forward, shapes, sentence, line, at):
    with pytest.raises(TraceError) as caught:
        record(forward, shapes)
    assert sentence in caught.value.message
    assert caught.value.line == line
    number = forward.__code__.co_firstlineno + at
    assert caught.value.where == f"test_trace.py:{number}"


def test_what_is_printed_copied_or_asked_for_leaves_no_trace():
    def forward(X):
        assert not hasattr(X, "numpy")
        assert getattr(X, "requires_grad", None) is None
        Y = copy.deepcopy([X])[0] * copy.copy(X)
        loss = np.sum(Y)
        return loss if f"{loss:.3f} {Y!s:>20}" else Y

    recorded(forward, "X: n k")


def test_a_traced_value_shows_its_shape():
    shown = set()

    def forward(X):
        shown.add(repr(X))
        return np.sum(X)

    record(forward, "X: 2 3")
    assert shown == {"<traced 2×3>"}
