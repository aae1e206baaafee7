"""Trains a small network, is killed many times at random moments, and tells whether it mattered.

Run by `test_keeping.py` in a process of its own, as it forks: folder, back end, number of kills.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

import backpass as bp

EPOCHS, LONGEST = 24, 0.15
X = np.random.default_rng(0).normal(size=(60, 4))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)


def network():
    """One that is derived already, so that a child has nothing to do but train it."""
    net = bp.Network(
        [bp.Dense(6, "tanh"), bp.Dense(3)], inputs=4, seed=2, dtype="float64",
        optimizer=bp.Adam(bp.Cosine(0.01, EPOCHS)),
    )  # fmt: skip
    net.derivation()
    return net


def fit(net, backend, **kept):
    """A training with all that has state: moments, shuffling, a schedule, the best weights."""
    net.fit(
        X, Y, epochs=EPOCHS, batch_size=7, progress=False, validation=0.25, backend=backend,
        early_stopping=EPOCHS, **kept,
    )  # fmt: skip
    return net


def digest(net):
    """All bits of what was learnt, and of what would be learnt next."""
    arrays, about = net.stored()
    return {name: one.tobytes() for name, one in arrays.items()}, about


def killed(net, backend, path, delay):
    """Whether a child that trains was killed before it was through."""
    child = os.fork()
    if child == 0:
        fit(net, backend, checkpoint=path, every=3, resume=True)
        os._exit(0)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] != 0


def main(folder, backend, wanted_kills):
    path, chance = Path(folder) / "run.safetensors", random.Random(0)
    whole, net = fit(network(), backend), network()
    wanted, net._derived, net._backends = digest(whole), whole._derived, whole._backends
    kills = rounds = 0
    while kills < wanted_kills:
        if killed(net, backend, path, chance.uniform(0, LONGEST)):
            kills += 1
            if path.exists():
                bp.load(path)
        elif path.exists():
            assert digest(bp.load(path)) == wanted, "the file differs"
            path.unlink()
            rounds += 1
    fit(net, backend, checkpoint=path, every=3, resume=True)
    assert digest(net) == wanted, "the weights differ"
    left = [one.name for one in Path(folder).iterdir()]
    assert left == [path.name], left
    sys.stdout.write(f"{kills} kills, {rounds} whole trainings besides the last\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
