"""A way to train in a process of its own, which works when it is asked to and sleeps otherwise.

    python -m benchmarks.training.serve jax_scan "64-64-10, 32" SGD weights.npz

Every line that comes in is one measurement, and is answered by the seconds of a step. The first is
not counted by who asks: it compiles. After it the weights are written, and whoever was slow takes
fewer epochs from then on.
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

LONG = 0.5  # seconds of a measurement, from which on fewer epochs tell as much


def main(peer: str, problem: str, optimizer: str, path: str) -> None:
    """Answer until nobody asks any more."""
    module = importlib.import_module(f"benchmarks.training.peers.{peer}")
    trainer: Trainer = module.trainer(BY_NAME[problem], optimizer)
    first, epochs = True, trainer.problem.epochs
    for _ in sys.stdin:
        gc.collect()
        start = perf_counter()
        trainer.train()
        seconds = perf_counter() - start
        if first:
            np.savez(path, *(one for layer in trainer.weights() for one in layer))
            first = False
        steps = trainer.problem.steps
        print(seconds / steps, flush=True)
        if seconds > LONG:
            epochs = max(1, int(epochs * LONG / seconds))
            trainer.problem = replace(trainer.problem, epochs=epochs)


if __name__ == "__main__":
    main(*sys.argv[1:])
