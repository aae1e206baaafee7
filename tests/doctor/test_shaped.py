"""Samples of other shapes than rows are seen as rows."""

from __future__ import annotations

import numpy as np

import backpass as bp
from tests.doctor import held

RANDOM = np.random.default_rng(5)


class Columns:
    """A unit for each of two targets, with a sample a column of its own."""

    def __init__(self):
        self.W, self.b = RANDOM.normal(size=(2, 3)), RANDOM.normal(size=(2, 1))

    def fit(self, X, Y, times=1.0):
        for x, y in zip(X, Y, strict=True):
            e = np.tanh(self.W @ x + self.b) - y
            d = e * (1 - (e + y) ** 2)
            self.W -= 0.2 * times * d @ x.T
            self.b -= 0.2 * d


def test_a_sample_may_be_a_column_of_its_own():
    X, Y = RANDOM.normal(size=(4, 3, 1)), RANDOM.normal(size=(4, 2, 1))
    assert bp.doctor(Columns().fit, X, Y).verdict.startswith("correct")
    report = bp.doctor(lambda X, Y: Columns().fit(X, Y, -1.0), X, Y)
    assert report.verdict in ("bug", "unknown")


def test_a_sample_may_be_a_single_number_and_a_parameter_begin_as_a_whole_one():
    X, Y = RANDOM.normal(size=7), RANDOM.normal(size=7)
    report = bp.doctor(held.line, X, Y)
    assert report.verdict == "correct"
    assert [tensor.path for tensor in report.tensors] == ["slope", "height"]
    wrong = bp.doctor(lambda X, Y: held.line(X, Y, -1.0), X, Y)
    assert [tensor.verdict for tensor in wrong.tensors] == ["correct", "bug"]
