"""A recurrent network over letters, which goes back from each output on its own."""

import numpy as np

LETTERS, WIDTH = 6, 5
rng = np.random.default_rng(12)
U = rng.normal(size=(WIDTH, LETTERS)) * 0.5
V = rng.normal(size=(WIDTH, WIDTH)) * 0.4
Q = rng.normal(size=(LETTERS, WIDTH)) * 0.5


def learn(letters, following):
    states, p = np.zeros((len(letters) + 1, WIDTH)), np.zeros((len(letters), LETTERS))
    for t, letter in enumerate(letters):
        states[t] = np.tanh(U[:, letter] + V @ states[t - 1])
        p[t] = np.exp(Q @ states[t])
        p[t] /= p[t].sum()
    dU, dV, dQ = np.zeros_like(U), np.zeros_like(V), np.zeros_like(Q)
    p[np.arange(len(letters)), following] -= 1
    for t in reversed(range(len(letters))):
        dQ += np.outer(p[t], states[t])
        d = (Q.T @ p[t]) * (1 - states[t] ** 2)
        for k in range(t, -1, -1):
            dU[:, letters[k]] += d
            dV += np.outer(d, states[k - 1])
            d = (V.T @ d) * (1 - states[k - 1] ** 2)
    for weight, gradient in ((U, dU), (V, dV)):
        weight -= 0.1 * gradient
    Q[...] -= 0.1 * dQ
    return -np.log(p).sum()
