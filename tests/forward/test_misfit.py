"""What does not fit is told in one sentence, by the user's names and symbolic sizes."""

from __future__ import annotations

import re

import numpy as np
import pytest

import backpass as bp
from backpass.forward.record import record
from backpass.language.errors import BackpassError, ShapeError
from tests.forward.recording import refusal


def gradient(X, Y, W):
    A1 = np.tanh(X @ W)
    dZ2 = A1 - Y
    return np.sum(A1 @ dZ2)


def layer(X, W, b):
    Z = X @ W + b
    return np.sum(Z**2)


def listed(X, W):
    A = [X]
    for one in W:
        A.append(np.tanh(A[-1] @ one))
    return np.sum(A[-1])


CASES = [
    (gradient, "X: n k, Y: n j, W: k j", "A1 @ dZ2 is (n×j)(n×j): j meets n; did you mean"
                                         " A1.T @ dZ2?"),
    (gradient, "X: n k, Y: n j, W: k m", "A1 - Y: n×m and n×j do not broadcast"),
    (layer, "X: n k, W: j k, b: j", "X @ W is (n×k)(j×k): k meets j; did you mean X @ W.T?"),
    (layer, "X: k n, W: k j, b: j", "X @ W is (k×n)(k×j): n meets k; did you mean X.T @ W?"),
    (layer, "X: k j, W: n k, b: j", "X @ W is (k×j)(n×k): j meets n; did you mean W @ X?"),
    (layer, "X: n k, W: j m, b: m", "X @ W is (n×k)(j×m): k meets j"),
    (layer, "X: n k, W: k j, b: n", "X @ W + b: n×j and n do not broadcast; did you mean"
                                    " X @ W + b[:, None]?"),
    (layer, "X: n k, W: k j, b: m", "X @ W + b: n×j and m do not broadcast"),
    (layer, "X: n 3, W: 2 j, b: j", "X @ W is (n×3)(2×j): 3 meets 2"),
    (layer, "X: n k+1, W: k j, b: j", "X @ W is (n×(k+1))(k×j): k+1 meets k"),
    (layer, "X: n k, W: (), b: k", "X @ W: a matrix product takes no scalar; use * to scale"),
    (listed, {"X": "n k", "W": ["k j", "k j"]}, "A[1] @ W2 is (n×j)(k×j): j meets k; did you mean"
                                                " A[1] @ W2.T?"),
    (lambda X, v: np.sum(X * v), "X: n k, v: n", "X * v: n×k and n do not broadcast; did you mean"
                                                 " X * v[:, None]?"),
    (lambda A, B: np.sum(A - B), "A: n k, B: k n", "A - B: n×k and k×n do not broadcast; did you"
                                                   " mean A.T - B?"),
    (lambda A, B: np.sum(A.T @ B), "A: n k, B: k j", "A.T @ B is (k×n)(k×j): n meets k; did you"
                                                     " mean A @ B?"),
    (lambda A, B: np.sum(np.dot(A + 1, B)), "A: n k, B: n j",
     "dot(A + 1, B) is (n×k)(n×j): k meets n; did you mean dot((A + 1).T, B)?"),
    (lambda X: np.sum(np.column_stack([X, np.ones((3, 1))])), "X: n k",
     "concatenate of X (n×k) and … (3×1): n×k and 3×1 do not join along axis 1"),
    (lambda X, y: bp.mse(X[1:], y), "X: n, y: n", "mse of X[…] (n-1) and y (n): mse compares entry"
                                                  " by entry, and n-1 is not n"),
    (lambda X: 2 * np.trace(X), "X: n k", "trace of X (n×k): i is n in n×k and k in n×k"),
    (lambda P, Q: np.sum(P @ Q), "P: n k m, Q: j m k", "P @ Q: n and j do not broadcast"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "shapes", "sentence"), CASES)
def test_the_sentence_names_both_shapes_and_the_fix(forward, shapes, sentence):
    told = refusal(forward, shapes)
    assert told.startswith(sentence)
    assert not re.search(r"\b(5|7|11|13|1006|1018)\b", told)  # no size that was only tried


FORMULAS = [
    ("L = Σ (W3 a2 − y)²", "W3: k m, a2: k, y: k", "W3 a2 is (k×m)(k×1): m meets k; did you mean"),
    ("L = Σ (X W + b)²", "X: n k, W: k j, b: m", "b is m×1 and X W is n×j, which do not go"),
    ("L = Σ concatenate((X, Y), axis=1)", "X: n k, Y: m k", "concatenate of X (n×k) and Y (m×k):"),
    ("Z = X W\nL = Σ Z V", "X: n k, W: k j, V: k m", "Z V is (n×j)(k×m): j meets k"),
    ("L = Σ X v + 1", "X: n k-1, v: k", "X v is (n×(k-1))(k×1): k-1 meets k"),
]


@pytest.mark.parametrize(("text", "shapes", "sentence"), FORMULAS)
def test_a_formula_is_told_in_the_same_names(text, shapes, sentence):
    assert refusal(text, shapes).startswith(sentence)


def test_the_line_and_its_place_are_quoted():
    with pytest.raises(ShapeError) as caught:
        record(layer, "X: n k, W: j k, b: j")
    assert caught.value.line == "Z = X @ W + b"
    assert caught.value.where == f"test_misfit.py:{layer.__code__.co_firstlineno + 1}"
    with pytest.raises(BackpassError) as caught:
        record("Z = X W\nL = Σ Z V", "X: n k, W: k j, V: k m")
    assert str(caught.value).splitlines()[1:] == ["    L = Σ Z V", "          ^^^"]


def test_sizes_that_differ_in_some_runs_only_are_told_all_the_same():
    # k+2 may be the size that is tried for n
    assert (
        refusal(lambda a, b: np.sum(a + b), "a: n, b: k+2") == "a + b: n and k+2 do not broadcast"
    )
