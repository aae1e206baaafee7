"""A way to train in a process of its own, which works when it is asked to and sleeps otherwise.

    python -m benchmarks.training.serve jax_scan "64-64-10, 32" SGD weights.npz

Every line that comes in is one measurement, and is answered by the seconds that it took. The first
is not counted by who asks: it compiles. After it the weights are written.
"""

from __future__ import annotations

import gc
import importlib
import sys
from time import perf_counter

import numpy as np

from benchmarks.training.peers import Trainer
from benchmarks.training.problems import BY_NAME


def main(peer: str, problem: str, optimizer: str, path: str) -> None:
    """Answer until nobody asks any more."""
    module = importlib.import_module(f"benchmarks.training.peers.{peer}")
    trainer: Trainer = module.trainer(BY_NAME[problem], optimizer)
    first = True
    for _ in sys.stdin:
        gc.collect()
        start = perf_counter()
        trainer.train()
        seconds = perf_counter() - start
        if first:
            np.savez(path, *(one for layer in trainer.weights() for one in layer))
            first = False
        print(seconds, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
