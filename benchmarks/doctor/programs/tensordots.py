#: style: tensordot, swapaxes and np.transpose
#: setup: td = Dots()
#: call: td.turn
#: sizes: 3 5 2
#: layers: td.theta0 td.beta0, td.theta1 td.beta1
#: rate: 0.05
#: variants: relu linear sum | tanh sigmoid sum
import numpy as np


class Dots:
    def __init__(self):
        g = np.random.default_rng(303)
        self.theta0, self.beta0 = g.normal(size=(3, 5)), g.normal(size=5)
        self.theta1, self.beta1 = g.normal(size=(5, 2)), g.normal(size=2)

    def turn(self, X, Y):
        u = np.tensordot(X, self.theta0, axes=1) + self.beta0
        h = np.maximum(u, 0)
        # = tanh: h = np.tanh(u)
        o = np.tensordot(h, self.theta1, axes=1) + self.beta1
        # = out-sigmoid: o = 1 / (1 + np.exp(-np.tensordot(h, self.theta1, axes=1) - self.beta1))
        total = np.sum((o - Y) ** 2)
        g1 = 2 * (o - Y)
        # = out-sigmoid: g1 = 2 * (o - Y) * o * (1 - o)
        # ! 3 [out-linear]: g1 = o - Y
        g0 = np.tensordot(g1, self.theta1, axes=(1, 1)) * np.sign(h)
        # = tanh: g0 = np.tensordot(g1, self.theta1, axes=(1, 1)) * (1 - h**2)
        # ! 16: g0 = np.tensordot(g1, self.theta1, axes=(1, 1))
        self.theta1 -= 0.05 * np.tensordot(np.swapaxes(h, 0, 1), g1, axes=1)
        self.beta1 -= 0.05 * np.add.reduce(g1)
        self.theta0 -= 0.05 * np.matmul(np.transpose(X), g0)
        self.beta0 -= 0.05 * np.add.reduce(g0)
        return total
