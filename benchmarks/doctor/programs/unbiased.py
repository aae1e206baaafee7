#: style: no bias at all, two matrices in a tuple
#: setup: Ws = make()
#: call: squeeze
#: args: Ws, X, Y
#: sizes: 4 3 2
#: bias: none
#: layers: Ws[0], Ws[1]
#: rate: 0.1
#: variants: sigmoid sigmoid half_sum | relu linear half_sum
import numpy as np


def make():
    rng = np.random.default_rng(28)
    return rng.normal(size=(4, 3)), rng.normal(size=(3, 2))


def squeeze(Ws, X, Y):
    W, V = Ws
    h = 1 / (1 + np.exp(-X.dot(W)))
    # = relu: h = X.dot(W).clip(0)
    o = 1 / (1 + np.exp(-h.dot(V)))
    # = out-linear: o = h.dot(V)
    oe = Y - o
    od = oe * (o * (1 - o))
    # = out-linear: od = oe
    he = od.dot(V.T)
    # ! 33 [out-sigmoid]: he = oe.dot(V.T)
    hd = he * (h * (1 - h))
    # = relu: hd = he * (h > 0)
    # ! 16: hd = he
    # ! 18 [sigmoid]: hd = he * np.exp(-h) / (1 + np.exp(-h)) ** 2
    V += 0.1 * h.T.dot(od)
    # ! 2: V -= 0.1 * h.T.dot(od)
    W += 0.1 * X.T.dot(hd)
    # ! 17: W += 0.1 * X.T.dot(he)
