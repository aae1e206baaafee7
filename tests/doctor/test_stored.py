"""Code that holds its data, needs more than data, or cannot be called, is met with a sentence."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(4)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 2))


class Holding:
    def __init__(self):
        self.names = ["a", "b"]
        self.data, self.wanted, self.spare = X, Y, RANDOM.normal(size=(6, 2))
        self.V, self.W = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2))

    def learn(self, epochs=2):
        for _ in range(epochs):
            self.batch(self.data, self.wanted, 0.1)

    def batch(self, samples, targets, rate):
        H = np.tanh(samples @ self.V)
        E = H @ self.W - targets
        D = E @ self.W.T * (1 - H**2)
        self.W -= rate * H.T @ E
        self.V -= rate * samples.T @ D

    def stumbles(self, samples, targets):
        return samples @ self.W


def test_data_that_it_holds_is_found():
    one = Holding()
    report = bp.doctor(one.learn)
    assert report.verdict == "correct"
    assert [tensor.path for tensor in report.tensors] == ["self.V", "self.W"]
    found = bp.annotate(one.learn, 3)
    assert found.summary[-1] == "It descends ½Σ(a − y)² at the rate 0.1, exactly."
    assert one.data is X


def test_a_number_may_stand_after_the_data():
    assert bp.doctor(Holding().batch, X, Y, 0.05).verdict == "correct"


def test_arrays_that_arguments_have_by_default_are_parameters():
    weights, zeros = RANDOM.normal(size=(3, 2)), np.zeros(2)

    def step(X, Y, W=weights, b=zeros):
        E = X @ W + b - Y
        W, b = W - 0.1 * X.T @ E, b - 0.1 * E.sum(axis=0)
        return W, b

    report = bp.doctor(step, X, Y)
    assert report.verdict == "correct"
    assert [tensor.path for tensor in report.tensors] == ["W", "b"]
    assert step.__defaults__[1] is zeros
    assert not zeros.any()


@pytest.mark.parametrize(
    ("call", "args", "says"),
    [
        (Holding, (X, Y), "Holding is a class; hand in what trains"),
        (Holding(), (X, Y), "Holding cannot be called"),
        (Holding().batch, (X, Y), "missing a required argument: 'rate'"),
        (Holding().batch, (X[:0], Y[:0], 0.1), "there is no sample in samples"),
        (lambda: 3, (), "give samples and targets"),
        (np.matmul, (X, Y), "raises ValueError"),
    ],
)
def test_what_cannot_be_examined_is_said_in_one_sentence(call, args, says):
    for door in (bp.doctor, bp.annotate):
        with pytest.raises(bp.BackpassError, match=says):
            door(call, *args)


def test_annotate_shows_the_line_that_raises_and_the_shapes_there():
    says = r"test_stored.py:32: .*shapes are \(6×3\) and \(4×2\)"
    with pytest.raises(bp.BackpassError, match=says):
        bp.annotate(Holding().stumbles, X, Y)
