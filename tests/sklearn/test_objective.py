"""Every objective's gradient is that of its loss, and equal ones are derived once."""

import pytest

from backpass.sklearn.objective import Objective, derived

KINDS = [
    ("softmax", "log_loss"),
    ("logistic", "log_loss"),
    ("identity", "squared_error"),
    ("identity", "absolute_error"),
    ("exp", "poisson"),
]
CASES = [(*one, weighted) for one in KINDS for weighted in (False, True)]
BRIER = ("softmax", "Σ (output − target)²", False)


@pytest.mark.parametrize(("squash", "loss", "weighted"), [*CASES, BRIER])
def test_the_gradient_is_right(squash, loss, weighted):
    objective = Objective((3, 4, 2), "tanh", squash, loss, weighted, penalised=True)
    check = derived(objective).check()
    assert check, str(check)


def test_equal_objectives_are_derived_once():
    one, other = (Objective((3, 2), "relu", "identity", "squared_error", False, True) for _ in "ab")
    assert derived(one) is derived(other)
