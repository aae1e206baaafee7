"""References of other kinds: labels, lists, several arguments, penalties, and no dense layers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grading.networks import handed_in
from tests.grading.test_grade import graded, reference_key

LABELS = """
import numpy as np

W1, b1, W2, b2 = np.zeros((4, 5)), np.zeros(5), np.zeros((5, 3)), np.zeros(3)
X, y = np.zeros((6, 4)), np.arange(6) % 3


def loss(W1, b1, W2, b2, X, y):
    Z = np.maximum(X @ W1 + b1, 0) @ W2 + b2
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    return -np.mean(np.log((E / E.sum(axis=1, keepdims=True))[np.arange(len(y)), y]))
"""
BY_ARGUMENTS = """
import numpy as np


def grads(W1, b1, W2, b2, X, y):
    Z1 = X @ W1 + b1
    A = np.maximum(Z1, 0)
    P = np.exp(A @ W2 + b2)
    P /= P.sum(axis=1, keepdims=True)
    P[np.arange(len(y)), y] -= 1
    P /= len(y)
    d = P @ W2.T * (Z1 > 0)
    return X.T @ d, d.sum(0), A.T @ P, P.sum(0)
"""
LISTS = """
import numpy as np

params = {"W": [np.zeros((4, 5)), np.zeros((5, 6)), np.zeros((6, 2))]}
params["b"] = [np.zeros(5), np.zeros(6), np.zeros(2)]
X, y = np.zeros((6, 4)), np.full((6, 2), 0.5)


def loss(params, X, y):
    A = X
    for W, b in zip(params["W"], params["b"]):
        A = 1 / (1 + np.exp(-(A @ W + b)))
    return np.sum((A - y) ** 2) / 2
"""
BY_LAYERS = """
def grads(params, X, y):
    import numpy as np

    A, gW, gb = [X], [], []
    for W, b in zip(params["W"], params["b"]):
        A.append(1 / (1 + np.exp(-(A[-1] @ W + b))))
    d = (A[-1] - y) * A[-1] * (1 - A[-1])
    for l in (2, 1, 0):
        gW.insert(0, A[l].T @ d)
        gb.insert(0, d.sum(0))
        d = d @ params["W"][l].T * A[l] * (1 - A[l])
    return {"W": gW, "b": gb}
"""
PENALTY = """
import numpy as np

w, X, y = np.zeros(4), np.zeros((7, 4)), np.zeros(7)


def loss(w, X, y):
    return np.mean((X @ w - y) ** 2) + 0.1 * np.sum(w**2)
"""
BY_HAND = """
def grads(w, X, y):
    return 2 * X.T @ (X @ w - y) / len(X) + 0.2 * w
"""
SLIDING = """
import numpy as np

params, X, y = {"k": np.zeros(3)}, np.zeros((5, 9)), np.zeros((5, 7))


def loss(params, X, y):
    k = params["k"]
    return np.sum((np.tanh(X[:, :7] * k[0] + X[:, 1:8] * k[1] + X[:, 2:] * k[2]) - y) ** 2)
"""
BY_PLACES = """
import numpy as np


def grads(params, X, y):
    k = params["k"]
    a = np.tanh(X[:, :7] * k[0] + X[:, 1:8] * k[1] + X[:, 2:] * k[2])
    d = 2 * (a - y) * (1 - a * a)
    return {"k": np.array([(X[:, i : i + 7] * d).sum() for i in range(3)])}
"""


LINE = """
import numpy as np

w, b, X, y = np.zeros(3), 0.0, np.zeros((6, 3)), np.zeros(6)


def loss(w, b, X, y):
    return np.sum((X @ w + b - y) ** 2) / 2
"""
BY_SUMS = """
def grads(w, b, X, y):
    e = X @ w + b - y
    return X.T @ e, e.sum()
"""


@pytest.mark.parametrize(
    ("reference", "right", "edit", "verdict", "score"),
    [
        (LABELS, BY_ARGUMENTS, (" * (Z1 > 0)", ""), "bug", 0.5),
        (LABELS, BY_ARGUMENTS, ("    P /= len(y)\n", ""), "correct up to a scale", 0),
        (LISTS, BY_LAYERS, (" * A[l] * (1 - A[l])", " * A[l]"), "bug", 1 / 3),
        (PENALTY, BY_HAND, ("0.2", "0.1"), "bug", 0),
        (PENALTY, BY_HAND, ("return 2", "return -2"), "bug", 0),
        (LINE, BY_SUMS, ("e.sum()", "e.mean()"), "bug", 0.5),
        (SLIDING, BY_PLACES, ("d = 2 *", "d ="), "correct up to a scale", 0),
        (SLIDING, BY_PLACES, ("1 - a * a", "1 - a"), "unknown", 0),
    ],
    ids=["slope", "mean", "layers", "penalty", "sign", "line", "two", "sliding"],
)
def test_right_and_wrong(
    tmp_path: Path, reference: str, right: str, edit: tuple[str, str], verdict: str, score: float
):
    assert edit[0] in right
    folder = handed_in(tmp_path / "in", right=right, wrong=right.replace(*edit))
    found = graded(folder, reference_key(tmp_path, reference))
    assert (found["right"].verdict, found["right"].score) == ("correct", 1)
    assert (found["wrong"].verdict, found["wrong"].score) == (verdict, pytest.approx(score))
