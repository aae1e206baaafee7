"""A recurrent network over letters as indices: columns, gradients clipped, squares remembered."""

import numpy as np

LETTERS, WIDTH = 6, 5
rng = np.random.default_rng(8)
U = rng.normal(size=(WIDTH, LETTERS)) * 0.5
V = rng.normal(size=(WIDTH, WIDTH)) * 0.4
Q = rng.normal(size=(LETTERS, WIDTH)) * 0.5
u = np.zeros((WIDTH, 1))
q = np.zeros((LETTERS, 1))
memory = [np.zeros_like(w) for w in (U, V, Q, u, q)]


def slopes(letters, following, s):
    x, states, p = {}, {-1: np.copy(s)}, {}
    surprise = 0
    for t, letter in enumerate(letters):
        x[t] = np.zeros((LETTERS, 1))
        x[t][letter] = 1
        states[t] = np.tanh(np.dot(U, x[t]) + np.dot(V, states[t - 1]) + u)
        score = np.dot(Q, states[t]) + q
        p[t] = np.exp(score) / np.sum(np.exp(score))
        surprise += -np.log(p[t][following[t], 0])
    dU, dV, dQ, du, dq = (np.zeros_like(w) for w in (U, V, Q, u, q))
    later = np.zeros_like(s)
    for t in reversed(range(len(letters))):
        e = np.copy(p[t])
        e[following[t]] -= 1
        dQ += np.dot(e, states[t].T)
        dq += e
        ds = np.dot(Q.T, e) + later
        dz = (1 - states[t] * states[t]) * ds
        du += dz
        dU += np.dot(dz, x[t].T)
        dV += np.dot(dz, states[t - 1].T)
        later = np.dot(V.T, dz)
    found = [dU, dV, dQ, du, dq]
    for one in found:
        np.clip(one, -5, 5, out=one)
    return surprise, found, states[len(letters) - 1]


def learn(letters, following, s, rate=0.1):
    surprise, found, s = slopes(letters, following, s)
    for w, step, squares in zip((U, V, Q, u, q), found, memory, strict=True):
        squares += step * step
        w += -rate * step / np.sqrt(squares + 1e-8)
    return surprise, s
