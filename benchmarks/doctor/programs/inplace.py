#: style: buffers written in place, ufuncs with out=
#: setup: w = Workspace(7)
#: call: w.advance
#: sizes: 3 4 2
#: layers: w.m1 w.v1, w.m2 w.v2
#: rate: 0.2
#: variants: relu linear half_mean | tanh linear half_mean
import numpy as np


class Workspace:
    def __init__(self, rows):
        r = np.random.RandomState(19)
        self.m1, self.v1 = r.randn(3, 4), r.randn(4)
        self.m2, self.v2 = r.randn(4, 2), r.randn(2)
        self.hidden = np.empty((rows, 4))
        self.output = np.empty((rows, 2))
        self.flow = np.empty((rows, 4))

    def advance(self, X, Y):
        np.matmul(X, self.m1, out=self.hidden)
        self.hidden += self.v1
        np.maximum(self.hidden, 0, out=self.hidden)
        # = tanh: np.tanh(self.hidden, out=self.hidden)
        np.matmul(self.hidden, self.m2, out=self.output)
        self.output += self.v2
        self.output -= Y
        cost = 0.5 * np.vdot(self.output, self.output) / len(X)
        self.output /= len(X)
        # ! 5: self.output /= 1
        np.matmul(self.output, self.m2.T, out=self.flow)
        self.flow *= self.hidden > 0
        # = tanh: self.flow *= 1 - self.hidden**2
        # ! 16: self.flow *= 1
        # ! 20 [relu]: self.flow *= self.hidden >= 0
        self.output *= 0.2
        self.flow *= 0.2
        self.m2 -= self.hidden.T @ self.output
        self.v2 -= self.output.sum(0)
        self.m1 -= X.T @ self.flow
        # ! 2: self.m1 += X.T @ self.flow
        self.v1 -= self.flow.sum(0)
        # ! 37: pass
        return cost
