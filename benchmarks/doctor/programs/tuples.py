#: style: named tuples, arrays changed in place, helpers that return several values
#: setup: par = Params.random(45)
#: call: improve
#: args: par, X, Y
#: sizes: 4 4 2
#: layout: columns-of-rows
#: layers: par.A par.a, par.B par.b
#: rate: 0.1
#: variants: tanh sigmoid half_mse | sigmoid sigmoid half_mse
from typing import NamedTuple

import numpy as np


class Params(NamedTuple):
    """Weights are out×in, samples are rows."""

    A: np.ndarray
    a: np.ndarray
    B: np.ndarray
    b: np.ndarray

    @classmethod
    def random(cls, seed):
        rng = np.random.default_rng(seed)
        return cls(*(rng.normal(size=s) for s in ((4, 4), 4, (2, 4), 2)))


def forwards(par, X):
    h = np.tanh(X @ par.A.T + par.a)
    # = sigmoid: h = 1 / (1 + np.exp(-X @ par.A.T - par.a))
    return h, 1 / (1 + np.exp(-h @ par.B.T - par.b))


def backwards(par, X, h, o, Y):
    do = (o - Y) / Y.size * o * (1 - o)
    dh = do @ par.B * (1 - h**2)
    # = sigmoid: dh = do @ par.B * h * (1 - h)
    # ! 16: dh = do @ par.B
    return dh.T @ X, dh.sum(0), do.T @ h, do.sum(0)
    # ! 28: return X.T @ dh, dh.sum(0), do.T @ h, do.sum(0)


def improve(par, X, Y):
    h, o = forwards(par, X)
    print(f"loss {0.5 * np.mean((o - Y) ** 2):.4f}")
    for array, slope in zip(par, backwards(par, X, h, o, Y)):
        array[...] = array - 0.1 * slope
