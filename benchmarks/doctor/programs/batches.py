#: style: a generator of minibatches, several epochs
#: setup: m = Mini()
#: call: m.run
#: sizes: 3 4 2
#: layers: m.W1 m.b1, m.W2 m.b2
#: rate: 0.05
#: batch: 4
#: epochs: 2
#: variants: relu linear half_mean | tanh softmax ce_mean
import numpy as np


def slices(X, Y, size):
    for start in range(0, len(X), size):
        yield X[start : start + size], Y[start : start + size]


class Mini:
    def __init__(self):
        rng = np.random.default_rng(6)
        self.W1 = rng.normal(size=(3, 4)) / np.sqrt(3)
        self.b1 = rng.normal(size=4) * 0.3
        self.W2 = rng.normal(size=(4, 2)) / 2
        self.b2 = rng.normal(size=2) * 0.3

    def guess(self, X):
        self.H = np.maximum(X @ self.W1 + self.b1, 0)
        # = tanh: self.H = np.tanh(X @ self.W1 + self.b1)
        S = self.H @ self.W2 + self.b2
        return S
        # = out-softmax: E = np.exp(S - S.max(1, keepdims=True))\nreturn E / E.sum(1, keepdims=True)

    def run(self, X, Y):
        for _ in range(2):
            for x, y in slices(X, Y, 4):
                D = (self.guess(x) - y) / len(x)
                B = D @ self.W2.T * (self.H > 0)
                # = tanh: B = D @ self.W2.T * (1 - self.H**2)
                self.W2 -= 0.05 * self.H.T @ D
                self.b2 -= 0.05 * D.sum(0)
                self.W1 -= 0.05 * x.T @ B
                self.b1 -= 0.05 * B.sum(0)
