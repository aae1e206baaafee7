"""The loop that trains: a batch, its gradients, the update, and again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.history import History
from backpass.running.runner import Runner

Array = NDArray[Any]
Weights = dict[str, Array]
SCALED = 10.0  # inputs of mean 0 and deviation 1 seldom go so far


@dataclass(frozen=True)
class Task:
    """What is learnt, and from what.

    `step` gives the loss, the outputs and then the arrays that `names` lists, updated. Samples
    lie along `axis` of X; `right` counts the outputs of a batch that are right, None where
    targets are no classes; `sums` says that the loss adds samples up.
    """

    step: Runner
    names: tuple[str, ...]
    numbers: Mapping[str, Any]
    X: Array
    y: Array
    axis: int
    right: Callable[[Array, Array], int] | None
    sums: bool

    def batch(self, picked: Array) -> dict[str, Array]:
        """The samples at these places."""
        along = self.axis if self.y.ndim > 1 else 0
        return {"X": self.X.take(picked, axis=self.axis), "y": self.y.take(picked, axis=along)}


def train(
    task: Task, weights: Weights, random: np.random.Generator, *,
    epochs: int, batch_size: int, shuffle: bool, progress: bool,
) -> History:  # fmt: skip
    """Take `epochs` walks through the samples, and change `weights` at every step.

    Warns and stops when the loss is not finite; warns when it does not fall.
    """
    count = task.X.shape[task.axis]
    history = History()
    start = perf_counter()
    with _bar(epochs, shown=progress) as tell, np.errstate(all="ignore"):
        for epoch in range(epochs):
            order = random.permutation(count) if shuffle else np.arange(count)
            total, right = 0.0, 0
            for number, first in enumerate(range(0, count, batch_size), 1):
                picked = order[first : first + batch_size]
                batch = task.batch(picked)
                loss, output, *new = task.step({**batch, **weights, **task.numbers})
                if not math.isfinite(loss):
                    history.stopped = _not_finite(float(loss), epoch + 1, number, weights, task.X)
                    break
                weights.update(zip(task.names, new, strict=True))
                total += float(loss) * (1 if task.sums else len(picked))
                right += task.right(output, batch["y"]) if task.right else 0
            if history.stopped:
                break
            history.loss.append(total if task.sums else total / count)
            if task.right:
                history.accuracy.append(right / count)
            tell(history)
    history.seconds = perf_counter() - start
    said = history.stopped or _does_not_fall(history)
    if said:
        warnings.warn(said, RuntimeWarning, stacklevel=3)  # at the line that called fit
    return history


def _not_finite(loss: float, epoch: int, step: int, weights: Weights, X: Array) -> str:
    """Where the numbers broke; layers are numbered as their weights are, W1 first."""
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
        f"the loss is {loss} in epoch {epoch}, step {step}, and training stopped there: {where}; "
        f"try a smaller learning rate{scale}"
    )


def _does_not_fall(history: History) -> str | None:
    loss = history.loss
    if len(loss) < 2 or min(loss[1:]) < loss[0] or loss[0] == 0:
        return None
    return (
        f"the loss did not fall: {loss[0]:.4g} in the first epoch, {loss[-1]:.4g} in epoch "
        f"{len(loss)}; try another learning rate or initialiser, or look at the data"
    )


@contextmanager
def _bar(epochs: int, *, shown: bool) -> Iterator[Callable[[History], None]]:
    """A progress bar on the error stream, with the loss and accuracy of the last epoch."""
    if not shown:
        yield lambda history: None
        return
    from rich.console import Console  # training without a bar does not need it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(30),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=epochs)

        def tell(history: History) -> None:
            text = f"loss {history.loss[-1]:.4g}"
            if history.accuracy:
                text += f"  accuracy {history.accuracy[-1]:.1%}"
            bar.update(task, advance=1, description=text)

        yield tell
