"""What `d.why(name)` says of a line that acts entry by entry."""

from backpass.reading.why import why
from tests.reading.networks import passes


def told(text, wrt, name):
    """The account without its line breaks."""
    return " ".join(why(passes(f"{text}return L\n", wrt), name).split())


def test_a_difference_is_an_error_and_no_output():
    text = told("a: k\ny: k\nT[k] = a[k] - y[k]\nL = T[k]**2\n", "a", "dT")
    assert "The slope of a square" in text
    assert "without an activation" not in text


def test_what_goes_into_a_function_is_more_than_the_quantity_itself():
    text = told("a: k\ny: k\nz[k] = a[k]*y[k]\nL = abs(z[k] - y[k])\n", "a", "dz")
    assert "needs z − y, what went into abs, so z must be kept" in text
