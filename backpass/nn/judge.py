"""Which class a network means, and how often it is the right one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.losses import Loss
from backpass.running.epoch import Answers

Array = NDArray[Any]


def classes(outputs: Array, loss: Loss, axis: int, exclusive: bool = True) -> NDArray[np.int64]:
    """The class of each sample, which lie along `axis`: the largest output, of one whether yes.

    Where classes do not exclude each other, each output of a loss of shares says so of its own.
    """
    across = 1 - axis
    if loss.targets == "shares" and not exclusive and outputs.shape[across] > 1:
        return (outputs > loss.decided).astype(np.int64)
    if outputs.shape[across] == 1 and loss.targets != "classes":
        return (outputs.take(0, axis=across) > loss.decided).astype(np.int64)
    return outputs.argmax(axis=across)


def labels(y: Array, loss: Loss, axis: int) -> Array | None:
    """The class that each target stands for; None where targets are no classes.

    Classes are labels, shares (the largest one counts), 0 and 1 for a single output, or a one
    among zeros for several.
    """
    if y.ndim == 1:
        return y
    across = 1 - axis
    certain = bool(((y == 0) | (y == 1)).all())
    if y.shape[across] == 1:
        if loss.targets == "numbers" and not certain:
            return None
        return (y.take(0, axis=across) > 0.5).astype(np.int64)
    one_hot = certain and bool((y.sum(axis=across) == 1).all())
    return y.argmax(axis=across) if loss.targets == "classes" or one_hot else None


def answers(y: Array, loss: Loss, axis: int) -> Answers | None:
    """How outputs are counted as right; None if y holds no classes.

    A sample with several labels, a one for each that it has, is right when all of them are.
    """
    if labels(y, loss, axis) is None:
        several = loss.targets == "shares" and bool(((y == 0) | (y == 1)).all())
        return Answers("above", axis, loss.decided) if several else None
    alone = y.ndim > 1 and y.shape[1 - axis] == 1 and loss.targets != "classes"
    return Answers("above" if alone else "largest", axis, loss.decided)


def explained(outputs: Array, y: Array, axis: int) -> float:
    """R², the share of the targets' variance that the outputs explain, averaged over outputs.

    0 is what the mean of the targets would reach. Targets that do not vary give 1 where they are
    met exactly, and 0 elsewhere.
    """
    outputs, y = outputs.astype(np.float64), y.astype(np.float64)
    missed = ((outputs - y) ** 2).sum(axis=axis)
    varied = ((y - y.mean(axis=axis, keepdims=True)) ** 2).sum(axis=axis)
    share = np.divide(missed, varied, out=(missed > 0).astype(np.float64), where=varied > 0)
    return float(1 - share.mean())


def confusion(actual: Array, taken: Array, count: int) -> NDArray[np.int64]:
    """How many samples of class i were taken for class j, in row i and column j."""
    found = np.zeros((count, count), np.int64)
    np.add.at(found, (actual, taken), 1)
    return found


def mistakes(table: Array) -> list[tuple[int, int, int]]:
    """The mistakes of a confusion table, the most frequent first: actual, taken for, how often."""
    found = [(int(i), int(j), int(table[i, j])) for i, j in np.argwhere(table) if i != j]
    return sorted(found, key=lambda one: -one[2])
