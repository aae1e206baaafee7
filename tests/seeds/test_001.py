"""A blog's first post: two weights in a row, then vectors, any activation and any cost."""

import numpy as np

import backpass as bp
from tests.seeds.networks import said, two_matrices


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


def test_the_numbers_of_the_two_final_formulas():
    """Both as the post states them, with σ = sigmoid and C = ½ Σ y⁴ put in by hand."""
    random = np.random.default_rng(1)
    x, W1, W2 = (
        random.normal(size=3),
        random.normal(size=(4, 3)),
        random.normal(size=(2, 4)),
    )

    def σ(z):
        return 1 / (1 + np.exp(-z))

    def slope(z):
        return σ(z) * (1 - σ(z))

    z1 = W1 @ x
    z2 = W2 @ σ(z1)
    grad = 2 * σ(z2) ** 3
    first = np.outer((W2.T @ (grad * slope(z2))) * slope(z1), x)
    second = np.outer(grad * slope(z2), σ(z1))
    d = bp.derive(
        "z1 = W1 x; h1 = sigmoid(z1); z2 = W2 h1; y = sigmoid(z2); cost = ½ Σ y⁴",
        "x: p, W1: m p, W2: u m",
        wrt="W1 W2",
    )
    gradients = d(x, W1, W2)[1]
    np.testing.assert_allclose(gradients["W1"], first, rtol=1e-12)
    np.testing.assert_allclose(gradients["W2"], second, rtol=1e-12)
