"""A way to train in a process of its own, which works when it is asked to and sleeps otherwise.

    python -m benchmarks.training.serve jax_scan "64-64-10, 32" SGD weights.npz

Every line that comes in is one measurement, and is answered by the seconds of a step. The first
compiles, and after it the weights are written; the second tells how many epochs take about as long
for everybody, who then trains so many. Who asks counts neither, nor the one that comes next.
"""

from __future__ import annotations

import gc
import importlib
import sys
from dataclasses import replace
from time import perf_counter

import numpy as np

from benchmarks.training.peers import Trainer
from benchmarks.training.problems import BY_NAME

TURN = 0.2  # seconds of a measurement, beside which it is short to wake up


def main(peer: str, problem: str, optimizer: str, path: str) -> None:
    """Answer until nobody asks any more."""
    module = importlib.import_module(f"benchmarks.training.peers.{peer}")
    trainer: Trainer = module.trainer(BY_NAME[problem], optimizer)
    for count, _ in enumerate(sys.stdin):
        gc.collect()
        start = perf_counter()
        trainer.train()
        seconds = perf_counter() - start
        if count == 0:
            np.savez(path, *(one for layer in trainer.weights() for one in layer))
        print(seconds / trainer.problem.steps, flush=True)
        if count == 1:
            epochs = max(1, round(trainer.problem.epochs * TURN / seconds))
            trainer.problem = replace(trainer.problem, epochs=epochs)


if __name__ == "__main__":
    main(*sys.argv[1:])
