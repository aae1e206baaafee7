"""Of two stories that make the same updates, the one that a catalogue of mistakes knows is told."""

from __future__ import annotations

import numpy as np

import backpass as bp

RANDOM = np.random.default_rng(6)
X, Y = RANDOM.normal(size=(7, 3)), RANDOM.uniform(size=(7, 2))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def one_slope_short(V, W, X, Y, rate=0.3):
    """Shows no loss: W alone moves as with a cross-entropy, all else as with squares."""
    h = sigmoid(X @ V)
    out = sigmoid(h @ W)
    error = out - Y
    back = (error * out * (1 - out)) @ W.T
    W -= rate * h.T @ error
    V -= rate * X.T @ (back * h * (1 - h))


def without_the_last(W, X, Y, rate=0.1):
    """Adds up all samples but the last, and takes their mean by the count of all."""
    step, loss = np.zeros_like(W), 0.0
    for place in range(len(X) - 1):
        error = X[place] @ W - Y[place]
        loss += 0.5 * np.sum(error**2)
        step += np.outer(X[place], error)
    W -= rate * step / len(X)
    return loss / len(X)


def test_a_slope_that_one_tensor_lacks_is_told_where_another_loss_would_have_to_be_mistaken():
    report = bp.doctor(
        one_slope_short, RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2)), X, Y
    )
    assert report.verdict == "bug"
    assert [(one.bug, one.tensors) for one in report.findings] == [(17, ("W",))]


def test_a_mean_by_the_count_of_all_is_no_second_mistake_where_one_sample_is_dropped():
    report = bp.doctor(without_the_last, RANDOM.normal(size=(3, 2)), X, Y)
    assert report.verdict == "bug"
    assert [one.bug for one in report.findings] == [54]
