#: style: one sample at a time, gradients added up, weights out×in
#: setup: net = PerSample()
#: call: net.batch
#: sizes: 3 4 2
#: layout: columns-of-rows
#: layers: net.Wh net.bh, net.Wo net.bo
#: rate: 0.5
#: variants: sigmoid sigmoid half_mean | tanh linear half_sum | relu softmax ce_mean | softplus linear sum
import numpy as np


def squash(q):
    return 1.0 / (1.0 + np.exp(-q))
    # ! 53 [sigmoid]: return 1.0 / (1.0 + np.exp(q))


class PerSample:
    def __init__(self):
        np.random.seed(2)
        self.Wh = np.random.uniform(-0.9, 0.9, (4, 3))
        self.bh = np.random.uniform(-0.4, 0.4, 4)
        self.Wo = np.random.uniform(-0.9, 0.9, (2, 4))
        self.bo = np.random.uniform(-0.4, 0.4, 2)
        self.lr = 0.5

    def batch(self, X, Y):
        gWh = np.zeros_like(self.Wh)
        gbh = np.zeros_like(self.bh)
        gWo = np.zeros_like(self.Wo)
        gbo = np.zeros_like(self.bo)
        total = 0.0
        for x, y in zip(X, Y):
            # ! 54: for x, y in zip(X[:-1], Y[:-1]):
            q = self.Wh @ x + self.bh
            a = squash(q)
            # ! 50 [softplus]: a = np.log(1 + np.exp(q, out=q), out=q)
            # = tanh: a = np.tanh(q)
            # ! 50 [tanh]: a = np.tanh(q, out=q)
            # = relu: a = np.maximum(0, q)
            # = softplus: a = np.log(1 + np.exp(q))
            r = self.Wo @ a + self.bo
            p = squash(r)
            # = out-linear: p = r
            # = out-softmax: p = np.exp(r - r.max())\np /= p.sum()
            # ! 15 [out-softmax]: p = np.exp(r - r.max())\np /= p.sum()\np = np.exp(p)\np /= p.sum()
            total += 0.5 * ((p - y) ** 2).sum()
            # = ce_mean: total -= (y * np.log(p)).sum()
            # = sum: total += ((p - y) ** 2).sum()
            do = (p - y) * p * (1 - p)
            # = ce_mean: do = p - y
            # = half_sum: do = p - y
            # = sum: do = 2 * (p - y)
            # ! 3 [sum]: do = p - y
            # ! 3 [half_sum]: do = 2 * (p - y)
            # ! 10 [out-sigmoid]: do = p - y
            # ! 11 [ce_mean]: do = (p - y) * p * (1 - p)
            # ! 12 [half_sum]: do = np.sign(p - y)
            # ! 12 [sum]: do = 4 * (p - y) ** 3
            # ! 13 [ce_mean]: do = -y * (1 - p)
            # ! 19 [out-sigmoid]: do = (p - y) * r * (1 - r)
            # ! 56 [out-sigmoid]: do = (p - y) * (p - y) * (1 - (p - y))
            back = self.Wo.T @ do
            # ! 34: back = np.abs(self.Wo).T @ do
            # ! 32: back = np.outer(do, a).T @ do
            # ! 33 [out-sigmoid]: back = self.Wo.T @ (p - y)
            # ! 31 [half_sum|sum]: self.Wo -= self.lr * np.outer(do, a)\nback = self.Wo.T @ do
            # ! 46: back = (self.Wo[0] * do[0]).sum()
            dh = back * a * (1 - a)
            # = tanh: dh = back * (1 - np.tanh(q) ** 2)
            # = relu: dh = back * (q > 0)
            # = softplus: dh = back * squash(q)
            # ! 16: dh = back
            # ! 18 [tanh]: dh = back * (1 - np.tanh(a) ** 2)
            # ! 18 [softplus]: dh = back * squash(a)
            # ! 18 [sigmoid]: dh = back * squash(a) * (1 - squash(a))
            # ! 19 [sigmoid]: dh = back * q * (1 - q)
            # ! 20 [relu]: dh = back * (a >= 0)
            # ! 22 [tanh|relu|softplus]: dh = back * a * (1 - a)
            # ! 23 [tanh]: dh = back * (1 - a)
            # ! 24 [sigmoid]: dh = back * (a * (1 - a)) ** 2
            # ! 24 [softplus]: dh = back * squash(q) ** 2
            # ! 55 [relu]: dh = np.maximum(back, 0)
            # ! 58 [tanh]: dh = back * np.tanh(q)
            gWo += np.outer(do, a)
            # ! 26: gWo += np.outer(do, q)
            # ! 44: gWo = np.outer(do, a)
            # ! 2: gWo -= np.outer(do, a)
            # ! 4: gWo += 2 * np.outer(do, a)
            # ! 31 [half_sum|sum]: pass
            gbo += do
            # ! 44: gbo = do
            # ! 39: gbo += do.sum()
            # ! 40 [out-sigmoid]: gbo += p - y
            gWh += np.outer(dh, x)
            # ! 44: gWh = np.outer(dh, x)
            # ! 47: gWh += np.outer(dh, x).sum()
            # ! 27: gWh += dh[:, None] * self.Wh
            # ! 17 [sigmoid|tanh]: gWh += np.outer(back, x)
            # ! 35: gWh += np.outer(dh, a[:3])
            gbh += dh
            # ! 44: gbh = dh
            # ! 40: gbh += back
            # ! 37: pass
        n = len(X)
        # = half_sum: n = 1
        # = sum: n = 1
        # ! 5 [half_mean|ce_mean]: n = 1
        # ! 6 [half_mean|ce_mean]: n = len(X) ** 2
        self.Wo -= self.lr * gWo / n
        # ! 1: self.Wo += self.lr * gWo / n
        self.bo -= self.lr * gbo / n
        # ! 1: self.bo += self.lr * gbo / n
        # ! 9 [half_mean|ce_mean]: self.bo -= self.lr * gbo
        self.Wh -= self.lr * gWh / n
        # ! 1: self.Wh += self.lr * gWh / n
        # ! 36: pass
        self.bh -= self.lr * gbh / n
        # ! 1: self.bh += self.lr * gbh / n
        # ! 9 [half_mean|ce_mean]: self.bh -= self.lr * gbh
        # ! 36: pass
        return total / len(X)
        # = half_sum: return total
        # = sum: return total
