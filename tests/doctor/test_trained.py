"""Would it have trained anyway?"""

import numpy as np
import pytest

import backpass as bp
from tests.doctor.mutants import load
from tests.doctor.test_verdict import X, Y, report_of


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("* dtanh(self.A1)", "", "It would have trained all the same"),
        ("error = out - Y", "error = Y - out", "It would not have trained"),
        ("d2 = (d3 @ self.W3.T)", "d2 = (out @ self.W3.T)", "It would hardly have trained"),
    ],
)
def test_it_is_said_whether_the_loss_would_have_fallen(old, new, said, tmp_path):
    report, _ = report_of("three", tmp_path, (old, new))
    assert report.notes[-1].startswith(said)
    assert "with the derived gradient" in report.notes[-1]


def test_parameters_that_are_arguments_are_trained_too(tmp_path):
    report, _ = report_of("chooser", tmp_path, ("dz = dh * relu_slope(z)", "dz = relu(dh)"))
    assert report.notes[-1].startswith("It would have trained all the same")


def test_code_that_updates_many_times_in_a_call_is_not_held_against_single_steps(tmp_path):
    module, _ = load("three", tmp_path, ("* dtanh(self.A1)", ""))
    net = module.Three()
    held = net.W1.copy()

    def train(X, Y):
        for _ in range(3):
            net.fit_partial(X, Y)

    report = bp.doctor(train, X, Y)
    assert report.verdict == "bug"
    assert not any("trained" in note for note in report.notes)
    assert np.array_equal(net.W1, held)


class Vector:
    """One output whose weight is a line of numbers."""

    def __init__(self):
        random = np.random.default_rng(1)
        self.v, self.u = random.normal(size=(4, 3)), random.normal(size=3)

    def fit_partial(self, X, y):
        h = np.tanh(X @ self.v)
        r = h @ self.u - y
        self.u, self.v = self.u - 0.01 * h.T @ r, self.v - 0.01 * X.T @ np.outer(r, self.u)


def test_a_weight_may_be_a_line_of_numbers():
    report = bp.doctor(Vector().fit_partial, X, Y[:, 0])
    assert [finding.bug for finding in report.findings] == [16]
    assert report.notes[-1].startswith("It would")


def test_where_the_gradient_itself_leads_nowhere_that_is_said():
    v = np.random.default_rng(4).normal(size=(4, 2))

    def step(X, Y):
        E = X @ v - Y
        v[:] = v + 40.0 * X.T @ E
        return np.sum(E**2) / 2

    report = bp.doctor(step, X, Y)
    assert [finding.bug for finding in report.findings] == [1]
    assert "the derived gradient itself leads nowhere at this rate" in report.notes[-1]
