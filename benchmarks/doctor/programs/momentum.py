#: style: a class with single attributes and momentum
#: setup: ball = Rolling()
#: call: ball.push
#: sizes: 3 4 2
#: layers: ball.w_in ball.b_in, ball.w_out ball.b_out
#: rate: 0.1
#: variants: tanh linear half_mean | sigmoid linear half_mean
import numpy as np


class Rolling:
    """Gradients gather speed, as a ball does."""

    def __init__(self):
        rng = np.random.default_rng(31)
        self.w_in = rng.normal(0, 0.5, (3, 4))
        self.b_in = rng.normal(0, 0.5, 4)
        self.w_out = rng.normal(0, 0.5, (4, 2))
        self.b_out = rng.normal(0, 0.5, 2)
        self.speeds = {}

    def roll(self, name, slope):
        speed = 0.9 * self.speeds.get(name, 0.0) + slope
        self.speeds[name] = speed
        setattr(self, name, getattr(self, name) - 0.1 * speed)

    def push(self, X, Y):
        mid = np.tanh(X @ self.w_in + self.b_in)
        # = sigmoid: mid = 1 / (1 + np.exp(-(X @ self.w_in + self.b_in)))
        cost = 0.5 * np.sum((mid @ self.w_out + self.b_out - Y) ** 2) / len(X)
        miss = (mid @ self.w_out + self.b_out - Y) / len(X)
        # ! 5: miss = mid @ self.w_out + self.b_out - Y
        bent = (miss @ self.w_out.T) * (1 - mid**2)
        # = sigmoid: bent = (miss @ self.w_out.T) * mid * (1 - mid)
        # ! 16: bent = miss @ self.w_out.T
        # ! 23 [tanh]: bent = (miss @ self.w_out.T) * (1 - mid)
        self.roll("w_out", mid.T @ miss)
        self.roll("b_out", miss.sum(axis=0))
        # ! 9: self.roll("b_out", miss.mean(axis=0))
        self.roll("w_in", X.T @ bent)
        # ! 2: self.roll("w_in", -X.T @ bent)
        self.roll("b_in", bent.sum(axis=0))
        return cost
