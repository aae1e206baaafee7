#: style: __call__, a stack that is popped on the way back
#: setup: net = Popped()
#: call: net.optimise
#: sizes: 3 4 3 2
#: layers: net.first.M net.first.v, net.second.M net.second.v, net.third.M net.third.v
#: rate: 0.08
#: variants: tanh linear half_mean | sigmoid linear half_mean
import numpy as np


class Block:
    def __init__(self, fan_in, fan_out, rng, bent=True):
        self.M = rng.normal(size=(fan_in, fan_out)) / np.sqrt(fan_in)
        self.v = rng.normal(size=fan_out) * 0.1
        self.bent = bent

    def __call__(self, x, stack):
        y = x @ self.M + self.v
        if self.bent:
            y = np.tanh(y)
            # = sigmoid: y = 1 / (1 + np.exp(-y))
        stack.append((self, x, y))
        return y

    def absorb(self, x, y, g, rate):
        if self.bent:
            g = g * (1 - y * y)
            # = sigmoid: g = g * y * (1 - y)
            # ! 23 [tanh]: g = g * (1 - y)
            # ! 16: g = 1 * g
        below = g @ self.M.T
        self.M -= rate * x.T @ g
        self.v -= rate * g.sum(0)
        return below


class Popped:
    def __init__(self):
        rng = np.random.default_rng(64)
        self.first, self.second = Block(3, 4, rng), Block(4, 3, rng)
        self.third = Block(3, 2, rng, bent=False)

    def optimise(self, X, Y):
        stack = []
        out = self.third(self.second(self.first(X, stack), stack), stack)
        cost = 0.5 * np.square(out - Y).sum() / len(X)
        g = (out - Y) / len(X)
        # ! 3: g = 2 * (out - Y) / len(X)
        while stack:
            block, x, y = stack.pop()
            g = block.absorb(x, y, g, 0.08)
        return cost
