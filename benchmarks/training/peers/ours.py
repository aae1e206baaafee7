"""backpass: `net.fit`, all that it does included."""

from __future__ import annotations

import backpass as bp
from benchmarks.training.problems import BETA1, BETA2, EPSILON, MOMENTUM, RATES, Problem, Weights


class Ours:
    """Fitting again goes on from where it stands."""

    def __init__(self, problem: Problem, optimizer: str) -> None:
        self.problem = problem
        self.X, self.y = problem.data()
        *hidden, outputs = problem.widths[1:]
        layers = [*(bp.Dense(units, "relu") for units in hidden), bp.Dense(outputs)]
        self.net = bp.Network(layers, inputs=problem.widths[0], optimizer=rule(optimizer))
        for place, (W, b) in enumerate(problem.weights(), 1):
            self.net.weights[f"W{place}"], self.net.weights[f"b{place}"] = W, b

    def train(self) -> None:
        self.net.fit(
            self.X, self.y, epochs=self.problem.epochs, batch_size=self.problem.batch,
            shuffle=False, progress=False, backend="compiled",
        )  # fmt: skip

    def weights(self) -> Weights:
        found = self.net.weights
        return [(found[f"W{k}"], found[f"b{k}"]) for k in range(1, len(self.problem.widths))]


def rule(optimizer: str) -> bp.nn.optim.Optimizer:
    if optimizer == "Adam":
        return bp.Adam(RATES[optimizer], BETA1, BETA2, EPSILON)
    return bp.SGD(RATES[optimizer], momentum=MOMENTUM if optimizer == "momentum" else 0.0)


def trainer(problem: Problem, optimizer: str) -> Ours:
    return Ours(problem, optimizer)
