#: style: comprehensions over lists of matrices
#: setup: Ws, bs = sprout((3, 5, 4, 2))
#: call: nudge
#: args: Ws, bs, X, Y
#: sizes: 3 5 4 2
#: layers: Ws[0] bs[0], Ws[1] bs[1], Ws[2] bs[2]
#: rate: 0.02
#: variants: tanh linear sum | sigmoid linear sum
from itertools import accumulate, pairwise

import numpy as np


def sprout(widths):
    rng = np.random.default_rng(99)
    shapes = list(pairwise(widths))
    return [rng.normal(size=s) for s in shapes], [rng.normal(size=s[1]) for s in shapes]


def bump(z):
    return np.tanh(z)
    # = sigmoid: return 1 / (1 + np.exp(-z))


def slope(h):
    return 1 - np.square(h)
    # = sigmoid: return h * (1 - h)


def nudge(Ws, bs, X, Y):
    *inner, last = list(zip(Ws, bs))
    hs = list(accumulate(inner, lambda h, wb: bump(h @ wb[0] + wb[1]), initial=X))
    top = 2 * (hs[-1] @ last[0] + last[1] - Y)
    backwards = zip(reversed(Ws[1:]), reversed(hs[1:]))
    ds = list(accumulate(backwards, lambda d, wh: (d @ wh[0].T) * slope(wh[1]), initial=top))
    # ! 16: ds = list(accumulate(backwards, lambda d, wh: d @ wh[0].T, initial=top))
    ds.reverse()
    Ws[:] = [W - 0.02 * h.T @ d for W, h, d in zip(Ws, hs, ds)]
    bs[:] = [b - 0.02 * d.sum(0) for b, d in zip(bs, ds)]
    # ! 9: bs[:] = [b - 0.02 * d.mean(0) for b, d in zip(bs, ds)]
