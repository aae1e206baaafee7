"""A list of widened matrices, and a column of ones that every layer gets before its product."""

from itertools import pairwise

import numpy as np


def with_ones(A):
    return np.c_[A, np.ones(len(A))]


class Widened:
    def __init__(self, widths):
        random = np.random.default_rng(6)
        self.W = [random.normal(size=(into + 1, out)) for into, out in pairwise(widths)]

    def learn(self, X, Y, rate=0.05):
        A = [X]
        for W in self.W:
            A.append(np.tanh(with_ones(A[-1]) @ W))
        delta = 2 * (A[-1] - Y) / Y.size * (1 - A[-1] ** 2)
        deltas = [delta]
        for layer in range(len(self.W) - 1, 0, -1):
            delta = delta @ self.W[layer][:-1].T * (1 - A[layer] ** 2)
            deltas.insert(0, delta)
        for layer, delta in enumerate(deltas):
            self.W[layer] -= rate * with_ones(A[layer]).T @ delta
