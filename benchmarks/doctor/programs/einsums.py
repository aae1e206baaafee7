#: style: every product an einsum
#: setup: net = Summed()
#: call: net.update
#: sizes: 4 5 3
#: layers: net.kernel1 net.offset1, net.kernel2 net.offset2
#: rate: 0.05
#: variants: softplus softmax ce_mean | tanh linear sum
import numpy as np


class Summed:
    def __init__(self):
        g = np.random.default_rng(13)
        self.kernel1 = g.normal(size=(4, 5))
        self.offset1 = g.normal(size=5)
        self.kernel2 = g.normal(size=(5, 3))
        self.offset2 = g.normal(size=3)

    def update(self, X, Y):
        pre = np.einsum("ni,ij->nj", X, self.kernel1) + self.offset1
        hid = np.logaddexp(0, pre)
        # = tanh: hid = np.tanh(pre)
        score = np.einsum("nj,jk->nk", hid, self.kernel2) + self.offset2
        score -= score.max(axis=1, keepdims=True)
        # = out-linear: pass
        prob = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        # = out-linear: prob = score
        cost = -np.einsum("nk,nk->", Y, np.log(prob)) / len(X)
        # = sum: cost = np.einsum("nk,nk->", prob - Y, prob - Y)
        dscore = (prob - Y) / len(X)
        # = sum: dscore = 2 * (prob - Y)
        # ! 13 [ce_mean]: dscore = -Y * (1 - prob) / len(X)
        dpre = np.einsum("nk,jk->nj", dscore, self.kernel2) / (1 + np.exp(-pre))
        # = tanh: dpre = np.einsum("nk,jk->nj", dscore, self.kernel2) * (1 - hid**2)
        # ! 16: dpre = np.einsum("nk,jk->nj", dscore, self.kernel2)
        self.kernel2 -= 0.05 * np.einsum("nj,nk->jk", hid, dscore)
        # ! 26: self.kernel2 -= 0.05 * np.einsum("nj,nk->jk", pre, dscore)
        self.offset2 -= 0.05 * np.einsum("nk->k", dscore)
        self.kernel1 -= 0.05 * np.einsum("ni,nj->ij", X, dpre)
        self.offset1 -= 0.05 * np.einsum("nj->j", dpre)
        # ! 39: self.offset1 -= 0.05 * np.einsum("nj->", dpre)
        return cost
