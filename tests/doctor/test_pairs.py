"""Samples that come in pairs with their targets, or each as a column of its own."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import backpass as bp
from backpass.doctor.pairs import in_rows, is_pairs, unpaired

RANDOM = np.random.default_rng(4)
BATCH = [(RANDOM.normal(size=(4, 1)), RANDOM.uniform(size=(3, 1))) for _ in range(6)]
X = np.stack([x for x, _ in BATCH])
Y = np.stack([y for _, y in BATCH])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Columns:
    """A network that takes one column after the other and adds up what they say."""

    def __init__(self, sizes, slip=""):
        self.b = [RANDOM.normal(size=(j, 1)) for j in sizes[1:]]
        self.W = [RANDOM.normal(size=(j, k)) for k, j in itertools.pairwise(sizes)]
        self.slip = slip

    def update(self, batch, eta):
        gb = [np.zeros(b.shape) for b in self.b]
        gW = [np.zeros(W.shape) for W in self.W]
        for x, y in batch:
            db, dW = self.backwards(x, y)
            gb = [g + d for g, d in zip(gb, db, strict=True)]
            gW = [g + d for g, d in zip(gW, dW, strict=True)]
        n = 1 if self.slip == "sum" else len(batch)
        self.W = [W - eta / len(batch) * g for W, g in zip(self.W, gW, strict=True)]
        self.b = [b - eta / n * g for b, g in zip(self.b, gb, strict=True)]

    def stacked(self, X, Y, eta):
        self.update(list(zip(X, Y, strict=True)), eta)

    def backwards(self, x, y):
        a, zs = [x], []
        for b, W in zip(self.b, self.W, strict=True):
            zs.append(W @ a[-1] + b)
            a.append(sigmoid(zs[-1]))
        db, dW = [np.zeros(b.shape) for b in self.b], [np.zeros(W.shape) for W in self.W]
        error = y - a[-1] if self.slip == "sign" else a[-1] - y
        delta = error * sigmoid(zs[-1]) * (1 - sigmoid(zs[-1]))
        db[-1], dW[-1] = delta, delta @ a[-2].T
        for l in range(2, len(self.W) + 1):
            z = a[-l] if self.slip == "activation" else zs[-l]
            back = np.abs(self.W[-l + 1]) if self.slip == "abs" else self.W[-l + 1]
            delta = back.T @ delta * (sigmoid(z) * (1 - sigmoid(z)))
            db[-l], dW[-l] = delta, delta @ a[-l - 1].T
        return db, dW


def test_pairs_of_columns_are_samples_and_targets():
    net = Columns([4, 5, 3])
    report = bp.doctor(net.update, BATCH, 0.3)
    assert report.verdict == "correct"
    assert "at the rate 0.3 (eta)" in report.loss
    shown = str(bp.annotate(net.update, BATCH, 0.3))
    assert "W1 is self.W[0], b1 is self.b[0], W2 is self.W[1], b2 is self.b[1]." in shown


def test_columns_in_one_array_are_samples():
    net = Columns([4, 5, 3])
    report = bp.doctor(lambda X, Y: net.stacked(X, Y, 0.3), X, Y)
    assert report.verdict == "correct"


@pytest.mark.parametrize(
    ("slip", "number"), [("sign", 1), ("activation", 18), ("sum", 9), ("abs", 34)]
)
def test_mistakes_of_such_networks_are_named(slip, number):
    net = Columns([4, 5, 3], slip)
    report = bp.doctor(net.update, BATCH, 0.3)
    assert [finding.bug for finding in report.findings] == [number]
    assert report.verdict == "bug"


def test_what_is_no_data_is_left_alone():
    assert is_pairs(BATCH)
    assert not is_pairs([*BATCH, (X, Y)])
    assert not is_pairs([("x", "y")])
    args = (BATCH, X[:, :, 0], Y[:, :, 0])
    assert unpaired(len, args) == (len, args)  # the pairs may be parameters


def test_steps_of_time_are_no_row():
    assert in_rows(lambda X, Y: None, (np.ones((5, 4, 3)), np.ones((5, 4, 2)))) is None
    assert in_rows(lambda X, Y: None, (np.ones((5, 4)), np.ones((5, 2)))) is None
