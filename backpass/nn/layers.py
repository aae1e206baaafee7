"""What a network is built of: dense layers, and the functions that act between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backpass.calculus.elementwise import leaky_relu, relu, sigmoid, softplus
from backpass.calculus.fused import log_softmax, softmax
from backpass.language.errors import BackpassError, UnknownName, nearest

Activation = Callable[[Any], Any]


def linear(z: Any) -> Any:
    """Nothing is done to it."""
    return z


def leak(z: Any) -> Any:
    """ReLU that leaks a hundredth below zero."""
    return leaky_relu(z, 0.01)


def elu(z: Any) -> Any:
    """An exponential foot below zero (Clevert, Unterthiner and Hochreiter, 2015)."""
    return relu(z) + np.expm1(np.minimum(z, 0))


def silu(z: Any) -> Any:
    """z·σ(z), a ReLU that dips before it rises (Elfwing, Uchibe and Doya, 2017)."""
    return z * sigmoid(z)


ACTIVATIONS: dict[str, Activation] = {
    "linear": linear,
    "relu": relu,
    "leaky_relu": leak,
    "elu": elu,
    "silu": silu,
    "softplus": softplus,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "sin": np.sin,
    "softmax": softmax,
    "log_softmax": log_softmax,
}


@dataclass(frozen=True, slots=True)
class Dense:
    """Every unit sees every input: A = g(X W + b), with `units` columns in W.

    `activation` names g, one of `backpass.nn.layers.ACTIVATIONS`. Raises UnknownName, with the
    nearest one, and BackpassError for a number of units that is none.
    """

    units: int
    activation: str = "linear"

    def __post_init__(self) -> None:
        if not is_count(self.units):
            raise BackpassError(
                f"Dense({self.units!r}) has no units; give a whole number from 1 on"
            )
        if self.activation not in ACTIVATIONS:
            raise UnknownName(
                f"there is no activation {self.activation!r}"
                + (
                    nearest(str(self.activation), ACTIVATIONS)
                    or f"; there are {', '.join(ACTIVATIONS)}"
                )
            )


def is_count(value: object) -> bool:
    """Whether this is a whole number from 1 on; True is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) > 0
