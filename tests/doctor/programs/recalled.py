"""A recurrent network over one sequence: states in a dict, outputs and errors at every step."""

import numpy as np

rng = np.random.default_rng(2)
Wxh = rng.normal(size=(5, 3)) * 0.5
Whh = rng.normal(size=(5, 5)) * 0.4
Why = rng.normal(size=(4, 5)) * 0.5
bh = rng.normal(size=5) * 0.1
by = rng.normal(size=4) * 0.1


def train(xs, ys, eta=0.1):
    hs = {-1: np.zeros(5)}
    ps = {}
    loss = 0.0
    for t in range(len(xs)):
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        scores = Why @ hs[t] + by
        ps[t] = np.exp(scores) / np.sum(np.exp(scores))
        loss -= np.sum(ys[t] * np.log(ps[t]))
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dh_next = np.zeros(5)
    for t in reversed(range(len(xs))):
        dy = ps[t] - ys[t]
        dWhy += np.outer(dy, hs[t])
        dby += dy
        dh = Why.T @ dy + dh_next
        draw = (1 - hs[t] ** 2) * dh
        dbh += draw
        dWxh += np.outer(draw, xs[t])
        dWhh += np.outer(draw, hs[t - 1])
        dh_next = Whh.T @ draw
    for weight, gradient in zip((Wxh, Whh, Why, bh, by), (dWxh, dWhh, dWhy, dbh, dby), strict=True):
        weight -= eta * gradient
    return loss
