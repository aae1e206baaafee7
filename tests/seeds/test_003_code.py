"""Q20: the batch network as straight lines, as a loop and as a recursion, with the same numbers."""

from typing import Any

import numpy as np
import pytest

import backpass as bp
from tests.seeds.networks import batch, two_three_two


def arrays(shapes, seed=3):
    random = np.random.default_rng(seed)
    return [random.normal(size=shape) for shape in shapes]


def ran(d, style, *args):
    """What the emitted source gives, imported on its own."""
    space: dict[str, Any] = {}
    exec(d.code("numpy", style=style), space)
    return space["forward_backward"](*args)


def without_sigmoid(source):
    """The source from the function on; sigmoid stands above it in every style."""
    return source[source.index("def forward_backward") :]


@pytest.mark.parametrize("style", ["loop", "recursive"])
@pytest.mark.parametrize("count", [1, 6])
def test_a_loop_and_a_recursion_give_the_same_numbers_bit_for_bit(style, count):
    X, Y, *W = arrays([(count, 5), (count, 2), (5, 2), (2, 3), (3, 2)])
    value, gradients = ran(batch(), "unrolled", X, Y, W)
    other, again = ran(batch(), style, X, Y, W)
    assert other == value
    for one, two in zip(gradients["W"], again["W"], strict=True):
        np.testing.assert_array_equal(one, two)


def test_written_out_line_by_line():
    assert (
        batch().code("numpy")
        == """\
import numpy as np


def sigmoid(z):
    with np.errstate(over="ignore"):  # exp(800) is inf, and 1 / inf is 0 as it should
        return 1 / (1 + np.exp(-z))


def forward_backward(X, Y, W):
    \"\"\"Return L and its gradients.

    X (n, i), Y (n, m), W [(i, j), (j, k), (k, m)]
    \"\"\"
    W1, W2, W3 = W
    Z1 = X @ W1                # (n, j)
    O1 = sigmoid(Z1)           # (n, j)
    Z2 = O1 @ W2               # (n, k)
    O2 = sigmoid(Z2)           # (n, k)
    Z3 = O2 @ W3               # (n, m)
    O3 = sigmoid(Z3)           # (n, m)
    L = 0.5 * np.sum((O3 - Y) ** 2)
    dO3 = O3 - Y               # (n, m)
    dZ3 = dO3 * O3 * (1 - O3)  # (n, m)
    dW3 = O2.T @ dZ3           # (k, m)
    dO2 = dZ3 @ W3.T           # (n, k)
    dZ2 = dO2 * O2 * (1 - O2)  # (n, k)
    dW2 = O1.T @ dZ2           # (j, k)
    dO1 = dZ2 @ W2.T           # (n, j)
    dZ1 = dO1 * O1 * (1 - O1)  # (n, j)
    dW1 = X.T @ dZ1            # (i, j)
    return L, {"W": [dW1, dW2, dW3]}
"""
    )


def test_as_a_loop():
    assert (
        without_sigmoid(batch().code("numpy", style="loop"))
        == """\
def forward_backward(X, Y, W):
    \"\"\"Return L and its gradients.

    X (n, i), Y (n, m), W [(i, j), (j, k), (k, m)]

    In the comments, d is [i, j, k, m].
    \"\"\"
    O = [X]
    for l in range(len(W)):
        Z = O[l] @ W[l]       # (n, d[l + 1])
        O.append(sigmoid(Z))  # (n, d[l + 1])
    L = 0.5 * np.sum((O[-1] - Y) ** 2)
    dO = O[-1] - Y  # (n, m)
    dW = [None] * len(W)
    for l in reversed(range(len(W))):
        dZ = dO * O[l + 1] * (1 - O[l + 1])  # (n, d[l + 1])
        dW[l] = O[l].T @ dZ                  # (d[l], d[l + 1])
        if l > 0:  # dX is not asked for
            dO = dZ @ W[l].T  # (n, d[l])
    return L, {"W": dW}
"""
    )


def test_as_a_recursion():
    assert (
        without_sigmoid(batch().code("numpy", style="recursive"))
        == """\
def forward_backward(X, Y, W):
    \"\"\"Return L and its gradients.

    X (n, i), Y (n, m), W [(i, j), (j, k), (k, m)]

    In the comments, d is [i, j, k, m].
    \"\"\"
    dW = [None] * len(W)

    def layer(l, O_prev):
        \"\"\"Run layer l and all behind it, there and back: L and dO_prev.\"\"\"
        if l == len(W):
            L = 0.5 * np.sum((O_prev - Y) ** 2)
            dO_prev = O_prev - Y  # (n, m)
            return L, dO_prev
        Z = O_prev @ W[l]      # (n, d[l + 1])
        O = sigmoid(Z)         # (n, d[l + 1])
        L, dO = layer(l + 1, O)
        dZ = dO * O * (1 - O)  # (n, d[l + 1])
        dW[l] = O_prev.T @ dZ  # (d[l], d[l + 1])
        if l == 0:  # dX is not asked for
            return L, None
        dO_prev = dZ @ W[l].T  # (n, d[l])
        return L, dO_prev

    L, _ = layer(0, X)
    return L, {"W": dW}
"""
    )


def test_a_style_that_does_not_apply_says_so():
    with pytest.raises(bp.BackpassError, match="no two layers are alike here"):
        two_three_two().code("numpy", style="loop")
