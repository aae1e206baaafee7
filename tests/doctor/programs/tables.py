"""Parameters and gradients in dicts, samples as columns, tanh and a sigmoid, cross-entropy."""

import numpy as np


def make(inputs, hidden, outputs):
    random = np.random.default_rng(1)
    return {
        "W1": random.normal(0, 0.1, (hidden, inputs)),
        "b1": np.zeros((hidden, 1)),
        "W2": random.normal(0, 0.1, (outputs, hidden)),
        "b2": np.zeros((outputs, 1)),
    }


def outputs_of(table, X):
    hidden = np.tanh(table["W1"] @ X + table["b1"])
    return hidden, 1 / (1 + np.exp(-(table["W2"] @ hidden + table["b2"])))


def gradients_of(table, X, Y):
    count = X.shape[1]
    hidden, chance = outputs_of(table, X)
    late = (chance - Y) / count
    early = table["W2"].T @ late * (1 - hidden * hidden)
    return {
        "W1": early @ X.T,
        "b1": early.sum(axis=1, keepdims=True),
        "W2": late @ hidden.T,
        "b2": late.sum(axis=1, keepdims=True),
    }


def step(table, X, Y, rate=0.8):
    gradients = gradients_of(table, X, Y)
    for name in table:
        table[name] = table[name] - rate * gradients[name]
