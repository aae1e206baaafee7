"""Weights that are names of the module, changed in place; the error has the other sign."""

import numpy as np

random = np.random.default_rng(5)
first = random.uniform(-1, 1, (3, 4))
second = random.uniform(-1, 1, (4, 1))


def bend(x):
    return 1 / (1 + np.exp(-x))


def learn(X, y):
    global first, second
    for _ in range(3):
        middle = bend(X @ first)
        guess = bend(middle @ second)
        late = (y - guess) * guess * (1 - guess)
        early = (late @ second.T) * middle * (1 - middle)
        second += middle.T @ late
        first += X.T @ early
