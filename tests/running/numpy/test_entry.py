"""Source takes what the forward pass takes, and holds the arrays that the forward pass made."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from backpass.running.numpy.entry import LONGEST, written

RANDOM = np.random.default_rng(0)
MIX = np.array([[1.0, -2.0], [0.1, 1e-9]])


def forward_backward(d, style="unrolled"):
    space = {}
    exec(d.code(style=style), space)
    return space["forward_backward"]


def same(found, wanted):
    """Equal values in equal nests."""
    if isinstance(wanted, dict):
        assert found.keys() == wanted.keys()
        for key, part in wanted.items():
            same(found[key], part)
    elif isinstance(wanted, list | tuple):
        assert (type(found), len(found)) == (type(wanted), len(wanted))
        for one, part in zip(found, wanted, strict=True):
            same(one, part)
    else:
        np.testing.assert_array_equal(found, wanted)
        assert found.dtype == wanted.dtype


def deep(X, params, W):
    A = X
    for layer in params["layers"]:
        A = np.tanh(A @ layer["W"] + layer["b"]) @ MIX
    for weights in W[0]:
        A = A @ weights * [1, 2]
    return np.sum((A + params["shift"]) ** 2)


SHAPES = {
    "X": "n 2",
    "params": {"layers": [{"W": "2 2", "b": "2"}, {"W": "2 2", "b": "2"}], "shift": ()},
    "W": (["2 2"],),
}


@pytest.mark.parametrize("style", ["unrolled", "loop"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nests_come_in_and_go_out_as_they_are(style, dtype):
    def drawn(*shape):
        return RANDOM.normal(size=shape).astype(dtype)

    d = bp.derive(deep, SHAPES, wrt="params W")
    layers = [{"W": drawn(2, 2), "b": drawn(2)} for _ in range(2)]
    arguments = drawn(5, 2), {"layers": layers, "shift": drawn()}, ([drawn(2, 2)],)
    value, gradients = forward_backward(d, style)(*arguments)
    wanted, nests = d(*arguments)
    assert value == wanted
    same(gradients, nests)


def test_the_unrolled_source_takes_them_apart_above_the_steps():
    text = bp.derive(deep, SHAPES, wrt="W").code()
    assert "def forward_backward(X, params, W):" in text
    assert (
        """
    W1, b1 = params["layers"][0]["W"], params["layers"][0]["b"]
    W2, b2 = params["layers"][1]["W"], params["layers"][1]["b"]
    shift = params["shift"]
    (W11,) = W[0]
    dtype = np.result_type(X, W1, b1, W2, b2, shift, W11)
    K = np.array([[1.0, -2.0], [0.1, 1e-09]], dtype)
    K_2 = np.array([1, 2])
"""
        in text
    )


def test_an_argument_may_be_called_as_one_of_its_arrays():
    d = bp.derive(lambda W: np.sum(W["W"] * W["b"]), {"W": {"W": "n", "b": "n"}})
    W = {"W": np.arange(3.0), "b": np.ones(3)}
    assert forward_backward(d)(W)[0] == d(W)[0] == 3


def test_a_long_array_stays_an_argument():
    entries = np.linspace(0, 1, LONGEST + 1)
    short = bp.derive(lambda x: np.sum(x * entries[:LONGEST]), f"x: {LONGEST}")
    assert forward_backward(short)(np.ones(LONGEST))[0] == short(np.ones(LONGEST))[0]
    assert max(map(len, short.code().splitlines())) <= 88
    long = bp.derive(lambda x: np.sum(x * entries), f"x: {LONGEST + 1}")
    assert f"x ({LONGEST + 1},), K ({LONGEST + 1},)" in long.code()
    x = RANDOM.normal(size=LONGEST + 1)
    assert forward_backward(long)(x, entries)[0] == long(x)[0]


def test_jacobians_and_products_take_nests_too():
    def of(W):
        return np.sum(np.tanh(W[0] @ W[1]) ** 2)

    W = [RANDOM.normal(size=3), RANDOM.normal(size=3)]
    H, product = bp.hessian(of, {"W": ["n", "n"]}), bp.hvp(of, {"W": ["n", "n"]})
    space = {}
    exec(H.code(), space)
    same(space["derivatives"](W), H(W))
    v = {"W1": np.ones(3), "W2": np.arange(3.0)}
    exec(product.code(), space)
    same(space["derivatives"](W, v), product(W, v))


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (np.array([[0.1, -np.inf], [np.nan, np.inf]]),
         "K = np.array([[0.1, -np.inf], [np.nan, np.inf]], dtype)"),
        (np.array([True, False]), "K = np.array([True, False])"),
        (np.arange(3, dtype=np.uint8), "K = np.array([0, 1, 2])"),
        (np.zeros((0, 3)), "K = np.zeros((0, 3), dtype)"),
    ],
)  # fmt: skip
def test_entries_are_written_exactly(value, line):
    assert written("K", value) == line
    made = eval(line.removeprefix("K = "), {"np": np, "dtype": value.dtype})
    np.testing.assert_array_equal(made, value)
