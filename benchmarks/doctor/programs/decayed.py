#: style: weight decay, gradients in a list of pairs
#: setup: layers = begin([4, 3, 2])
#: call: descend
#: args: layers, X, Y
#: sizes: 4 3 2
#: layers: layers[0][0] layers[0][1], layers[1][0] layers[1][1]
#: rate: 0.1
#: decay: 0.02
#: variants: sigmoid linear half_sum | tanh linear half_sum
import numpy as np


def begin(widths):
    r = np.random.default_rng(4)
    return [[r.normal(size=(p, q)), r.normal(size=q)] for p, q in zip(widths, widths[1:])]


def descend(layers, X, Y, eta=0.1, decay=0.02):
    (W, b), (V, c) = layers
    h = 1 / (1 + np.exp(-(X @ W + b)))
    # = tanh: h = np.tanh(X @ W + b)
    diff = h @ V + c - Y
    penalty = 0.5 * decay * ((W**2).sum() + (V**2).sum())
    objective = 0.5 * (diff**2).sum() + penalty
    inner = diff @ V.T * h * (1 - h)
    # = tanh: inner = diff @ V.T * (1 - h * h)
    # ! 16: inner = diff @ V.T
    slopes = [
        [X.T @ inner + decay * W, inner.sum(0)],
        # ! 52: [X.T @ inner + 2 * decay * W, inner.sum(0)],
        [h.T @ diff + decay * V, diff.sum(0)],
        # ! 52b: [h.T @ diff, diff.sum(0)],
    ]
    for layer, pair in zip(layers, slopes):
        for i in range(2):
            layer[i] = layer[i] - eta * pair[i]
    return objective
