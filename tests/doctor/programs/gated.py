"""A layer with four gates and a memory, over one sequence; the last state makes the outputs."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Gated:
    def __init__(self, inputs=3, width=4, outputs=2):
        rng = np.random.default_rng(5)
        self.W = {g: rng.normal(size=(width, inputs + width)) * 0.4 for g in "fico"}
        self.b = {g: rng.normal(size=width) * 0.1 for g in "fico"}
        self.V = rng.normal(size=(outputs, width)) * 0.5
        self.v = np.zeros(outputs)

    def fit(self, X, Y, rate=0.1):
        h = c = np.zeros(len(self.b["f"]))
        kept = []
        for x in X:
            hx = np.concatenate([h, x])
            g = {k: self.W[k] @ hx + self.b[k] for k in "fico"}
            g = {k: np.tanh(z) if k == "c" else sigmoid(z) for k, z in g.items()}
            before, c = c, g["f"] * c + g["i"] * g["c"]
            h = g["o"] * np.tanh(c)
            kept.append((hx, g, before, c))
        error = self.V @ h + self.v - Y
        dW = {k: np.zeros_like(w) for k, w in self.W.items()}
        db = {k: np.zeros_like(w) for k, w in self.b.items()}
        dV, dv = np.outer(error, h), error
        dh, dc = self.V.T @ error, np.zeros_like(c)
        for hx, g, before, c in reversed(kept):
            dc = dc + dh * g["o"] * (1 - np.tanh(c) ** 2)
            dg = {"f": dc * before, "i": dc * g["c"], "o": dh * np.tanh(c), "c": dc * g["i"]}
            dhx = np.zeros_like(hx)
            for k in "fico":
                dz = dg[k] * (1 - g[k] ** 2 if k == "c" else g[k] * (1 - g[k]))
                dW[k] += np.outer(dz, hx)
                db[k] += dz
                dhx += self.W[k].T @ dz
            dh, dc = dhx[: len(h)], dc * g["f"]
        for k in "fico":
            self.W[k] -= rate * dW[k]
            self.b[k] -= rate * db[k]
        self.V -= rate * dV
        self.v -= rate * dv
