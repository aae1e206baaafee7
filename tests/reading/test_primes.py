"""A prime stands only where two labels would have one name."""

import pytest

from backpass.reading.why import why
from tests.reading.networks import passes

CENTRED = """\
X: n m
T[n,m] = X[n,m] - X[n′,m]/n
L = T[n′,m′]**2/(m*n)
return L
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("T", "T = X − Σₙ X / n"),  # whole arrays have one n
        ("T", "T[n,m] = X[n,m] − Σₙ′ X[n′,m] / n"),  # entry n, and the n′ that is summed
        ("dT", "L = Σₙₘ T[n,m]² / (m · n)"),  # what divides is no label
        ("dX", "that is where n′ goes."),
    ],
)
def test_a_prime_where_it_is_needed(name, line):
    assert line in why(passes(CENTRED, "X"), name)
