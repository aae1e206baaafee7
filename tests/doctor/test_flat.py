"""Parameters in one line of numbers are cut as the code cuts them."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(6)
X, Y = RANDOM.normal(size=(8, 3)), RANDOM.normal(size=(8, 2))
P = RANDOM.normal(size=3 * 4 + 4 + 4 * 2 + 2)


def slopes(p, X, Y, order="C", times=1.0):
    """Two layers and their biases, which stand behind one another."""
    V, b = p[:12].reshape(3, 4, order=order), p[12:16]
    rest = p[16:]
    W, c = rest[:8].reshape((4, 2), order=order), rest[8:]
    h = np.tanh(X @ V + b)
    e = (h @ W + c - Y) / len(X)
    d = e @ W.T * (1 - h**2)
    parts = X.T @ d, d.sum(0) * times, h.T @ e, e.sum(0)
    return np.concatenate([part.ravel(order) for part in parts])


def step(p, X, Y, order="C", times=1.0):
    p -= 0.1 * slopes(p, X, Y, order, times)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_line_of_all_parameters_is_cut_into_layers(order):
    report = bp.doctor(lambda p, X, Y: step(p, X, Y, order), P, X, Y)
    assert report.verdict.startswith("correct")
    assert [tensor.path for tensor in report.tensors] == [
        "p[:12]",
        "p[12:16]",
        "p[16:24]",
        "p[24:]",
    ]


def test_gradients_in_a_line_are_cut_too_and_a_mistake_is_in_its_part():
    assert bp.doctor(slopes, P, X, Y).verdict.startswith("correct")
    report = bp.doctor(lambda p, X, Y: slopes(p, X, Y, "C", -1.0), P, X, Y)
    verdicts = [tensor.verdict for tensor in report.tensors]
    assert verdicts == ["correct", "bug", "correct", "correct"]


def penalised(T, X, Y, times=1.0):
    """Logistic units whose weights decay, and whose biases, which meet the ones, do not."""
    W = T.reshape(2, 4)
    A = np.hstack([np.ones((len(X), 1)), X])
    p = 1 / (1 + np.exp(-A @ W.T))
    G = (p - Y).T @ A / len(X)
    G[:, 1:] += 0.3 / len(X) * W[:, 1:] * times
    cost = -np.sum(Y * np.log(p) + (1 - Y) * np.log(1 - p)) / len(X)
    return cost + 0.3 / (2 * len(X)) * np.sum(W[:, 1:] ** 2), G.ravel()


def test_decay_may_leave_the_bias_in_a_weight_alone():
    T, targets = RANDOM.normal(size=8), RANDOM.uniform(size=(8, 2))
    assert bp.doctor(penalised, T, X, targets).verdict == "correct"
    report = bp.doctor(lambda T, X, Y: penalised(T, X, Y, 2.0), T, X, targets)
    assert report.verdict == "bug"
