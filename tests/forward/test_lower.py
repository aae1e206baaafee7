"""The recorded graph becomes the lines that are worth showing, under the user's names."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

import backpass as bp
from backpass.forward.record import record
from backpass.language.errors import ShapeError
from tests.forward.recording import lines

LAYERS = "X: n k, W1: k j, b1: j, W2: j m, b2: m"


def names(forward, shapes):
    return [line.partition("[")[0].partition(" ")[0] for line in lines(forward, shapes)
            if ":" not in line.partition("=")[0]]  # fmt: skip


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_what_the_user_named_is_a_line_and_the_rest_is_written_into_it():
    def loss(X, W1, b1, W2, b2):
        A1 = np.tanh(X @ W1 + b1)
        Z2 = A1 @ W2 + b2
        return 0.5 * np.sum((Z2 - 1) ** 2) / len(X)

    assert lines(loss, LAYERS) == [
        "Z1[n,j] = X[n,k] * W1[k,j] + b1[j]",
        "A1[n,j] = tanh(Z1[n,j])",
        "Z2[n,m] = A1[n,j] * W2[j,m] + b2[m]",
        "L = 1/2 / n * (Z2[n,m] - 1)**2",
    ]


def test_the_users_own_functions_are_looked_through():
    def layer(A, W, b, function):
        Z = A @ W + b
        return function(Z)

    def loss(X, W1, b1, W2, b2):
        A1 = layer(X, W1, b1, sigmoid)
        A2 = layer(A1, W2, b2, np.tanh)
        return np.sum(A2**2)

    assert names(loss, LAYERS) == ["Z1", "A1", "Z2", "A2", "L"]


def test_loops_lists_and_dicts_number_their_lines():
    shapes = {"X": "n k", "params": {"W": ["k j", "j j", "j m"], "b": ["j", "j", "m"]}}

    def rebound(X, params):
        A = X
        for W, b in zip(params["W"], params["b"], strict=True):
            Z = A @ W + b
            A = np.tanh(Z)
        return np.sum(A)

    def listed(X, params):
        A = [X]
        for W, b in zip(params["W"], params["b"], strict=True):
            A.append(np.tanh(A[-1] @ W + b))
        return np.sum(A[-1])

    def cached(X, params):
        cache = {"A0": X}
        for i, (W, b) in enumerate(zip(params["W"], params["b"], strict=True), 1):
            cache[f"Z{i}"] = cache[f"A{i - 1}"] @ W + b
            cache[f"A{i}"] = np.tanh(cache[f"Z{i}"])
        return np.sum(cache["A3"])

    for forward in (rebound, listed, cached):
        assert names(forward, shapes) == ["Z1", "A1", "Z2", "A2", "Z3", "A3", "L"]


def test_a_name_is_rebound_and_a_taken_name_gets_a_number():
    def rebound(x, w):
        h = x * w
        h = np.tanh(h)
        h = h * w
        return np.sum(h * h)

    def taken(X, Z, W):
        return np.sum(np.tanh(X @ W) * Z)

    assert names(rebound, "x: n, w: n") == ["h1", "h2", "h3", "L"]
    assert names(taken, "X: n k, Z: n j, W: k j") == ["Z_2", "A1", "L"]


def test_an_array_that_is_used_twice_is_computed_once():
    def loss(X, W):
        return np.sum((X @ W) ** 2) + np.sum(np.abs(X @ W)) * 2

    def shared(X, W):
        product = X @ W
        return np.sum(product * product)

    assert names(shared, "X: n k, W: k j") == ["product", "L"]
    assert len(names(loss, "X: n k, W: k j")) == 3


def test_sums_are_not_fused_where_a_count_would_change():
    def gaps(A, y):
        return np.sum(A - y)  # y counts once for every row

    def mean(X):
        return np.sum((X - X.mean(axis=0)) ** 2)

    assert lines(gaps, "A: n m, y: m") == ["L = (A[n,m] - y[m])"]
    assert len(lines(mean, "X: n k")) == 2


@pytest.mark.parametrize(
    ("forward", "line"),
    [
        (lambda X: np.sum(X.T), "L = X[n,k] for k, n"),
        (lambda X: 3 * np.sum(2 * X), "L = 6 * X[n,k]"),
        (lambda X: X.mean(), "L = X[n′,k′] / (k*n)"),
        (lambda X: np.sum(X[:, 1:]), "L = X[n,i+1] for i<k-1"),
        (lambda X: np.sum(X[None] * 1.0), "L = X[n,k]"),
        (lambda X: np.sum(np.exp(-X)), "L = exp(-X[n,k])"),
        (lambda X: np.sum(X * X.T), "L = X[n,n′] * X[n′,n]"),
        (lambda X: np.sum(np.diag(X)), "L = X[n,n]"),
    ],
)
def test_what_only_moves_or_scales_is_written_in(forward, line):
    assert lines(forward, "X: n n" if "n,n" in line else "X: n k") == [line]


def test_a_line_that_nothing_uses_is_shown_if_the_user_named_it():
    def loss(X, W):
        Z = X @ W
        predictions = sigmoid(Z)
        return bp.binary_cross_entropy(Z, np.ones_like(Z)) + 0 * len(predictions)

    assert "predictions" in names(loss, "X: n k, W: k j")


def test_lines_are_quoted_where_their_name_is_given():
    def loss(X, W):
        A = sigmoid(X @ W)
        return np.sum(A)

    program = record(loss, "X: n k, W: k j").program
    quoted = {step.name: step.line.text for step in program.steps if step.line}
    assert quoted["A"] == "A = sigmoid(X @ W)"
    assert quoted["L"] == "return np.sum(A)"


@pytest.mark.parametrize(
    ("forward", "shapes", "sentence"),
    [
        (
            lambda Z, y: -np.mean(Z[np.arange(len(y)), y]),
            "Z: n m, y: n int<k",
            "the entries of Z (n×m) at an array (n) and y (n): the integers run below k, and what "
            "they pick from has m entries; declare them int<m",
        ),
        (lambda Z, y: bp.cross_entropy(Z, y) + 0, "Z: n m, y: n int<k", "cross_entropy of Z (n×m)"),
        (lambda E, y: np.sum(E[y]), "E: 4 k, y: n int<5", "the entries of E (4×k) at y (n): the"),
    ],
)
def test_integers_that_may_lie_beyond_what_they_pick_from_are_refused(forward, shapes, sentence):
    with pytest.raises(ShapeError) as caught:
        record(forward, shapes)
    assert caught.value.message.startswith(sentence)


@pytest.mark.parametrize("bound", ["m", "m-1", "3"])
def test_integers_that_fit_or_may_fit_are_taken(bound):
    d = bp.derive(lambda Z, y: np.sum(Z[np.arange(len(y)), y]), f"Z: n m, y: n int<{bound}")
    value, gradients = d(np.arange(8.0).reshape(2, 4), np.array([2, 0]))
    assert (value, gradients["Z"].sum()) == (6, 2)


def test_a_line_that_would_grow_without_end_is_cut():
    def penalty(X, Ws):
        return np.sum(X) + sum(np.sum(W**2) for W in Ws)

    def waves(X):
        return np.sum(reduce(lambda A, _: np.sin(A), range(1000), X))

    shapes = {"X": "n k", "Ws": ["k k"] * 60}
    assert names(penalty, shapes) == ["T1", "T2", "L"]
    d = bp.derive(penalty, shapes)
    arrays = [np.full((2, 2), float(place)) for place in range(60)]
    value, gradients = d(np.ones((3, 2)), arrays)
    assert value == 6 + sum(np.sum(W**2) for W in arrays)
    assert all((G == 2 * W).all() for G, W in zip(gradients["Ws"], arrays, strict=True))

    d = bp.derive(waves, "X: n k")
    expected = reduce(lambda a, _: np.sin(a), range(1000), 0.5)
    np.testing.assert_allclose(d(np.full((1, 1), 0.5))[0], expected, rtol=1e-12)
