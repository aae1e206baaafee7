"""Functions that are made of others give NumPy's values, and print what they are made of."""

from __future__ import annotations

import numpy as np

import backpass as bp
from tests.forward.recording import lines, recorded


def test_they_compute_what_numpy_computes():
    def single(X, v):
        terms = [
            np.var(X),
            np.var(X, axis=0) * v,
            X.var(axis=1, keepdims=True) * X,
            np.var(X, ddof=1) + v.std(ddof=1) * v,
            np.std(X, axis=-1),
            X.std() * v,
            np.linalg.norm(X),
            np.linalg.norm(v, 2) * v,
            np.linalg.norm(X, axis=1, keepdims=True) * X,
            np.linalg.norm(X, "fro", axis=(0, 1)),
            np.diff(v),
            np.diff(X, axis=0) @ v,
            np.diff(v, n=2),
        ]
        return sum(np.sum(one) for one in terms)

    recorded(single, "X: n k, v: k")


def test_what_they_are_made_of_is_shown():
    assert lines(lambda x: np.linalg.norm(x[1:]), "x: n") == [
        "T1 = x[i+1]**2 for i<n-1",
        "L = T1**(1/2)",
    ]


def test_a_layer_norm_is_right():
    def loss(X, g, b):
        normed = (X - X.mean(axis=1, keepdims=True)) / np.sqrt(X.var(axis=1, keepdims=True) + 1e-5)
        return np.sum((g * normed + b) ** 3)

    assert bp.derive(loss, "X: n k, g: k, b: k").check()
