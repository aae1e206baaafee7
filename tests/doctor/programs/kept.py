"""Samples as columns, dicts of parameters and a cache; the dropped activation takes A1's name."""

import numpy as np

KEEP = 0.8


def start(inputs, hidden, classes):
    rng = np.random.default_rng(1)
    return {
        "W1": rng.normal(size=(hidden, inputs)) * 0.5,
        "b1": np.zeros((hidden, 1)) + 0.1,
        "W2": rng.normal(size=(classes, hidden)) * 0.5,
        "b2": np.zeros((classes, 1)) + 0.1,
    }


def forward(params, X):
    Z1 = params["W1"].dot(X) + params["b1"]
    A1 = 1 / (1 + np.exp(-Z1))
    D1 = np.random.rand(A1.shape[0], A1.shape[1])
    D1 = D1 < KEEP
    H1 = A1
    A1 = A1 * D1
    A1 = A1 / KEEP
    Z2 = params["W2"].dot(A1) + params["b2"]
    E = np.exp(Z2 - Z2.max(axis=0))
    return E / E.sum(axis=0), (H1, D1, A1)


def train(params, X, Y, rate=0.5):
    m = X.shape[1]
    A2, (H1, D1, A1) = forward(params, X)
    cost = -np.sum(Y * np.log(A2)) / m
    dZ2 = (A2 - Y) / m
    dW2 = dZ2.dot(A1.T)
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = params["W2"].T.dot(dZ2)
    dA1 = dA1 * D1
    dA1 = dA1 / KEEP
    dZ1 = dA1 * H1 * (1 - H1)
    dW1 = dZ1.dot(X.T)
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    params["W1"] -= rate * dW1
    params["b1"] -= rate * db1
    params["W2"] -= rate * dW2
    params["b2"] -= rate * db2
    return cost
