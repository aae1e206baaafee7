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
from backpass.nn.losses import LOSSES

Array = NDArray[np.float64]
Times = Callable[[int, int], float]  # of n samples and m outputs


@dataclass(frozen=True, slots=True)
class Family:
    """Losses that differ by a factor only; `base` is one of `backpass.nn.losses.LOSSES`, or RARE.

    `members` are titles with what they are times the base, the usual one first; `fits` are the
    activations of the last layer that it is used with, the first of them its own.
    """

    name: str
    base: str
    fits: tuple[str, ...]
    members: tuple[tuple[str, Times], ...]

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
    return _FUNCTIONS[base] if base in _FUNCTIONS else LOSSES[base].function


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "log_cosh": lambda a, y: np.sum(a - y + np.log(1 + np.exp(2 * (y - a))) - np.log(2)),
    "fourth_powers": lambda a, y: np.sum((a - y) ** 4),
}


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

RARE = (
    Family("log cosh", "log_cosh", _ANY, (
        ("Σ log cosh(a − y)", lambda n, m: 1),
        ("the mean over samples of Σ log cosh(a − y)", lambda n, m: 1 / n),
        ("the mean of log cosh(a − y)", lambda n, m: 1 / (n * m)),
    )),
    Family("fourth powers", "fourth_powers", _ANY, (
        ("Σ(a − y)⁴", lambda n, m: 1),
        ("the mean over samples of Σ(a − y)⁴", lambda n, m: 1 / n),
        ("the mean of (a − y)⁴", lambda n, m: 1 / (n * m)),
    )),
)  # fmt: skip


def families(activation: str, *, rare: bool = False) -> list[Family]:
    """Those that a last layer with this activation is trained with, its own first."""
    known = (*FAMILIES, *RARE) if rare else FAMILIES
    fitting = [one for one in known if kind(activation) in one.fits]
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
