"""A network by hand whose loss falls, and whose gradient is wrong.

It learns when two numbers have the same sign. `backpass doctor` finds the mistake.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Net:
    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        self.W1, self.b1 = random.normal(size=(2, 8)), np.zeros(8)
        self.W2, self.b2 = random.normal(size=(8, 1)), np.zeros(1)

    def step(self, X, Y, lr=0.02):
        A1 = np.tanh(X @ self.W1 + self.b1)
        A2 = sigmoid(A1 @ self.W2 + self.b2)
        d2 = (A2 - Y) * A2 * (1 - A2)
        d1 = d2 @ self.W2.T * (1 - A1)
        self.W2 -= lr * A1.T @ d2
        self.b2 -= lr * d2.sum(axis=0)
        self.W1 -= lr * X.T @ d1
        self.b1 -= lr * d1.sum(axis=0)
        return 0.5 * np.sum((A2 - Y) ** 2), np.mean((A2 > 0.5) == Y)


X = np.random.default_rng(1).uniform(-1, 1, (200, 2))
Y = (X[:, :1] * X[:, 1:] > 0).astype(float)

if __name__ == "__main__":
    net = Net()
    for steps in range(1501):
        loss, right = net.step(X, Y)
        if steps % 300 == 0:
            print(f"{steps:5} steps: loss {loss:.2f}, {right:.0%} right")
