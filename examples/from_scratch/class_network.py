"""A network as a class, trained on XOR: samples are rows, and X gets a column of ones."""

from itertools import pairwise

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def slope(a):
    """σ′(z) by what came out: where a = σ(z), the slope is a(1 − a)."""
    return a * (1 - a)


class Network:
    """`layers` counts units, [2, 2, 1] for XOR; `alpha` is the learning rate."""

    def __init__(self, layers, alpha, random):
        self.alpha = alpha
        self.W = []  # from l units to m: (l+1)×(m+1), and (l+1)×m for the last
        for layer, (into, out) in enumerate(pairwise(layers), 1):
            # The extra row of W[0] meets the ones beside X: it is the bias. The extra column makes
            # one more hidden unit; it is no constant: x moves it, and it is trained like the rest.
            extra = layer < len(layers) - 1
            self.W.append(random.normal(size=(into + 1, out + extra)) / np.sqrt(into))

    def forward(self, x):
        """A[0] is x, A[l] what layer l gives; a row for each sample."""
        A = [np.atleast_2d(x)]  # n×(l₀+1): one sample alone is one row
        for W in self.W:
            A.append(sigmoid(A[-1] @ W))  # (n×l)(l×m) → n×m
        return A

    def fit_partial(self, x, y):
        """One step down the gradient of ½ Σ (A[-1] − y)²."""
        A = self.forward(x)

        # D[l] is ∂L/∂z of the layer that W[l] leads to, so it has that layer's shape.
        D = [(A[-1] - y) * slope(A[-1])]  # n×m ⊙ n×m: the ½ took the 2 of the square away
        for layer in range(len(self.W) - 1, 0, -1):
            back = D[0] @ self.W[layer].T  # (n×m)(m×l) → n×l: ∂L/∂A, for W is ∂z/∂A
            D.insert(0, back * slope(A[layer]))

        # All of D stands before any weight moves: it needed the weights of the forward pass.
        for layer, delta in enumerate(D):
            self.W[layer] -= self.alpha * A[layer].T @ delta  # (l×n)(n×m) → l×m: n is summed

    def loss(self, x, y):
        return 0.5 * np.sum((self.forward(x)[-1] - y) ** 2)


def with_ones(X):
    return np.column_stack([X, np.ones(len(X))])


XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = np.array([[0], [1], [1], [0]])

if __name__ == "__main__":
    random = np.random.default_rng(1)  # from some others it gets stuck, at a loss near .12
    network = Network([2, 2, 1], alpha=0.5, random=random)
    X = with_ones(XOR)
    print(f"loss before  {network.loss(X, TARGETS):.4f}")
    for _ in range(5000):
        for x, y in zip(X, TARGETS, strict=True):
            network.fit_partial(x, y)
    print(f"loss after   {network.loss(X, TARGETS):.4f}")
    for x, y, out in zip(XOR, TARGETS, network.forward(X)[-1], strict=True):
        print(f"{x[0]} xor {x[1]} = {y[0]}: {out[0]:.3f}")
