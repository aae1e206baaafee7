"""The losses that hand-written code is held to, each family by one gradient and many scales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation, derive
from backpass.doctor.activations import kind
from backpass.doctor.margins import SUMS
from backpass.nn.losses import LOSSES

Array = NDArray[np.float64]
Times = Callable[[int, int], float]  # of n samples and m outputs


@dataclass(frozen=True, slots=True)
class Family:
    """Losses that differ by a factor only.

    `base` is one of `backpass.nn.losses.LOSSES`, or of `backpass.doctor.margins.SUMS`.
    `members` are titles with what they are times the base, the usual one first; `fits` are the
    activations of the last layer that it is used with, the first of them its own.
    """

    name: str
    base: str
    fits: tuple[str, ...]
    members: tuple[tuple[str, Times], ...]
    classes: bool = False  # several outputs compete in it
    signs: bool = False  # targets are +1 and −1

    def suits(self, activation: str, units: int) -> bool:
        """Whether outputs made so can be judged by it."""
        return kind(activation) in self.fits and (units > 1 or not self.classes)

    def value(self, output: Array, target: Array) -> float:
        """The base loss."""
        with np.errstate(all="ignore"):
            return float(_function(self.base)(output, target))

    def gradient(self, output: Array, target: Array) -> Array:
        """The gradient of the base loss by the outputs."""
        with np.errstate(all="ignore"):
            return np.asarray(_derived(self.base)(output, target)[1]["output"])


@cache
def _derived(base: str) -> Derivation:
    return derive(_of(_function(base)), "output: n m, target: n m", wrt="output")


def _function(base: str) -> Callable[[Any, Any], Any]:
    return SUMS[base] if base in SUMS else LOSSES[base].function


def _of(function: Any) -> Callable[[Any, Any], Any]:
    """The loss under names of ours, whatever its own arguments are called."""

    def loss(output: Any, target: Any) -> Any:
        return function(output, target)

    return loss


_ANY = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu", "softplus", "sin",
        "softmax")  # fmt: skip

FAMILIES = (
    Family("squared error", "half_sum_of_squares", _ANY, (
        ("½Σ(a − y)²", lambda n, m: 1),
        ("Σ(a − y)²", lambda n, m: 2),
        ("the mean of (a − y)²", lambda n, m: 2 / (n * m)),
        ("the mean over samples of ½Σ(a − y)²", lambda n, m: 1 / n),
        ("the mean over samples of Σ(a − y)²", lambda n, m: 2 / n),
        ("half the mean of (a − y)²", lambda n, m: 1 / (n * m)),
    )),
    Family("cross-entropy", "cross_entropy_from_probabilities", ("softmax",), (
        ("cross-entropy, averaged over samples", lambda n, m: 1),
        ("cross-entropy, summed over samples", lambda n, m: n),
        ("cross-entropy, averaged over all entries", lambda n, m: 1 / m),
    )),
    Family("cross-entropy", "cross_entropy", ("linear", "log_softmax"), (
        ("cross-entropy of the softmax, averaged over samples", lambda n, m: 1),
        ("cross-entropy of the softmax, summed over samples", lambda n, m: n),
        ("cross-entropy of the softmax, averaged over all entries", lambda n, m: 1 / m),
    )),
    Family("binary cross-entropy", "binary_cross_entropy_from_probabilities", ("sigmoid",), (
        ("binary cross-entropy, averaged", lambda n, m: 1),
        ("binary cross-entropy, averaged over samples", lambda n, m: m),
        ("binary cross-entropy, summed", lambda n, m: n * m),
    )),
    Family("binary cross-entropy", "binary_cross_entropy", ("linear",), (
        ("binary cross-entropy of the sigmoid, averaged", lambda n, m: 1),
        ("binary cross-entropy of the sigmoid, averaged over samples", lambda n, m: m),
        ("binary cross-entropy of the sigmoid, summed", lambda n, m: n * m),
    )),
    Family("absolute error", "mae", _ANY, (
        ("the mean of |a − y|", lambda n, m: 1),
        ("Σ|a − y|", lambda n, m: n * m),
        ("the mean over samples of Σ|a − y|", lambda n, m: m),
    )),
    Family("Huber's error", "huber", _ANY, (
        ("Huber's error, averaged", lambda n, m: 1),
        ("Huber's error, summed", lambda n, m: n * m),
        ("Huber's error, averaged over samples", lambda n, m: m),
    )),
)  # fmt: skip


def _summed(
    name: str, base: str, fits: tuple[str, ...], formula: str, *, classes: bool = False
) -> Family:
    """A loss that adds up its entries, or averages what its samples or entries cost."""
    return Family(name, base, fits, (
        (f"Σ {formula}", lambda n, m: 1),
        (f"the mean over samples of Σ {formula}", lambda n, m: 1 / n),
        (f"the mean of {formula}", lambda n, m: 1 / (n * m)),
        (f"half the mean over samples of Σ {formula}", lambda n, m: 1 / (2 * n)),
    ), classes, "±1" in formula)  # fmt: skip


_SCORES = ("linear", "tanh")
RARE = (
    _summed("log cosh", "log_cosh", _ANY, "log cosh(a − y)"),
    _summed("fourth powers", "fourth_powers", _ANY, "(a − y)⁴"),
    _summed("logistic loss", "logistic_of_signs", _SCORES, "log(1 + exp(−y·a)), for labels ±1"),
    _summed("hinge loss", "hinge", _SCORES, "max(0, 1 − y·a), for labels ±1"),
    _summed("hinge loss", "squared_hinge", _SCORES, "max(0, 1 − y·a)², for labels ±1"),
    _summed("perceptron loss", "perceptron", _SCORES, "max(0, −y·a), for labels ±1"),
    _summed("hinge loss", "hinge_of_classes", _SCORES, "max(0, 1 + aⱼ − a_y) over classes j ≠ y",
            classes=True),
    _summed("hinge loss", "squared_hinge_of_classes", _SCORES,
            "max(0, 1 + aⱼ − a_y)² over classes j ≠ y", classes=True),
    _summed("hinge loss", "hinge_of_the_best", _SCORES,
            "max(0, 1 + aⱼ − a_y) for the best class j ≠ y", classes=True),
)  # fmt: skip


def families(activation: str, units: int = 2, *, rare: bool = False) -> list[Family]:
    """Those that a last layer of so many units with this activation is trained with."""
    known = (*FAMILIES, *RARE) if rare else FAMILIES
    fitting = [one for one in known if one.suits(activation, units)]
    return sorted(fitting, key=lambda one: one.fits[0] != activation or activation == "linear")


def crossed(done: str, wanted: str) -> int:
    """The number of the mistake: this family of losses is descended, and that one is shown."""
    match done, wanted:
        case ("cross-entropy" | "binary cross-entropy", "squared error"):
            return 10
        case "squared error", ("cross-entropy" | "binary cross-entropy"):
            return 11
        case _:
            return 12
