"""Where an output tells the sign that a slope needs, and where it does not."""

import pytest

import backpass as bp
from backpass.reading.signs import same_sign
from tests.reading.networks import passes


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("relu(Z[n,j])", "A"),
        ("leaky_relu(Z[n,j], 1/100)", "A"),
        ("leaky_relu(Z[n,j], -1/100)", None),
        ("relu(Z[n,j] - 1)", None),
        ("2*relu(Z[n,j])", None),
        ("tanh(Z[n,j])", None),
    ],
)
def test_an_output_has_the_sign_of_what_went_in(line, told):
    text = f"X: n k\nW: k j\nZ[n,j] = X[n,k]*W[k,j]\nA[n,j] = {line}\nL = A[n,j]**2\nreturn L\n"
    assert same_sign(passes(text, "W"), "Z") == told


def test_a_value_that_is_multiplied_too_is_asked_for_more_than_its_sign():
    d = bp.derive("Z = X W; L = sum(relu(Z)**2) + sum(Z**2)", "X: n k, W: k m", wrt="W")
    assert d.saved.signs == {}
    assert "it must be kept from the forward pass" in " ".join(d.why("dZ").split())


def test_what_is_kept_for_another_line_is_enough():
    d = bp.derive("Z = X W; L = sum(relu(Z)**2)", "X: n k, W: k m", wrt="W")
    assert "A is kept anyway, so with [A > 0] in its place Z" in " ".join(d.why("dZ").split())
    assert "  Z  n×m       for dZ; A > 0 would tell it too\n" in str(d.saved)
