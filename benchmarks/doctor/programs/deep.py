#: style: four layers, activations of three kinds in a table
#: setup: net = Mixed()
#: call: net.train_on
#: sizes: 4 5 4 3 2
#: hidden: relu tanh sigmoid
#: layers: net.Ws[0] net.bs[0], net.Ws[1] net.bs[1], net.Ws[2] net.bs[2], net.Ws[3] net.bs[3]
#: rate: 0.05
#: variants: mixed linear half_sum
import numpy as np

TABLE = {
    "relu": (lambda z: np.maximum(z, 0), lambda z, a: z > 0),
    # ! 20: "relu": (lambda z: np.maximum(z, 0), lambda z, a: a >= 0),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    # ! 23: "tanh": (np.tanh, lambda z, a: 1 - a),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    # ! 19: "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: z * (1 - z)),
    "none": (lambda z: z, lambda z, a: 1),
}


class Mixed:
    kinds = ("relu", "tanh", "sigmoid", "none")

    def __init__(self):
        rng = np.random.default_rng(10)
        self.sizes = [4, 5, 4, 3, 2]
        self.Ws = [rng.normal(size=s) * 0.8 for s in zip(self.sizes, self.sizes[1:])]
        self.bs = [rng.normal(size=s) * 0.3 for s in self.sizes[1:]]

    def train_on(self, X, Y):
        zs, activations = [], [X]
        for W, b, kind in zip(self.Ws, self.bs, self.kinds):
            zs.append(activations[-1] @ W + b)
            activations.append(TABLE[kind][0](zs[-1]))
        loss = 0.5 * np.sum((activations[-1] - Y) ** 2)
        slope = activations[-1] - Y
        steps = []
        for l in range(len(self.Ws) - 1, -1, -1):
            slope = slope * TABLE[self.kinds[l]][1](zs[l], activations[l + 1])
            steps.append((l, activations[l].T @ slope, slope.sum(axis=0)))
            # ! 26: steps.append((l, (zs[l - 1] if l else X).T @ slope, slope.sum(axis=0)))
            slope = slope @ self.Ws[l].T
            # ! 34: slope = slope @ np.abs(self.Ws[l]).T
        for l, dW, db in steps:
            self.Ws[l] -= 0.05 * dW
            self.bs[l] -= 0.05 * db
        return loss
