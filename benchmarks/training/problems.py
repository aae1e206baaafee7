"""What is trained: networks of ReLU layers and a softmax cross-entropy, in float32."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Weights = list[tuple[Array, Array]]  # W and b of each layer


@dataclass(frozen=True, slots=True)
class Problem:
    """A network, its batches, and how long a measurement is: `epochs` over `rows` samples."""

    widths: tuple[int, ...]
    batch: int
    rows: int
    epochs: int

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.widths))}, {self.batch}"

    @property
    def steps(self) -> int:
        """Steps of one measurement."""
        return self.epochs * (self.rows // self.batch)

    @property
    def operations(self) -> int:
        """Floating-point operations of a step's matrix products: multiply and add are two.

        Each layer has three products: forward, of its weights' gradient, and of what it sends
        back, which the first layer need not.
        """
        products = [2 * self.batch * one * other for one, other in pairwise(self.widths)]
        return 3 * sum(products) - products[0]

    def data(self) -> tuple[Array, NDArray[np.int64]]:
        """Samples and labels; learnable, so that losses fall and no unit dies at once."""
        random = np.random.default_rng(1)
        X = random.standard_normal((self.rows, self.widths[0]), np.float32)
        teacher = random.standard_normal((self.widths[0], self.widths[-1]), np.float32)
        return X, (X @ teacher).argmax(1)

    def weights(self) -> Weights:
        """What everyone starts from: He's normal weights, and biases of zero."""
        random = np.random.default_rng(2)
        return [
            (
                random.standard_normal((one, other), np.float32) * np.float32((2 / one) ** 0.5),
                np.zeros(other, np.float32),
            )
            for one, other in pairwise(self.widths)
        ]


PROBLEMS = (
    Problem((2, 3, 2), 4, rows=4000, epochs=20),
    Problem((64, 64, 10), 32, rows=3200, epochs=10),
    Problem((784, 128, 10), 64, rows=6400, epochs=2),
    Problem((784, 512, 512, 10), 128, rows=6400, epochs=1),
    Problem((1024, 4096, 4096, 1000), 512, rows=1024, epochs=1),
)
BY_NAME = {problem.name: problem for problem in PROBLEMS}
OPTIMIZERS = ("SGD", "momentum", "Adam")
RATES = {"SGD": 0.01, "momentum": 0.001, "Adam": 0.0005}
MOMENTUM, BETA1, BETA2, EPSILON = 0.9, 0.9, 0.999, 1e-8


def batches(problem: Problem) -> Iterator[slice]:
    """The samples of each step, in the order that all keep."""
    for first in range(0, problem.rows, problem.batch):
        yield slice(first, first + problem.batch)
