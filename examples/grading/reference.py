"""The assignment: a forward pass, from which the answer key is derived.

Of the examples only shapes and kinds count: `y` has one class a sample, so that random targets
have one, too.
"""

import numpy as np

import backpass as bp

X = np.zeros((8, 4))
y = np.eye(3)[[0, 1, 2, 0, 1, 2, 0, 1]]
params = {"W1": np.zeros((4, 5)), "b1": np.zeros(5), "W2": np.zeros((5, 3)), "b2": np.zeros(3)}


def loss(params, X, y):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    A2 = bp.sigmoid(A1 @ params["W2"] + params["b2"])
    return 0.5 * np.sum((A2 - y) ** 2) / len(X)
