"""A loss and its softmax in one line: fewer exponentials, and not a bit of difference."""

from typing import Any

import numpy as np
import pytest

import backpass as bp
from backpass.running.numpy import frame
from backpass.running.numpy.functions import WITH_SOFTMAX
from backpass.running.numpy.joint import joints

SHAPES = "X: n k, y: n int<m, W: k m"
SHARES = "X: n k, y: n m, W: k m"


def of_logits(X, y, W):
    return bp.cross_entropy(X @ W, y)


def by_hand(X, y, W):
    P = bp.softmax(X @ W)
    return -np.mean(np.log(P[np.arange(len(y)), y]))


def of_weights(X, y, W):
    P = bp.softmax(X @ W)
    return -np.sum(y * np.log(P)) / len(y)


@pytest.mark.parametrize("name", WITH_SOFTMAX)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(7, 10), (1, 3), (2, 5, 4), (6,)])
def test_both_come_out_as_they_do_apart(name, dtype, shape):
    space: dict[str, Any] = {}
    exec("\n".join(frame.above([name, "softmax", WITH_SOFTMAX[name]])), space)
    random = np.random.default_rng(0)
    z = random.normal(scale=300, size=shape).astype(dtype)
    y = np.asarray(random.integers(0, shape[-1], shape[:-1]))
    if name != "cross_entropy":
        y = random.uniform(size=shape).astype(dtype)
    loss, softmax = space[WITH_SOFTMAX[name]](z, y)
    for together, apart in ((loss, space[name](z, y)), (softmax, space["softmax"](z, -1))):
        assert together.dtype == apart.dtype == dtype
        np.testing.assert_array_equal(together, apart)


@pytest.mark.parametrize(
    ("loss", "shapes", "function"),
    [
        (of_logits, SHAPES, "cross_entropy"),
        (of_logits, SHARES, "cross_entropy_of_shares"),
        (by_hand, SHAPES, "cross_entropy"),
        (of_weights, SHARES, "cross_entropy_of_weights"),
    ],
)
def test_the_exponentials_are_computed_once(loss, shapes, function):
    d = bp.derive(loss, shapes, wrt="W")
    text = d.code("numpy")
    assert f"L, P = {function}_and_softmax(Z, y)" in text
    assert text.count("np.exp(") == 1
    assert d.check()


def test_samples_as_columns_stay_apart():
    text = bp.derive(of_logits, SHAPES, wrt="W").columns().code("numpy")
    assert "L = cross_entropy(Z.T, y)" in text
    assert "P = softmax(Z, axis=0)" in text


def test_a_loss_that_needs_what_comes_later_stays_where_it_is():
    def loss(X, y, W):
        P = bp.softmax(X @ W)
        t = np.tanh(y)
        return -np.sum(t * np.log(P)) / len(y)

    d = bp.derive(loss, SHARES, wrt="W")
    assert joints(d.program) == {}
    assert d.check()


def test_a_softmax_of_something_else_is_no_part_of_it():
    def loss(X, y, W):
        P = bp.softmax(2 * X @ W)
        return bp.cross_entropy(X @ W, y) + np.sum(P**2)

    d = bp.derive(loss, SHAPES, wrt="W")
    assert list(joints(d.program)) == ["C", "P_2"]  # P_2 is the gradient's own, of the same logits
    assert d.check()
