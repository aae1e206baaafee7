#: style: an update after every sample
#: setup: p = Perceptrons()
#: call: p.epoch
#: sizes: 3 4 2
#: layout: columns-of-rows
#: layers: p.lower p.lower_bias, p.upper p.upper_bias
#: rate: 0.1
#: batch: 1
#: variants: sigmoid sigmoid half_sum | tanh linear half_sum
import numpy as np


class Perceptrons:
    def __init__(self):
        rng = np.random.default_rng(1)
        self.lower, self.lower_bias = rng.normal(size=(4, 3)), rng.normal(size=4)
        self.upper, self.upper_bias = rng.normal(size=(2, 4)), rng.normal(size=2)

    def one(self, x, t, eta):
        v = self.lower.dot(x) + self.lower_bias
        y = 1 / (1 + np.exp(-v))
        # = tanh: y = np.tanh(v)
        u = self.upper.dot(y) + self.upper_bias
        o = 1 / (1 + np.exp(-u))
        # = out-linear: o = u
        delta_o = (t - o) * o * (1 - o)
        # = out-linear: delta_o = t - o
        delta_y = self.upper.T.dot(delta_o) * y * (1 - y)
        # = tanh: delta_y = self.upper.T.dot(delta_o) * (1 - y**2)
        self.upper += eta * np.outer(delta_o, y)
        self.upper_bias += eta * delta_o
        self.lower += eta * np.outer(delta_y, x)
        self.lower_bias += eta * delta_y

    def epoch(self, X, T):
        for i in range(len(X)):
            self.one(X[i], T[i], 0.1)
