#: style: lists of columns, negative indices counted from the end
#: setup: net = Indexed([3, 4, 4, 2])
#: call: net.mini
#: sizes: 3 4 4 2
#: layout: columns
#: layers: net.weights[0] net.biases[0], net.weights[1] net.biases[1], net.weights[2] net.biases[2]
#: rate: 0.3
#: variants: sigmoid sigmoid half_mean | tanh linear half_mean
import numpy as np


class Indexed:
    def __init__(self, sizes):
        rng = np.random.default_rng(88)
        self.layers = len(sizes)
        self.weights = [rng.normal(size=(q, p)) for p, q in zip(sizes, sizes[1:])]
        self.biases = [rng.normal(size=(q, 1)) for q in sizes[1:]]

    def bow(self, z):
        return 1 / (1 + np.exp(-z))
        # = tanh: return np.tanh(z)

    def bow_prime(self, z):
        return self.bow(z) * (1 - self.bow(z))
        # = tanh: return 1 - np.tanh(z) ** 2

    def mini(self, X, Y):
        zs, outs = [], [X]
        for W, b in zip(self.weights, self.biases):
            zs.append(W @ outs[-1] + b)
            outs.append(self.bow(zs[-1]))
        error = outs[-1] - Y
        # = out-linear: outs[-1] = zs[-1]\nerror = outs[-1] - Y
        cost = 0.5 * np.linalg.norm(error) ** 2 / X.shape[1]
        delta = error * self.bow_prime(zs[-1])
        # = out-linear: delta = error
        # ! 10 [out-sigmoid]: delta = error
        nabla_w = [None] * len(self.weights)
        nabla_b = [None] * len(self.biases)
        nabla_w[-1] = delta @ outs[-2].T
        nabla_b[-1] = delta.sum(axis=1, keepdims=True)
        for back in range(2, self.layers):
            delta = (self.weights[-back + 1].T @ delta) * self.bow_prime(zs[-back])
            # ! 16: delta = self.weights[-back + 1].T @ delta
            nabla_w[-back] = delta @ outs[-back - 1].T
            nabla_b[-back] = delta.sum(axis=1, keepdims=True)
        speed = 0.3 / X.shape[1]
        self.weights = [W - speed * n for W, n in zip(self.weights, nabla_w)]
        self.biases = [b - speed * n for b, n in zip(self.biases, nabla_b)]
        return cost
