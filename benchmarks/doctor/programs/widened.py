#: style: single attributes, each matrix with its bias in the last row
#: setup: m = Widened(3, 6, 2)
#: call: m.improve
#: sizes: 3 6 2
#: bias: last
#: layers: m.first, m.second
#: rate: 0.2
#: variants: sigmoid sigmoid half_sum | tanh linear sum | relu linear mse | sigmoid softmax ce_sum
import numpy as np


def sig(v):
    return 1 / (1 + np.exp(-v))
    # ! 53 [sigmoid]: return 1 / (1 + np.exp(v))


def with_ones(M):
    return np.hstack([M, np.ones((M.shape[0], 1))])


class Widened:
    def __init__(self, inputs, hidden, outputs):
        rng = np.random.default_rng(5)
        self.first = rng.standard_normal((inputs + 1, hidden)) / 2
        self.second = rng.standard_normal((hidden + 1, outputs)) / 2
        self.speed = 0.2

    def improve(self, X, Y):
        wide = with_ones(X)
        s = wide @ self.first
        h = sig(s)
        # = tanh: h = np.tanh(s)
        # = relu: h = np.where(s > 0, s, 0)
        hw = with_ones(h)
        # ! 43: hw = np.hstack([h, h[:, :1] * 0 + sig(s[:, :1])])
        t = hw @ self.second
        o = sig(t)
        # = out-linear: o = t
        # = out-softmax: o = np.exp(t) / np.exp(t).sum(1)[:, None]
        # ! 15 [out-softmax]: o = np.exp(t) / np.exp(t).sum(1)[:, None]\no = np.exp(o) / np.exp(o).sum(1)[:, None]
        # ! 14 [out-softmax]: o = np.exp(t) / np.exp(t).sum(0)
        e = o - Y
        print(0.5 * (e**2).sum())
        # = sum: print((e**2).sum())
        # = mse: print((e**2).mean())
        # = ce_sum: print(-(Y * np.log(o)).sum())
        do = e * o * (1 - o)
        # = sum: do = 2 * e
        # = mse: do = 2 * e / e.size
        # = ce_sum: do = e
        # ! 10 [half_sum]: do = e
        # ! 11 [ce_sum]: do = e * o * (1 - o)
        # ! 56 [half_sum]: do = e * e * (1 - e)
        # ! 3 [sum]: do = e
        # ! 3 [mse]: do = e / e.size
        # ! 5 [mse]: do = 2 * e
        # ! 12 [sum|mse]: do = np.sign(e)
        # ! 13 [ce_sum]: do = -Y * (1 - o)
        back = do @ self.second[:-1].T
        # ! 42: back = do @ self.second[1:].T
        # ! 34: back = do @ abs(self.second[:-1]).T
        # ! 33 [half_sum]: back = e @ self.second[:-1].T
        # ! 31: self.second -= self.speed * hw.T @ do\nback = do @ self.second[:-1].T
        # ! 32: back = do @ (hw.T @ do)[:-1].T
        # ! 57 [half_sum]: back = do.sum(1)[:, None]
        dh = back * h * (1 - h)
        # = tanh: dh = back * (1 - h * h)
        # = relu: dh = back * (s > 0)
        # ! 16: dh = back
        # ! 18 [tanh]: dh = back * (1 - np.tanh(h) ** 2)
        # ! 18 [sigmoid]: dh = back * sig(h) * (1 - sig(h))
        # ! 19 [sigmoid]: dh = back * s * (1 - s)
        # ! 20 [relu]: dh = back * (h >= 0)
        # ! 21 [relu]: mask = np.where(h > 0, 1, h)\nmask = np.where(mask <= 0, 1, mask)\ndh = back * mask
        # ! 22 [tanh|relu]: dh = back * h * (1 - h)
        # ! 23 [tanh]: dh = back * (1 - h)
        # ! 24 [sigmoid]: dh = back * (h * (1 - h)) ** 2
        # ! 24 [tanh]: dh = back * (1 - h * h) ** 2
        # ! 55 [relu]: dh = np.maximum(back, 0)
        # ! 58 [tanh]: dh = back * np.tanh(s)
        g2 = hw.T @ do
        # ! 26: g2 = with_ones(s).T @ do
        # ! 2: g2 = -hw.T @ do
        # ! 4: g2 = 4 * hw.T @ do
        # ! 44: g2 = np.outer(hw[-1], do[-1])
        # ! 54: g2 = hw[:-1].T @ do[:-1]
        # ! 37: g2 = hw.T @ do\ng2[-1] = 0
        # ! 10b [half_sum]: g2 = hw.T @ e
        g1 = wide.T @ dh
        # ! 17: g1 = wide.T @ back
        # ! 54: g1 = wide[:-1].T @ dh[:-1]
        # ! 7 [mse]: g1 = wide.T @ dh / len(X)
        # ! 37b: g1 = wide.T @ dh\ng1[-1] = 0
        self.second = self.second - self.speed * g2
        # ! 1: self.second = self.second + self.speed * g2
        # - 31
        self.first = self.first - self.speed * g1
        # ! 1: self.first = self.first + self.speed * g1
        # ! 36: pass
