#: style: recurrent rows in a batch, a dict of arrays, outputs at every step, sums kept by the object
#: setup: net = Rolling()
#: call: net.turn
#: sizes: 2 4 3
#: past: every 4 3
#: given: batch
#: parts: Wx Wh b Wy c
#: layers: net.p['in'], net.p['rec'], net.p['bias'], net.p['out'], net.p['shift']
#: rate: 0.1
#: calls: 2
#: variants: tanh linear half_sum | relu linear mean
import numpy as np


class Rolling:
    def __init__(self):
        g = np.random.default_rng(37)
        sizes = {"in": (2, 4), "rec": (4, 4), "bias": (4,), "out": (4, 3), "shift": (3,)}
        self.p = {name: g.normal(size=size) * 0.5 for name, size in sizes.items()}
        self.g = {name: np.zeros(size) for name, size in sizes.items()}

    def turn(self, X, Y):
        p, g = self.p, self.g
        for total in g.values():
            total[...] = 0
            # ! 48: pass
        count, steps, _ = X.shape
        H = np.zeros((steps + 1, count, 4))
        O = np.zeros((steps, count, 3))
        for t in range(steps):
            H[t + 1] = np.tanh(X[:, t] @ p["in"] + H[t] @ p["rec"] + p["bias"])
            # = relu: H[t + 1] = np.maximum(X[:, t] @ p["in"] + H[t] @ p["rec"] + p["bias"], 0)
            O[t] = H[t + 1] @ p["out"] + p["shift"]
        E = O - Y.transpose(1, 0, 2)
        # = mean: E = 2 * (O - Y.transpose(1, 0, 2)) / (count * steps)
        carried = np.zeros((count, 4))
        for t in range(steps - 1, -1, -1):
            g["out"] += H[t + 1].T @ E[t]
            # ! 60: g["out"] += H[t].T @ E[t]
            g["shift"] += E[t].sum(axis=0)
            dH = E[t] @ p["out"].T + carried
            # ! 60b: dH = E[t] @ p["out"].T
            # ! 60c: dH = E[t - 1] @ p["out"].T + carried
            dZ = dH * (1 - H[t + 1] ** 2)
            # = relu: dZ = dH * (H[t + 1] > 0)
            # ! 60d: dZ = dH * (1 - H[t] ** 2)
            # ! 55 [relu]: dZ = np.maximum(dH, 0)
            # ! 20 [relu]: dZ = dH * (H[t + 1] >= 0)
            g["in"] += X[:, t].T @ dZ
            # ! 49: g["in"] = X[:, t].T @ dZ
            # ! 60e: g["in"] += X[:, t - 1].T @ dZ
            g["rec"] += H[t].T @ dZ
            # ! 26: g["rec"] += (X[:, t - 1] @ p["in"] + H[t - 1] @ p["rec"] + p["bias"]).T @ dZ
            g["bias"] += dZ.sum(axis=0)
            # ! 40: g["bias"] += dH.sum(axis=0)
            carried = dZ @ p["rec"].T
            # ! 57: carried = dZ
            # ! 30: carried = dZ @ p["rec"]
        for name, total in g.items():
            p[name] -= 0.1 * total
            # ! 1: p[name] += 0.1 * total
        return 0.5 * np.sum((O - Y.transpose(1, 0, 2)) ** 2)
        # = mean: return np.sum((O - Y.transpose(1, 0, 2)) ** 2) / (count * steps)
