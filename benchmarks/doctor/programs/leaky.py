#: style: masks multiplied in place, names of the field
#: setup: actor = Leaky()
#: call: actor.absorb
#: sizes: 5 4 4 3
#: layers: actor.W_a actor.b_a, actor.W_b actor.b_b, actor.W_c actor.b_c
#: rate: 0.04
#: variants: leaky linear half_sum | leaky sigmoid bce_sum
import numpy as np


class Leaky:
    def __init__(self, seed=17):
        rng = np.random.default_rng(seed)
        for name, n, m in ("a", 5, 4), ("b", 4, 4), ("c", 4, 3):
            setattr(self, "W_" + name, rng.normal(size=(n, m)) * 0.7)
            setattr(self, "b_" + name, rng.normal(size=m) * 0.2)

    @staticmethod
    def leak(t):
        return np.maximum(t, 0.1 * t)

    @staticmethod
    def unleak(t):
        slope = np.ones_like(t)
        slope[t < 0] = 0.1
        return slope

    def absorb(self, X, Y):
        ta = X @ self.W_a + self.b_a
        ya = self.leak(ta)
        tb = ya @ self.W_b + self.b_b
        yb = self.leak(tb)
        tc = yb @ self.W_c + self.b_c
        yc = tc
        # = out-sigmoid: yc = 1 / (1 + np.exp(-tc))
        value = 0.5 * np.sum((yc - Y) ** 2)
        # = bce_sum: value = -np.sum(Y * np.log(yc) + (1 - Y) * np.log(1 - yc))
        dc = yc - Y
        db = (dc @ self.W_c.T) * self.unleak(tb)
        # ! 16: db = dc @ self.W_c.T
        da = (db @ self.W_b.T) * self.unleak(ta)
        # ! 30: da = (db @ self.W_b) * self.unleak(ta)
        # ! 35: da = (db @ self.W_b.T) * self.unleak(tb)
        for name, below, d in ("c", yb, dc), ("b", ya, db), ("a", X, da):
            # ! 26: for name, below, d in ("c", tb, dc), ("b", ta, db), ("a", X, da):
            W, b = getattr(self, "W_" + name), getattr(self, "b_" + name)
            W -= 0.04 * (below.T @ d)
            b -= 0.04 * d.sum(axis=0)
        return value
