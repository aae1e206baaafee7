"""One sample after the other, each a column; what they want is added up, and then averaged."""

from itertools import pairwise

import numpy as np


def squash(z):
    return 1 / (1 + np.exp(-z))


def steepness(z):
    return squash(z) * (1 - squash(z))


class Columns:
    def __init__(self, widths):
        random = np.random.default_rng(4)
        self.matrices = [random.normal(size=(out, into)) for into, out in pairwise(widths)]
        self.offsets = [random.normal(size=(out, 1)) for out in widths[1:]]

    def learn(self, rate, X, Y):
        matrices = [np.zeros_like(one) for one in self.matrices]
        offsets = [np.zeros_like(one) for one in self.offsets]
        for sample, target in zip(X, Y, strict=True):
            wanted = self.gradients(sample.reshape(-1, 1), target.reshape(-1, 1))
            for layer, (matrix, offset) in enumerate(wanted):
                matrices[layer] += matrix
                offsets[layer] += offset
        share = rate / len(X)
        self.matrices = [
            one - share * wish for one, wish in zip(self.matrices, matrices, strict=True)
        ]
        self.offsets = [one - share * wish for one, wish in zip(self.offsets, offsets, strict=True)]

    def gradients(self, sample, target):
        values, sums = [sample], []
        for matrix, offset in zip(self.matrices, self.offsets, strict=True):
            sums.append(matrix @ values[-1] + offset)
            values.append(squash(sums[-1]))
        flow = (values[-1] - target) * steepness(sums[-1])
        found = [(flow @ values[-2].T, flow)]
        for layer in range(len(self.matrices) - 2, -1, -1):
            flow = self.matrices[layer + 1].T @ flow * steepness(sums[layer])
            found.insert(0, (flow @ values[layer].T, flow))
        return found
