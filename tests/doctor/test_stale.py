"""Forward passes that use other weights than those that take the step."""

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(5)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.normal(size=(6, 2))


class Net:
    """The weights that are used are made of those that are held, by `uses`."""

    def __init__(self, uses, factor=1.0):
        self.W = RANDOM.normal(size=(3, 4))
        self.V = RANDOM.normal(size=(4, 2))
        self.uses, self.factor = uses, factor

    def step(self, X, Y):
        used = self.uses(self.W)
        H = np.tanh(X @ used)
        E = H @ self.V - Y
        D = (E @ self.V.T) * (1 - H**2)
        self.V = self.V - 0.1 * (H.T @ E)
        self.W = self.W - 0.1 * self.factor * (X.T @ D)
        return np.sum(E**2) / 2


OLD = RANDOM.normal(size=(3, 4))


@pytest.mark.parametrize("uses", [lambda W: 0.9 * W, lambda W: OLD.copy()])
def test_other_weights_are_named_where_they_come_from(uses):
    report = bp.doctor(Net(uses).step, X, Y)
    assert report.verdict == "bug"
    (finding,) = report.findings
    assert (finding.bug, finding.tensor) == (51, "self.W")
    assert finding.source == "used = self.uses(self.W)"
    assert "held to the gradient of ½Σ(a − y)²" in report.loss


def test_weights_that_are_held_as_a_multiple_are_right_with_its_gradient():
    report = bp.doctor(Net(lambda W: 0.5 * W, factor=0.5).step, X, Y)
    assert report.verdict == "correct"
    assert report.findings == ()


def test_rounded_weights_may_be_meant():
    report = bp.doctor(Net(lambda W: np.round(8 * W) / 8).step, X, Y)
    assert report.verdict == "unknown"
    (finding,) = report.findings
    assert (finding.bug, finding.accuses) == (51, False)
    assert "If that is meant, change nothing" in finding.fix
