"""“Backpropagation in batches”: every size, any n, biases both ways, loops and recursion."""

from itertools import pairwise

import numpy as np
import pytest

import backpass as bp
from tests.seeds.networks import (
    augmented,
    batch,
    batch_loss,
    deep,
    hstacked_loss,
    said,
    separate,
    sigmoid,
    stacked_loss,
)


def samples(count, sizes=(5, 2, 3, 2), seed=3):
    random = np.random.default_rng(seed)
    W = [random.normal(size=pair) for pair in pairwise(sizes)]
    return (random.normal(size=(count, sizes[0])), random.normal(size=(count, sizes[-1])), W)


def test_the_batch_network_with_all_sizes():
    assert (
        str(batch())
        == """\
forward
  Z1 = X @ W1                   (n×i)(i×j) → n×j
  O1 = sigmoid(Z1)              n×j
  Z2 = O1 @ W2                  (n×j)(j×k) → n×k
  O2 = sigmoid(Z2)              n×k
  Z3 = O2 @ W3                  (n×k)(k×m) → n×m
  O3 = sigmoid(Z3)              n×m
  L  = ½ Σ (O3 − Y)²            scalar
backward
  dO3 = O3 − Y                  n×m
        the 2 of the square meets the ½: no factor is left
  dZ3 = dO3 ⊙ O3 ⊙ (1 − O3)     n×m
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW3 = O2.T @ dZ3              (k×n)(n×m) → k×m
        every row n used the same W3, so n is summed; O2 has n first, hence .T
  dO2 = dZ3 @ W3.T              (n×m)(m×k) → n×k
        m is summed (n stays); W3 has m last, hence .T
  dZ2 = dO2 ⊙ O2 ⊙ (1 − O2)     n×k
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW2 = O1.T @ dZ2              (j×n)(n×k) → j×k
        every row n used the same W2, so n is summed; O1 has n first, hence .T
  dO1 = dZ2 @ W2.T              (n×k)(k×j) → n×j
        k is summed (n stays); W2 has k last, hence .T
  dZ1 = dO1 ⊙ O1 ⊙ (1 − O1)     n×j
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW1 = X.T @ dZ1               (i×n)(n×j) → i×j
        every row n used the same W1, so n is summed; X has n first, hence .T"""
    )


def test_q14_a_hundred_layers_are_one_general_layer():
    """The diagrams stop at L95 … L100; the pattern that they point at goes on."""
    assert (
        str(deep(100))
        == """\
forward
  for l = 1 … 100, where O₀ is X:
    Zₗ = Oₗ₋₁ @ Wₗ                   (n×dₗ₋₁)(dₗ₋₁×dₗ) → n×dₗ
    Oₗ = sigmoid(Zₗ)                 n×dₗ
  L    = ½ Σ (O100 − Y)²             scalar
backward
  dO100 = O100 − Y                   n×d100
        the 2 of the square meets the ½: no factor is left
  dZ100 = dO100 ⊙ O100 ⊙ (1 − O100)  n×d100
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW100 = O99.T @ dZ100              (d99×n)(n×d100) → d99×d100
        every row n used the same W100, so n is summed; O99 has n first, hence
        .T
  for l = 99 … 1, where O₀ is X:
    dOₗ = dZₗ₊₁ @ Wₗ₊₁.T             (n×dₗ₊₁)(dₗ₊₁×dₗ) → n×dₗ
        dₗ₊₁ is summed (n stays); Wₗ₊₁ has dₗ₊₁ last, hence .T
    dZₗ = dOₗ ⊙ Oₗ ⊙ (1 − Oₗ)        n×dₗ
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
    dWₗ = Oₗ₋₁.T @ dZₗ               (dₗ₋₁×n)(n×dₗ) → dₗ₋₁×dₗ
        every row n used the same Wₗ, so n is summed; Oₗ₋₁ has n first, hence .T"""
    )


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_same_derivation_takes_any_number_of_samples(count):
    X, Y, W = samples(count)
    value, gradients = batch()(X, Y, W)
    assert value == pytest.approx(batch_loss(X, Y, W), rel=1e-14)
    assert [g.shape for g in gradients["W"]] == [(5, 2), (2, 3), (3, 2)]


def test_q15_the_batch_gradient_is_the_sum_over_its_samples():
    X, Y, W = samples(6)
    d = batch()
    whole = d(X, Y, W)[1]["W"]
    alone = [d(X[[n]], Y[[n]], W)[1]["W"] for n in range(6)]
    for layer, gradient in enumerate(whole):
        np.testing.assert_allclose(gradient, sum(one[layer] for one in alone), rtol=1e-12)


def test_q15_n_is_summed_in_weights_and_stays_in_activations():
    """“The length of n is lost” holds for dW; in dZ @ W.T n stays (Q21)."""
    text = said(batch(), "dW2")
    assert "Every row n of Z2 used this same W2[j,k]" in text
    assert "n is summed" in text
    text = said(batch(), "dO2")
    assert "summed over m" in text
    assert "n is not summed" in text


def test_q15_a_chain_is_written_for_one_sample_and_its_end_sums_them():
    text = " ".join(str(batch().chain("W2")).split())
    assert "every Jacobian is block-diagonal in n" in text
    assert "written for each row n, without n" in text
    assert "W2 has no n: every sample adds its part, so n is summed" in text
    assert "∂L/∂W2[j,k] = Σₙ O1[n,j] · ∂L/∂Z2[n,k]" in text


def test_q15_so_does_the_chain_of_a_bias():
    text = " ".join(str(separate().chain("b2")).split())
    assert "b2 has no n: every sample adds its part, so n is summed" in text


def test_q16_the_output_is_enough_for_sigmoid():
    saved = batch().saved
    assert [array.name for array in saved.kept] == ["O1", "O2", "O3"]
    assert [array.name for array in saved.dropped] == ["Z1", "Z2", "Z3"]
    assert "Z2  n×k       O2 tells the slope" in str(saved)


def test_q16_the_slope_says_so_too():
    text = said(batch(), "dZ2")
    assert "The output O2 is enough for the slope, so Z2 need not be kept" in text


def relu_loss(X, Y, W1, W2):
    O1 = np.maximum(X @ W1, 0)
    O2 = O1 @ W2
    return 0.5 * np.sum((O2 - Y) ** 2)


@pytest.mark.parametrize("activation", ["softplus(z)", "sin(z)", "g(z)"])
def test_q16_other_activations_need_what_went_in(activation):
    d = bp.derive(
        f"z = W x; o = {activation}; L = ½ Σ (V o − y)²",
        "x: k, W: j k, V: m j, y: m",
        wrt="W",
        functions="g: elementwise",
    )
    assert "z" in [array.name for array in d.saved.kept]
    assert "it must be kept from the forward pass" in said(d, "dz")


def test_q16_either_side_of_a_relu_tells_its_slope():
    d = bp.derive("z = W x; o = relu(z); L = ½ Σ (V o − y)²", "x: k, W: j k, V: m j, y: m", wrt="W")
    assert "one of the two must be kept from the forward pass" in said(d, "dz")


def test_q23_a_linear_output_has_the_factor_one():
    d = bp.derive(relu_loss, "X: n k, Y: n m, W1: k j, W2: j m", wrt="W1 W2")
    text = said(d, "dO2")
    assert "O2 goes into L without an activation, so no slope stands between them" in text
    assert "a linear output has the factor 1" in text


def test_q17_a_bias_of_its_own():
    d = separate()
    assert "db2 = Σₙ dZ2                  m\n" in str(d)
    text = said(d, "db2")
    assert "∂Z2[n,m]/∂b2[m] = 1" in text
    assert "One and the same b2[m] went into Z2 for every n" in text
    assert "db2[m] = Σₙ dZ2[n,m]" in text


def biased(seed=4):
    random = np.random.default_rng(seed)
    X, Y = random.normal(size=(6, 3)), random.normal(size=(6, 2))
    W1, b1 = random.normal(size=(3, 4)), random.normal(size=4)
    W2, b2 = random.normal(size=(4, 2)), random.normal(size=2)
    return X, Y, W1, b1, W2, b2


@pytest.mark.parametrize("loss", [stacked_loss, hstacked_loss])
def test_q17_the_last_row_of_the_widened_weights_is_the_bias(loss):
    X, Y, W1, b1, W2, b2 = biased()
    value, gradients = separate()(X, Y, W1, b1, W2, b2)
    d = augmented(loss)
    wide, widened = d(X, Y, np.vstack([W1, b1]), np.vstack([W2, b2]))
    assert wide == pytest.approx(value, rel=1e-14)
    for layer in "12":
        both = np.vstack([gradients[f"W{layer}"], gradients[f"b{layer}"]])
        np.testing.assert_allclose(widened[f"W{layer}"], both, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("loss", [stacked_loss, hstacked_loss])
def test_q17_the_ones_never_get_a_gradient(loss):
    """No step computes one, and what flows into their column goes no further."""
    d = augmented(loss)
    computed = [step.target for step in d.backward]
    widths = {array.name: str(array.shape[-1]) for array in computed if array.name[1:2] in "AZ"}
    assert set(widths.values()) == {"j", "m"}
    assert "= dO1[:,:j] " in str(d)
    assert not {array.name for array in d.forward.inputs} & {"ones"}
    assert set(d.gradients) == {"W1", "W2"}


def test_q17_what_flows_into_the_ones_is_dropped():
    text = said(augmented(), "dA1")
    assert "A1 is one part of O1 and takes its part of what flows in" in text
    assert "the 1 beside it takes its own and drops it" in text
    assert "nothing made it, so nothing is to be updated" in text


def test_q17_the_last_row_meets_the_ones():
    text = said(augmented(), "dW1")
    assert "The last row of W1 meets the ones in O0: it is the bias" in text


def test_q17_a_column_of_ones_is_beside_the_inputs_not_added_to_them():
    text = said(augmented(), "O0")
    assert "O0[n,k′] = X[n,k′] for k′ < k" in text
    assert "O0[n,k] = 1" in text


def test_q18_updating_on_the_way_spoils_the_next_gradient_and_half_the_rate_spoils_half():
    X, Y, W = samples(6)
    d = batch()
    right = d(X, Y, W)[1]["W"]

    def hasty(lr):
        """The gradients of a pass that moves each weight before it sends δ through it."""
        W_now, O = [w.copy() for w in W], [X]
        for w in W:
            O.append(sigmoid(O[-1] @ w))
        dO, found = O[-1] - Y, []
        for l in (2, 1, 0):
            dZ = dO * O[l + 1] * (1 - O[l + 1])
            found.insert(0, O[l].T @ dZ)
            W_now[l] -= lr * found[0]
            dO = dZ @ W_now[l].T
        return found

    np.testing.assert_allclose(hasty(0.0)[0], right[0], rtol=1e-12)
    np.testing.assert_array_equal(hasty(0.5)[2], hasty(0.25)[2])  # the last layer is spared
    damage = {lr: hasty(lr)[1] - right[1] for lr in (0.5, 0.25)}
    assert np.abs(damage[0.5]).max() > 1e-3
    np.testing.assert_allclose(damage[0.5], 2 * damage[0.25], rtol=1e-9, atol=1e-15)


def test_q18_the_damage_as_a_formula():
    text = said(batch(), "dO2")
    assert "With W3 already moved to W3 − lr · dW3, dO2 would be off by −lr · dZ3 @ dW3.T" in text
    assert "half the rate, half the damage, never none" in text


def test_q18_every_weight_waits_until_everything_has_flowed_back():
    assert "update W3 only when everything has flowed back" in said(batch(), "dO2")


def test_q18_the_check_sees_the_damage():
    X, Y, W1, _, W2, _ = biased()

    def loss(W1, W2):
        return 0.5 * np.sum((sigmoid(sigmoid(X @ W1) @ W2) - Y) ** 2)

    def gradients(lr):
        def hasty(W1, W2):
            O1 = sigmoid(X @ W1)
            O2 = sigmoid(O1 @ W2)
            dZ2 = (O2 - Y) * O2 * (1 - O2)
            dW2 = O1.T @ dZ2
            dZ1 = dZ2 @ (W2 - lr * dW2).T * O1 * (1 - O1)
            return X.T @ dZ1, dW2

        return hasty

    assert bp.check(loss, gradients(0.0), W1, W2)
    for lr in (0.1, 0.5):
        found = bp.check(loss, gradients(lr), W1, W2)
        assert not found
        assert "W1" in str(found)


def test_q16_a_list_of_what_is_kept_fits_a_page():
    assert max(len(line) for line in str(deep(30).saved).splitlines()) <= 80


@pytest.mark.parametrize("loss", [stacked_loss, hstacked_loss])
def test_q17_the_ones_end_the_chain_of_what_flows_into_them(loss):
    """The Jacobian of the widened activations has a row of zeros, for the ones do not move."""
    text = " ".join(str(augmented(loss).chain("W1")).split())
    assert "(j×j)(j×(j+1))((j+1)×m)(m×m)(m×1) → j×1" in text
