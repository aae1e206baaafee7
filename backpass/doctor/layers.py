"""One dense layer of somebody's code: where its arrays are, and what it makes of its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS

Array = NDArray[np.float64]
Ones = Literal["last", "first"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One dense layer of the user's: where its arrays are, and how they stand there.

    `turned` is a weight that is out×in where samples are rows, `ones` where the constant column
    is put before the product, and `activation` a name of `backpass.doctor.activations`. `kept` is
    what a random mask leaves of a unit that goes in, 1/p or 1, where it drops others. `beside` is
    what stands there in place of a constant: a function, and the unit below whose sum it is given.
    `skip` is the layer whose outputs, or 0 the samples, are added to what this one makes: to its
    sums if `inside`, else behind its activation.
    """

    weight: str
    turned: bool
    bias: str | None
    ones: Ones | None
    activation: str
    units: int
    kept: float | None = None
    beside: tuple[str, int] | None = None
    skip: int | None = None
    inside: bool = False

    def widened(self, A: Array, Z: Array | None = None) -> Array:
        """What is multiplied with the weight; `Z` are the sums behind the activations."""
        if self.beside is None or Z is None:
            return widened(A, self.ones)
        return widened(A, self.ones, beside(Z, *self.beside))

    def added(self, past: Sequence[Array], *, inside: bool) -> Array | float:
        """What is added to the sums, or behind the activation; `past` are all outputs below."""
        return 0.0 if self.skip is None or self.inside != inside else past[self.skip]


def joined(layers: Sequence[Layer]) -> str:
    """Sentences on the layers to which others are added, each with a space before it."""
    told = ""
    for place, layer in enumerate(layers, 1):
        if layer.skip is not None:
            what = f"The outputs of layer {layer.skip}" if layer.skip else "The samples"
            where = "to the sums" if layer.inside else "behind the activation"
            told += f" {what} are added {where} of layer {place}."
    return told


def pre_activation(
    layer: Layer,
    A: Array,
    parameters: Mapping[str, NDArray[Any]],
    below: Array | None = None,
    past: Sequence[Array] = (),
) -> Array:
    """What a layer makes of its inputs before its activation; `below` are the sums behind them."""
    weight = as_matrix(parameters[layer.weight])
    Z = layer.widened(A, below) @ (weight.T if layer.turned else weight)
    Z = Z + layer.added(past, inside=True)
    return Z if layer.bias is None else Z + parameters[layer.bias].reshape(1, -1)


def as_matrix(weight: NDArray[Any]) -> Array:
    """A weight as a matrix: a line of numbers is the one column of a layer of one unit."""
    return np.asarray(weight[:, None] if weight.ndim == 1 else weight, float)


def widened(A: Array, ones: Ones | None, column: Array | None = None) -> Array:
    """Activations with the column that a layer multiplies too, of ones unless it is given."""
    column = np.ones((len(A), 1)) if column is None else column
    match ones:
        case None:
            return A
        case "last":
            return np.hstack([A, column])
        case "first":
            return np.hstack([column, A])


def beside(Z: Array, activation: str, unit: int) -> Array:
    """A function of what one unit sums, as a column."""
    return np.asarray(FUNCTIONS[activation](Z), float)[:, [unit]]
