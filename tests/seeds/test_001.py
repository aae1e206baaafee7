"""A blog's first post: two weights in a row, then vectors, any activation and any cost."""

import numpy as np

from tests.seeds.networks import said, two_matrices, two_weights


def test_q8_the_shared_factor():
    text = said(two_weights(), "dz2")
    assert "dz2 is computed once and used again in dw2 and dh1" in text


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
    """Both as the post states them, for a σ and a cost that are given only when it runs."""
    random = np.random.default_rng(1)
    x, W1, W2 = (
        random.normal(size=3),
        random.normal(size=(4, 3)),
        random.normal(size=(2, 4)),
    )

    def slope(z):
        return 1 - np.tanh(z) ** 2

    def grad(y):
        return 2 * y**3

    value, gradients = two_matrices()(
        x,
        W1,
        W2,
        sigma=np.tanh,
        sigma_prime=slope,
        C=lambda y: np.sum(y**4) / 2,
        grad_C=grad,
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
