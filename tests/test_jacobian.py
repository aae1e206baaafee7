"""Jacobians, Hessians and Hessian-vector products, against formulas and differences."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import DerivationError

RANDOM = np.random.default_rng(0)
X, W, b = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2)), RANDOM.normal(size=2)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def layer(X, W, b):
    return sigmoid(X @ W + b)


def loss(X, W, b):
    return np.sum(layer(X, W, b) ** 2)


SHAPES = "X: n k, W: k j, b: j"


def test_a_jacobian_has_the_axes_of_the_result_first():
    J = bp.jacobian(lambda W, x: W @ x, "W: m n, x: n", wrt="x")
    np.testing.assert_allclose(J(W.T, X[0]), W.T)
    a = layer(X, W, b)
    J = bp.jacobian(layer, SHAPES, wrt="b")(X, W, b)
    assert J.shape == (4, 2, 2)
    np.testing.assert_allclose(J, (a * (1 - a))[:, :, None] * np.eye(2))


def test_a_jacobian_by_several_arrays_is_a_dict():
    J = bp.jacobian(layer, SHAPES, wrt="W b")(X, W, b)
    assert {name: part.shape for name, part in J.items()} == {"W": (4, 2, 3, 2), "b": (4, 2, 2)}
    step = 1e-6 * RANDOM.normal(size=W.shape)
    moved = (layer(X, W + step, b) - layer(X, W - step, b)) / 2
    np.testing.assert_allclose(np.einsum("njkl,kl->nj", J["W"], step), moved, rtol=1e-5, atol=1e-12)


def test_a_jacobian_of_a_softmax():
    p = np.exp(b) / np.exp(b).sum()
    J = bp.jacobian(lambda z: np.exp(z) / np.sum(np.exp(z)), "z: n")
    np.testing.assert_allclose(J(b), np.diag(p) - np.outer(p, p), atol=1e-15)
    assert "softmax" in str(J)


def test_a_hessian_is_the_jacobian_of_the_gradient():
    d = bp.derive(loss, SHAPES, wrt="W b")
    H = bp.hessian(loss, SHAPES, wrt="W b")(X, W, b)
    assert H["W"]["W"].shape == (3, 2, 3, 2)
    np.testing.assert_allclose(H["W"]["b"], np.moveaxis(H["b"]["W"], 0, -1), atol=1e-12)
    step = 1e-5 * RANDOM.normal(size=W.shape)
    up, down = d(X, W + step, b)[1], d(X, W - step, b)[1]
    for name in ("W", "b"):
        moved = (up[name] - down[name]) / 2
        along = np.tensordot(H[name]["W"], step, axes=2)
        np.testing.assert_allclose(along, moved, rtol=1e-4, atol=1e-10)


def test_a_hessian_of_one_array_stands_alone_and_may_have_empty_blocks():
    quadratic = bp.hessian(lambda x, A: x @ A @ x, "x: n, A: n n", wrt="x")
    A = RANDOM.normal(size=(4, 4))
    np.testing.assert_allclose(quadratic(X[:, 0], A), A + A.T)
    separate = bp.hessian(lambda x, y: np.sum(x**3) + np.sum(y**2), "x: n, y: m")
    H = separate(X[:, 0], b)
    np.testing.assert_allclose(H["x"]["x"], np.diag(6 * X[:, 0]))
    assert not H["x"]["y"].any()
    assert H["x"]["y"].shape == (4, 2)


def test_blocks_of_a_hessian_that_need_lines_of_the_same_name_keep_them_apart():
    """Every derivative of a softmax sums in a line called s."""

    def attention(Q, K, V):
        return np.sum((bp.softmax(Q @ K.T, axis=1) @ V) ** 2)

    shapes = "Q: t h, K: t h, V: t h"
    Q, K, V = (RANDOM.normal(size=(3, 2)) for _ in range(3))
    H = bp.hessian(attention, shapes, wrt="Q K")(Q, K, V)
    d, e = bp.derive(attention, shapes, wrt="Q K"), 1e-5
    up, down = d(Q, K + e * np.eye(3, 2), V)[1], d(Q, K - e * np.eye(3, 2), V)[1]
    for first in "QK":
        along = np.einsum("abcd,cd->ab", H[first]["K"], np.eye(3, 2))
        np.testing.assert_allclose(along, (up[first] - down[first]) / (2 * e), atol=1e-8)


def test_a_hessian_times_a_vector_needs_no_hessian():
    H = bp.hessian(loss, SHAPES, wrt="W")(X, W, b)
    v = RANDOM.normal(size=W.shape)
    product = bp.hvp(loss, SHAPES, wrt="W")
    np.testing.assert_allclose(product(X, W, b, v), np.tensordot(H, v, axes=2), atol=1e-12)
    both = bp.hvp(loss, SHAPES, wrt="W b")(X, W, b, {"W": v, "b": 0 * b})
    np.testing.assert_allclose(both["W"], np.tensordot(H, v, axes=2), atol=1e-12)
    linear = bp.hvp(lambda x: np.sum(2 * x), "x: n")
    np.testing.assert_array_equal(linear(b, b), np.zeros(2))


def test_they_print_their_programs():
    J = bp.jacobian("y = W x", "W: m n, x: n", wrt="x")
    assert J.index().splitlines()[-2] == "dy_dx[m,n] = W[m,n]"
    assert "return dy_dx" in J.index()
    assert str(J) == repr(J)
    shown = J._repr_mimebundle_()
    assert shown["text/plain"] == str(J)
    assert shown["text/html"].count('class="step"') == 2
    hessian = bp.hessian(loss, SHAPES, wrt="W b").html()
    assert hessian.count('aria-label="ddW_db"') == 1
    assert "<p>Given" in hessian


def test_what_has_no_answer_is_refused():
    with pytest.raises(DerivationError, match="an argument is called v, like the vector; rename"):
        bp.hvp(lambda v: np.sum(v**2), "v: n")
    with pytest.raises(DerivationError, match="does not depend on b"):
        bp.jacobian(lambda x, b: x * 2, "x: n, b: n", wrt="b")
    with pytest.raises(DerivationError, match="and a gradient is of one"):
        bp.hessian(layer, SHAPES)
