"""A bias that is zero is looked at, wherever it is held and whatever it is called."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(9, 4)), RANDOM.uniform(size=9)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slopes(w, b, X, y, times):
    d = (sigmoid(X @ w + b) - y) / len(y)
    return X.T @ d, d.sum() * times


def rebound(weights, offset, X, y, times=1.0):
    for _ in range(2):
        dw, db = slopes(weights, offset, X, y, times)
        weights, offset = weights - 0.1 * dw, offset - 0.1 * db
    return weights, offset


def returned(w, b, X, y, times=1.0):
    dw, db = slopes(w, b, X, y, times)
    w -= 0.1 * dw
    return b - 0.1 * db


class Neuron:
    def __init__(self):
        self.w, self.b, self.steps, self.decay = np.zeros(4), 0.0, 0, 0.0

    def fit(self, X, y, times=1.0):
        dw, db = slopes(self.w, self.b, X, y, times)
        self.w -= 0.1 * (dw + self.decay * self.w)
        self.steps += 1
        if times:
            self.b -= 0.1 * db


def inside(X, y, times=1.0):
    w, b = np.zeros(4), 0.0
    for _ in range(2):
        dw, db = slopes(w, b, X, y, times)
        w -= 0.1 * dw
        b -= 0.1 * db
    return sigmoid(X @ w + b)


WAYS = {
    "rebound": lambda times: (lambda w, c, X, y: rebound(w, c, X, y, times), np.ones(4), 0.0, X, Y),
    "returned": lambda times: (lambda w, b, X, y: returned(w, b, X, y, times), np.ones(4), 0, X, Y),
    "held": lambda times: (Neuron().fit, X, Y) if times == 1 else (wrong(times), X, Y),
    "inside": lambda times: (lambda X, y: inside(X, y, times), X, Y),
}


def wrong(times):
    one = Neuron()
    return lambda X, y: one.fit(X, y, times)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("times", [1.0, 0.0])
def test_a_bias_that_begins_at_zero_is_held_to_its_gradient(way, times):
    report = bp.doctor(*WAYS[way](times))
    assert len(report.tensors) == 2
    verdicts = [tensor.verdict for tensor in report.tensors]
    if times == 1:
        assert all(one.startswith("correct") for one in verdicts)
    else:
        assert verdicts == ["correct", "bug"]
        assert report.findings[0].bug == 37
