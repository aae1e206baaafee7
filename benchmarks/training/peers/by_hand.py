"""NumPy by somebody who knows the gradients, updates in place."""

from __future__ import annotations

import numpy as np

from benchmarks.training.problems import (
    BETA1,
    BETA2,
    EPSILON,
    MOMENTUM,
    RATES,
    Array,
    Problem,
    Weights,
    batches,
)


class ByHand:
    """Plain loops over the layers; every array of a step is new, as people write it."""

    def __init__(self, problem: Problem, optimizer: str) -> None:
        self.problem, self.optimizer, self.rate = problem, optimizer, RATES[optimizer]
        self.X, self.y = problem.data()
        self.layers = problem.weights()
        self.first = [[np.zeros_like(one) for one in layer] for layer in self.layers]
        self.second = [[np.zeros_like(one) for one in layer] for layer in self.layers]
        self.steps = 0

    def weights(self) -> Weights:
        return self.layers

    def train(self) -> None:
        for _ in range(self.problem.epochs):
            for part in batches(self.problem):
                self.step(self.X[part], self.y[part])

    def step(self, X: Array, y: Array) -> None:
        A = [X]
        for W, b in self.layers[:-1]:
            A.append(np.maximum(A[-1] @ W + b, 0))
        W, b = self.layers[-1]
        Z = A[-1] @ W + b
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        P[np.arange(len(y)), y] -= 1
        dZ = P / len(y)
        gradients = []
        for place in reversed(range(len(self.layers))):
            gradients.append((A[place].T @ dZ, dZ.sum(axis=0)))
            if place:
                dZ = (dZ @ self.layers[place][0].T) * (A[place] > 0)
        self.steps += 1
        for place, found in enumerate(reversed(gradients)):
            for which, gradient in enumerate(found):
                self.update(place, which, gradient)

    def update(self, place: int, which: int, gradient: Array) -> None:
        weight = self.layers[place][which]
        if self.optimizer == "SGD":
            weight -= self.rate * gradient
            return
        V, S = self.first[place][which], self.second[place][which]
        if self.optimizer == "momentum":
            V *= MOMENTUM
            V += gradient
            weight -= self.rate * V
            return
        V *= BETA1
        V += (1 - BETA1) * gradient
        S *= BETA2
        S += (1 - BETA2) * gradient**2
        mean, square = V / (1 - BETA1**self.steps), S / (1 - BETA2**self.steps)
        weight -= self.rate * mean / (np.sqrt(square) + EPSILON)


def trainer(problem: Problem, optimizer: str) -> ByHand:
    return ByHand(problem, optimizer)
