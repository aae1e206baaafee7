"""“Looking for in-depth understanding of the backpropagation algorithm”: a class, line by line."""

import numpy as np
import pytest

import backpass as bp
from tests.seeds.networks import ListedNetwork, listed, listed_loss, said, widened

SHAPES = {"X": "n 3", "y": "n 1", "W": ["3 5", "5 4", "4 1"]}


def with_ones(X):
    return np.c_[X, np.ones(X.shape[0])]


@pytest.mark.parametrize("samples", [1, 6])
def test_the_class_and_the_derived_program_learn_the_same_weights(samples):
    """Widened weights, a column of ones beside X, and 100 updates of all the rows at once."""
    random = np.random.default_rng(5)
    network = ListedNetwork([2, 4, 3, 1], 0.5, random)
    X, y = (with_ones(random.normal(size=(samples, 2))), random.uniform(size=(samples, 1)))
    d = bp.derive(listed_loss, SHAPES, wrt="W")
    W = [w.copy() for w in network.W]
    first, _ = d(X, y, W)
    for _ in range(100):
        network.fit_partial(X, y)
        _, gradients = d(X, y, W)
        W = [w - network.alpha * dw for w, dw in zip(W, gradients["W"], strict=True)]
        for ours, theirs in zip(W, network.W, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    assert d(X, y, W)[0] < 0.9 * first


def test_one_sample_after_the_other_as_the_tutorial_feeds_them():
    """`for (x, target) in zip(X, y)`: x has one axis, and atleast_2d lays it down as a row."""
    random = np.random.default_rng(6)
    network = ListedNetwork([2, 2, 1], 0.5, random)
    X = with_ones(np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]))
    y = np.array([[0], [1], [1], [0.0]])
    d = bp.derive(listed_loss, {"X": "3", "y": "1", "W": ["3 3", "3 1"]}, wrt="W")
    W = [w.copy() for w in network.W]
    for update in range(100):
        x, target = X[update % 4], y[update % 4]
        network.fit_partial(x, target)
        gradients = d(x, target, W)[1]["W"]
        W = [w - network.alpha * dw for w, dw in zip(W, gradients, strict=True)]
        for ours, theirs in zip(W, network.W, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_what_the_class_computes_line_by_line():
    assert (
        str(listed())
        == """\
forward
  net1 = X @ W1                      (n×a)(a×b) → n×b
  out1 = sigmoid(net1)               n×b
  net2 = out1 @ W2                   (n×b)(b×m) → n×m
  out2 = sigmoid(net2)               n×m
  L    = ½ Σ (out2 − y)²             scalar
backward
  dout2 = out2 − y                   n×m
        the 2 of the square meets the ½: no factor is left
  dnet2 = dout2 ⊙ out2 ⊙ (1 − out2)  n×m
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW2   = out1.T @ dnet2             (b×n)(n×m) → b×m
        every row n used the same W2, so n is summed; out1 has n first, hence .T
  dout1 = dnet2 @ W2.T               (n×m)(m×b) → n×b
        m is summed (n stays); W2 has m last, hence .T
  dnet1 = dout1 ⊙ out1 ⊙ (1 − out1)  n×b
        sigmoid acts entry by entry, so ⊙; its slope is a(1 − a)
  dW1   = X.T @ dnet1                (a×n)(n×b) → a×b
        every row n used the same W1, so n is summed; X has n first, hence .T"""
    )


def test_q1_as_many_rows_as_samples():
    text = said(listed(), "net1")
    assert "net1 has one row for each n, as many as there are samples" in text
    assert "with a single sample one" in text


def test_q1_one_sample_is_one_row():
    d = listed("")
    assert "(1×a)(a×b) → 1×b" in str(d)
    text = said(d, "net1")
    assert "net1 has one row, because there is one sample; of a batch of n it would have n" in text
    assert "one sample, so the sum over i has one term" in str(d)


def test_q2_the_half_takes_the_two_away():
    text = said(listed(), "dout2")
    assert "½ Σ (out2 − y)²" in text
    assert "The slope of a square is twice its base" in text
    assert "The ½ in front takes the 2 away" in text
    assert "half the learning rate would then take the same steps" in text


def test_q2_without_the_half_the_two_stays():
    d = bp.derive("error = out − y; L = Σ error²", "out: n m, y: n m", wrt="out")
    assert "2 error" in str(d)
    d = bp.derive("L = Σ (out − y)²", "out: n m, y: n m", wrt="out")
    assert "dout = 2 (out − y)" in str(d)
    assert "twice the learning rate would take the same steps" in said(d, "dout")


def test_q3_entries_meet_entries():
    text = said(listed(), "dnet2")
    assert "No other entry of out2 contains net2[n,m]" in text
    assert "all that ⊙ joins has one shape, n×m" in text


def test_q4_only_the_inputs_have_a_column_of_ones():
    d = widened()
    assert "= [X | 1] " in str(d)
    assert "out1 = sigmoid(net1)               n×(b+1)" in str(d)
    assert "net2 = out1 @ W2                   (n×(b+1))((b+1)×m) → n×m" in str(d)
    assert "The last row of W1 meets the ones" in said(d, "dW1")
    text = said(d, "dW2")
    assert "ones" not in text
    assert "No row of W2 is a bias: each of the b + 1 units of out1 is computed" in text
    assert "is a bias" not in said(listed(), "dW2")  # nobody would think so


def test_q4_the_hidden_bias_unit_varies_and_learns_like_every_other():
    random = np.random.default_rng(7)
    network = ListedNetwork([2, 4, 1], 0.5, random)
    X, y = with_ones(random.normal(size=(6, 2))), random.uniform(size=(6, 1))
    extra = 1 / (1 + np.exp(-X @ network.W[0]))[:, -1]
    assert np.ptp(extra) > 0.1
    before = [w.copy() for w in network.W]
    _, gradients = widened()(X[:, :2], y, before)  # 3×5 and 5×1 say a = 2 and b = 4
    assert np.abs(gradients["W"][0][:, -1]).min() > 0
    network.fit_partial(X, y)
    for old, new, gradient in zip(before, network.W, gradients["W"], strict=True):
        np.testing.assert_allclose(new, old - 0.5 * gradient, rtol=0, atol=1e-14)


def test_q5_the_weight_matrix_is_the_derivative():
    text = said(listed(), "dout1")
    assert "∂net2[n,m]/∂out1[n,b] = W2[b,m]" in text
    assert "W2 is itself the derivative of net2 with respect to out1" in text
    assert "where the chain rule asks for a derivative" in text


def test_q7_it_is_the_activations_that_are_transposed_not_the_weights():
    """The update `A[layer].T @ D[layer]` has no W in it, transposed or not."""
    text = said(listed(), "dW2")
    assert "dW2 = out1.T @ dnet2" in text
    assert "so out1 is transposed" in text
    assert "W2.T" not in text


def test_reasons_quote_the_line_of_the_class():
    assert "net = A[-1].dot(W[layer])" in said(listed(), "dout1")


def test_q4_the_hidden_bias_node_is_one_more_unit_that_varies_and_learns():
    random = np.random.default_rng(7)
    network = ListedNetwork([2, 4, 1], 0.5, random)
    X, y = random.normal(size=(6, 2)), random.uniform(size=(6, 1))
    extra = 1 / (1 + np.exp(-with_ones(X) @ network.W[0]))[:, -1]
    assert np.ptp(extra) > 0.1
    before = [w.copy() for w in network.W]
    _, gradients = widened()(X, y, before)
    network.fit_partial(with_ones(X), y)
    assert np.abs(gradients["W"][0][:, -1]).min() > 0
    for old, new, gradient in zip(before, network.W, gradients["W"], strict=True):
        np.testing.assert_allclose(new, old - 0.5 * gradient, rtol=0, atol=1e-14)


def test_the_chain_of_one_sample_knows_its_jacobians():
    text = listed("").chain("W1")
    assert "∂net2/∂out1 = W2ᵀ " in text
    assert r"A_1 &= X^\top && \in \mathbb{R}^{1 \times a}" in listed("").latex()
