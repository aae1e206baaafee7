"""Inverted dropout of two hidden layers; masks are attributes, drawn by a generator of its own."""

import numpy as np


class Dropped:
    def __init__(self):
        self.rng = np.random.default_rng(3)
        self.W1, self.b1 = self.rng.normal(size=(4, 6)) / 2, self.rng.normal(size=6) / 5
        self.W2, self.b2 = self.rng.normal(size=(6, 5)) / 2, self.rng.normal(size=5) / 5
        self.W3, self.b3 = self.rng.normal(size=(5, 2)) / 2, self.rng.normal(size=2) / 5
        self.lr = 0.1
        self.p = 0.7

    def forward(self, X, train=True):
        self.A1 = np.tanh(X @ self.W1 + self.b1)
        if train:
            self.mask1 = (self.rng.random(self.A1.shape) < self.p) / self.p
            self.D1 = self.A1 * self.mask1
        self.Z2 = self.D1 @ self.W2 + self.b2
        self.A2 = np.maximum(self.Z2, 0)
        self.mask2 = (self.rng.random(self.A2.shape) < self.p) / self.p
        self.D2 = self.A2 * self.mask2
        return self.D2 @ self.W3 + self.b3

    def fit_partial(self, X, Y):
        out = self.forward(X)
        d3 = out - Y
        d2 = d3 @ self.W3.T * self.mask2
        d2 = d2 * (self.Z2 > 0)
        d1 = d2 @ self.W2.T * self.mask1
        d1 = d1 * (1 - self.A1**2)
        self.W3 -= self.lr * self.D2.T @ d3
        self.b3 -= self.lr * d3.sum(axis=0)
        self.W2 -= self.lr * self.D1.T @ d2
        self.b2 -= self.lr * d2.sum(axis=0)
        self.W1 -= self.lr * X.T @ d1
        self.b1 -= self.lr * d1.sum(axis=0)
        return 0.5 * np.sum(d3**2)
