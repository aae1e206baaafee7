"""The loop that trains: an epoch of the back end, what came of it, and again."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.history import History
from backpass.nn.progress import bar
from backpass.nn.run import Run
from backpass.running.epoch import Arrays, Backend, Epoch

Array = NDArray[Any]
SCALED = 10.0  # inputs of mean 0 and deviation 1 seldom go so far


@dataclass(frozen=True)
class Task:
    """What is learnt, from what, and how often.

    `samples` are X, y and what else belongs to samples, which lie along `axis` of X; `sums` says
    that the loss adds them up. `seed` is for what is drawn.
    """

    backend: Backend
    samples: Mapping[str, Array]
    numbers: Mapping[str, Array]
    axis: int
    sums: bool
    seed: int
    epochs: int
    batch_size: int
    shuffle: bool
    progress: bool


def train(task: Task, run: Run) -> History:
    """Take what is left of `task.epochs` walks through the samples, and change the run at each.

    Warns and stops when the loss is not finite; warns when it does not fall.
    """
    count = task.samples["X"].shape[task.axis]
    random = np.random.default_rng()
    random.bit_generator.state = run.random
    history = run.history
    history.backend = task.backend.name
    start = perf_counter() - history.seconds
    with bar(task.epochs, shown=task.progress) as tell:
        while run.epoch < task.epochs and not history.stopped:
            order = random.permutation(count) if task.shuffle else np.arange(count)
            found = task.backend.epoch(
                task.samples, order, task.batch_size, run.arrays, task.numbers,
                seed=task.seed, first=run.steps,
            )  # fmt: skip
            run.steps += found.done
            run.random = random.bit_generator.state
            if not found.finite:
                history.stopped = _not_finite(found, run, task.samples["X"])
                break
            run.epoch += 1
            run.epochs += 1
            history.loss.append(_loss(found.losses, count, task))
            if found.right is not None:
                history.accuracy.append(found.right / count)
            history.seconds = perf_counter() - start
            tell(history)
    said = history.stopped or _does_not_fall(history)
    if said:
        warnings.warn(said, RuntimeWarning, stacklevel=3)  # at the line that called fit
    return history


def _loss(losses: Array, count: int, task: Task) -> float:
    """The loss of an epoch: the mean over its samples, or the total where samples are added."""
    if task.sums:
        return float(losses.sum(dtype=np.float64))
    starts = np.arange(0, count, task.batch_size)
    sizes = np.minimum(starts + task.batch_size, count) - starts
    return float(losses.astype(np.float64) @ sizes) / count


def _not_finite(found: Epoch, run: Run, X: Array) -> str:
    """Where the numbers broke; layers are numbered as their weights are, W1 first."""
    weights: Arrays = run.arrays
    bad = [name for name, values in weights.items() if not np.isfinite(values).all()]
    bad.sort(key=lambda name: int("".join(filter(str.isdigit, name)) or 0))
    if bad:
        layer = "".join(filter(str.isdigit, bad[0]))
        where = f"the first weights that are not finite are {bad[0]}, in layer {layer}"
    else:
        largest = max(weights, key=lambda name: float(np.abs(weights[name]).max()))
        layer = "".join(filter(str.isdigit, largest))
        where = (
            f"all weights are still finite, the largest those of {largest}, in layer {layer} "
            f"(up to {np.abs(weights[largest]).max():.3g})"
        )
    reach = float(np.abs(X).max())
    scale = f", or scale the inputs, which go up to {reach:.3g}" if reach > SCALED else ""
    return (
        f"the loss is {float(found.losses[-1])} in epoch {run.epoch + 1}, step {found.done + 1}, "
        f"and training stopped there: {where}; try a smaller learning rate{scale}"
    )


def _does_not_fall(history: History) -> str | None:
    loss = history.loss
    if len(loss) < 2 or min(loss[1:]) < loss[0] or loss[0] == 0:
        return None
    return (
        f"the loss did not fall: {loss[0]:.4g} in the first epoch, {loss[-1]:.4g} in epoch "
        f"{len(loss)}; try another learning rate or initialiser, or look at the data"
    )
