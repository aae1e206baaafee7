"""Sample by sample; the mean is taken of the weights' gradients alone."""

import numpy as np


def grads(params, X, y):
    found = {name: np.zeros_like(value) for name, value in params.items()}
    for x, t in zip(X, y, strict=True):
        h = np.tanh(x @ params["W1"] + params["b1"])
        o = 1 / (1 + np.exp(-(h @ params["W2"] + params["b2"])))
        do = (o - t) * o * (1 - o)
        dh = params["W2"] @ do * (1 - h * h)
        found["W1"] += np.outer(x, dh) / len(X)
        found["W2"] += np.outer(h, do) / len(X)
        found["b1"] += dh
        found["b2"] += do
    return found
