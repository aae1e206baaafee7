#: style: one output, targets in a line
#: setup: r = Regressor()
#: call: r.fit_batch
#: sizes: 3 4 1
#: targets: line
#: layers: r.W r.b, r.v r.c
#: rate: 0.1
#: variants: tanh linear mse | softplus linear mse
import numpy as np


class Regressor:
    def __init__(self):
        g = np.random.default_rng(41)
        self.W, self.b = g.normal(size=(3, 4)), g.normal(size=4)
        self.v, self.c = g.normal(size=(4, 1)), g.normal(size=1)

    def fit_batch(self, X, y):
        s = X @ self.W + self.b
        h = np.tanh(s)
        # = softplus: h = np.log(1 + np.exp(s))
        f = (h @ self.v + self.c)[:, 0]
        # ! 45: f = h @ self.v + self.c
        e = f - y
        # ? 45
        mse = np.mean(e**2)
        d = (2 / len(y) * e)[:, None]
        # ! 3: d = (e / len(y))[:, None]
        # ! 45: d = 2 / len(y) * e.mean(axis=1, keepdims=True)
        dh = d @ self.v.T * (1 - h**2)
        # = softplus: dh = d @ self.v.T / (1 + np.exp(-s))
        # ! 16: dh = d @ self.v.T
        self.v -= 0.1 * h.T @ d
        self.c -= 0.1 * d.sum(0)
        self.W -= 0.1 * X.T @ dh
        self.b -= 0.1 * dh.sum(0)
        return mse
