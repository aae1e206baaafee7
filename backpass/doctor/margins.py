"""Losses that hand-written code has and no layer of ours offers; each adds up its entries.

Labels are +1 and −1 where one unit decides; where classes compete, targets have a single 1 in each
row. Numbers in their place make the same formulas, which probes draw on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

FAR = 1e9  # what takes the right class out of a contest


def _others(a: Any, y: Any) -> Any:
    """By how much each class comes nearer than 1 to the right one."""
    return 1 + a - np.sum(y * a, axis=1, keepdims=True)


def _best(a: Any, y: Any) -> Any:
    """The same of the best of the other classes."""
    return 1 + np.max(a - FAR * y, axis=1) - np.sum(y * a, axis=1)


SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "log_cosh": lambda a, y: np.sum(a - y + np.log(1 + np.exp(2 * (y - a))) - np.log(2)),
    "fourth_powers": lambda a, y: np.sum((a - y) ** 4),
    "logistic_of_signs": lambda a, y: np.sum(np.log(1 + np.exp(-y * a))),
    "hinge": lambda a, y: np.sum(np.maximum(0, 1 - y * a)),
    "squared_hinge": lambda a, y: np.sum(np.maximum(0, 1 - y * a) ** 2),
    "perceptron": lambda a, y: np.sum(np.maximum(0, -y * a)),
    "hinge_of_classes": lambda a, y: np.sum((1 - y) * np.maximum(0, _others(a, y))),
    "squared_hinge_of_classes": lambda a, y: np.sum((1 - y) * np.maximum(0, _others(a, y)) ** 2),
    "hinge_of_the_best": lambda a, y: np.sum(np.maximum(0, _best(a, y))),
}
