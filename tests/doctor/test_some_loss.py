"""An error at the outputs that no table has is another loss's, or unknown, but never a mistake."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(5)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 2))


def report(error, show=lambda A, Y: None):
    W1, W2 = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2))

    def train(X, Y):
        hidden = np.tanh(X @ W1)
        A = 1 / (1 + np.exp(-(hidden @ W2)))
        shown = show(A, Y)
        late = error(A, Y)
        early = (late @ W2.T) * (1 - hidden**2)
        W2[...] -= 0.1 * hidden.T @ late
        W1[...] -= 0.1 * X.T @ early
        return shown

    return bp.doctor(train, X, Y)


WEIGHTED = {
    "by the target": lambda A, Y: (A - Y) * Y * A * (1 - A),
    "by the output": lambda A, Y: (A - Y) * A**2,
    "by more of it": lambda A, Y: (A - Y) * (1 + A) * A * (1 - A),
}


@pytest.mark.parametrize("kind", WEIGHTED)
def test_squares_that_are_weighted_have_a_loss(kind):
    found = report(WEIGHTED[kind])
    assert found.verdict == "correct for another loss"
    assert {one.verdict for one in found.tensors} == {"correct for another loss"}
    (remark,) = found.findings
    assert not remark.accuses
    assert remark.name == "which loss is meant?"
    assert "is too much" in remark.explanation


def test_an_error_that_no_loss_has_is_unknown():
    found = report(lambda A, Y: (A - Y) * (A * (1 - A)).mean(axis=0))
    assert found.verdict == "unknown"
    assert not any(one.accuses for one in found.findings)
    assert "not proven" in found.findings[0].fix


def test_a_loss_that_is_shown_makes_it_a_mistake():
    found = report(WEIGHTED["by the target"], lambda A, Y: 0.5 * np.sum((A - Y) ** 2))
    assert found.verdict == "bug"
    assert found.findings[0].accuses
