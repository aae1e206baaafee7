"""Functions and a dict, ReLU and a softmax, cross-entropy of one-hot rows, averaged."""

import numpy as np


def start(inputs, hidden, classes):
    random = np.random.default_rng(8)
    return {
        "U": random.normal(size=(inputs, hidden)), "u": np.zeros((1, hidden)),
        "V": random.normal(size=(hidden, classes)), "v": np.zeros((1, classes)),
    }  # fmt: skip


def relu(z):
    return np.maximum(z, 0)


def relu_slope(z):
    return (z > 0).astype(float)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def train(params, X, T, rate=0.1):
    n = len(X)
    z = X @ params["U"] + params["u"]
    h = relu(z)
    scores = h @ params["V"] + params["v"]
    p = softmax(scores)
    cost = -np.sum(T * np.log(p)) / n
    ds = (p - T) / n
    grads = {"V": h.T @ ds, "v": ds.sum(axis=0, keepdims=True)}
    dh = ds @ params["V"].T
    dz = dh * relu_slope(z)
    grads["U"] = X.T @ dz
    grads["u"] = dz.sum(axis=0, keepdims=True)
    for key in params:
        params[key] -= rate * grads[key]
    return cost
