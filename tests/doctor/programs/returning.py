"""Nothing is changed: gradients are returned, or new parameters are."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(params, X):
    W1, b1, W2, b2 = params
    h = np.tanh(X @ W1 + b1)
    return h, sigmoid(h @ W2 + b2)


def loss(params, X, Y):
    return np.mean((forward(params, X)[1] - Y) ** 2)


def grads(params, X, Y):
    h, o = forward(params, X)
    d = 2 * (o - Y) / Y.size * o * (1 - o)
    e = d @ params[2].T * (1 - h**2)
    return X.T @ e, e.sum(axis=0), h.T @ d, d.sum(axis=0)


def stepped(params, X, Y, rate=0.2):
    return [p - rate * g for p, g in zip(params, grads(params, X, Y), strict=True)]


def inside(X, Y, epochs=3, rate=0.1):
    random = np.random.default_rng(0)
    V = random.normal(size=(X.shape[1], 3))
    W = random.normal(size=(3, Y.shape[1]))
    for _ in range(epochs):
        h = np.tanh(X @ V)
        o = h @ W
        d = o - Y
        e = d @ W.T * (1 - h**2)
        W -= rate * h.T @ d
        V -= rate * X.T @ e
    return V, W
