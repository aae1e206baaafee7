"""PyTorch as its tutorials have it: modules, an optimiser, a loop over batches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from benchmarks.training.problems import (
    BETA1,
    BETA2,
    EPSILON,
    MOMENTUM,
    RATES,
    Problem,
    Weights,
    batches,
)


class Eager:
    """Batches are views of two tensors; `through` may compile the loss."""

    def __init__(
        self, problem: Problem, optimizer: str, through: Callable[[Any], Any] = lambda f: f
    ) -> None:
        self.problem = problem
        X, y = problem.data()
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        layers: list[nn.Module] = []
        for one, other in pairwise(problem.widths):
            layers += [nn.Linear(one, other), nn.ReLU()]
        self.net = nn.Sequential(*layers[:-1])
        self.linear = [layer for layer in self.net if isinstance(layer, nn.Linear)]
        with torch.no_grad():
            for layer, (W, b) in zip(self.linear, problem.weights(), strict=True):
                layer.weight.copy_(torch.from_numpy(W).T)
                layer.bias.copy_(torch.from_numpy(b))
        self.optimizer = rule(optimizer, list(self.net.parameters()))

        def loss(X: Any, y: Any) -> Any:
            return nn.functional.cross_entropy(self.net(X), y)

        self.loss = through(loss)

    def train(self) -> None:
        for _ in range(self.problem.epochs):
            for part in batches(self.problem):
                self.optimizer.zero_grad()
                self.loss(self.X[part], self.y[part]).backward()
                self.optimizer.step()

    def weights(self) -> Weights:
        return [
            (layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in self.linear
        ]


def rule(optimizer: str, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    rate = RATES[optimizer]
    if optimizer == "Adam":
        return torch.optim.Adam(parameters, rate, (BETA1, BETA2), EPSILON)
    momentum = MOMENTUM if optimizer == "momentum" else 0
    return torch.optim.SGD(parameters, rate, momentum=momentum)


def trainer(problem: Problem, optimizer: str) -> Eager:
    return Eager(problem, optimizer)
