"""Gradients are found where the code has them, and what is wrong around them is told."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load
from tests.doctor.programs import returning

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.uniform(size=(6, 2))
PARAMS = [RANDOM.normal(size=(4, 3)), np.zeros(3), RANDOM.normal(size=(3, 2)), np.zeros(2)]


def test_gradients_that_are_returned_are_held_to_their_loss():
    report = bp.doctor(returning.grads, loss=returning.loss, params=PARAMS, args=(X, Y))
    assert report.verdict == "correct"
    assert "The gradients are those of the mean of (a − y)², the loss" in report.loss


def test_a_mistake_in_returned_gradients_is_named(tmp_path):
    module, lines = load("returning", tmp_path, (" * (1 - h**2)\n    return X", "\n    return X"))
    report = bp.doctor(module.grads, loss=module.loss, params=PARAMS, args=(X, Y))
    (finding,) = report.findings
    assert (report.verdict, finding.bug) == ("bug", 16)
    assert lines[finding.line - 1].startswith("    e = d @")


@pytest.mark.parametrize("name", ["stepped", "inside"])
def test_new_parameters_and_names_of_a_function_are_updates_too(name):
    given = [PARAMS] if name == "stepped" else []
    assert bp.doctor(getattr(returning, name), *given, X, Y).verdict.startswith("correct")


def train(tmp_path, *edits):
    module, lines = load("three", tmp_path, *edits)
    return bp.doctor(module.Three().fit_partial, X, Y), lines


def test_shuffled_samples_and_small_batches_are_followed(tmp_path):
    head = "    def fit_partial(self, X, Y):\n"
    shuffled = (
        head + "        order = np.random.permutation(len(X))\n        for rows in (order[:2], "
        "order[2:4]):\n            self.one(X[rows], Y[rows])\n\n    def one(self, X, Y):\n"
    )
    report, _ = train(tmp_path, (head, shuffled))
    assert report.verdict == "correct"


def test_momentum_starts_from_nothing_in_small_batches_too(tmp_path):
    report = bp.doctor(Rolling().fit_partial, X, Y)
    assert report.verdict == "correct"


class Rolling:
    """Two layers with momentum, in shuffled batches."""

    def __init__(self):
        self.W = [RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2))]
        self.v = [np.zeros((4, 3)), np.zeros((3, 2))]

    def fit_partial(self, X, Y):
        order = np.random.permutation(len(X))
        for start in range(0, len(X), 2):
            x, y = X[order[start : start + 2]], Y[order[start : start + 2]]
            H = np.tanh(x @ self.W[0])
            error = H @ self.W[1] - y
            steps = x.T @ (error @ self.W[1].T * (1 - H**2)), H.T @ error
            for i, step in enumerate(steps):
                self.v[i] = 0.9 * self.v[i] - 0.1 * step
                self.W[i] += self.v[i]


def test_an_activation_that_falls_is_named(tmp_path):
    report, lines = train(tmp_path, ("np.exp(-z)", "np.exp(z)"))
    assert report.verdict == "bug"
    assert report.findings[0].bug == 53
    assert "np.exp(z)" in lines[report.findings[0].line - 1]


def test_a_bias_that_grows_is_named(tmp_path):
    old, new = "self.b3 -= self.lr * d3.sum(axis=0)", "self.b3 = self.b3 - self.lr * d3"
    report, lines = train(tmp_path, (old, new))
    (finding,) = report.findings
    assert (finding.bug, finding.tensor) == (38, "self.b3")
    assert new in lines[finding.line - 1]


def test_code_that_raises_shows_its_line_and_what_would_fit(tmp_path):
    report, lines = train(tmp_path, ("d3 @ self.W3.T", "d3 @ self.W3"))
    (finding,) = report.findings
    assert "d3 @ self.W3" in lines[finding.line - 1]
    assert "in d3 @ self.W3 the shapes are (6×2) and (4×2)." in finding.explanation
    assert "d3 @ self.W3.T, (6×2)(2×4) → 6×4" in finding.fix


def test_targets_that_are_broadcast_are_named():
    W = RANDOM.normal(size=(4, 1))

    def step(X, y):
        error = X @ W - y
        W[...] -= 0.1 * X.T @ error.mean(axis=1, keepdims=True)

    report = bp.doctor(step, X, Y[:, 0])
    assert [finding.bug for finding in report.findings] == [45]
    assert "error = X @ W - y" in report.findings[0].source


def test_targets_that_do_not_sum_to_one_accuse_nobody(tmp_path):
    module, _ = load("chooser", tmp_path)
    report = bp.doctor(module.train, module.start(4, 5, 3), X, RANDOM.uniform(size=(6, 3)))
    assert report.verdict.startswith("correct")


def made(inputs):
    random = np.random.default_rng(3)
    W1, W2 = random.normal(size=(inputs, 3)), random.normal(size=(3, 2))
    return W1, W2


def outputs(W1, W2, X):
    H = np.tanh(X @ W1)
    return H, H @ W2


def changed(W1, W2, dW1, dW2):
    W1 = W1 - 0.1 * dW1
    W2 = W2 - 0.1 * dW2
    return W1, W2


def descent(X, Y, bent=True):
    W1, W2 = made(X.shape[1])
    for _ in range(2):
        H, out = outputs(W1, W2, X)
        back = (out - Y) @ W2.T
        W1, W2 = changed(W1, W2, X.T @ (back * (1 - H**2) if bent else back), H.T @ (out - Y))
    return W1, W2


def test_parameters_go_by_one_name_in_several_functions():
    assert bp.doctor(descent, X, Y).verdict == "correct"
    report = bp.doctor(lambda X, Y: descent(X, Y, bent=False), X, Y)
    assert [finding.bug for finding in report.findings] == [16]


def propagate(w, b, X, Y, mean=True):
    """One unit, whose bias is a plain number."""
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    error = A - Y
    return {"dw": X @ error.T / X.shape[1], "db": error.mean() if mean else error.sum()}, cost


@pytest.mark.parametrize("b", [0, 0.0, 0.3])
def test_a_bias_that_is_a_number_and_an_argument_is_judged(b):
    given = RANDOM.normal(size=(4, 1)), b, RANDOM.normal(size=(4, 9)), RANDOM.uniform(size=(1, 9))
    report = bp.doctor(propagate, *given)
    assert report.verdict == "correct"
    assert "number" in str(report)
    wrong = bp.doctor(lambda w, b, X, Y: propagate(w, b, X, Y, mean=False), *given)
    assert [finding.bug for finding in wrong.findings] == [9]


class Classes:
    """Takes the classes before the samples."""

    def __init__(self):
        self.W = RANDOM.normal(size=(4, 3))

    def train(self, y, X):
        E = np.exp(X @ self.W)
        P = E / E.sum(axis=1, keepdims=True)
        self.W = self.W - 0.1 * X.T @ (P - np.eye(3)[y]) / len(y)


def test_classes_may_stand_before_their_samples():
    report = bp.doctor(Classes().train, np.array([0, 1, 2, 2, 1, 0]), X)
    assert report.verdict == "correct"


class Kept:
    """Lists of numbers, with its inputs kept from call to call: the last of them is the bias."""

    def __init__(self):
        self.x, self.h = [1.0] * 3, [1.0] * 2
        self.W = RANDOM.normal(size=(3, 2)).tolist()
        self.v = RANDOM.normal(size=(2, 1)).tolist()

    def train(self, X, Y, rate=0.1):
        for x, y in zip(X, Y, strict=True):
            self.x[:2] = x
            for j in range(2):
                self.h[j] = np.tanh(sum(self.x[i] * self.W[i][j] for i in range(3)))
            error = sum(self.h[j] * self.v[j][0] for j in range(2)) - y[0]
            below = [error * self.v[j][0] * (1 - self.h[j] ** 2) for j in range(2)]
            for j in range(2):
                self.v[j][0] -= rate * error * self.h[j]
                for i in range(3):
                    self.W[i][j] -= rate * below[j] * self.x[i]


def test_units_that_are_kept_begin_as_they_are_for_one_may_be_constant():
    report = bp.doctor(Kept().train, X[:, :2], Y[:, :1])
    assert report.verdict == "correct"
    assert "2-2-1" in report.network
    assert [tensor.path for tensor in report.tensors] == ["self.W", "self.v"]
