"""Source as a loop over layers and as a recursion: the same numbers, bit for bit."""

from itertools import pairwise

import numpy as np
import pytest

import backpass as bp

SIZES = [3, 5, 4, 6, 2]


def batch(X, Y, W, b):
    A = X
    for weights, bias in zip(W, b, strict=True):
        A = bp.sigmoid(A @ weights + bias)
    return 0.5 * np.sum((A - Y) ** 2)


def network(dtype):
    layers = len(SIZES) - 1
    shapes = {
        "X": "n d_0",
        "Y": f"n d_{layers}",
        "W": [f"d_{layer} d_{layer + 1}" for layer in range(layers)],
        "b": [f"d_{layer + 1}" for layer in range(layers)],
    }
    random = np.random.default_rng(0)
    draw = [(7, SIZES[0]), (7, SIZES[-1]), *pairwise(SIZES), *((size,) for size in SIZES[1:])]
    X, Y, *rest = [random.normal(size=shape).astype(dtype) for shape in draw]
    return bp.derive(batch, shapes, wrt="W b"), (X, Y, rest[:layers], rest[layers:])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("style", ["unrolled", "loop", "recursive"])
def test_every_style_gives_the_same_numbers(style, dtype):
    d, arguments = network(dtype)
    names = {}
    exec(d.code("numpy", style=style), names)
    value, gradients = names["forward_backward"](*(d.arguments.arrange(arguments, {}).values()
        if style == "unrolled" else arguments))  # fmt: skip
    wanted_value, wanted = d(*arguments)
    assert value == wanted_value
    for name in ("W", "b"):
        for found, expected in zip(gradients[name], wanted[name], strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == dtype


def test_a_loop_runs_over_layers_and_a_recursion_calls_itself():
    d, _ = network(np.float64)
    assert "for l in reversed(range(len(W))):" in d.code(style="loop")
    assert "L, dA = layer(l + 1, A)" in d.code(style="recursive")


def test_a_style_that_does_not_apply_says_so():
    d = bp.derive("L = sum(tanh(X @ W))", "X: n k, W: k m")
    for style in ("loop", "recursive"):
        with pytest.raises(bp.BackpassError, match=r"only style=\"unrolled\" applies"):
            d.code(style=style)
    with pytest.raises(bp.BackpassError):
        d.code(style="spiral")
