"""Parameters in one line of numbers are cut as the code cuts them, and only where all is used."""

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
    assert report.verdict == "correct"
    assert [tensor.path for tensor in report.tensors] == ["V", "b", "W", "c"]
    assert "at the rate 0.1" in report.loss


def test_gradients_in_a_line_are_cut_too_and_a_mistake_is_in_its_part():
    assert bp.doctor(slopes, P, X, Y).verdict == "correct"
    report = bp.doctor(lambda p, X, Y: slopes(p, X, Y, "C", -1.0), P, X, Y)
    assert [tensor.verdict for tensor in report.tensors] == ["correct", "bug", "correct", "correct"]


def test_a_line_with_numbers_that_no_layer_uses_stays_as_it_is():
    longer = np.append(P, RANDOM.normal(size=3))
    report = bp.doctor(lambda p, X, Y: np.append(slopes(p[:26], X, Y), p[26:]), longer, X, Y)
    assert report.verdict == "unknown"


SIZES = 3, 4, 3
THETA = RANDOM.normal(size=4 * 4 + 3 * 5)
LABELS = np.array([1, 3, 2, 2, 1, 3, 3, 1])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost(theta, sizes, X, y, decay, slip=""):
    """What an optimiser is given: the loss, and its gradient in one line; classes count from 1."""
    n, h, m = sizes
    Theta1 = np.reshape(theta[: h * (n + 1)], (h, n + 1))
    Theta2 = np.reshape(theta[h * (n + 1) :], (m, h + 1))
    N = len(X)
    targets = np.eye(m)[y - 1]
    a1 = np.c_[np.ones((N, 1)), X]
    z2 = a1 @ Theta1.T
    a2 = np.c_[np.ones((N, 1)), sigmoid(z2)]
    a3 = sigmoid(a2 @ Theta2.T)
    J = -np.sum(targets * np.log(a3) + (1 - targets) * np.log(1 - a3)) / N
    J += decay / (2 * N) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = targets - a3 if slip == "sign" else a3 - targets
    s = sigmoid(z2)
    slope = 1.0 if slip == "slope" else s * (1 - s)
    d2 = (d3 @ Theta2)[:, : -1 if slip == "column" else None][:, slip != "column" :] * slope
    G1, G2 = d2.T @ a1 / N, d3.T @ a2 / N
    if slip == "penalty":
        G1 += decay / N * Theta1
    else:
        G1[:, 1:] += decay / N * Theta1[:, 1:]
    G2[:, 1:] += decay / N * Theta2[:, 1:]
    return J, np.concatenate([G1.ravel(), G2.ravel()])


def test_a_cost_for_an_optimiser_is_held_to_the_gradient_of_its_penalised_loss():
    report = bp.doctor(cost, THETA, SIZES, X, LABELS, 0.7)
    assert report.verdict == "correct"
    assert report.loss.endswith("averaged over samples, the loss that the code shows.")
    shown = str(bp.annotate(cost, THETA, SIZES, X, LABELS, 0.7))
    assert "W1 is Theta1, W2 is Theta2." in shown


@pytest.mark.parametrize(
    ("slip", "number", "text"),
    [
        ("sign", 1, "d3 ="),
        ("slope", 16, "d2 ="),
        ("column", 42, "d2 ="),
        ("penalty", 52, "G1 += decay"),
    ],
)
def test_its_mistakes_are_named(slip, number, text):
    report = bp.doctor(lambda t, X, y: cost(t, SIZES, X, y, 0.7, slip), THETA, X, LABELS)
    (finding,) = report.findings
    assert finding.bug == number
    assert finding.source.startswith(text)
