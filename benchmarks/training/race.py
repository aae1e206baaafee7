"""All ways to train one network, asked in turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import IO, cast

import numpy as np

from benchmarks.training.peers import PEERS
from benchmarks.training.problems import Array, Problem

OURS = "backpass"
UNCOUNTED = 3  # measurements: one compiles, one finds its length, and one has that length first
AGREE = {"SGD": 1e-2, "momentum": 1e-2, "Adam": 0.1}
# A rate that is wrong by 1 % is further off with the first two, and float32 sums alone are not so
# far. Adam takes whole steps on gradients that are mere rounding, and adds ε here or there.
NEEDED = {"JAX": "jax", "PyTorch": "torch", "PyTorch compiled": "torch", "scikit-learn": "sklearn"}


@dataclass(frozen=True, slots=True)
class Raced:
    """Seconds of a step, round by round, of all that took part."""

    problem: Problem
    optimizer: str
    seconds: Mapping[str, Sequence[float]]
    absent: Mapping[str, str]  # who did not, and why
    apart: Mapping[str, float]  # how far its weights are from those by hand; see `apart`
    peaks: Sequence[float]  # seconds of an operation of the BLAS, round by round

    def ratios(self, peer: str, ours: str = OURS) -> list[float]:
        """How many times our time a peer took, in each round."""
        pairs = zip(self.seconds[ours], self.seconds[peer], strict=True)
        return [theirs / mine for mine, theirs in pairs]

    def share(self, peer: str) -> float:
        """The share of what the BLAS did in the same round, which is not the same in all."""
        rounds = zip(self.seconds[peer], self.peaks, strict=True)
        return median(self.problem.operations * best / seconds for seconds, best in rounds)

    def step(self, peer: str) -> float:
        """The median."""
        return median(self.seconds[peer])

    @property
    def fastest(self) -> str:
        """The fastest of the others, beside us in the same rounds."""
        others = [name for name in self.seconds if name != OURS]
        return min(others, key=lambda name: median(self.ratios(name)))


class Failed(Exception):
    """A peer that ended instead of answering."""


class Peer:
    """A process that trains when it is told to, and is halted meanwhile.

    Threads that wait for work look for it for some milliseconds, and would take a processor from
    whoever is next.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def measure(self) -> float:
        """The seconds of a step, in one measurement."""
        self.process.send_signal(signal.SIGCONT)
        found = self._answer()
        self.process.send_signal(signal.SIGSTOP)
        return found

    def _answer(self) -> float:
        to, of = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)
        try:
            to.write("\n")
            to.flush()
            return float(of.readline())
        except (BrokenPipeError, ValueError):
            said = cast(IO[str], self.process.stderr).read().strip().splitlines()
            raise Failed(said[-1] if said else "it ended") from None


@contextmanager
def started(*command: str) -> Iterator[Peer]:
    """A module that answers, ended at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Peer(process)
    finally:
        process.kill()
        process.communicate()


def race(problem: Problem, optimizer: str, rounds: int, peers: Sequence[str]) -> Raced:
    """Let all train, in turns; who begins changes from round to round."""
    seconds: dict[str, list[float]] = {}
    absent: dict[str, str] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running: dict[str, Peer] = {}
        for name in peers:
            path = folder / f"{PEERS[name]}.npz"
            command = ["benchmarks.training.serve", PEERS[name], problem.name, optimizer, str(path)]
            peer = stack.enter_context(started(*command))
            try:
                for _ in range(UNCOUNTED):
                    peer.measure()
            except Failed as reason:
                absent[name] = str(reason)
                continue
            running[name], seconds[name] = peer, []
        learnt = {name: _weights(folder / f"{PEERS[name]}.npz") for name in running}
        names = list(running)
        blas = stack.enter_context(started("benchmarks.training.peak"))
        blas.measure()
        peaks: list[float] = []
        for count in range(rounds):
            turn = count % len(names)
            for name in (*names[turn:], *names[:turn]):
                seconds[name].append(running[name].measure())
            peaks.append(blas.measure())
    return Raced(problem, optimizer, seconds, absent, apart(learnt, problem), peaks)


def _weights(path: Path) -> list[Array]:
    """W and b of each layer, one after another."""
    with np.load(path) as file:
        return [file[name] for name in file.files]


def apart(learnt: Mapping[str, list[Array]], problem: Problem) -> dict[str, float]:
    """How far everyone is from the weights by hand, where the network is the same.

    That is, in the worst layer, the length of the difference as a share of the length of all
    that was learnt since the start, over weights and biases together: where the gradients of a
    bias nearly add up to nothing, what is left of them is rounding, and a ReLU whose sum is nearly
    zero falls to either side. A wrong update turns the whole of a layer aside.
    """
    wanted = learnt["NumPy by hand"]
    start = [one for layer in problem.weights() for one in layer]
    found = {}
    for name, weights in learnt.items():
        if [one.shape for one in weights] == [one.shape for one in wanted]:
            differ = _by_layer(weights, wanted)
            found[name] = float((differ / _by_layer(wanted, start)).max())
    return found


def _by_layer(ones: list[Array], others: list[Array]) -> Array:
    """The length of the difference in each layer."""
    each = [np.square(one - other).sum() for one, other in zip(ones, others, strict=True)]
    return np.array(each).reshape(-1, 2).sum(axis=1) ** 0.5
