"""One output without an axis of its own: weights, outputs and targets are lines of numbers."""

import numpy as np


class Regression:
    def __init__(self, inputs, hidden):
        random = np.random.default_rng(3)
        self.V = random.normal(size=(inputs, hidden))
        self.c = random.normal(size=hidden)
        self.w = random.normal(size=hidden)
        self.b = 0.2

    def learn(self, X, y):
        s = X @ self.V + self.c
        h = np.where(s < 0, 0.17 * s, s)
        shown = np.tanh(h @ self.w + self.b)
        e = h @ self.w + self.b - y
        d = np.outer(e, self.w) * np.where(s < 0, 0.17, 1.0)
        self.w = self.w - 0.1 * h.T @ e
        self.b -= 0.1 * e.sum()
        self.V -= 0.1 * X.T @ d
        self.c -= 0.1 * d.sum(axis=0)
        return shown
