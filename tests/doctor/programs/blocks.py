"""Layers that are objects and hand their gradient on; softmax with cross-entropy of labels."""

from itertools import pairwise

import numpy as np


class Linear:
    def __init__(self, inputs, outputs, random):
        self.weight = random.normal(0, 0.3, (inputs, outputs))
        self.bias = np.zeros(outputs)

    def forward(self, values):
        self.values = values
        return values @ self.weight + self.bias

    def backward(self, flow, rate):
        back = flow @ self.weight.T
        self.weight -= rate * (self.values.T @ flow)
        self.bias -= rate * flow.sum(axis=0)
        return back


class Rectifier:
    def forward(self, values):
        self.open = values > 0
        return np.where(self.open, values, 0.0)

    def backward(self, flow, rate):
        return flow * self.open


class Stack:
    def __init__(self, widths):
        random = np.random.default_rng(2)
        self.blocks = []
        for inputs, outputs in pairwise(widths):
            self.blocks += [Linear(inputs, outputs, random), Rectifier()]
        self.blocks.pop()

    def learn(self, X, labels, rate=0.1):
        values = X
        for block in self.blocks:
            values = block.forward(values)
        powers = np.exp(values - values.max(axis=1, keepdims=True))
        chances = powers / powers.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        flow = chances.copy()
        flow[rows, labels] -= 1
        flow = flow / len(labels)
        for block in reversed(self.blocks):
            flow = block.backward(flow, rate)
        return -np.log(chances[rows, labels]).mean()
