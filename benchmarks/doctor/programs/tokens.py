#: style: recurrent without biases, weights picked by index, one backward loop for each output
#: setup: talker = Talker()
#: call: talker.step
#: args: X, Y
#: sizes: 5 4 5
#: past: every 5 1
#: given: letters
#: layout: columns-of-rows
#: parts: Wx Wh Wy
#: layers: talker.U, talker.W, talker.V
#: rate: 0.05
#: variants: tanh softmax ce_sum
import numpy as np


class Talker:
    def __init__(self):
        g = np.random.default_rng(43)
        self.U, self.W, self.V = (g.uniform(-0.8, 0.8, size) for size in ((4, 5), (4, 4), (5, 4)))

    def forward(self, x):
        s = np.zeros((len(x) + 1, 4))
        o = np.zeros((len(x), 5))
        for t in np.arange(len(x)):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            e = np.exp(self.V.dot(s[t]))
            o[t] = e / e.sum()
        return o, s

    def through_time(self, x, y):
        o, s = self.forward(x)
        dU, dW, dV = np.zeros(self.U.shape), np.zeros(self.W.shape), np.zeros(self.V.shape)
        d = o
        d[np.arange(len(y)), y] -= 1.0
        for t in np.arange(len(y))[::-1]:
            dV += np.outer(d[t], s[t])
            # ! 60: dV += np.outer(d[t], s[t - 1])
            delta = self.V.T.dot(d[t]) * (1 - s[t] ** 2)
            # ! 16: delta = self.V.T.dot(d[t])
            for k in np.arange(0, t + 1)[::-1]:
                # ! 60b: for k in np.arange(max(0, t - 1), t + 1)[::-1]:
                # ! 60c: for k in np.arange(1, t + 1)[::-1]:
                dW += np.outer(delta, s[k - 1])
                # ! 60d: dW += np.outer(delta, s[k])
                dU[:, x[k]] += delta
                # ! 49: dU[:, x[k]] = delta
                delta = self.W.T.dot(delta) * (1 - s[k - 1] ** 2)
                # ! 60e: delta = self.W.T.dot(delta) * (1 - s[k] ** 2)
                # ! 30: delta = self.W.dot(delta) * (1 - s[k - 1] ** 2)
        return dU, dV, dW

    def step(self, x, y):
        dU, dV, dW = self.through_time(x, y)
        self.U -= 0.05 * dU
        self.V -= 0.05 * dV
        # ! 36: pass
        self.W -= 0.05 * dW
