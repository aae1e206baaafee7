"""Which network somebody's code is, read off the numbers that its forward pass makes.

From the samples on, every parameter is tried as the next layer: if what it would make is among the
numbers that were seen, it is the next layer. No name and no style of the code is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.match import Index
from backpass.doctor.probe import Probe

Array = NDArray[np.float64]
Ones = Literal["last", "first"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One dense layer of the user's: where its arrays are, and how they stand there.

    `turned` is a weight that is out×in where samples are rows, `ones` where the constant column
    is put before the product, and `activation` a name of `backpass.doctor.activations`.
    """

    weight: str
    turned: bool
    bias: str | None
    ones: Ones | None
    activation: str
    units: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A network as it was seen: its layers from the samples on, and what they come to.

    `turned` when the samples stand as columns in what the call was given, and `columns` when they
    do in the network's own products. `inputs` is the width of a sample, and `output` has a row for
    each.
    """

    turned: bool
    inputs: int
    layers: tuple[Layer, ...]
    output: Array

    @property
    def columns(self) -> bool:
        """Whether the weights are out×in, all of them."""
        return all(layer.turned for layer in self.layers)

    def laid(self, given: NDArray[Any]) -> NDArray[Any]:
        """Samples or targets as the network's own products have them."""
        return given.T if given.ndim == 2 and self.turned != self.columns else given


def network(probe: Probe, rows: Sequence[int] | None = None) -> Seen | None:
    """The longest chain of layers whose numbers were seen; None when not even one was.

    With `rows`, the numbers that these samples alone would make.
    """
    seen = _Numbers(probe)
    found: list[Seen] = []
    for turned in (False, True):
        X = np.asarray(probe.X, float)
        X = np.atleast_2d(X.T if turned and X.ndim == 2 else X)
        if rows is not None:
            if max(rows) >= len(X):
                continue
            X = X[list(rows)]
        for layers, output in _chains(X, probe.parameters, seen):
            if layers:
                found.append(Seen(turned, X.shape[1], layers, output))
    return max(found, key=_weight, default=None)


def _weight(seen: Seen) -> tuple[int, int, int]:
    biases = sum(layer.bias is not None for layer in seen.layers)
    upright = sum(layer.turned == seen.turned for layer in seen.layers)
    return len(seen.layers), biases, upright


class _Numbers:
    """The numbers of a run, asked whether an array of layers' values is among them."""

    def __init__(self, probe: Probe) -> None:
        self.index = Index(
            {str(number): event.value for number, event in enumerate(probe.run.events)},
            parts=False,
            tolerance=1e-5 if probe.is_coarse else 1e-9,
        )

    def has(self, values: Array) -> bool:
        """Whether it was seen whole, or its first sample, or that sample's entries one by one.

        With the other sign it counts too: 1/(1 + e^(−x·W − b)) never makes x·W + b.
        """
        first = values[0]
        whole = any(self.index.find(sign * part) for part in (values, first) for sign in (1, -1))
        return whole or self._entries(first)

    def since(self, values: Array) -> int:
        """The first event that is this array, or what its first sample or an entry of it has."""
        for part in (values, values[0], values[0, np.argmax(np.abs(values[0]))]):
            found = self.index.find(np.asarray(part))
            if found:
                return min(int(one.name) for one in found)
        return 0

    def tells(self, values: Array, other: Array) -> bool:
        """Whether what was seen is this array, and cannot be the other one."""
        if self.index.find(values):
            return True
        if np.array_equal(values[0], other[0]):
            return False
        return bool(self.index.find(values[0])) or self._entries(values[0][values[0] != other[0]])

    def allows(self, values: Array) -> bool:
        """Whether every entry of the first sample was seen, or is one that nobody could tell."""
        return all(self._entries(entry[None]) for entry in values[0] if entry)

    def _entries(self, row: Array) -> bool:
        telling = [np.asarray(entry) for entry in row if abs(entry) not in (0.0, 1.0)]
        return bool(telling) and all(self.index.find(entry) for entry in telling)


def _chains(
    A: Array, parameters: dict[str, Array], seen: _Numbers
) -> Iterator[tuple[tuple[Layer, ...], Array]]:
    """Every chain of layers from these activations on, the empty one last."""
    for name, weight in parameters.items():
        if weight.ndim != 2 or not np.any(weight):
            continue
        left = {one: value for one, value in parameters.items() if one != name}
        for turned in (False, True):
            for layer, Z in _affine(A, name, weight.T if turned else weight, turned, left, seen):
                after = {one: value for one, value in left.items() if one != layer.bias}
                for activation, value in _activated(Z, seen):
                    one = Layer(
                        layer.weight, turned, layer.bias, layer.ones, activation, Z.shape[1]
                    )
                    for rest, output in _chains(value, after, seen):
                        yield (one, *rest), output
    yield (), A


def _affine(
    A: Array, name: str, W: Array, turned: bool, parameters: dict[str, Array], seen: _Numbers
) -> Iterator[tuple[Layer, Array]]:
    """A product with this weight, with the bias that was added if one was."""
    ones = np.ones((len(A), 1))
    widened: list[tuple[Ones | None, Array]] = [
        (None, A),
        ("last", np.hstack([A, ones])),
        ("first", np.hstack([ones, A])),
    ]
    for place, given in widened:
        if given.shape[1] != W.shape[0]:
            continue
        Z = given @ W
        with_bias = [
            (bias, Z + value.reshape(1, -1))
            for bias, value in parameters.items()
            if value.size == W.shape[1]
            and max(value.shape, default=1) == value.size
            and np.any(value)
        ]
        found = [(bias, values) for bias, values in with_bias if seen.has(values)]
        if not found and seen.has(Z):
            found = [(None, Z)]
        for bias, values in found:
            yield Layer(name, turned, bias, place, "linear", W.shape[1]), values


def _activated(Z: Array, seen: _Numbers) -> Iterator[tuple[str, Array]]:
    """What was made of the pre-activations; when nothing was, they go on as they are."""
    values = {
        name: np.asarray(function(Z), float)
        for name, function in FUNCTIONS.items()
        if Z.shape[1] > 1 or "softmax" not in name
    }
    changed = {name: value for name, value in values.items() if not np.array_equal(value, Z)}
    sure = [(name, value) for name, value in changed.items() if seen.tells(value, Z)]
    # 1 − σ(z) is σ(−z): what was made first was meant; a softmax of a softmax makes both
    sure.sort(key=lambda one: (one[0] != "softmax twice", seen.since(one[1])))
    # ReLU of what is above zero is the thing itself: then the next layer decides
    perhaps = [(name, value) for name, value in changed.items() if seen.allows(value)]
    yield from sure or [("linear", Z), *perhaps]
