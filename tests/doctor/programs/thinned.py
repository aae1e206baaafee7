"""Dropout that is not inverted, sample by sample, of inputs too; tests scale what is kept."""

import numpy as np

rng = np.random.default_rng(5)
W = [rng.normal(size=(6, 5)) * 0.5, rng.normal(size=(2, 6)) * 0.5]
b = [rng.normal(size=6) * 0.1, rng.normal(size=2) * 0.1]
P = 0.75


def predict(x):
    return W[1] @ (P * np.tanh(W[0] @ (P * x) + b[0])) + b[1]


def epoch(X, Y, eta=0.05):
    grad_W = [np.zeros_like(w) for w in W]
    grad_b = [np.zeros_like(one) for one in b]
    for x, y in zip(X, Y, strict=True):
        seen = x * (np.random.random(x.shape) < P)
        h = np.tanh(W[0] @ seen + b[0])
        mask = np.random.random(h.shape) < P
        kept = h * mask
        error = W[1] @ kept + b[1] - y
        back = (W[1].T @ error) * mask * (1 - h * h)
        grad_W[1] += np.outer(error, kept)
        grad_b[1] += error
        grad_W[0] += np.outer(back, seen)
        grad_b[0] += back
    for layer in range(2):
        W[layer] -= eta * grad_W[layer]
        b[layer] -= eta * grad_b[layer]
