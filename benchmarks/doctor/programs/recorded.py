#: style: dataclasses, one a layer, frozen rates
#: setup: two = Pair(Sheet.drawn(3, 4, 1), Sheet.drawn(4, 2, 2))
#: call: two.practise
#: sizes: 3 4 2
#: layers: two.low.weight two.low.bias, two.high.weight two.high.bias
#: rate: 0.25
#: variants: sigmoid sigmoid mse | tanh linear mse
from dataclasses import dataclass

import numpy as np


@dataclass
class Sheet:
    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def drawn(cls, n, m, seed):
        rng = np.random.default_rng(seed)
        return cls(rng.normal(size=(n, m)), rng.normal(size=(1, m)))

    def apply(self, x):
        return x @ self.weight + self.bias

    def correct(self, x, d, rate=0.25):
        self.weight -= rate * (x.T @ d)
        self.bias -= rate * np.sum(d, axis=0, keepdims=True)


@dataclass
class Pair:
    low: Sheet
    high: Sheet

    def practise(self, X, Y):
        a = 1 / (1 + np.exp(-self.low.apply(X)))
        # = tanh: a = np.tanh(self.low.apply(X))
        b = 1 / (1 + np.exp(-self.high.apply(a)))
        # = out-linear: b = self.high.apply(a)
        mistake = np.mean((b - Y) ** 2)
        db = 2 * (b - Y) / b.size * b * (1 - b)
        # = out-linear: db = 2 * (b - Y) / b.size
        da = db @ self.high.weight.T
        self.high.correct(a, db)
        self.low.correct(X, da * a * (1 - a))
        # = tanh: self.low.correct(X, da * (1 - a**2))
        # ! 16: self.low.correct(X, da)
        return mistake
