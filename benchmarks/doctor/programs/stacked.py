#: style: a class with lists of weights and biases
#: setup: net = Stack([3, 5, 5, 2])
#: call: net.fit
#: sizes: 3 5 5 2
#: layers: net.W[0] net.b[0], net.W[1] net.b[1], net.W[2] net.b[2]
#: rate: 0.05
#: variants: sigmoid sigmoid half_sum | tanh linear mse | relu softmax ce_mean | leaky sigmoid bce_mean | softplus linear half_mean
import numpy as np


class Stack:
    def __init__(self, widths, rate=0.05, seed=3):
        rng = np.random.default_rng(seed)
        self.W = [rng.normal(0, 0.6, size=(p, q)) for p, q in zip(widths[:-1], widths[1:])]
        self.b = [rng.normal(0, 0.3, size=q) for q in widths[1:]]
        self.rate = rate

    def act(self, z):
        return 1.0 / (1.0 + np.exp(-z))
        # = tanh: return np.tanh(z)
        # = relu: return np.maximum(z, 0.0)
        # = leaky: return np.where(z > 0, z, 0.1 * z)
        # = softplus: return np.log1p(np.exp(z))
        # ! 53 [sigmoid]: return 1.0 / (1.0 + np.exp(z))

    def slope(self, a):
        return a * (1.0 - a)
        # = tanh: return 1.0 - a**2
        # = relu: return (a > 0).astype(float)
        # = leaky: return np.where(a > 0, 1.0, 0.1)
        # = softplus: return 1.0 - np.exp(-a)
        # ! 20 [relu]: return (a >= 0).astype(float)
        # ! 22 [tanh|relu|leaky]: return a * (1.0 - a)
        # ! 23 [tanh]: return 1.0 - a
        # ! 58 [tanh]: return np.tanh(a)
        # ! 18 [softplus]: return 1.0 / (1.0 + np.exp(-a))
        # ! 24 [sigmoid]: return (a * (1.0 - a)) ** 2
        # ! 24 [tanh]: return (1.0 - a**2) ** 2

    def head(self, z):
        return 1.0 / (1.0 + np.exp(-z))
        # = out-linear: return z
        # = out-softmax: e = np.exp(z - z.max(axis=1, keepdims=True))\nreturn e / e.sum(axis=1, keepdims=True)
        # ! 14 [out-softmax]: e = np.exp(z - z.max(axis=0, keepdims=True))\nreturn e / e.sum(axis=0, keepdims=True)
        # ! 15 [out-softmax]: e = np.exp(z - z.max(axis=1, keepdims=True))\np = e / e.sum(axis=1, keepdims=True)\ne = np.exp(p)\nreturn e / e.sum(axis=1, keepdims=True)

    def fit(self, X, Y):
        outs = [X]
        for W, b in zip(self.W[:-1], self.b[:-1]):
            outs.append(self.act(outs[-1] @ W + b))
        guess = self.head(outs[-1] @ self.W[-1] + self.b[-1])
        loss = 0.5 * np.sum((guess - Y) ** 2)
        # = mse: loss = np.mean((guess - Y) ** 2)
        # = ce_mean: loss = -np.mean(np.sum(Y * np.log(guess), axis=1))
        # = bce_mean: loss = -np.sum(Y * np.log(guess) + (1 - Y) * np.log(1 - guess)) / len(X)
        # = half_mean: loss = 0.5 * np.sum((guess - Y) ** 2) / len(X)
        delta = (guess - Y) * guess * (1.0 - guess)
        # = mse: delta = 2.0 * (guess - Y) / Y.size
        # = ce_mean|bce_mean|half_mean: delta = (guess - Y) / len(X)
        # ! 10 [half_sum]: delta = guess - Y
        # ! 11 [bce_mean]: delta = (guess - Y) / len(X) * guess * (1.0 - guess)
        # ! 3 [mse]: delta = (guess - Y) / Y.size
        # ! 3 [half_mean]: delta = 2.0 * (guess - Y) / len(X)
        # ! 5 [mse]: delta = 2.0 * (guess - Y)
        # ! 5 [ce_mean|bce_mean|half_mean]: delta = guess - Y
        # ! 6 [ce_mean|bce_mean|half_mean]: delta = (guess - Y) / len(X) / len(X)
        # ! 8 [ce_mean|bce_mean|half_mean]: delta = (guess - Y) / Y.size
        # ! 12 [mse]: delta = np.sign(guess - Y) / Y.size
        # ! 13 [ce_mean]: delta = -Y * (1.0 - guess) / len(X)
        # ! 56 [half_sum]: delta = (guess - Y) * (guess - Y) * (1.0 - (guess - Y))
        dW = [None] * len(self.W)
        db = [None] * len(self.b)
        # + 33 [half_sum]: raw = guess - Y
        for i in reversed(range(len(self.W))):
            dW[i] = outs[i].T @ delta
            # ! 7 [mse|softplus]: delta = delta / len(X)\ndW[i] = outs[i].T @ delta
            # ! 2: dW[i] = (-1 if i == 1 else 1) * outs[i].T @ delta
            # ! 4: dW[i] = (2 if i == 1 else 1) * outs[i].T @ delta
            # ! 35: dW[i] = outs[i].T @ delta if i < 2 else outs[1].T @ delta
            # ! 55 [relu]: dW[i] = outs[i].T @ (np.maximum(delta, 0) if i < 2 else delta)
            # ! 44: dW[i] = np.outer(outs[i][-1], delta[-1])
            # ! 28: dW[i] = outs[i].T @ delta if i != 1 else delta.T @ outs[i]
            # ! 29: dW[i] = outs[i].T @ delta if i != 1 else outs[i].reshape(5, -1) @ delta
            db[i] = delta.sum(axis=0)
            # ! 9: db[i] = delta.mean(axis=0)
            # ! 37: db[i] = np.zeros_like(self.b[i])
            # ! 39: db[i] = delta.sum()
            # ! 41 [sigmoid|leaky|softplus]: db[i] = dW[i].sum(axis=0)
            if i:
                delta = delta @ self.W[i].T * self.slope(outs[i])
                # ! 16: delta = delta @ self.W[i].T
                # ! 33 [half_sum]: delta = (raw if i == 2 else delta) @ self.W[i].T * self.slope(outs[i])
                # ! 34: delta = delta @ np.abs(self.W[i]).T * self.slope(outs[i])
                # ! 32: delta = delta @ dW[i].T * self.slope(outs[i])
                # ! 30: delta = delta @ (self.W[i].T if i == 2 else self.W[i]) * self.slope(outs[i])
                # ! 57: delta = (delta @ self.W[i].T if i == 2 else delta) * self.slope(outs[i])
                # ! 31: self.W[i] -= self.rate * dW[i]\ndelta = delta @ self.W[i].T * self.slope(outs[i])
                # ! 35b: delta = delta @ self.W[i].T * self.slope(outs[1])
        for i in range(len(self.W)):
            # ! 36: for i in range(1, len(self.W)):
            self.W[i] -= self.rate * dW[i]
            # ! 1: self.W[i] += self.rate * dW[i]
            # ! 31: self.W[i] -= self.rate * (dW[i] if i == 0 else 0)
            self.b[i] -= self.rate * db[i]
            # ! 1: self.b[i] += self.rate * db[i]
        return loss
