"""The gradient of another loss: the slope of the outputs is left out."""

import numpy as np


def grads(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = 1 / (1 + np.exp(-(A1 @ params["W2"] + params["b2"])))
    dZ2 = (A2 - y) / len(X)
    dZ1 = (dZ2 @ params["W2"].T) * (1 - A1**2)
    return {
        "W1": X.T @ dZ1,
        "b1": np.sum(dZ1, axis=0),
        "W2": A1.T @ dZ2,
        "b2": np.sum(dZ2, axis=0),
    }
