"""The sentence below a line, and that it is true of lines that are easily misread."""

import pytest

from backpass.reading.text import derivation_text
from backpass.reading.why import why
from tests.reading.networks import passes


def one_line(text):
    """A text without its line breaks."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("loss", "wrt", "clause", "sentence"),
    [
        ("x[k]**x[k]", "x", "x stands twice in L, so two gradients are added", "stands there"),
        ("x[k]*exp(x[k])", "x", "x stands twice in L", "held fast, and the slopes are added"),
        ("x[k]**y[k]", "x", "the exponent times the next lower power", "The slope of a power"),
        ("x[k]**y[k]", "y", "the power itself times the log of its base", "The slope by an exp"),
        ("x[k]*y[k]", "x", "each factor is the other one's slope", "Each factor is the other"),
        ("1/2*(x[k] - y[k])**2", "y", "meets the ½; y is subtracted, so the sign turns", "½ in"),
        ("-1/2*(x[k] - y[k])**2", "x", "meets the ½; the minus in front stays", "½ in front"),
        ("(x[k] - y[k])**2", "y", "twice its base; y is subtracted, so the sign turns", "twice"),
        ("x[k] - tanh(y[k])", "y", "1 − a²; its term is subtracted, so the sign turns", "tanh"),
    ],
)  # fmt: skip
def test_every_slope_of_a_loss_is_explained(loss, wrt, clause, sentence):
    """In a word below the line and again at length, where it is no `is itself` by mistake."""
    both = passes(f"x: k\ny: k\nL = {loss}\nreturn L\n", wrt)
    assert clause in one_line(derivation_text(both))
    assert sentence in one_line(why(both, f"d{wrt}"))


def test_gradients_that_are_added_may_be_fewer_terms():
    both = passes("r: k\nL = 1/2*r[k]*r[k] + sin(r[k])\nreturn L\n", "r")
    said = one_line(derivation_text(both))
    assert "r stands three times in L, so three gradients are added; equal ones make one" in said


SENTENCES = """\
X: b n d
W: d k
Z[b,n,k] = X[b,n,d]*W[d,k]
L = Z[b,n,k]**2
return L
"""


def test_a_matrix_that_all_sentences_share():
    both = passes(SENTENCES, "X W")
    assert "so k is summed; W has k last, hence .T" in one_line(derivation_text(both))
    text = why(both, "dX")
    assert text.startswith("dX = dZ @ W.T     (b×n×k)(k×d) → b×n×d\n")
    assert "transposed.\n    dZ @ W.T   (b×n×k)(k×d) → b×n×d\n\n" in text


VARIANCE = """\
X: n k
m: n 1
v: n 1
v[n,0] = (X[n,k] - m[n,0])**2/k
L = exp(v[n,i])
return L
"""


def test_what_runs_inside_a_line_is_summed_in_its_slope():
    text = why(passes(VARIANCE, "m"), "dm")
    assert "    v[n,0] = Σₖ (X[n,k] − m[n,0])² / k\n" in text
    assert "    ∂v[n,0]/∂m[n,0] = −2 Σₖ (X[n,k] − m[n,0]) / k\n" in text
    assert "    dm[n,0] = −2 Σₖ dv[n,0] · (X[n,k] − m[n,0]) / k\n" in text
    assert "read several times" not in text


FORM = "x: n\nA: n m\ny: m\nL = x[n]*A[n,m]*y[m]\nreturn L\n"


def test_a_loss_has_no_entries():
    both = passes(FORM, "x A y")
    assert "each entry of A stands in one product: nothing is summed" in one_line(
        derivation_text(both)
    )
    text = one_line(why(both, "dx"))
    assert "∂L/∂x[n] = Σₘ A[n,m] · y[m]" in text
    assert "x[n] stands in one term of L for each m, so what they give is summed over m." in text
    assert "A[n,m] stands in one term of L, so nothing is summed" in one_line(why(both, "dA"))
