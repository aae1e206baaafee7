"""What a loop over layers looks like."""

import numpy as np

import backpass as bp
from tests.running.numpy.rolled.networks import (
    assert_same,
    batch,
    classifier,
    columns,
    recurrent,
    run,
    sigmoid,
    values,
)


def function(text):
    """The source from the function on; what it uses stands above it."""
    return text[text.index("def forward_backward") :]


def body(text):
    """What stands below the docstring."""
    return function(text).split('"""\n')[-1]


def test_a_batch_network_with_five_layers():
    assert (
        function(assert_same(batch(), "loop"))
        == '''\
def forward_backward(X, Y, W, b):
    """Return L and its gradients.

    X (n, d0), Y (n, d5), W [(d0, d1), (d1, d2), (d2, d3), (d3, d4), (d4, d5)],
    b [(d1,), (d2,), (d3,), (d4,), (d5,)]

    In the comments, d is [d0, d1, d2, d3, d4, d5].
    """
    A = [X]
    for l in range(len(W)):
        Z = A[l] @ W[l] + b[l]  # (n, d[l + 1])
        A.append(sigmoid(Z))    # (n, d[l + 1])
    L = 0.5 * np.sum((A[-1] - Y) ** 2)
    dA = A[-1] - Y  # (n, d5)
    dW, db = [None] * len(W), [None] * len(b)
    for l in reversed(range(len(W))):
        dZ = dA * A[l + 1] * (1 - A[l + 1])  # (n, d[l + 1])
        dW[l] = A[l].T @ dZ                  # (d[l], d[l + 1])
        db[l] = dZ.sum(axis=0)               # (d[l + 1],)
        if l > 0:  # dX is not asked for
            dA = dZ @ W[l].T  # (n, d[l])
    return L, {"W": dW, "b": db}
'''
    )


def test_what_stands_above_the_function_is_what_the_unrolled_source_has_there():
    unrolled, rolled = batch().code("numpy"), batch().code("numpy", "loop")
    assert rolled[: rolled.index("def forward")] == unrolled[: unrolled.index("def forward")]


def test_arguments_become_lists_and_any_slope_needs_what_went_in():
    assert (
        function(assert_same(columns(3), "loop"))
        == '''\
def forward_backward(h0, W, sigma, C, grad_C, sigma_prime):
    """Return cost and its gradients.

    h0 (d0,), W [(d1, d0), (d2, d1), (d3, d2)]

    In the comments, d is [d0, d1, d2, d3].
    """
    z, h = [], [h0]
    for l in range(len(W)):
        z.append(W[l] @ h[l])  # (d[l + 1],)
        h.append(sigma(z[l]))  # (d[l + 1],)
    cost = C(h[-1])
    dh = grad_C(h[-1])  # (d3,)
    dW = [None] * len(W)
    for l in reversed(range(len(W))):
        dz = dh * sigma_prime(z[l])  # (d[l + 1],)
        dW[l] = np.outer(dz, h[l])   # (d[l + 1], d[l])
        if l > 0:  # dh0 is not asked for
            dh = W[l].T @ dz  # (d[l],)
    return cost, {"W": dW}
'''
    )


def test_an_output_layer_of_its_own_stands_between_the_loops():
    assert (
        function(assert_same(classifier(101), "loop", seeds=(0,)))
        == '''\
def forward_backward(X, y, params):
    """Return L and its gradients.

    X (n, d0), y (n,) of integers, params {"W": [(d0, d1), (d1, d2), ..., (d100, d101)],
    "b": [(d1,), (d2,), ..., (d101,)]}

    In the comments, d is [d0, d1, ..., d100].
    """
    W, b = params["W"], params["b"]
    n = X.shape[0]
    d101 = W[-1].shape[1]
    Z, A = [], [X]
    for l in range(len(W) - 1):
        Z.append(A[l] @ W[l] + b[l])   # (n, d[l + 1])
        A.append(np.maximum(Z[l], 0))  # (n, d[l + 1])
    dW, db = [None] * len(W), [None] * len(b)
    Z101 = A[-1] @ W[-1] + b[-1]                       # (n, d101)
    L = cross_entropy(Z101, y)
    P = softmax(Z101, axis=1)                          # (n, d101)
    dZ101 = (P - (y[:, None] == np.arange(d101))) / n  # (n, d101)
    dW[-1] = A[-1].T @ dZ101                           # (d100, d101)
    db[-1] = dZ101.sum(axis=0)                         # (d101,)
    dA = dZ101 @ W[-1].T                               # (n, d100)
    for l in reversed(range(len(W) - 1)):
        dZ = dA * (Z[l] > 0)    # (n, d[l + 1])
        dW[l] = A[l].T @ dZ     # (d[l], d[l + 1])
        db[l] = dZ.sum(axis=0)  # (d[l + 1],)
        if l > 0:  # dX is not asked for
            dA = dZ @ W[l].T  # (n, d[l])
    return L, {"params": {"W": dW, "b": db}}
'''
    )


def test_what_every_turn_of_a_recurrent_network_adds_is_added_behind_the_loop():
    assert (
        body(assert_same(recurrent(), "loop"))
        == """\
    h = [h0]
    for l in range(3):
        Z = X[l] @ U + h[l] @ V  # (n, m)
        h.append(np.tanh(Z))     # (n, m)
    L = np.sum((h[-1] - y) ** 2)
    dh = 2 * (h[-1] - y)  # (n, m)
    dZ = [None] * 3
    for l in reversed(range(3)):
        dZ[l] = dh * (1 - h[l + 1] ** 2)  # (n, m)
        if l > 0:  # dh0 is not asked for
            dh = dZ[l] @ V.T  # (n, m)
    dU = X[2].T @ dZ[2] + X[1].T @ dZ[1] + X[0].T @ dZ[0]  # (k, m)
    dV = h[2].T @ dZ[2] + h[1].T @ dZ[1] + h0.T @ dZ[0]    # (m, m)
    return L, {"U": dU, "V": dV}
"""
    )


def numbered_loss(X, Y, p):
    A = X
    for l in (1, 2, 3):
        A = np.tanh(A @ p[f"W{l}"] + p[f"b{l}"])
    return np.sum((A - Y) ** 2)


def test_keys_that_count_are_counted_and_the_dict_keeps_its_order():
    shapes = {"W1": "i j", "b1": "j", "W2": "j k", "b2": "k", "W3": "k m", "b3": "m"}
    d = bp.derive(numbered_loss, {"X": "n i", "Y": "n m", "p": shapes}, wrt="p")
    assert (
        body(assert_same(d, "loop"))
        == """\
    A = [X]
    for l in range(1, 4):
        Z = A[l - 1] @ p[f"W{l}"] + p[f"b{l}"]  # (n, d[l])
        A.append(np.tanh(Z))                    # (n, d[l])
    L = np.sum((A[-1] - Y) ** 2)
    dA = 2 * (A[-1] - Y)  # (n, m)
    dp = dict.fromkeys(p)
    for l in reversed(range(1, 4)):
        dZ = dA * (1 - A[l] ** 2)      # (n, d[l])
        dp[f"W{l}"] = A[l - 1].T @ dZ  # (d[l - 1], d[l])
        dp[f"b{l}"] = dZ.sum(axis=0)   # (d[l],)
        if l > 1:  # dX is not asked for
            dA = dZ @ p[f"W{l}"].T  # (n, d[l - 1])
    return L, {"p": dp}
"""
    )


def residual_loss(X, Y, layers):
    A = X
    for layer in layers:
        A = A + np.tanh(A @ layer["W"] + layer["b"])
    return np.sum((A - Y) ** 2)


def test_layers_of_their_own_and_a_sum_that_is_carried_along():
    shapes = {"X": "n k", "Y": "n k", "layers": [{"W": "k k", "b": "k"}] * 3}
    text = assert_same(bp.derive(residual_loss, shapes), "loop")
    assert 'Z = A[l] @ layers[l]["W"] + layers[l]["b"]' in text
    assert 'dA = dA + dZ @ layers[l]["W"].T' in text
    assert "if l > 0" not in text  # dX is asked for
    last = ' "layers": [{"W": dW[l], "b": db[l]} for l in range(len(dW))]\n    }\n'
    assert text.endswith(last)


def widened_loss(X, Y, W):
    A = X
    for weights in W:
        A = sigmoid(np.column_stack([A, np.ones(len(A))]) @ weights)
    return np.sum((A - Y) ** 2)


def test_sizes_of_a_layer_are_read_off_its_weights():
    shapes = {"X": "n i", "Y": "n m", "W": ["i+1 j", "j+1 k", "k+1 m"]}
    text = assert_same(bp.derive(widened_loss, shapes, wrt="W"), "loop")
    assert "[:, :W[l - 1].shape[1]]" in text
    assert "# (d[l] + 1, d[l + 1])" in text


def test_weights_that_several_turns_share_are_summed_behind_the_loop():
    d = bp.derive(
        "a1 = tanh(x @ W1 + c); a2 = tanh(a1 @ W2 + c); L = sum((a2 - y)²)",
        "x: n k, W1: k k, W2: k k, c: k, y: n k",
        wrt="W1 W2 c",
    )
    assert "dc = dZ[1].sum(axis=0) + dZ[0].sum(axis=0)" in assert_same(d, "loop")


def test_names_that_a_loop_needs_are_given_up_for_those_of_arguments():
    d = bp.derive(
        "a1 = tanh(l @ W1 + W); a2 = tanh(a1 @ W2 + W); L = sum((a2 - d)²)",
        "l: n k, W1: k k, W2: k k, W: k, d: n k",
        wrt="W1 W2",
    )
    text = d.code("numpy", "loop")
    assert "def forward_backward(l, Ws, W, d):" in text
    assert "for l_ in range(len(Ws)):" in text
    leaves = values(d, 0)
    value, gradients = run(text, leaves)
    assert value == run(d.code("numpy"), leaves)[0]
    assert list(gradients) == ["Ws"]
