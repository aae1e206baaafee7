#: style: one output, targets in a column
#: setup: net = YesNo()
#: call: net.sgd
#: sizes: 3 5 1
#: layers: net.W0 net.b0, net.W1 net.b1
#: rate: 0.5
#: variants: relu sigmoid bce_mean | tanh sigmoid bce_mean
import numpy as np


class YesNo:
    def __init__(self):
        rs = np.random.RandomState(23)
        self.W0, self.b0 = rs.normal(size=(3, 5)), rs.normal(size=(1, 5))
        self.W1, self.b1 = rs.normal(size=(5, 1)), rs.normal(size=(1, 1))

    def sgd(self, X, y):
        z = X @ self.W0 + self.b0
        a = z * (z > 0)
        # = tanh: a = np.tanh(z)
        p = 1 / (1 + np.exp(-(a @ self.W1 + self.b1)))
        self.cost = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
        dp = (p - y) / (p * (1 - p)) / len(y)
        dlogit = dp * p * (1 - p)
        # ! 11: dlogit = dp * (p * (1 - p)) ** 2
        da = dlogit @ self.W1.T
        dz = da * (z > 0)
        # = tanh: dz = da * (1 - a * a)
        # ! 16: dz = da
        # ! 20 [relu]: dz = da * (a >= 0)
        # ! 23 [tanh]: dz = da * (1 - a)
        self.W1 -= 0.5 * a.T @ dlogit
        self.b1 -= 0.5 * dlogit.sum(0, keepdims=True)
        self.W0 -= 0.5 * X.T @ dz
        self.b0 -= 0.5 * dz.sum(0, keepdims=True)
        # ! 38: self.b0 = self.b0 - 0.5 * dz
