"""Which class a network means, and how often it is the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.losses import Loss

Array = NDArray[Any]


def classes(outputs: Array, loss: Loss, axis: int) -> NDArray[np.int64]:
    """The class of each sample, which lie along `axis`: the largest output, of one whether yes."""
    across = 1 - axis
    if outputs.shape[across] == 1 and loss.targets != "classes":
        return (outputs.take(0, axis=across) > loss.decided).astype(np.int64)
    return outputs.argmax(axis=across)


def counter(y: Array, loss: Loss, axis: int) -> Callable[[Array, Array], int] | None:
    """A function that counts the outputs of a batch that are right; None if y holds no classes.

    Classes are labels, shares (the largest one counts), 0 and 1 for a single output, or a one
    among zeros for several.
    """
    if y.ndim == 1:
        return lambda outputs, goal: int((classes(outputs, loss, axis) == goal).sum())
    across = 1 - axis
    if y.shape[across] == 1:
        if loss.targets == "numbers" and not _certain(y):
            return None
        return lambda outputs, goal: int(
            (classes(outputs, loss, axis) == (goal.take(0, axis=across) > 0.5)).sum()
        )
    one_hot = _certain(y) and bool((y.sum(axis=across) == 1).all())
    if loss.targets == "classes" or one_hot:
        return lambda outputs, goal: int(
            (outputs.argmax(axis=across) == goal.argmax(axis=across)).sum()
        )
    return None


def _certain(y: Array) -> bool:
    return bool(((y == 0) | (y == 1)).all())
