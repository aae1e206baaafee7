"""A blog's first post: two weights in a row, then vectors, any activation and any cost."""

import numpy as np

import backpass as bp
from tests.seeds.networks import matrices, said, two_matrices, two_weights


def test_two_weights_in_a_row():
    assert (
        str(two_weights())
        == """\
forward
  z1 = w1 x                     scalar
  h1 = σ(z1)                    scalar
  z2 = w2 h1                    scalar
  y  = σ(z2)                    scalar
backward
  dz2 = σ′(z2)                  scalar
        σ: its slope σ′ stays a symbol
  dw2 = dz2 h1                  scalar
        each factor is the other one's slope
  dh1 = w2 dz2                  scalar
        each factor is the other one's slope
  dz1 = dh1 σ′(z1)              scalar
        σ: its slope σ′ stays a symbol
  dw1 = dz1 x                   scalar
        each factor is the other one's slope"""
    )


def test_q8_the_factor_that_both_chains_share():
    assert (
        str(two_weights().chain("w1"))
        == """\
∂y/∂w1
    ∂y/∂w1 = ∂y/∂z2 · ∂z2/∂h1 · ∂h1/∂z1 · ∂z1/∂w1
    ∂y/∂w1 = σ′(z2) w2 σ′(z1) x
    ∂y/∂w2 = ∂y/∂z2 · ∂z2/∂w2
    ∂y/∂w2 = σ′(z2) h1

  ∂y/∂z2 stands in the chain of w2 too. What chains share is computed once, as
  dz2, and used again: this sharing is what backpropagation is."""
    )


def test_q8_the_shared_factor():
    text = said(two_weights(), "dz2")
    assert "dz2 is computed once and used again in dw2 and dh1" in text


def test_q8_the_output_of_an_activation_is_not_called_linear():
    assert "linear" not in said(two_weights(), "dz2")


def test_a_cost_puts_one_factor_in_front_of_both_chains():
    """dC/dw = dC/dy · dy/dw, for a cost of one number that is only declared."""
    d = bp.derive(
        "z1 = w1 x; h1 = σ(z1); z2 = w2 h1; y = σ(z2); cost = C(y)",
        "x: (), w1: (), w2: ()",
        wrt="w1 w2",
        functions="σ: elementwise, C: scalar",
    )
    text = str(d.chain("w1"))
    assert "∂cost/∂w1 = ∂cost/∂y · ∂y/∂z2 · ∂z2/∂h1 · ∂h1/∂z1 · ∂z1/∂w1\n" in text
    assert "∂cost/∂w1 = ∇C(y) σ′(z2) w2 σ′(z1) x\n" in text
    assert "∂cost/∂w2 = ∇C(y) σ′(z2) h1\n" in text
    assert "∂cost/∂z2 stands in the chain of w2 too" in text


def test_two_matrices_with_any_activation_and_any_cost():
    assert (
        str(two_matrices())
        == """\
forward
  z1   = W1 x                   (m×p)(p×1) → m×1
  h1   = σ(z1)                  m×1
  z2   = W2 h1                  (u×m)(m×1) → u×1
  y    = σ(z2)                  u×1
  cost = C(y)                   scalar
backward
  dy  = ∇C(y)                   u×1
        C was only declared, so its gradient ∇C stays a symbol
  dz2 = dy ⊙ σ′(z2)             u×1
        σ acts entry by entry, so ⊙; its slope σ′ stays a symbol
  dW2 = dz2 h1ᵀ                 (u×1)(1×m) → u×m
        each entry of W2 joins one entry of h1 to one of z2: nothing is summed
  dh1 = W2ᵀ dz2                 (m×u)(u×1) → m×1
        u is summed; W2 has u first, hence ᵀ
  dz1 = dh1 ⊙ σ′(z1)            m×1
        σ acts entry by entry, so ⊙; its slope σ′ stays a symbol
  dW1 = dz1 xᵀ                  (m×1)(1×p) → m×p
        each entry of W1 joins one entry of x to one of z1: nothing is summed"""
    )


def test_the_component_form_of_every_line():
    """Every sum that the post writes out, one line at a time."""
    d = two_matrices()
    assert "z1[m] = W1[m,p] * x[p]" in d.index()
    told = {name: said(d, name) for name in ("z1", "z2", "dW2", "dh1", "dz1", "dW1")}
    assert "z1[m] = Σₚ W1[m,p] · x[p]" in told["z1"]
    assert "z2[u] = Σₘ W2[u,m] · h1[m]" in told["z2"]
    assert "dW2[u,m] = dz2[u] · h1[m]" in told["dW2"]
    assert "dh1[m] = Σᵤ W2[u,m] · dz2[u]" in told["dh1"]
    assert "dz1[m] = dh1[m] · σ′(z1[m])" in told["dz1"]
    assert "dW1[m,p] = dz1[m] · x[p]" in told["dW1"]


def test_q10_a_sum_becomes_a_transposed_matrix_times_a_vector():
    text = said(two_matrices(), "dh1")
    assert "dh1[m] = Σᵤ W2[u,m] · dz2[u]" in text
    assert "u stands first in W2 (u×m) and first in dz2 (u×1), so W2 is transposed" in text
    assert "W2ᵀ dz2 (m×u)(u×1) → m×1" in text


def test_q10_where_the_outer_product_comes_from():
    text = said(two_matrices(), "dW1")
    assert "No other entry of z1 contains W1[m,p], so nothing is summed" in text
    assert "dW1[m,p] = dz1[m] · x[p]" in text
    assert "a column times a row" in text


def test_the_numbers_of_the_two_final_formulas():
    """Both as the post states them, for a σ and a cost that are given only when it runs."""
    random = np.random.default_rng(1)
    x, W1, W2 = (random.normal(size=3), random.normal(size=(4, 3)), random.normal(size=(2, 4)))

    def slope(z):
        return 1 - np.tanh(z) ** 2

    def grad(y):
        return 2 * y**3

    value, gradients = two_matrices()(
        x, W1, W2, sigma=np.tanh, sigma_prime=slope, C=lambda y: np.sum(y**4) / 2, grad_C=grad
    )
    z1 = W1 @ x
    z2 = W2 @ np.tanh(z1)
    y = np.tanh(z2)
    assert value == np.sum(y**4) / 2
    first = np.outer((W2.T @ (grad(y) * slope(z2))) * slope(z1), x)
    second = np.outer(grad(y) * slope(z2), np.tanh(z1))
    np.testing.assert_allclose(gradients["W1"], first, rtol=1e-12)
    np.testing.assert_allclose(gradients["W2"], second, rtol=1e-12)
    assert gradients["W2"].shape == (2, 4)


def test_all_sums_and_the_whole_formula_of_the_first_weights():
    """From the chain to the entries, and from the entries to `[W2ᵀ (∇C ⊙ σ′)] ⊙ σ′ ⊗ x`."""
    assert (
        str(two_matrices().chain("W1"))
        == """\
∂cost/∂W1, mixed layout
  ∂a/∂z has a row for each entry of a and a column for each of z, but the
  gradient of the loss has the shape of its variable, as in code. So every
  Jacobian is transposed in the chain.
    ∂cost/∂z1 = (∂h1/∂z1)ᵀ (∂z2/∂h1)ᵀ (∂y/∂z2)ᵀ (∂cost/∂y)
        (m×m)(m×u)(u×u)(u×1) → m×1
    ∂cost/∂y = ∇C(y)         u×1
    ∂y/∂z2 = diag(σ′(z2))    u×u, diagonal
    ∂z2/∂h1 = W2             u×m
    ∂h1/∂z1 = diag(σ′(z1))   m×m, diagonal

  A diagonal matrix times a vector is a product entry by entry: ⊙ in its place.
  So the program computes, from the loss on:
    dy = ∇C(y)           u×1
    dz2 = dy ⊙ σ′(z2)    u×1
    dh1 = W2ᵀ dz2        (m×u)(u×1) → m×1
    dz1 = dh1 ⊙ σ′(z1)   m×1

  ∂z1/∂W1 has the labels of z1 and of W1, three in all: m×m×p. For one entry of
  W1 it is a vector again:
    ∂cost/∂W1[m,p] = (∂z1/∂W1[m,p])ᵀ (∂h1/∂z1)ᵀ (∂z2/∂h1)ᵀ (∂cost/∂z2)
        (1×m)(m×m)(m×u)(u×1) → a number

  W1[m,p] goes into z1[m] alone, so the vector is x[p] in place m and 0
  elsewhere.
    ∂cost/∂W1[m,p] = ∂cost/∂z1[m] · x[p]

  All entries, gathered where they belong:
    dW1 = dz1 xᵀ   (m×1)(1×p) → m×p

  In one formula, by entries and as a whole:
    ∂cost/∂W1[m,p] = Σᵤ ∂cost/∂y[u] · σ′(z2[u]) · W2[u,m] · σ′(z1[m]) · x[p]
    ∂cost/∂W1 = ((W2ᵀ (∇C(y) ⊙ σ′(z2))) ⊙ σ′(z1)) ⊗ x

  ∂cost/∂z2 stands in the chain of W2 too. What chains share is computed once,
  as dz2, and used again: this sharing is what backpropagation is."""
    )


def test_the_whole_formula_of_the_second_weights():
    text = str(two_matrices().chain("W2"))
    assert "∂cost/∂W2[u,m] = ∂cost/∂y[u] · σ′(z2[u]) · h1[m]\n" in text
    assert "∂cost/∂W2 = (∇C(y) ⊙ σ′(z2)) ⊗ h1\n" in text


def test_q21_an_update_goes_against_the_gradient():
    """The post writes `w ← w + dC/dw` once; its own later lines subtract, with a rate."""
    text = said(two_matrices(), "dW1")
    assert "dW1 points uphill: a small step against it, W1 ← W1 − lr · dW1, lowers cost" in text


def test_the_error_signal_travels_from_layer_to_layer():
    """The post's algorithm: δ ← ∇C, then in every layer δ ⊙ σ′, an update, and Wᵀ."""
    assert (
        str(matrices(6))
        == """\
forward
  for l = 1 … 6:
    zₗ = Wₗ hₗ₋₁                (Nₗ×Nₗ₋₁)(Nₗ₋₁×1) → Nₗ×1
    hₗ = σ(zₗ)                  Nₗ×1
  cost = C(h6)                  scalar
backward
  dh6   = ∇C(h6)                N6×1
        C was only declared, so its gradient ∇C stays a symbol
  dz6   = dh6 ⊙ σ′(z6)          N6×1
        σ acts entry by entry, so ⊙; its slope σ′ stays a symbol
  dW6   = dz6 h5ᵀ               (N6×1)(1×N5) → N6×N5
        each entry of W6 joins one entry of h5 to one of z6: nothing is summed
  for l = 5 … 1:
    dhₗ = Wₗ₊₁ᵀ dzₗ₊₁           (Nₗ×Nₗ₊₁)(Nₗ₊₁×1) → Nₗ×1
        Nₗ₊₁ is summed; Wₗ₊₁ has Nₗ₊₁ first, hence ᵀ
    dzₗ = dhₗ ⊙ σ′(zₗ)          Nₗ×1
        σ acts entry by entry, so ⊙; its slope σ′ stays a symbol
    dWₗ = dzₗ hₗ₋₁ᵀ             (Nₗ×1)(1×Nₗ₋₁) → Nₗ×Nₗ₋₁
        each entry of Wₗ joins one entry of hₗ₋₁ to one of zₗ: nothing is summed"""
    )


def test_q21_what_is_sent_back_goes_through_the_weights_of_the_forward_pass():
    """The post's algorithm updates Wₗ first and then sends δ through it."""
    text = said(matrices(6), "dh5")
    assert "This must still be the W6 of the forward pass" in text
    assert "update W6 only when everything has flowed back" in text


def test_a_document_keeps_the_letters_of_the_post():
    """A sentence that begins with σ must not begin with Σ, which means something else."""
    text = two_matrices().markdown()
    assert "acts entry by entry, so ⊙" in text
    assert "Σ acts" not in text
    wanted = [f"\\partial W_{l}}}" for l in (1, 2)]
    heading = text[text.index("wanted") : text.index("## Forward")]
    assert heading.index(wanted[0]) < heading.index(wanted[1])
