"""Formulas as textbooks write them: ∇_a C, dC/da, σ′ of any activation, layers L and l."""

import pytest

import backpass as bp

any_cost = bp.derive(
    "z1 = W1 x + b1; h1 = g(z1); z2 = W2 h1 + b2; y = g(z2); L = C(y)",
    "x: k, W1: j k, b1: j, W2: m j, b2: m",
    functions="g: elementwise, C: scalar",
)
squares = bp.derive(
    "z1 = W1 x; h1 = σ(z1); z2 = W2 h1; y = σ(z2); L = ½ Σ (y − t)²",
    "x: k, W1: j k, W2: m j, t: m",
)
EQUATIONS = """
δ^L = ∇_a C ⊙ g'(z^L)
δ^l = ((w^{l+1})^T δ^{l+1}) ⊙ g'(z^l)
∂C/∂b^l = δ^l
∂C/∂w^l = δ^l (a^{l−1})^T
"""


@pytest.mark.parametrize(
    "gradient",
    [
        "∇C(y)", "∇C", "∇ C", "∇_y C", "∇_a C", "∇_{a} C", "∇ₐC", "∇C|_y", "∇C|_{y}", "nabla C",
        "nabla_a C", "grad C", "∂C/∂a", "∂C/∂y", "dC/da", "dC/dy", "∂L/∂y", "dy",
    ],
)  # fmt: skip
def test_the_gradient_at_the_output_has_many_spellings(gradient):
    assert bp.doctor(f"({gradient} ⊙ g′(z2)) h1ᵀ", of=any_cost, wrt="W2").verdict == "correct"


@pytest.mark.parametrize(
    "slope",
    ["g′(z2)", "g'(z2)", "g’(z2)", "dg/dz|_{z2}", "dg/dz|_z2", "∂g/∂z2", "g'|_{z2}",
     "g_prime(z2)", "g_derivative(z2)", "g′(z_2)", "g′(z₂)"],
)  # fmt: skip
def test_a_slope_has_many_spellings(slope):
    assert bp.doctor(f"∇C ⊙ {slope}", of=any_cost, wrt="z2").verdict == "correct"


def test_a_loss_that_is_stated_has_a_gradient_too():
    report = bp.doctor("(∇_a C ⊙ σ′(z2)) h1ᵀ", of=squares, wrt="W2")
    assert report.verdict == "correct"
    assert "∇_a C is read as ∂L/∂y." in report.explanation


def test_the_four_equations_hold_for_any_cost_and_any_activation():
    report = bp.doctor(EQUATIONS, of=any_cost)
    assert report.verdict == "correct"
    assert [one.means for one in report.products] == ["dz2", "db2", "dW2", "dz1", "db1", "dW1"]


@pytest.mark.parametrize(
    ("right", "wrong", "before", "after"),
    [
        ("∇_a C ⊙ g'(z^L)", "∇_a C", "", "⊙ g′(z2)"),
        ("(w^{l+1})^T", "w^{l+1}", "w2", "w2ᵀ"),
        (" ⊙ g'(z^l)", "", "", "⊙ g′(z1)"),
        ("g'(z^l)", "g'(a^l)", "g′(a1)", "g′(z1)"),
        ("(a^{l−1})^T", "(a^l)^T", "a2", "h1"),
    ],
)
def test_a_mistake_in_one_of_them_is_told_where_it_is(right, wrong, before, after):
    report = bp.doctor(EQUATIONS.replace(right, wrong), of=any_cost)
    assert report.verdict == "bug"
    assert (report.changes[0].before, report.changes[0].after) == (before, after)
    assert report.repaired


def test_the_algorithm_of_a_text_is_read_as_it_stands():
    report = bp.doctor(
        """
        δ = ∇C|_y
        for each layer l going backwards:
            W_l <- W_l − η (δ ⊙ dg/dz|_{z_l}) ⊗ h_{l-1}
            δ = W_lᵀ (δ ⊙ dg/dz|_{z_l})
        """,
        of=any_cost,
    )
    assert report.verdict == "bug"
    assert "l goes from 2 down to 1." in report.explanation
    assert [one.trouble for one in report.products if one.trouble] == [
        "dW1 goes through updated weights"
    ]
    assert report.repaired.endswith("W2 <- W2 − η dW2; W1 <- W1 − η dW1")


def test_a_quantity_that_nobody_knows_stays_unknown():
    with pytest.raises(bp.BackpassError, match="z3 is not known"):
        bp.doctor("∇C ⊙ g′(z3)", of=any_cost, wrt="z2")
    with pytest.raises(bp.BackpassError, match="h9 is not known"):
        bp.doctor("∇C ⊙ g′(h9)", of=any_cost, wrt="z2")
