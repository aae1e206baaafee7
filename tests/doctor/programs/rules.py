"""A network whose gradients become updates by rules of many kinds."""

import numpy as np


class Ruled:
    def __init__(self, rule, rate=0.05):
        random = np.random.default_rng(0)
        self.rule, self.rate, self.steps = rule, rate, 0
        self.W1, self.b1 = random.normal(size=(4, 5)) * 0.6, random.normal(size=5) * 0.2
        self.W2, self.b2 = random.normal(size=(5, 2)) * 0.6, random.normal(size=2) * 0.2
        self.mean = {name: 0 * getattr(self, name) for name in ("W1", "b1", "W2", "b2")}
        self.square = {name: 0 * getattr(self, name) for name in ("W1", "b1", "W2", "b2")}

    def slope(self, h):
        return 1 - h * h

    def step(self, X, Y):
        h = np.tanh(X @ self.W1 + self.b1)
        out = h @ self.W2 + self.b2
        self.loss = 0.5 * np.sum((out - Y) ** 2) / len(X)
        d = (out - Y) / len(X)
        e = (d @ self.W2.T) * self.slope(h)
        grads = {"W1": X.T @ e, "b1": e.sum(0), "W2": h.T @ d, "b2": d.sum(0)}
        self.steps += 1
        for name, g in grads.items():
            setattr(self, name, getattr(self, name) - self.rate * self.rule(self, name, g))


def plain(net, name, g):
    return g


def by_norm(net, name, g):
    return g * min(1.0, 0.1 / np.linalg.norm(g))


def by_entry(net, name, g):
    return np.clip(g, -0.05, 0.05)


def adam(net, name, g):
    m = net.mean[name] = 0.9 * net.mean[name] + 0.1 * g
    v = net.square[name] = 0.999 * net.square[name] + 0.001 * g**2
    return m / (1 - 0.9**net.steps) / (np.sqrt(v / (1 - 0.999**net.steps)) + 1e-8)


def rms(net, name, g):
    v = net.square[name] = 0.9 * net.square[name] + 0.1 * g**2
    return g / (np.sqrt(v) + 1e-8)


def momentum(net, name, g):
    m = net.mean[name] = 0.9 * net.mean[name] + g
    return m


def added(net, name, g):
    net.mean[name] += g
    return net.mean[name]


def bent(net, name, g):
    return np.tanh(3 * g)


def slower_below(net, name, g):
    return g * 0.3 if name == "W1" else g
