"""What a target column holds, classes or numbers, and how a network's outputs answer in kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, UnknownName, nearest
from backpass.nn.features import cells, in_order
from backpass.nn.losses import Loss, find_loss
from backpass.nn.tables.numbers import numbers_of_column, refuse
from backpass.nn.tables.table import Column

Array = NDArray[Any]
Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
FEW = 20  # whole numbers that are taken for classes


@dataclass(frozen=True, slots=True)
class Target:
    """Names of classes in the order of their labels; of numbers, what they are scaled by."""

    name: str
    classes: tuple[str, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def task(self) -> Task:
        """Whether a class is to be found, or a number."""
        return "classification" if self.classes else "regression"

    def encode(self, column: Column, loss: Loss) -> Array:
        """The targets as a loss takes them, samples as rows.

        Labels for a loss of classes; else a number, or a one among zeros for every class, of two
        classes 0 and 1 where a single output decides. Raises UnknownName for other classes.
        """
        if not self.classes:
            return ((numbers_of_column(column) - self.mean) / self.deviation)[:, None]
        known = {name: label for label, name in enumerate(self.classes)}
        found = cells(column)
        for row, cell in enumerate(found):
            if cell not in known:
                raise UnknownName(
                    f"{column.place(row)} is {cell!r}, which is none of the {len(known)} classes"
                    f"{nearest(cell, known)}"
                )
        labels = np.array([known[cell] for cell in found], np.int64)
        if loss.targets == "classes":
            return labels
        if self.outputs(loss) == 1:
            return labels[:, None].astype(np.float32)
        return np.eye(len(self.classes), dtype=np.float32)[labels]

    def outputs(self, loss: Loss) -> int:
        """How many outputs answer: one a class, but one alone for a number and for yes or no."""
        if not self.classes or (loss.targets == "shares" and len(self.classes) == 2):
            return 1
        return len(self.classes)

    def numbers(self, outputs: Array) -> NDArray[np.float64]:
        """Outputs in the unit of the column."""
        return outputs[:, 0].astype(np.float64) * self.deviation + self.mean


def decide(column: Column) -> tuple[Task, str]:
    """What a column asks for, and why: text and a few whole numbers are classes."""
    if column.texts is not None:
        if 2 * np.isnan(column.numbers).sum() <= len(column):
            refuse(column)  # a missing number here and there does not make classes
        return "classification", "it holds text"
    numbers = column.numbers
    different = np.unique(numbers)
    count = len(different)
    if (different == np.round(different)).all() and count <= FEW and 2 * count <= len(numbers):
        return "classification", f"it holds {count} different whole numbers"
    return "regression", f"it holds {count} different numbers"


def choose_task(column: Column, task: str | None) -> tuple[Task, str]:
    """The task that was asked for, or the one that the column asks for, and why."""
    if task is None:
        return decide(column)
    if task not in TASKS:
        raise UnknownName(
            f"there is no task {task!r}"
            + (nearest(str(task), TASKS) or f"; there are {' and '.join(TASKS)}")
        )
    if task == "regression" and column.texts is not None:
        row = int(np.argmax(np.isnan(column.numbers)))
        raise BackpassError(
            f"{column.place(row)} is {column.cell(row)}, which is no number; correct it, or take "
            "classification as the task"
        )
    return ("classification" if task == "classification" else "regression"), "you said"


def choose_loss(task: Task, text: str | None) -> Loss:
    """The loss that was asked for, or else cross-entropy for classes and mse for numbers."""
    loss = find_loss(text or {"classification": "cross_entropy", "regression": "mse"}[task])
    if task == "regression" and loss.targets != "numbers":
        raise BackpassError(
            f"{loss.name} is for classes, and the target holds numbers; take mse, mae or huber, or "
            "classification as the task"
        )
    return loss


def class_names(column: Column) -> tuple[str, ...]:
    """All classes in order; BackpassError where there is nothing to tell apart."""
    found = in_order(cells(column))
    if len(found) == 1:
        raise BackpassError(
            f"all {len(column)} targets are {found[0]!r}: there is nothing to tell apart; give "
            "samples of at least two classes"
        )
    return found


def of_numbers(name: str, training: Sequence[float] | Array) -> Target:
    """A target of numbers, with the mean and deviation of the training part."""
    values = np.asarray(training, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(values.mean()), float(values.std())
    if not np.isfinite(deviation):
        raise BackpassError("the targets are too large to be scaled; give them in another unit")
    if deviation <= 1e-12 * abs(mean):  # what rounding leaves of zero
        raise BackpassError(
            f"all {len(values)} targets are {mean:.6g}: there is nothing to learn; give samples "
            "whose targets differ"
        )
    return Target(name, (), mean, deviation)


def amount(value: float) -> str:
    """A number in the target's unit: 423,697 and 0.01234, and no power of ten unless it must be."""
    return f"{value:,.0f}" if 999.95 <= abs(value) < 1e9 else f"{value:.4g}"
