"""Losses of margins, hinges and the logistic loss of ±1, are losses like the others."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(12, 4))
SIGNS = np.where(RANDOM.normal(size=12) > 0, 1, -1)
CLASSES = np.resize([0, 1, 2], 12)


def one(): return RANDOM.normal(size=4)  # fmt: skip


def some(): return RANDOM.normal(size=(4, 3))  # fmt: skip


BINARY = np.where(RANDOM.normal(size=(12, 3)) > 0, 1.0, -1.0)
GIVEN = {
    "hinge": ((one(), np.zeros(1)), (SIGNS > 0).astype(int), "max(0, 1 − y·a), for labels ±1"),
    "squared_hinge": ((some(),), BINARY, "max(0, 1 − y·a)², for labels ±1"),
    "one_by_one": ((one(), np.zeros(1)), SIGNS, "max(0, 1 − y·a), for labels ±1"),
    "logistic": ((one(),), SIGNS.astype(float), "log(1 + exp(−y·a))"),
    "behind_a_layer": ((some(), RANDOM.normal(size=3)), SIGNS, "max(0, 1 − y·a)"),
    "classes": ((some(),), CLASSES, "over classes j ≠ y"),
    "best_of_others": ((some(),), CLASSES, "for the best class j ≠ y"),
}


def report_of(name, folder, *edits):
    module, _ = load("margins", folder, *edits)
    weights, y, _ = GIVEN[name]
    return bp.doctor(getattr(module, name), *weights, X, y)


@pytest.mark.parametrize("name", GIVEN)
def test_a_loss_of_margins_is_cleared_and_named(name, tmp_path):
    report = report_of(name, tmp_path)
    shown = name != "one_by_one"
    assert report.verdict == ("correct" if shown else "correct for another loss")
    assert GIVEN[name][2] in report.loss


MUTANTS = [
    ("hinge", "+ 2 * lam * w)\n    b -=", "+ lam * w)\n    b -=", {52}),
    ("behind_a_layer", "* (1 - H**2)", "* (1 - H)", {23}),
]


@pytest.mark.parametrize(("name", "old", "new", "bugs"), MUTANTS)
def test_a_mistake_is_seen_behind_a_loss_of_margins(name, old, new, bugs, tmp_path):
    report = report_of(name, tmp_path, (old, new))
    assert not report.verdict.startswith("correct"), str(report)
    assert report.verdict == "unknown" or {one.bug for one in report.findings} & bugs, str(report)


def test_the_margin_left_out_is_another_loss(tmp_path):
    report = report_of("hinge", tmp_path, ("inside = t * out < 1", "inside = t * out < 0"))
    assert report.verdict == "correct for another loss"
    assert "max(0, −y·a)" in report.loss


WITH_ZERO = """\
import numpy as np


class Net:
    def __init__(self):
        random = np.random.default_rng(0)
        self.W1, self.W2 = random.normal(size=(3, 4)), random.normal(size=(4, 2))
        self.b = 0.0

    def step(self, X, Y):
        h = np.tanh(X @ self.W1)
        error = (h @ self.W2 + self.b - Y) / len(X)
        back = error @ self.W2.T * (1 - h**2)
        self.W2 -= 0.1 * h.T @ error
        self.W1 -= 0.1 * X.T @ back
"""


def test_a_zero_in_the_code_is_no_hinge_that_is_met(tmp_path):
    path = tmp_path / "with_zero.py"
    path.write_text(WITH_ZERO)
    spec = importlib.util.spec_from_file_location("with_zero", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    X, Y = RANDOM.normal(size=(6, 3)), RANDOM.random(size=(6, 2))
    assert bp.doctor(module.Net().step, X, Y).verdict == "correct"
