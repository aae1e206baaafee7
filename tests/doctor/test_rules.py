"""What becomes of a gradient before it is a step is no mistake in it, and hides none."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load

RANDOM = np.random.default_rng(1)
X, Y = RANDOM.normal(size=(7, 4)), RANDOM.normal(size=(7, 2))


def report_of(rule, folder, *edits):
    module, _ = load("rules", folder, *edits)
    return bp.doctor(module.Ruled(getattr(module, rule)).step, X, Y)


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ("plain", None),
        ("momentum", None),
        ("by_norm", "clipped by their norm"),
        ("by_entry", "entries of each gradient are clipped"),
        ("adam", "sign alone"),
        ("rms", "sign alone"),
    ],
)
def test_a_right_gradient_is_cleared_whatever_rule_takes_the_step(rule, note, tmp_path):
    report = report_of(rule, tmp_path)
    assert report.verdict == "correct"
    assert {one.verdict for one in report.tensors} == {"correct"}
    assert any(note in one for one in report.notes) if note else True


@pytest.mark.parametrize("rule", ["momentum", "by_norm", "by_entry", "adam", "rms", "bent"])
def test_a_mistake_is_named_behind_any_rule(rule, tmp_path):
    report = report_of(rule, tmp_path, ("return 1 - h * h", "return 1 - h"))
    assert report.verdict == "bug"
    assert [one.bug for one in report.findings] == [23]


def test_a_rule_that_nobody_knows_is_unknown_though_its_gradients_are_right(tmp_path):
    report = report_of("bent", tmp_path)
    assert report.verdict == "unknown"
    assert not report.findings
    assert {one.verdict for one in report.tensors} == {"correct"}


class Mixed:
    """One weight moves with each sample, and the other gradients are added up."""

    def __init__(self):
        self.W, self.V, self.c = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2)), np.ones(2)

    def step(self, X, Y):
        gW, gc = np.zeros_like(self.W), np.zeros_like(self.c)
        for x, y in zip(X, Y, strict=True):
            h = np.tanh(x @ self.W)
            e = h @ self.V + self.c - y
            self.V -= 0.1 * np.outer(h, e)
            back = (self.V @ e) * (1 - h**2)
            gW += np.outer(x, back)
            gc += e
        self.W -= 0.1 * gW
        self.c -= 0.1 * gc


def test_a_weight_that_moves_with_each_sample_is_named_beside_sums_of_gradients():
    (finding,) = bp.doctor(Mixed().step, X, Y).findings
    assert (finding.bug, finding.tensor) == (31, "self.W")
    assert finding.source == "back = (self.V @ e) * (1 - h**2)"
