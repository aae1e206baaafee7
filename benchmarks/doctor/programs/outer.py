#: style: products by broadcasting and sums, no matrix product
#: setup: slow = Slow()
#: call: slow.go
#: sizes: 3 4 2
#: layers: slow.p slow.q, slow.r slow.s
#: rate: 0.1
#: variants: sigmoid linear half_sum | tanh linear half_sum
import numpy as np


class Slow:
    def __init__(self):
        g = np.random.default_rng(101)
        self.p, self.q = g.normal(size=(3, 4)), g.normal(size=4)
        self.r, self.s = g.normal(size=(4, 2)), g.normal(size=2)

    def go(self, X, Y):
        h = 1 / (1 + np.exp(-((X[:, :, None] * self.p).sum(1) + self.q)))
        # = tanh: h = np.tanh((X[:, :, None] * self.p).sum(1) + self.q)
        o = (h[:, :, None] * self.r).sum(1) + self.s
        e = o - Y
        back = (e[:, None, :] * self.r).sum(2)
        u = back * h * (1 - h)
        # = tanh: u = back * (1 - h * h)
        # ! 16: u = back
        self.r = self.r - 0.1 * (h[:, :, None] * e[:, None, :]).sum(0)
        # ! 44: self.r = self.r - 0.1 * h[-1][:, None] * e[-1]
        self.s = self.s - 0.1 * e.sum(0)
        self.p = self.p - 0.1 * (X[:, :, None] * u[:, None, :]).sum(0)
        self.q = self.q - 0.1 * u.sum(0)
        return 0.5 * (e * e).sum()
