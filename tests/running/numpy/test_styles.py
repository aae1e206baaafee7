"""Loops and recursions: what they compute, bit for bit, and when they do not apply."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backpass as bp
from tests.running.numpy.rolled.networks import (
    assert_same,
    batch,
    classifier,
    columns,
    recurrent,
    sigmoid,
    values,
)
from tests.running.numpy.rolled.random_networks import random_network

EXAMPLES = settings().max_examples
STYLES = ["loop", "recursive"]


@pytest.mark.fuzz
@settings(max_examples=max(150, EXAMPLES))
@given(st.integers(0, 2**32))
def test_every_style_of_a_random_network_computes_the_same_bits(seed):
    network = random_network(seed)
    d = network.derived()
    for style in STYLES:
        text = assert_same(d, style, seeds=(seed,))
        assert ("for l in" if style == "loop" else "def layer(l") in text, network.source


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_column_networks_with_any_activation_and_any_cost(style, count):
    text = assert_same(columns(count), style)
    assert "def forward_backward(h0, W, sigma, C, grad_C, sigma_prime):" in text


@pytest.mark.parametrize("style", STYLES)
def test_a_hundred_layers_and_an_output_layer_of_its_own(style):
    d = classifier(101)
    text = assert_same(d, style, seeds=(0,))
    body = text[text.index("def forward_backward") :]
    assert len(body.splitlines()) < 45
    assert len(d.code("numpy").splitlines()) > 600


def test_the_loop_of_one_depth_runs_at_every_depth():
    """Nothing in it counts the layers: the lists do."""
    space = {}
    exec(batch().code("numpy", "loop"), space)
    random = np.random.default_rng(0)
    for widths in ([4, 3], [3, 5, 2], [3, 5, 4, 6, 2, 2, 7, 1]):
        X, Y = random.normal(size=(5, widths[0])), random.normal(size=(5, widths[-1]))
        W, b = (
            [random.normal(size=pair) for pair in pairwise(widths)],
            [np.ones(k) for k in widths[1:]],
        )
        value, gradients = space["forward_backward"](X, Y, W, b)
        A, found = [X], []
        for weights, bias in zip(W, b, strict=True):
            A.append(sigmoid(A[-1] @ weights + bias))
        dA = A[-1] - Y
        for l in reversed(range(len(W))):
            dZ = dA * A[l + 1] * (1 - A[l + 1])
            found.insert(0, A[l].T @ dZ)
            dA = dZ @ W[l].T
        np.testing.assert_allclose(value, 0.5 * np.sum((A[-1] - Y) ** 2), rtol=1e-13)
        for one, wanted in zip(gradients["W"], found, strict=True):
            np.testing.assert_allclose(one, wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("style", STYLES)
def test_the_other_statement_of_a_network_has_its_styles_too(style):
    text = assert_same(batch().columns(), style)
    assert "W[l] @ A" in text


def test_running_changes_nothing_that_was_given():
    for style in STYLES:
        space = {}
        exec(classifier(4).code("numpy", style), space)
        leaves = values(classifier(4), 0)
        before = {name: value.copy() for name, value in leaves.items()}
        params = {key: [leaves[f"{key}{l}"] for l in range(1, 5)] for key in "Wb"}
        space["forward_backward"](leaves["X"], leaves["y"], params)
        for name, value in leaves.items():
            np.testing.assert_array_equal(value, before[name])


# ── when a style does not apply ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("style", STYLES)
def test_unlike_layers_are_written_one_by_one(style):
    d = bp.derive(
        "z2 = W2 a1; a2 = relu(z2); z3 = W3 a2; a3 = sigmoid(z3); L = ½ Σ (a3 − y)²",
        "a1: 2, y: 2, W2: 3 2, W3: 2 3",
        wrt="W2 W3",
    )
    with pytest.raises(bp.BackpassError) as refusal:
        d.code("numpy", style)
    assert str(refusal.value) == 'no two layers are alike here, so only style="unrolled" applies'


@pytest.mark.parametrize("style", STYLES)
def test_weights_must_be_told_apart_by_a_number(style):
    d = bp.derive(
        "h = tanh(U x); o = tanh(V h); L = sum((o - y)²)", "x: k, y: k, U: k k, V: k k", wrt="U V"
    )
    with pytest.raises(bp.BackpassError, match="nothing counts U and V along; number their names"):
        d.code("numpy", style)


def test_a_recursion_knows_its_own_layer_only():
    d = recurrent()
    assert "for l in range(3):" in assert_same(d, "loop")
    with pytest.raises(bp.BackpassError) as refusal:
        d.code("numpy", "recursive")
    assert str(refusal.value) == (
        "dU is put together from all layers, and a recursion sees one at a time; "
        'style="loop" applies'
    )


def frozen(learned):
    """Six layers, of which some learn."""

    def loss(X, y, W):
        A = X
        for weights in W:
            A = np.tanh(A @ weights)
        return np.sum((A - y) ** 2)

    return bp.derive(loss, {"X": "n k", "y": "n k", "W": ["k k"] * 6}, wrt=learned)


def test_the_way_back_ends_where_nothing_learns():
    text = assert_same(frozen("W4 W5 W6"), "loop")
    assert "for l in range(len(W)):" in text
    assert "for l in reversed(range(3, len(W))):" in text
    text = assert_same(frozen("W4 W5 W6"), "recursive")
    assert "A3 = np.tanh(Z3)" in text
    assert "L, _ = layer(3, A3)" in text


def test_a_recursion_needs_a_way_back():
    d = frozen("W6")
    assert "reversed" not in assert_same(d, "loop")
    with pytest.raises(bp.BackpassError, match="does not lead through all of the equal layers"):
        d.code("numpy", "recursive")


def test_a_recursion_ends_where_python_ends_it():
    d = classifier(sys.getrecursionlimit() // 2 + 5)
    with pytest.raises(bp.BackpassError, match="more calls in one another than Python allows"):
        d.code("numpy", "recursive")


def test_an_unknown_style_is_told_the_known_ones():
    with pytest.raises(bp.BackpassError) as refusal:
        batch().code("numpy", "spiral")
    assert str(refusal.value) == (
        "the style spiral is not known; there are unrolled, loop, recursive"
    )
