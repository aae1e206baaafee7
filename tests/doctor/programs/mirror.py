"""Autoencoders: what goes in is what should come out, and is given once."""

import numpy as np


class Mirror:
    """Samples are rows, and handed in."""

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        self.V, self.v = random.normal(size=(5, 3)), np.zeros(3)
        self.W, self.w = random.normal(size=(3, 5)), np.zeros(5)

    def train(self, x, lr=0.1):
        h = np.tanh(x @ self.V + self.v)
        out = h @ self.W + self.w
        loss = 0.5 * np.sum((out - x) ** 2)
        d = out - x
        back = d @ self.W.T * (1 - h**2)
        self.W -= lr * h.T @ d
        self.w -= lr * d.sum(axis=0)
        self.V -= lr * x.T @ back
        self.v -= lr * back.sum(axis=0)
        return loss


class Holding:
    """Samples are columns of pixels, held from the beginning; the error is that of logits."""

    def __init__(self, data, seed=0):
        random = np.random.default_rng(seed)
        self.data = data
        self.V, self.W = random.normal(size=(3, 5)), random.normal(size=(5, 3))

    def run(self, rate=0.2):
        n = self.data.shape[1]
        hidden = np.maximum(self.V @ self.data, 0)
        seen = 1 / (1 + np.exp(-(self.W @ hidden)))
        delta = (seen - self.data) / n
        below = (self.W.T @ delta) * (hidden > 0)
        self.W = self.W - rate * delta @ hidden.T
        self.V = self.V - rate * below @ self.data.T


def deep(weights, x, rate=0.05):
    """Three layers of weights without biases, one pass over all samples."""
    steps = [x]
    for W in weights[:-1]:
        steps.append(np.tanh(steps[-1] @ W))
    out = steps[-1] @ weights[-1]
    loss = np.mean((out - x) ** 2)
    d = 2 * (out - x) / out.size
    for place in range(len(weights) - 1, -1, -1):
        step = steps[place].T @ d
        d = d @ weights[place].T * (1 - steps[place] ** 2)
        weights[place] -= rate * step
    return loss
