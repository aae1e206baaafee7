"""The loop that trains: an epoch of the back end, what came of it, and again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.callbacks import EarlyStopping, better, monitored
from backpass.nn.history import RISES, History
from backpass.nn.optim import Optimizer
from backpass.nn.progress import bar
from backpass.nn.run import Run
from backpass.nn.schedules import Adaptive, Place, Schedule, adaptive
from backpass.running.epoch import Arrays, Backend, Epoch

Array = NDArray[Any]
SCALED = 10.0  # inputs of mean 0 and deviation 1 seldom go so far


@dataclass(frozen=True)
class Task:
    """What is learnt, from what, and how often.

    `samples` are X, y and what else belongs to samples, which lie along `axis` of X, and `weight`
    is what each counts in a mean; `sums` says that the loss adds them up. `numbers` are what a
    step reads besides those of the optimiser. `seed` is for what is drawn. `judge` looks at
    held-out samples and gives numbers for curves of the History; `after` is told of every epoch
    and may give a reason to end; `keep` is given the run whenever it stands between two epochs.
    """

    backend: Backend
    samples: Mapping[str, Array]
    optimizer: Optimizer
    numbers: Mapping[str, Array]
    axis: int
    sums: bool
    seed: int
    epochs: int
    batch_size: int
    shuffle: bool
    progress: bool
    weight: Array | None = None
    judge: Callable[[Arrays], Mapping[str, float]] | None = None
    stopping: EarlyStopping | None = None
    after: tuple[Callable[[Run], str | None], ...] = ()
    descend: Callable[[Task, Run], None] | None = None
    keep: Callable[[Run], None] | None = None

    @cached_property
    def count(self) -> int:
        """The number of samples."""
        return self.samples["X"].shape[self.axis]

    @cached_property
    def batches(self) -> Array:
        """How many samples each batch has."""
        rest = self.count - np.arange(0, self.count, self.batch_size)
        return np.minimum(rest, self.batch_size).astype(np.float64)

    @cached_property
    def slowing(self) -> Adaptive | None:
        """What divides the rate by how the training goes, if anything does."""
        rate = self.optimizer.numbers.get("lr")
        return adaptive(rate) if isinstance(rate, Schedule) else None

    def place(self, run: Run) -> Place:
        """Where the next epoch stands, for a schedule."""
        steps = len(self.batches)
        return Place(run.epochs, run.epoch, self.epochs, steps, self.count, run.slowed)


def train(task: Task, run: Run) -> History:
    """Take what is left of `task.epochs` walks through the samples, and change the run at each.

    Warns and stops when the loss is not finite; warns when it does not fall.
    """
    if task.descend is not None:
        task.descend(task, run)
        return run.history
    random = np.random.default_rng()
    random.bit_generator.state = run.random
    history = run.history
    history.backend = task.backend.name
    start, compiling = perf_counter() - history.seconds, task.backend.compiling
    order = np.arange(task.count)
    with bar(task.epochs, task.count, shown=task.progress) as tell:
        while run.epoch < task.epochs and not (history.stopped or history.ended):
            if task.shuffle:
                order = random.permutation(task.count)
            rates = task.optimizer.values(task.place(run), task.samples["X"].dtype)
            found = task.backend.epoch(
                task.samples, order, task.batch_size, run.arrays, {**task.numbers, **rates},
                seed=task.seed, first=run.steps,
            )  # fmt: skip
            run.steps += found.done
            if task.shuffle:
                run.random = random.bit_generator.state
            if not found.finite:
                history.stopped = _not_finite(found, run, task.samples["X"])
                break
            run.epoch += 1
            run.epochs += 1
            _write_down(found, order, rates, task, run)
            history.seconds = perf_counter() - start
            history.compiling += task.backend.compiling - compiling
            compiling = task.backend.compiling
            after_epoch(task, run)
            tell(history)
            if task.keep is not None:
                task.keep(run)
    if task.stopping is not None:
        task.stopping.end(run)
    said = history.stopped or _does_not_fall(history)
    if said:
        warnings.warn(said, RuntimeWarning, stacklevel=3)  # at the line that called fit
    return history


def _write_down(
    found: Epoch, order: Array, rates: Mapping[str, Array], task: Task, run: Run
) -> None:
    """Enter an epoch into the history."""
    history = run.history
    history.loss.append(_loss(found.losses, order, task))
    if found.right is not None:
        history.accuracy.append(found.right / task.count)
    if "lr" in rates:
        history.rate.append(float(rates["lr"].flat[-1]))


def after_epoch(task: Task, run: Run) -> None:
    """Judge the held-out samples, and ask everybody whether the training ends here."""
    if task.judge is not None:
        for name, value in task.judge(run.arrays).items():
            getattr(run.history, name).append(value)
    reason = _reason(task, run)
    run.history.ended = reason if run.epoch < task.epochs else None


def _loss(losses: Array, order: Array, task: Task) -> float:
    """The loss of an epoch: the mean over its samples, or the total where samples are added."""
    losses = losses.astype(np.float64)
    if task.sums:
        return float(losses.sum())
    if task.weight is None:
        return float(losses @ task.batches) / task.count
    starts = np.arange(0, len(order), task.batch_size)
    weights = np.add.reduceat(task.weight[order].astype(np.float64), starts)
    return float(losses @ weights / weights.sum())


def _reason(task: Task, run: Run) -> str | None:
    """Why the training ends with the epoch that is done, if it does; all are asked."""
    reasons = [
        _slowed(task.slowing, run) if task.slowing is not None else None,
        task.stopping.epoch(run) if task.stopping is not None else None,
        *(one(run) for one in task.after),
    ]
    return next((reason for reason in reasons if reason), None)


def _slowed(schedule: Adaptive, run: Run) -> str | None:
    """Divide the rate where the loss no longer falls; a reason to end where it is small."""
    name = monitored(run.history, schedule.monitor)
    better(run.easing, run.history.curves[name][-1], run.epoch, schedule.tol, name in RISES)
    if run.easing.waited < schedule.patience:
        return None
    if schedule.lr / run.slowed <= schedule.smallest:
        return (
            f"{name} is no better than in epoch {run.easing.epoch}, and the learning rate is down "
            f"to {schedule.lr / run.slowed:.3g}"
        )
    run.slowed *= schedule.factor
    run.easing.waited = 0
    return None


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
