"""The learning rate is what an update was multiplied with when it was made, wherever it is held."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))


class Optimizer:
    def __init__(self, rate, decay=0.1):
        self.rate = self.now = rate
        self.decay, self.rounds = decay, 0

    def step(self, layer):
        self.now = self.rate * (1.0 / (1.0 + self.decay * self.rounds))
        layer.W -= self.now * layer.dW
        layer.b -= self.now * layer.db
        self.rounds += 1


class Linear:
    """One layer whose rate an optimiser holds, which falls from round to round."""

    def __init__(self, rate=1.0, share=1, rounds=1):
        self.W, self.b = np.ones((3, 2)), np.ones(2)
        self.optimizer, self.share, self.rounds = Optimizer(rate), share, rounds

    def train(self, X, Y):
        for _ in range(self.rounds):
            error = (X @ self.W + self.b - Y) / self.share
            loss = 0.5 * np.sum((X @ self.W + self.b - Y) ** 2) / len(X)
            self.dW, self.db = X.T @ error / len(X), error.sum(axis=0) / len(X)
            self.optimizer.step(self)
        return loss


@pytest.mark.parametrize(("rate", "rounds"), [(1.0, 1), (1, 1), (0.3, 1), (0.3, 3), (1.0, 3)])
def test_a_rate_that_an_optimiser_holds_is_found(rate, rounds):
    report = bp.doctor(Linear(rate, rounds=rounds).train, X, Y)
    assert report.verdict == "correct"
    assert f"at the rate {rate:g} (self.now)" in report.loss


@pytest.mark.parametrize("rate", [1.0, 0.3])
def test_a_share_too_much_is_seen_though_an_optimiser_holds_the_rate(rate):
    report = bp.doctor(Linear(rate, share=6).train, X, Y)
    assert report.verdict == "correct up to a scale"
    assert [one.bug for one in report.findings] == [6]
    assert "1/N = 1/6" in report.findings[0].explanation


def trained(W, X, Y, share=1, eps=1e-8):
    """An update that is taken away as it is, at no rate at all."""
    error = X @ W - Y
    loss = 0.5 * np.sum(error**2) + eps
    W -= X.T @ error / share
    return loss


@pytest.mark.parametrize(("share", "verdict"), [(1, "correct"), (6, "correct up to a scale")])
def test_no_rate_is_a_rate_of_1(share, verdict):
    report = bp.doctor(lambda W, X, Y: trained(W, X, Y, share), np.ones((3, 2)), X, Y)
    assert report.verdict == verdict


def decayed(W, X, Y, rate=0.1, fall=0.5, strength=0.2):
    """The rate falls between the rounds, and its fall is none."""
    for _ in range(3):
        error = (X @ W - Y) / len(X)
        loss = 0.5 * np.sum((X @ W - Y) ** 2) / len(X) + strength * np.sum(W * W)
        W -= rate * (X.T @ error + 2 * strength * W)
        rate *= fall
    return loss


def test_the_fall_of_a_rate_is_not_taken_for_the_rate():
    report = bp.doctor(decayed, np.ones((3, 2)), X, Y)
    assert report.verdict == "correct"
    assert "at the rate 0.1 (rate)" in report.loss


def in_place(W, b, X, Y, rate=0.3, share=6):
    """The gradients are multiplied by the rate, and divided, where they stand."""
    error = X @ W + b - Y
    loss = 0.5 * np.sum(error**2) / len(X)
    dW, db = X.T @ error, error.sum(axis=0)
    dW *= rate / share
    db *= rate / share
    W -= dW
    b -= db
    return loss


def in_its_place(W, b, X, Y, rate=0.3, share=6):
    """The error is, before it meets the samples."""
    error = X @ W + b - Y
    loss = 0.5 * np.sum(error**2) / len(X)
    error *= 1 / share
    error *= rate
    W -= X.T @ error
    b -= error.sum(axis=0)
    return loss


@pytest.mark.parametrize("train", [in_place, in_its_place])
@pytest.mark.parametrize(("share", "bugs"), [(6, []), (1, [5]), (36, [6])])
def test_a_rate_that_multiplies_in_place_is_found(train, share, bugs):
    W, b = np.ones((3, 2)), np.ones(2)
    report = bp.doctor(lambda W, b, X, Y: train(W, b, X, Y, share=share), W, b, X, Y)
    assert report.verdict == ("correct up to a scale" if bugs else "correct")
    assert [one.bug for one in report.findings] == bugs
    assert "at the rate 0.3 (rate)" in report.loss


def averaged(W, X, Y):
    """No rate at all: what an error is multiplied with in place takes its mean."""
    share = 1 / len(X)
    error = X @ W - Y
    loss = 0.5 * np.sum(error**2) * share
    error *= share
    W -= X.T @ error
    return loss


def test_the_mean_that_is_taken_in_place_is_no_rate():
    assert bp.doctor(averaged, np.ones((3, 2)), X, Y).verdict == "correct"
