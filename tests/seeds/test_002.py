"""“Backpropagation in matrix form”: 2-3-2 as columns, its layouts, and L layers with any g."""

import numpy as np
import pytest

import backpass as bp
from tests.seeds.networks import layered, said, two_three_two


def test_the_network_and_both_gradients():
    assert (
        str(two_three_two())
        == """\
forward
  z2 = W2 a1                    (3×2)(2×1) → 3×1
  a2 = relu(z2)                 3×1
  z3 = W3 a2                    (2×3)(3×1) → 2×1
  a3 = σ(z3)                    2×1
  L  = ½ Σ (a3 − y)²            scalar
backward
  da3 = a3 − y                  2×1
        the 2 of the square meets the ½: no factor is left
  dz3 = da3 ⊙ a3 ⊙ (1 − a3)     2×1
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW3 = dz3 a2ᵀ                 (2×1)(1×3) → 2×3
        each entry of W3 joins one entry of a2 to one of z3: nothing is summed
  da2 = W3ᵀ dz3                 (3×2)(2×1) → 3×1
        2 is summed; W3 has 2 first, hence ᵀ
  dz2 = da2 ⊙ [z2 > 0]          3×1
        relu acts entry by entry, so ⊙; its slope is 1 where z > 0, else 0
  dW2 = dz2 a1ᵀ                 (3×1)(1×2) → 3×2
        each entry of W2 joins one entry of a1 to one of z2: nothing is summed"""
    )


def test_the_gradients_are_right():
    assert two_three_two().check()


def test_q11_the_transpose_is_right_and_the_reason_is_not_the_dimension():
    text = said(two_three_two(), "dW3")
    assert "∂z3[i]/∂W3[i,j] = a2[j]" in text
    assert "dW3[i,j] = dz3[i] · a2[j]" in text
    assert "its label, j, is the second one of W3" in text
    assert "that the sizes then fit is the consequence, not the reason" in text
    assert "dz3 a2 (2×1)(3×1): 1 meets 3" in text


def test_q11_with_several_samples_the_label_that_is_summed_decides():
    text = said(two_three_two(" n"), "dW3")
    assert "dW3[i,j] = Σₙ dz3[i,n] · a2[j,n]" in text
    assert "n stands last in dz3 (2×n) and last in a2 (3×n), so a2 is transposed" in text


def test_q12_relu_is_diagonal_hence_the_circled_product():
    """The vector of ones that the asker multiplies by is a diagonal matrix, 3×3, not 3×1."""
    text = said(two_three_two(), "dz2")
    assert "its slope is 1 where z > 0, else 0" in text
    assert "No other entry of a2 contains z2[i]: the Jacobian is diagonal" in text
    assert "multiplying by a diagonal matrix is multiplying entry by entry, ⊙" in text


def test_q12_the_product_that_the_asker_writes_and_where_it_fails():
    assert "dz3 W3 (2×1)(2×3): 1 meets 2" in said(two_three_two(), "da2")


def test_q12_q13_the_chain_in_denominator_layout_grows_to_the_left():
    assert (
        str(two_three_two().chain("W2", layout="denominator"))
        == """\
∂L/∂W2, denominator layout
  ∂a/∂z has a row for each entry of z and a column for each of a; the gradient
  of the loss is a column. Chains grow to the left.
    ∂L/∂z2 = (∂a2/∂z2) (∂z3/∂a2) (∂a3/∂z3) (∂L/∂a3)
        (3×3)(3×2)(2×2)(2×1) → 3×1
    ∂L/∂a3 = a3 − y                 2×1
    ∂a3/∂z3 = diag(a3 ⊙ (1 − a3))   2×2, diagonal
    ∂z3/∂a2 = W3ᵀ                   3×2
    ∂a2/∂z2 = diag([z2 > 0])        3×3, diagonal

  A diagonal matrix times a vector is a product entry by entry: ⊙ in its place.
  So the program computes, from the loss on:
    da3 = a3 − y                2×1
    dz3 = da3 ⊙ a3 ⊙ (1 − a3)   2×1
    da2 = W3ᵀ dz3               (3×2)(2×1) → 3×1
    dz2 = da2 ⊙ [z2 > 0]        3×1

  ∂z2/∂W2 has the labels of z2 and of W2, three in all: 3×3×2. For one entry of
  W2 it is a vector again:
    ∂L/∂W2[i,j] = (∂z2/∂W2[i,j]) (∂a2/∂z2) (∂z3/∂a2) (∂L/∂z3)
        (1×3)(3×3)(3×2)(2×1) → a number

  W2[i,j] goes into z2[i] alone, so the vector is a1[j] in place i and 0
  elsewhere.
    ∂L/∂W2[i,j] = ∂L/∂z2[i] · a1[j]

  All entries, gathered where they belong:
    dW2 = dz2 a1ᵀ   (3×1)(1×2) → 3×2

  In one formula, by entries and as a whole:
    ∂L/∂W2[i,j] = Σₖ (a3[k] − y[k]) · a3[k] · (1 − a3[k]) · W3[k,i]
        · [z2[i] > 0] · a1[j]
    ∂L/∂W2 = ((W3ᵀ ((a3 − y) ⊙ a3 ⊙ (1 − a3))) ⊙ [z2 > 0]) ⊗ a1

  ∂L/∂z3 stands in the chain of W3 too. What chains share is computed once, as
  dz3, and used again: this sharing is what backpropagation is."""
    )


def test_q13_in_numerator_layout_everything_is_turned_over():
    text = " ".join(str(two_three_two().chain("W2", layout="numerator")).split())
    assert "the gradient of the loss is a row" in text
    assert "∂L/∂z2 = (∂L/∂a3) (∂a3/∂z3) (∂z3/∂a2) (∂a2/∂z2) (1×2)(2×2)(2×3)(3×3) → 1×3" in text
    assert "∂z3/∂a2 = W3 2×3" in text
    assert "∂L/∂a3 = (a3 − y)ᵀ 1×2" in text
    assert "(∂L/∂z3) (∂z3/∂a2) (∂a2/∂z2) (∂z2/∂W2[i,j]) (1×2)(2×3)(3×3)(3×1) → a number" in text
    assert "the gradient would be the transpose of this, 2×3" in text
    assert "(∂L/∂W2)ᵀ = ((W3ᵀ" in text


def test_q13_in_mixed_layout_every_jacobian_is_turned_and_the_gradient_keeps_its_shape():
    text = " ".join(str(two_three_two().chain("W2")).split())
    assert "the gradient of the loss has the shape of its variable, as in code" in text
    assert "(∂a2/∂z2)ᵀ (∂z3/∂a2)ᵀ (∂a3/∂z3)ᵀ (∂L/∂a3) (3×3)(3×2)(2×2)(2×1) → 3×1" in text


def test_q21_no_factor_comes_twice_and_each_chain_ends_in_its_own_weights():
    """The asker writes W⁽³⁾ for W⁽²⁾ in the second formula, and ∂a⁽²⁾/∂z⁽²⁾ twice."""
    chain = str(two_three_two().chain("W2", layout="denominator")).splitlines()[3]
    assert chain.count("∂a2/∂z2") == 1
    assert "∂z3/∂W3" not in str(two_three_two().chain("W2"))


@pytest.mark.parametrize("samples", ["", " n"])
def test_q13_rows_are_the_same_gradients_transposed(samples):
    columns = two_three_two(samples)
    rows = columns.rows()
    random = np.random.default_rng(2)
    tail = (4,) if samples else ()
    a1, y = random.normal(size=(2, *tail)), random.normal(size=(2, *tail))
    W2, W3 = random.normal(size=(3, 2)), random.normal(size=(2, 3))
    value, gradients = columns(a1=a1, y=y, W2=W2, W3=W3)
    other, turned = rows(a1=a1.T, y=y.T, W2=W2.T, W3=W3.T)
    assert value == pytest.approx(other, rel=1e-15)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, turned[name].T, rtol=1e-13)


def test_q14_any_number_of_layers_with_any_g():
    """(1a-m), (1b-m) and (2-m) of the answer: dWₗ = dzₗ aₗ₋₁ᵀ, dbₗ = dzₗ, dzₗ = (…) ⊙ g′(zₗ)."""
    assert (
        str(layered(5))
        == """\
forward
  for l = 1 … 5:
    zₗ = Wₗ aₗ₋₁ + bₗ           (dₗ×dₗ₋₁)(dₗ₋₁×1) + dₗ×1 → dₗ×1
    aₗ = g(zₗ)                  dₗ×1
  J    = C(a5)                  scalar
backward
  da5   = ∇C(a5)                d5×1
        C was only declared, so its gradient ∇C stays a symbol
  dz5   = da5 ⊙ g′(z5)          d5×1
        g acts entry by entry, so ⊙; its slope g′ stays a symbol
  dW5   = dz5 a4ᵀ               (d5×1)(1×d4) → d5×d4
        each entry of W5 joins one entry of a4 to one of z5: nothing is summed
  db5   = dz5                   d5×1
        b5 is added as it is: its slope in z5 is 1
  for l = 4 … 1:
    daₗ = Wₗ₊₁ᵀ dzₗ₊₁           (dₗ×dₗ₊₁)(dₗ₊₁×1) → dₗ×1
        dₗ₊₁ is summed; Wₗ₊₁ has dₗ₊₁ first, hence ᵀ
    dzₗ = daₗ ⊙ g′(zₗ)          dₗ×1
        g acts entry by entry, so ⊙; its slope g′ stays a symbol
    dWₗ = dzₗ aₗ₋₁ᵀ             (dₗ×1)(1×dₗ₋₁) → dₗ×dₗ₋₁
        each entry of Wₗ joins one entry of aₗ₋₁ to one of zₗ: nothing is summed
    dbₗ = dzₗ                   dₗ×1
        bₗ is added as it is: its slope in zₗ is 1"""
    )


def test_q14_the_same_in_latex():
    lines = [line.split(" && ")[0].strip() for line in layered(5).latex().splitlines()]
    below = lines.index(r"&\text{for $l = 4, \dots, 1$} \\")
    assert lines[below + 1 : -1] == [
        r"\frac{\partial J}{\partial a_l} &= W_{l+1}^\top \, \frac{\partial J}{\partial z_{l+1}}",
        r"\frac{\partial J}{\partial z_l} &= \frac{\partial J}{\partial a_l} \odot g'(z_l)",
        r"\frac{\partial J}{\partial W_l} &= \frac{\partial J}{\partial z_l} \, a_{l-1}^\top",
        r"\frac{\partial J}{\partial b_l} &= \frac{\partial J}{\partial z_l}",
    ]


def test_q14_any_single_layer_can_still_be_asked_about():
    text = said(layered(5), "dW3")
    assert "dW3[i,j] = dz3[i] · a2[j]" in text


def test_q21_the_answer_states_z_minus_y_where_a_minus_y_is_meant():
    """J is chosen such that ∇z J = a − y: a sigmoid with cross-entropy, or a linear output."""
    text = str(bp.derive("z = W a; L = ½ Σ (z − y)²", "W: m k, a: k, y: m", wrt="W"))
    assert "dz = z − y " in text
    text = str(bp.derive("z = W a; L = binary_cross_entropy(z, y)", "W: m k, a: k, y: m", wrt="W"))
    assert "dz = (σ(z) − y) / m" in text


def test_q22_w_ij_leads_from_j_to_i_in_columns_and_in_rows_it_is_called_w_ji():
    text = said(two_three_two(), "dW2")
    assert "z2[i] = Σⱼ W2[i,j] · a1[j]" in text
    assert "the weight from unit j of a1 to unit i of z2" in text
    assert "W2 has a row for each unit that it leads to" in text
    text = said(two_three_two().rows(), "dW2")
    assert "z2[i] = Σⱼ a1[j] · W2[j,i]" in text
    assert "the weight from unit j of a1 to unit i of z2" in text
    assert "W2 has a row for each unit that it leads from" in text


@pytest.mark.parametrize("name", ["dW3", "da2"])
def test_q22_a_line_keeps_its_letters_whoever_asks(name):
    assert "z3[i] = Σⱼ W3[i,j] · a2[j]" in said(two_three_two(), name)


def test_q21_sigmoid_and_cross_entropy_leave_a_minus_y():
    d = bp.derive("z = W a; L = binary_cross_entropy(z, y)", "W: m k, a: k, y: m", wrt="W")
    text = said(d, "dz")
    assert "together leave σ(z) − y" in text
    assert "only declared" not in text
    assert "diagonal" not in text  # L is one number
