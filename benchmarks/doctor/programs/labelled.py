#: style: integer labels, p[range, y] -= 1
#: setup: clf = Classifier()
#: call: clf.partial
#: sizes: 4 6 3
#: targets: labels
#: layers: clf.W clf.b, clf.V clf.c
#: rate: 0.3
#: variants: relu softmax ce_mean | tanh softmax ce_mean
import numpy as np


class Classifier:
    def __init__(self):
        gen = np.random.default_rng(12)
        self.W, self.b = gen.normal(size=(4, 6)) * 0.4, gen.normal(size=6) * 0.1
        self.V, self.c = gen.normal(size=(6, 3)) * 0.4, gen.normal(size=3) * 0.1

    def partial(self, X, y):
        n = X.shape[0]
        h = np.maximum(0, X.dot(self.W) + self.b)
        # = tanh: h = np.tanh(X.dot(self.W) + self.b)
        scores = h.dot(self.V) + self.c
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(n), y]).mean()
        d = p.copy()
        d[np.arange(n), y] -= 1
        d /= n
        # ! 5: d /= 1
        # ! 6: d /= n * n
        dh = d.dot(self.V.T)
        # ! 31: self.V -= 0.3 * h.T.dot(d)\ndh = d.dot(self.V.T)
        dh[h <= 0] = 0
        # = tanh: dh *= 1 - h**2
        # ! 16: pass
        # ! 55 [relu]: dh[dh <= 0] = 0
        self.V -= 0.3 * h.T.dot(d)
        # - 31
        self.c -= 0.3 * d.sum(axis=0)
        # ! 9: self.c -= 0.3 * d.mean(axis=0)
        self.W -= 0.3 * X.T.dot(dh)
        self.b -= 0.3 * dh.sum(axis=0)
        # ! 37: pass
        return loss
