#: style: recursion over the layers, updates on the way back
#: setup: tower = Tower((3, 4, 4, 2))
#: call: tower.teach
#: sizes: 3 4 4 2
#: bias: first
#: layers: tower.mats[0], tower.mats[1], tower.mats[2]
#: rate: 0.07
#: variants: sigmoid sigmoid half_sum | tanh linear half_mean | relu linear sum | sigmoid softmax ce_mean
import numpy as np


def lead(M):
    return np.c_[np.ones(len(M)), M]


class Tower:
    def __init__(self, widths):
        rs = np.random.RandomState(7)
        self.mats = [rs.randn(p + 1, q) * 0.6 for p, q in zip(widths, widths[1:])]
        self.pace = 0.07

    def curve(self, z):
        return 1 / (1 + np.exp(-z))
        # = tanh: return np.tanh(z)
        # = relu: return (abs(z) + z) / 2
        # ! 53 [sigmoid]: return 1 / (1 + np.exp(z))

    def tilt(self, a):
        return a - a * a
        # = tanh: return (1 - a) * (1 + a)
        # = relu: return np.sign(a)
        # ! 18 [sigmoid]: return self.curve(a) * (1 - self.curve(a))
        # ! 20 [relu]: return 1.0 * (a >= 0)
        # ! 22 [tanh|relu]: return a - a * a
        # ! 23 [tanh]: return 1 - a
        # ! 24 [sigmoid]: return (a - a * a) ** 2
        # ! 58 [tanh]: return np.tanh(a)

    def top(self, z):
        return 1 / (1 + np.exp(-z))
        # = out-linear: return z
        # = out-softmax: ez = np.exp(z)\nreturn (ez.T / ez.sum(1)).T
        # ! 15 [out-softmax]: ez = np.exp(z)\nez = np.exp((ez.T / ez.sum(1)).T)\nreturn (ez.T / ez.sum(1)).T

    def descend(self, level, signal, Y):
        wide = lead(signal)
        z = wide @ self.mats[level]
        if level == len(self.mats) - 1:
            guess = self.top(z)
            self.loss = ((guess - Y) ** 2).sum() / 2
            # = half_mean: self.loss = ((guess - Y) ** 2).sum() / 2 / len(Y)
            # = sum: self.loss = ((guess - Y) ** 2).sum()
            # = ce_mean: self.loss = -(Y * np.log(guess)).sum() / len(Y)
            delta = (guess - Y) * (guess - guess * guess)
            # = half_mean: delta = (guess - Y) / len(Y)
            # = sum: delta = 2 * (guess - Y)
            # = ce_mean: delta = (guess - Y) / len(Y)
            # ! 3 [sum]: delta = guess - Y
            # ! 5 [half_mean|ce_mean]: delta = guess - Y
            # ! 6 [half_mean|ce_mean]: delta = (guess - Y) / len(Y) / len(Y)
            # ! 10 [half_sum]: delta = guess - Y
            # ! 11 [ce_mean]: delta = (guess - Y) / len(Y) * (guess - guess * guess)
            # ! 12 [sum]: delta = np.sign(guess - Y)
            # ! 12 [half_mean]: delta = np.tanh(guess - Y) / len(Y)
            # ! 13 [ce_mean]: delta = -Y * (1 - guess) / len(Y)
            # ! 56 [half_sum]: delta = (guess - Y) * (guess - Y) * (1 - (guess - Y))
        else:
            a = self.curve(z)
            above = self.descend(level + 1, a, Y)
            delta = above * self.tilt(a)
            # ! 16: delta = above
            # ! 19 [sigmoid]: delta = above * self.tilt(z)
            # ! 55 [relu]: delta = np.maximum(above, 0)
        slope = wide.T @ delta
        # ! 2: slope = wide.T @ (-delta if level == 1 else delta)
        # ! 4: slope = wide.T @ (2 * delta if level == 0 else delta)
        # ! 44: slope = wide[-1:].T @ delta[-1:]
        # ! 54: slope = wide[1:].T @ delta[1:]
        # ! 37: slope = wide.T @ delta\nslope[0] = 0
        # ! 7 [half_mean|ce_mean]: delta = delta / len(Y)\nslope = wide.T @ delta
        down = delta @ self.mats[level][1:].T
        # ! 34: down = delta @ np.abs(self.mats[level][1:]).T
        # ! 42: down = delta @ self.mats[level][:-1].T
        # ! 32: down = delta @ slope[1:].T
        # ! 31: self.mats[level] = self.mats[level] - self.pace * slope\ndown = delta @ self.mats[level][1:].T
        # ! 30: down = delta @ (self.mats[1][1:] if level == 1 else self.mats[level][1:].T)
        # ! 57: down = delta if level == 1 else delta @ self.mats[level][1:].T
        self.mats[level] = self.mats[level] - self.pace * slope
        # ! 1: self.mats[level] = self.mats[level] + self.pace * slope
        # ! 36: self.mats[level] = self.mats[level] - self.pace * slope * (level > 0)
        # ! 36b: self.mats[level] = self.mats[level] - self.pace * slope * (level == 2)
        # - 31
        return down

    def teach(self, X, Y):
        self.descend(0, X, Y)
        return self.loss
