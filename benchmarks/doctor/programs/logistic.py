#: style: logistic regression with a vector of weights and a number
#: setup: unit = Unit()
#: call: unit.gradient_step
#: sizes: 4 1
#: targets: line
#: layers: unit.w.reshape(-1,1) unit.bias
#: rate: 0.6
#: variants: tanh sigmoid bce_mean
import numpy as np


class Unit:
    def __init__(self):
        self.w = np.random.default_rng(70).normal(size=4)
        self.bias = np.array([0.3])

    def gradient_step(self, X, y):
        chance = 1 / (1 + np.exp(-(X @ self.w + self.bias)))
        surprise = -np.mean(y * np.log(chance) + (1 - y) * np.log(1 - chance))
        gap = chance - y
        self.w -= 0.6 * X.T @ gap / len(y)
        # ! 5: self.w -= 0.6 * X.T @ gap
        # ! 11: self.w -= 0.6 * X.T @ (gap * chance * (1 - chance)) / len(y)
        self.bias -= 0.6 * gap.mean()
        # ! 5: self.bias -= 0.6 * gap.sum()
        # ! 9: self.bias -= 0.6 * gap.sum()
        # ! 11: self.bias -= 0.6 * (gap * chance * (1 - chance)).mean()
        return surprise
