"""What nothing explains is called unknown, with what comes nearest to it and no accusation."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(4)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 2))


def report(back):
    """Of a network whose error is sent back so; the outputs are right."""
    W1, W2 = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=(4, 2))

    def train(X, Y):
        A = np.tanh(X @ W1)
        late = A @ W2 - Y
        early = back(late @ W2.T, A)
        W2[...] -= 0.1 * A.T @ late
        W1[...] -= 0.1 * X.T @ early

    return bp.doctor(train, X, Y)


def test_two_hypotheses_are_told_with_what_they_would_explain():
    found = report(lambda dA, A: np.cos(dA) * (1 - A**2))
    assert found.verdict == "unknown"
    assert found.findings == ()
    (note,) = found.notes
    assert note.startswith("Not proven, only nearest: of the difference between what W1 moved by")
    assert note.count(" % if ") == 2
    first, second = (float(part.split()[-1]) for part in note.split(" % if ")[:2])
    assert 100 >= first >= second > 0


@pytest.mark.parametrize("off", [0.05, 0.1])
def test_what_is_nearest_is_a_mistake_that_was_nearly_made(off):
    found = report(lambda dA, A: dA * (1 - A + off * np.sin(A)))
    assert found.verdict == "unknown"
    (note,) = found.notes
    assert "tanh′ is taken as 1 − A; the square is missing" in note


def test_where_no_mistake_comes_nearer_the_gradient_does():
    found = report(lambda dA, A: np.sin(1e-2 * dA) * (1 - A**2))
    assert found.verdict == "unknown"
    (note,) = found.notes
    assert note.startswith("No mistake that is known here comes nearer to what W1 moved by than")
