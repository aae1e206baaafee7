"""A recurrent network over a batch of sequences, samples as rows; the last state makes outputs."""

import numpy as np


class Unrolled:
    def __init__(self, inputs=3, width=6, outputs=2):
        rng = np.random.default_rng(4)
        self.Wx = rng.normal(size=(inputs, width)) * 0.5
        self.Wh = rng.normal(size=(width, width)) * 0.4
        self.b = rng.normal(size=width) * 0.1
        self.Wy = rng.normal(size=(width, outputs)) * 0.5
        self.c = rng.normal(size=outputs) * 0.1
        self.rate = 0.05

    def forward(self, X):
        self.H = [np.zeros((len(X), self.Wh.shape[0]))]
        for t in range(X.shape[1]):
            Z = X[:, t] @ self.Wx + self.H[-1] @ self.Wh + self.b
            self.H.append(np.tanh(Z))
        return self.H[-1] @ self.Wy + self.c

    def fit_partial(self, X, Y):
        out = self.forward(X)
        error = (out - Y) / len(X)
        dWy, dc = self.H[-1].T @ error, error.sum(axis=0)
        dWx, dWh, db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dH = error @ self.Wy.T
        for t in range(X.shape[1], 0, -1):
            dZ = dH * (1 - self.H[t] ** 2)
            dWx += X[:, t - 1].T @ dZ
            dWh += self.H[t - 1].T @ dZ
            db += dZ.sum(axis=0)
            dH = dZ @ self.Wh.T
        self.Wx -= self.rate * dWx
        self.Wh -= self.rate * dWh
        self.b -= self.rate * db
        self.Wy -= self.rate * dWy
        self.c -= self.rate * dc
