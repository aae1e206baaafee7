"""A bias that begins at zero is looked at, wherever it is held and whatever it is called."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.uniform(size=6)
START = RANDOM.normal(size=4)


def slopes(w, b, X, y, times):
    d = (X @ w + b - y) / len(y)
    return X.T @ d, d.sum() * times


def inside(X, y, times):
    w, bias = np.zeros(4), 0
    for _ in range(2):
        dw, db = slopes(w, bias, X, y, times)
        w, bias = w - 0.1 * dw, bias - 0.1 * db
    return X @ w + bias


def beside(X, y, times, w=START):
    bias = 0.0
    dw, db = slopes(w, bias, X, y, times)
    w -= 0.1 * dw
    bias -= 0.1 * db


class Unit:
    def __init__(self):
        self.w, self.bias, self.steps, self.decay = np.zeros(4), 0.0, 0, 0.0

    def fit(self, X, y, times):
        dw, db = slopes(self.w, self.bias, X, y, times)
        self.w -= 0.1 * (dw + self.decay * self.w)
        self.steps += 1
        if times:
            self.bias -= 0.1 * db


def handed_back(w, bias, X, y, times):
    dw, db = slopes(w, bias, X, y, times)
    w -= 0.1 * dw
    return float(np.sum(dw)), bias - 0.1 * db


def called(way, times):
    unit = Unit()
    match way:
        case "inside":
            return bp.doctor(lambda X, y: inside(X, y, times), X, Y)
        case "beside":
            return bp.doctor(lambda X, y: beside(X, y, times), X, Y)
        case "held":
            return bp.doctor(lambda X, y: unit.fit(X, y, times), X, Y)
        case _:
            w, begun = RANDOM.normal(size=4), {"zero": 0.0, "whole": 0, "given": 0.3}[way]
            return bp.doctor(lambda w, b, X, y: handed_back(w, b, X, y, times), w, begun, X, Y)


WAYS = ["inside", "beside", "held", "zero", "whole", "given"]


@pytest.mark.parametrize(
    ("way", "times", "bug"),
    [("inside", 1.0, None), ("zero", 1.0, None), *((way, 6.0, 9) for way in WAYS), ("held", 0, 37)],
)
def test_a_bias_that_begins_at_zero_is_held_to_its_gradient(way, times, bug):
    report = called(way, times)
    assert [one.verdict for one in report.tensors] == ["correct", "bug" if bug else "correct"]
    assert [one.bug for one in report.findings] == ([bug] if bug else [])


def summing(W, X, Y, rate=0.1):
    """Sums begin at zero, and are no biases: of products, of outputs, of gradients."""
    seen, total = np.zeros(2), 0.0
    for x, y in zip(X, Y, strict=True):
        z, dW = np.zeros(2), np.zeros((4, 2))
        for k in range(4):
            z += W[k] * x[k]
        seen = seen + z
        total = total + np.sum((z - y) ** 2) / 2
        dW += np.outer(x, z - y)
        W -= rate * dW
    return total


def test_sums_that_begin_at_zero_are_no_biases():
    report = bp.doctor(summing, RANDOM.normal(size=(4, 2)), X, RANDOM.normal(size=(6, 2)))
    assert report.verdict == "correct"
    assert [one.path for one in report.tensors] == ["W"]


def two_layers(X, Y, trains=True):
    r = np.random.default_rng(0)
    V, W = r.normal(size=(4, 3)), r.normal(size=(3, 2))
    a, b = np.zeros(3), np.zeros(2)
    for _ in range(2):
        h = np.tanh(X @ V + a)
        d = (h @ W + b - Y) / len(X)
        e = d @ W.T * (1 - h**2)
        W = W - 0.1 * h.T @ d
        V = V - 0.1 * X.T @ e
        a = a - 0.1 * e.sum(axis=0)
        b = b - 0.1 * d.sum(axis=0) if trains else b
    return V, W


@pytest.mark.parametrize("trains", [True, False])
def test_biases_of_several_layers_are_found_together(trains):
    data = X, RANDOM.normal(size=(6, 2))
    report = bp.doctor(lambda X, Y: two_layers(X, Y, trains), *data)
    assert sorted(one.path for one in report.tensors) == ["V", "W", "a", "b"]
    assert [one.bug for one in report.findings] == ([] if trains else [37])
