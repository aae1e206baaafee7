"""The networks of four people who got lost in backpropagation, written as they write them."""

from itertools import pairwise

import numpy as np

import backpass as bp
from backpass.derive import Derivation


def said(d: Derivation, name: str) -> str:
    """The account of one line as one line of text, whatever its width."""
    return " ".join(str(d.why(name)).split())


# ── 000: a class that takes its batches through a list of activations ─────────────────────────


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class ListedNetwork:
    """Sigmoid layers whose weights are one row and one column wider than the layers.

    The extra row is for a column of ones beside the inputs. The extra column makes one more
    hidden unit, which is trained like every other; the output has none.
    """

    def __init__(self, layers: list[int], alpha: float, random: np.random.Generator) -> None:
        hidden = [(a + 1, b + 1) for a, b in pairwise(layers[:-1])]
        shapes = [*hidden, (layers[-2] + 1, layers[-1])]
        sizes = zip(shapes, layers, strict=False)
        self.W = [random.normal(size=shape) / np.sqrt(inputs) for shape, inputs in sizes]
        self.alpha = alpha

    def fit_partial(self, x, y):
        """One update, all errors before any weight; the slope is read off the output."""
        A = [np.atleast_2d(x)]
        for W in self.W:
            A.append(sigmoid(A[-1] @ W))
        D = [(A[-1] - y) * A[-1] * (1 - A[-1])]
        for layer in range(len(A) - 2, 0, -1):
            D.insert(0, D[0] @ self.W[layer].T * (A[layer] * (1 - A[layer])))
        for layer, delta in enumerate(D):
            self.W[layer] -= self.alpha * (A[layer].T @ delta)


def listed_loss(X, y, W):
    A = [np.atleast_2d(X)]
    for layer in range(len(W)):
        net = A[-1].dot(W[layer])
        out = sigmoid(net)
        A.append(out)
    return 0.5 * np.sum((A[-1] - y) ** 2)


def listed(samples: str = "n ") -> Derivation:
    """The forward pass of that class with two layers; without samples, of one sample."""
    shapes = {"X": f"{samples}a", "y": f"{samples}m", "W": ["a b", "b m"]}
    return bp.derive(listed_loss, shapes, wrt="W")


def widened_loss(X, y, W):
    A = [np.column_stack([X, np.ones(len(X))])]
    for layer in range(len(W)):
        net = A[-1].dot(W[layer])
        out = sigmoid(net)
        A.append(out)
    return 0.5 * np.sum((A[-1] - y) ** 2)


def widened() -> Derivation:
    """The same with the weights that the class makes, and its column of ones."""
    shapes = {"X": "n a", "y": "n m", "W": ["a+1 b+1", "b+1 m"]}
    return bp.derive(widened_loss, shapes, wrt="W")


# ── 001: two weights in a row, then two matrices, any σ and any cost ──────────────────────────


def two_weights() -> Derivation:
    return bp.derive(
        "z1 = w1 x; h1 = σ(z1); z2 = w2 h1; y = σ(z2)",
        "x: (), w1: (), w2: ()",
        wrt="w1 w2",
        functions="σ: elementwise",
    )


def two_matrices() -> Derivation:
    return bp.derive(
        "z1 = W1 x; h1 = σ(z1); z2 = W2 h1; y = σ(z2); cost = C(y)",
        "x: p, W1: m p, W2: u m",
        wrt="W1 W2",
        functions="σ: elementwise, C: scalar",
    )


def matrices(count: int) -> Derivation:
    """zₗ = Wₗ hₗ₋₁ and hₗ = σ(zₗ), as many times as wanted; the post goes on to any number."""
    numbers = range(1, count + 1)
    lines = [f"z{l} = W{l} h{l - 1}; h{l} = σ(z{l})" for l in numbers]
    shapes = ["h0: N0", *(f"W{l}: N{l} N{l - 1}" for l in numbers)]
    return bp.derive(
        "; ".join([*lines, f"cost = C(h{count})"]),
        ", ".join(shapes),
        wrt=" ".join(f"W{l}" for l in numbers),
        functions="σ: elementwise, C: scalar",
    )


# ── 002: 2-3-2, one sample as a column, and L layers with any g ───────────────────────────────


def two_three_two(samples: str = "") -> Derivation:
    return bp.derive(
        "z2 = W2 @ a1; a2 = relu(z2); z3 = W3 @ a2; a3 = sigmoid(z3); L = ½ Σ (a3 − y)²",
        f"a1: 2{samples}, y: 2{samples}, W2: 3 2, W3: 2 3",
        wrt="W2 W3",
    )


def layered(count: int) -> Derivation:
    """z⁽ˡ⁾ = W⁽ˡ⁾ a⁽ˡ⁻¹⁾ + b⁽ˡ⁾, a⁽ˡ⁾ = g(z⁽ˡ⁾), J = C(a⁽ᴸ⁾), with a size for every layer."""
    numbers = range(1, count + 1)
    lines = [f"z{l} = W{l} a{l - 1} + b{l}; a{l} = g(z{l})" for l in numbers]
    shapes = ["a0: d0", *(f"W{l}: d{l} d{l - 1}, b{l}: d{l}" for l in numbers)]
    weights = [f"W{l} b{l}" for l in numbers]
    text = "; ".join([*lines, f"J = C(a{count})"])
    return bp.derive(
        text, ", ".join(shapes), wrt=" ".join(weights), functions="g: elementwise, C: scalar"
    )


# ── 003: a batch of n, samples as rows, O is what a layer gives ───────────────────────────────


def batch_loss(X, Y, W):
    O = X
    for w in W:
        Z = O @ w
        O = sigmoid(Z)
    return 0.5 * np.sum((O - Y) ** 2)


BATCH_SHAPES = {"X": "n i", "Y": "n m", "W": ["i j", "j k", "k m"]}


def batch() -> Derivation:
    return bp.derive(batch_loss, BATCH_SHAPES, wrt="W")


def deep(count: int) -> Derivation:
    """The same loop over as many weights."""
    weights = [f"d{l - 1} d{l}" for l in range(1, count + 1)]
    return bp.derive(batch_loss, {"X": "n d0", "Y": f"n d{count}", "W": weights}, wrt="W")


def separate_loss(X, Y, W1, b1, W2, b2):
    O1 = sigmoid(X @ W1 + b1)
    O2 = sigmoid(O1 @ W2 + b2)
    return 0.5 * np.sum((O2 - Y) ** 2)


def separate() -> Derivation:
    shapes = "X: n k, Y: n m, W1: k j, b1: j, W2: j m, b2: m"
    return bp.derive(separate_loss, shapes, wrt="W1 b1 W2 b2")


def stacked_loss(X, Y, W1, W2):
    O0 = np.column_stack([X, np.ones(len(X))])
    O1 = np.column_stack([sigmoid(O0 @ W1), np.ones(len(X))])
    O2 = sigmoid(O1 @ W2)
    return 0.5 * np.sum((O2 - Y) ** 2)


def hstacked_loss(X, Y, W1, W2):
    ones = np.ones((X.shape[0], 1))
    O0 = np.hstack([X, ones])
    O1 = np.hstack([sigmoid(O0 @ W1), ones])
    O2 = sigmoid(O1 @ W2)
    return 0.5 * np.sum((O2 - Y) ** 2)


AUGMENTED_SHAPES = "X: n k, Y: n m, W1: k+1 j, W2: j+1 m"


def augmented(loss=hstacked_loss) -> Derivation:
    return bp.derive(loss, AUGMENTED_SHAPES, wrt="W1 W2")
