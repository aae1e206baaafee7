"""What a recursion over layers looks like."""

import numpy as np

import backpass as bp
from tests.running.numpy.rolled.networks import assert_same, batch, classifier
from tests.running.numpy.rolled.test_loop import function, residual_loss


def inside(text):
    """The function, from what it makes before the first call on."""
    below = function(text)
    return below[below.index("    dW, db = ") :]


def test_a_batch_network_with_five_layers():
    assert (
        inside(assert_same(batch(), "recursive"))
        == '''\
    dW, db = [None] * len(W), [None] * len(b)

    def layer(l, A_prev):
        """Run layer l and all behind it, there and back: L and dA_prev."""
        if l == len(W):
            L = 0.5 * np.sum((A_prev - Y) ** 2)
            dA_prev = A_prev - Y  # (n, d5)
            return L, dA_prev
        Z = A_prev @ W[l] + b[l]  # (n, d[l + 1])
        A = sigmoid(Z)            # (n, d[l + 1])
        L, dA = layer(l + 1, A)
        dZ = dA * A * (1 - A)     # (n, d[l + 1])
        dW[l] = A_prev.T @ dZ     # (d[l], d[l + 1])
        db[l] = dZ.sum(axis=0)    # (d[l + 1],)
        if l == 0:  # dX is not asked for
            return L, None
        dA_prev = dZ @ W[l].T  # (n, d[l])
        return L, dA_prev

    L, _ = layer(0, X)
    return L, {"W": dW, "b": db}
'''
    )


def test_the_innermost_call_is_the_output_layer():
    assert (
        inside(assert_same(classifier(101), "recursive", seeds=(0,)))
        == '''\
    dW, db = [None] * len(W), [None] * len(b)

    def layer(l, A_prev):
        """Run layer l and all behind it, there and back: L and dA_prev."""
        if l == len(W) - 1:
            Z101 = A_prev @ W[-1] + b[-1]                      # (n, d101)
            L = cross_entropy(Z101, y)
            P = softmax(Z101, axis=1)                          # (n, d101)
            dZ101 = (P - (y[:, None] == np.arange(d101))) / n  # (n, d101)
            dW[-1] = A_prev.T @ dZ101                          # (d100, d101)
            db[-1] = dZ101.sum(axis=0)                         # (d101,)
            dA_prev = dZ101 @ W[-1].T                          # (n, d100)
            return L, dA_prev
        Z = A_prev @ W[l] + b[l]  # (n, d[l + 1])
        A = np.maximum(Z, 0)      # (n, d[l + 1])
        L, dA = layer(l + 1, A)
        dZ = dA * (Z > 0)         # (n, d[l + 1])
        dW[l] = A_prev.T @ dZ     # (d[l], d[l + 1])
        db[l] = dZ.sum(axis=0)    # (d[l + 1],)
        if l == 0:  # dX is not asked for
            return L, None
        dA_prev = dZ @ W[l].T  # (n, d[l])
        return L, dA_prev

    L, _ = layer(0, X)
    return L, {"params": {"W": dW, "b": db}}
'''
    )


def test_what_the_innermost_call_finds_is_passed_on():
    shapes = {"X": "n k", "Y": "n k", "layers": [{"W": "k k", "b": "k"}] * 3}
    text = assert_same(bp.derive(residual_loss, shapes), "recursive")
    assert "there and back: L, dY and dA_prev" in text
    assert "L, dY, dA = layer(l + 1, A)" in text
    assert "L, dY, dX = layer(0, X)" in text


def test_a_layer_may_hand_on_more_than_one_array():
    def loss(X, Y, W, V):
        A = B = X
        for w, v in zip(W, V, strict=True):
            A, B = np.tanh(A @ w + B), np.sin(B @ v)
        return np.sum((A - Y) ** 2) + np.sum(B**2)

    shapes = {"X": "n k", "Y": "n k", "W": ["k k"] * 3, "V": ["k k"] * 3}
    text = assert_same(bp.derive(loss, shapes, wrt="W V"), "recursive")
    assert "def layer(l, A_prev, B_prev):" in text
    assert "= layer(0, X, X)" in text


def test_a_name_that_is_taken_is_not_the_functions():
    d = bp.derive(
        "a1 = tanh(layer @ W1); a2 = tanh(a1 @ W2); L = sum((a2 - y)²)",
        "layer: n k, W1: k k, W2: k k, y: n k",
        wrt="W1 W2",
    )
    assert "L, _ = layer_(0, layer)" in assert_same(d, "recursive")
