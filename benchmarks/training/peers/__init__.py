"""One file for each way to train; `trainer(problem, optimizer)` makes its `Trainer`.

All of them take the same steps from the same weights, and keep what they can between two calls:
compiled code, buffers, the state of the optimiser.
"""

from __future__ import annotations

from typing import Protocol

from benchmarks.training.problems import Problem, Weights

PEERS = {
    "backpass": "ours",
    "NumPy by hand": "by_hand",
    "JAX": "jax_scan",
    "PyTorch": "torch_eager",
    "PyTorch compiled": "torch_compiled",
    "scikit-learn": "estimator",
}


class Trainer(Protocol):
    """A network under training, for the epochs that its problem says at the time."""

    problem: Problem

    def train(self) -> None:
        """Take the steps of one measurement, and wait until they are done."""

    def weights(self) -> Weights:
        """What it has learnt."""
