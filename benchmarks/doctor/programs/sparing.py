#: style: one sample after the other, a mask drawn for each, gradients added up
#: setup: np.random.seed(3); s = Sparing()
#: call: s.epoch
#: sizes: 4 7 2
#: layout: columns-of-rows
#: layers: s.A s.a, s.B s.b
#: rate: 0.05
#: masks: s.drawn
#: variants: tanh linear half_sum | sigmoid linear half_sum
import numpy as np


class Sparing:
    def __init__(self):
        g = np.random.default_rng(5)
        self.A, self.a = g.normal(size=(7, 4)) / 2, g.normal(size=7) / 4
        self.B, self.b = g.normal(size=(2, 7)) / 2, g.normal(size=2) / 4
        self.drawn = None

    def epoch(self, X, Y):
        dA, da = np.zeros((7, 4)), np.zeros(7)
        dB, db = np.zeros((2, 7)), np.zeros(2)
        self.drawn = []
        for x, y in zip(X, Y):
            h = np.tanh(self.A @ x + self.a)
            # = sigmoid: h = 1 / (1 + np.exp(-self.A @ x - self.a))
            m = np.random.binomial(1, 0.8, size=7) / 0.8
            self.drawn.append(m)
            g = h * m
            e = self.B @ g + self.b - y
            back = (self.B.T @ e) * m
            # ! 59: back = self.B.T @ e
            back = back * (1 - h**2)
            # ! 25 [tanh]: back = back * (1 - g**2)
            # = sigmoid: back = back * h * (1 - h)
            # ! 25 [sigmoid]: back = back * g * (1 - g)
            dB += np.outer(e, g)
            # ! 59b: dB += np.outer(e, h)
            db += e
            dA += np.outer(back, x)
            da += back
        self.A -= 0.05 * dA
        self.a -= 0.05 * da
        # - 37
        self.B -= 0.05 * dB
        self.b -= 0.05 * db
