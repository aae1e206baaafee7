"""What a network is built of: layers, and the functions that act between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from backpass.calculus.elementwise import leaky_relu, relu, sigmoid, softplus
from backpass.calculus.fused import log_softmax, softmax
from backpass.language.errors import BackpassError, UnknownName, nearest
from backpass.nn.schedules import is_number

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
        _known(self.activation)

    def __str__(self) -> str:
        return f"{self.units} {self.activation}"


@dataclass(frozen=True, slots=True)
class Dropout:
    """In training each value is left out with the probability `rate`, and the rest makes up for it.

    Srivastava and others, 2014, inverted: what is kept is divided by 1 − rate, so that nothing
    changes for predictions. It stands behind a layer, or before the first for the inputs.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        if not (is_number(self.rate) and 0 <= self.rate < 1):
            raise BackpassError(
                f"Dropout({self.rate!r}) leaves no chance; give a number from 0 to below 1"
            )

    def __str__(self) -> str:
        return f"dropout {self.rate:g}"


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """Each unit gets mean 0 and variance 1 over a batch, then a scale γ and a shift β of its own.

    Ioffe and Szegedy, 2015. It stands behind a dense layer, and its `activation` behind it. What
    predicts takes a running mean and variance, which follow those of the batches by the share
    `momentum` (of variances that are divided by n, as everywhere here, and not by n − 1).
    """

    activation: str = "linear"
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        _known(self.activation)
        if not (is_number(self.momentum) and 0 < self.momentum <= 1):
            raise BackpassError(
                f"momentum={self.momentum!r:.40} is not valid; give a number above 0, up to 1"
            )
        if not (is_number(self.eps) and 0 < self.eps < 1):
            raise BackpassError(f"eps={self.eps!r:.40} is not valid; give a small number above 0")

    def __str__(self) -> str:
        return f"batch norm {self.activation}"


Layer = Dense | Dropout | BatchNorm


def described_layer(layer: Layer) -> list[Any]:
    """A layer as JSON can hold it."""
    if isinstance(layer, Dense):
        return [int(layer.units), layer.activation]
    return [type(layer).__name__, *(getattr(layer, one.name) for one in fields(layer))]


def restored_layer(found: list[Any]) -> Layer:
    """The layer that `described_layer` described; KeyError and TypeError for anything else."""
    kinds = {"Dropout": Dropout, "BatchNorm": BatchNorm}
    return kinds[found[0]](*found[1:]) if isinstance(found[0], str) else Dense(*found)


def _known(activation: str) -> None:
    if activation not in ACTIVATIONS:
        raise UnknownName(
            f"there is no activation {activation!r}"
            + (nearest(str(activation), ACTIVATIONS) or f"; there are {', '.join(ACTIVATIONS)}")
        )


def is_count(value: object) -> bool:
    """Whether this is a whole number from 1 on; True is none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) > 0
