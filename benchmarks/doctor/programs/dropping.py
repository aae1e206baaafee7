#: style: a class with inverted dropout, its masks kept as attributes
#: setup: net = Dropping()
#: call: net.learn
#: sizes: 4 6 3
#: layers: net.U net.u, net.V net.v
#: rate: 0.2
#: masks: net.mask
#: variants: tanh linear half_sum | sigmoid softmax ce_mean | relu sigmoid bce_mean
import numpy as np


class Dropping:
    def __init__(self, keep=0.7):
        self.rng = np.random.default_rng(21)
        self.U = self.rng.normal(size=(4, 6)) / 2
        self.u = self.rng.normal(size=6) * 0.3
        self.V = self.rng.normal(size=(6, 3)) / 2
        self.v = self.rng.normal(size=3) * 0.3
        self.keep = keep

    def forward(self, X):
        self.S = X @ self.U + self.u
        self.H = np.tanh(self.S)
        # = sigmoid: self.H = 1 / (1 + np.exp(-self.S))
        # = relu: self.H = np.maximum(self.S, 0)
        self.mask = (self.rng.random(self.H.shape) < self.keep) / self.keep
        self.left = self.H * self.mask
        # ! 59a: self.left = self.H
        T = self.left @ self.V + self.v
        return T
        # = out-softmax: e = np.exp(T - T.max(axis=1, keepdims=True))\nreturn e / e.sum(axis=1, keepdims=True)
        # = out-sigmoid: return 1 / (1 + np.exp(-T))

    def learn(self, X, Y):
        out = self.forward(X)
        dT = out - Y
        # = ce_mean: dT = (out - Y) / len(X)
        # = bce_mean: dT = (out - Y) / len(X)
        dV = self.left.T @ dT
        # ! 59b: dV = self.H.T @ dT
        dv = dT.sum(axis=0)
        # ! 39: dv = dT.sum()
        dH = dT @ self.V.T
        # ! 34: dH = dT @ np.abs(self.V).T
        dH = dH * self.mask
        # - 59
        # ? 59a
        # ! 59c: dH = dH * (self.mask > 0)
        dS = dH * (1 - self.H**2)
        # ! 25 [tanh]: dS = dH * (1 - self.left**2)
        # = sigmoid: dS = dH * self.H * (1 - self.H)
        # ! 25 [sigmoid]: dS = dH * self.left * (1 - self.left)
        # = relu: dS = dH * (self.S > 0)
        # ! 16: dS = dH
        self.V -= 0.2 * dV
        self.v -= 0.2 * dv
        self.u -= 0.2 * dS.sum(axis=0)
        # - 37
        self.U -= 0.2 * X.T @ dS
