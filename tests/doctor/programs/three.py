"""Three layers as attributes, tanh, tanh and a sigmoid; square weights, so that nothing raises."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def dtanh(a):
    return 1 - a**2


class Three:
    def __init__(self, inputs=4, hidden=4, outputs=2, lr=0.3):
        random = np.random.default_rng(7)
        self.W1 = random.normal(size=(inputs, hidden))
        self.b1 = np.zeros(hidden)
        self.W2 = random.normal(size=(hidden, hidden))
        self.b2 = np.zeros(hidden)
        self.W3 = random.normal(size=(hidden, outputs))
        self.b3 = np.zeros(outputs)
        self.lr = lr

    def forward(self, X):
        self.Z1 = X @ self.W1 + self.b1
        self.A1 = np.tanh(self.Z1)
        self.Z2 = self.A1 @ self.W2 + self.b2
        self.A2 = np.tanh(self.Z2)
        self.Z3 = self.A2 @ self.W3 + self.b3
        self.A3 = sigmoid(self.Z3)
        return self.A3

    def fit_partial(self, X, Y):
        out = self.forward(X)
        loss = 0.5 * np.sum((out - Y) ** 2)
        error = out - Y
        d3 = error * out * (1 - out)
        d2 = (d3 @ self.W3.T) * dtanh(self.A2)
        d1 = (d2 @ self.W2.T) * dtanh(self.A1)
        self.W3 -= self.lr * self.A2.T @ d3
        self.b3 -= self.lr * d3.sum(axis=0)
        self.W2 -= self.lr * self.A1.T @ d2
        self.b2 -= self.lr * d2.sum(axis=0)
        self.W1 -= self.lr * X.T @ d1
        self.b1 -= self.lr * d1.sum(axis=0)
        return loss
