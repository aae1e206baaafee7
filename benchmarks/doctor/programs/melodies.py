#: style: a recurrent class, sequences as columns, states in a list, last state read
#: setup: net = Melody()
#: call: net.practise
#: sizes: 3 4 2
#: past: last 5 6
#: given: columns
#: layout: columns
#: parts: Wx Wh b Wy c
#: layers: net.U, net.R, net.u, net.V, net.v
#: rate: 0.2
#: variants: tanh linear half_mean | sigmoid softmax ce_mean
import numpy as np


class Melody:
    def __init__(self):
        g = np.random.default_rng(31)
        self.U, self.R = g.normal(size=(4, 3)) * 0.6, g.normal(size=(4, 4)) * 0.5
        self.V = g.normal(size=(2, 4)) * 0.6
        self.u, self.v = g.normal(size=(4, 1)) * 0.2, g.normal(size=(2, 1)) * 0.2

    def sing(self, X):
        self.A = [np.zeros((4, X.shape[1]))]
        for t in range(X.shape[2]):
            Z = self.U @ X[:, :, t] + self.R @ self.A[-1] + self.u
            self.A.append(np.tanh(Z))
            # = sigmoid: self.A.append(1 / (1 + np.exp(-Z)))
        return self.V @ self.A[-1] + self.v

    def practise(self, X, Y):
        out = self.sing(X)
        # = out-softmax: out = self.sing(X)\nout = np.exp(out) / np.exp(out).sum(axis=0)
        m = X.shape[1]
        loss = 0.5 * np.sum((out - Y) ** 2) / m
        # = ce_mean: loss = -np.sum(Y * np.log(out)) / m
        e = (out - Y) / m
        # ! 5: e = out - Y
        # ! 3: e = 2 * (out - Y) / m
        # ! 1: e = (Y - out) / m
        dV = e @ self.A[-1].T
        # ! 60: dV = e @ self.A[-2].T
        dv = e.sum(axis=1, keepdims=True)
        # ! 39: dv = e.sum()
        dU, dR, du = 0 * self.U, 0 * self.R, 0 * self.u
        dA = self.V.T @ e
        # ! 31: self.V -= 0.2 * dV\ndA = self.V.T @ e
        for t in range(X.shape[2], 0, -1):
            # ! 60b: for t in range(X.shape[2], 1, -1):
            dZ = dA * (1 - self.A[t] ** 2)
            # = sigmoid: dZ = dA * self.A[t] * (1 - self.A[t])
            # ! 16: dZ = dA
            # ! 60c [tanh]: dZ = dA * (1 - self.A[t - 1] ** 2)
            # ! 58 [tanh]: dZ = dA * self.A[t]
            dU += dZ @ X[:, :, t - 1].T
            # ! 49: dU = dZ @ X[:, :, t - 1].T
            dR += dZ @ self.A[t - 1].T
            # ! 60d: dR += dZ @ self.A[t].T
            # ! 27: dR += self.R * dZ.sum(axis=1, keepdims=True)
            du += dZ.sum(axis=1, keepdims=True)
            # ! 9: du += dZ.mean(axis=1, keepdims=True)
            # ! 49b: du = dZ.sum(axis=1, keepdims=True)
            dA = self.R.T @ dZ
            # ! 30: dA = self.R @ dZ
            # ! 34: dA = np.abs(self.R).T @ dZ
        self.U -= 0.2 * dU
        # ! 36: pass
        self.R -= 0.2 * dR
        # ! 2: self.R += 0.2 * dR
        self.u -= 0.2 * du
        # ! 37: pass
        self.V -= 0.2 * dV
        # ! 31: pass
        self.v -= 0.2 * dv
        return loss
