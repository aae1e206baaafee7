"""What else is told of a run: that samples are shuffled, and that somebody is asked."""

import numpy as np
import pytest

import backpass as bp

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))


class Shuffled:
    def __init__(self):
        self.W = np.random.default_rng(1).normal(size=(3, 2))

    def fit(self, X, Y):
        order = np.random.permutation(len(X))
        X, Y = X[order], Y[order]
        self.W -= 0.1 * X.T @ (X @ self.W - Y)


class Batches(Shuffled):
    def fit(self, X, Y):
        order = np.random.permutation(len(X))
        mixed, wanted = X[order], Y[order]
        for start in range(0, len(X), 4):
            x, y = mixed[start : start + 4], wanted[start : start + 4]
            self.W -= 0.1 * x.T @ (x @ self.W - y)


class Sorted(Shuffled):
    def fit(self, X, Y):
        order = np.argsort(X[:, 0])
        X, Y = X[order], Y[order]
        self.W -= 0.1 * X.T @ (X @ self.W - Y)


class Asking(Shuffled):
    def fit(self, X, Y):
        rate = float(input("rate? ") or 0.1)
        self.W -= rate * X.T @ (X @ self.W - Y)


class Needing(Shuffled):
    def fit(self, X, Y):
        rate = float(input("rate? "))
        self.W -= rate * X.T @ (X @ self.W - Y)


def test_shuffled_samples_are_told_of_with_their_line():
    report = bp.doctor(Shuffled().fit, X, Y)
    assert report.verdict == "correct"
    told = "np.random.permutation(len(X)). The call was seeded, and is held to the order"
    assert any("Samples are shuffled at line" in one and told in one for one in report.notes)
    assert any(told in one for one in bp.annotate(Shuffled().fit, X, Y).summary)


def test_batches_of_shuffled_samples_are_read():
    assert bp.doctor(Batches().fit, X, Y).verdict == "correct"


def test_an_order_that_is_not_by_chance_is_not_called_shuffled():
    assert not any("shuffled" in one for one in bp.doctor(Sorted().fit, X, Y).notes)


def test_a_question_that_has_a_default_is_told_of():
    report = bp.doctor(Asking().fit, X, Y)
    assert report.verdict == "correct"
    assert any("input('rate? ') was answered with an empty line" in one for one in report.notes)


def test_a_question_that_needs_an_answer_is_said_in_one_sentence():
    report = bp.doctor(Needing().fit, X, Y)
    said = report.findings[0].explanation
    assert said.startswith("the code waits for the keyboard: input('rate? ') gets an empty line")
    with pytest.raises(bp.BackpassError, match="write the answer in its place"):
        bp.annotate(Needing().fit, X, Y)


class Mistaken:
    def __init__(self):
        made = np.random.default_rng(1)
        self.W1, self.W2 = made.normal(size=(3, 4)), made.normal(size=(4, 2))

    def fit(self, X, Y):
        order = np.random.permutation(len(X))
        X, Y = X[order], Y[order]
        H = np.tanh(X @ self.W1)
        D = H @ self.W2 - Y
        B = (D @ self.W2.T) * (1 - H)
        self.W2 -= 0.1 * H.T @ D
        self.W1 -= 0.1 * X.T @ B


def test_a_mistake_behind_a_shuffle_of_all_samples_is_found_on_its_line():
    report = bp.doctor(Mistaken().fit, X, Y)
    assert [one.bug for one in report.findings] == [23]
    assert report.findings[0].source == "B = (D @ self.W2.T) * (1 - H)"
