"""The passes of a network that was seen, in numbers: samples as rows, whatever the user has.

Slopes and gradients are derived, not typed in; this is the one place where the doctor computes
them layer by layer, so that a mistake can be put at any layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.derive import derive
from backpass.doctor.activations import FUNCTIONS, WRONG, meant
from backpass.doctor.infer import Seen
from backpass.doctor.layers import Layer, as_matrix, widened
from backpass.doctor.masks import Drawn, drawn
from backpass.doctor.probe import Probe
from backpass.forward.record import record
from backpass.running.runner import Runner, compile_numpy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pass:
    """One forward pass, and what the run did to its parameters.

    Layers count from 1: `A[0]` holds the samples, `inputs[l]` what was multiplied with `W[l]`, a
    column of ones included where the user has one. `W` is in×out. `moved` is what the first
    update took away, `new` what was left; both by `("W", l)` and `("b", l)`. `masks[l]` is what
    `A[l]` was multiplied with before it went on, if units of it were dropped, and `drawn[l]` what
    the run has that may be such masks, by where they stood.
    """

    layers: tuple[Layer, ...]
    y: Array
    A: tuple[Array, ...]
    Z: tuple[Array, ...]
    inputs: tuple[Array, ...]
    W: tuple[Array, ...]
    b: tuple[Array | None, ...]
    moved: Mapping[tuple[str, int], Array]
    coarse: bool = False  # computed in less than float64
    masks: tuple[Array | None, ...] = ()
    drawn: tuple[Mapping[Drawn, Array], ...] = ()
    known: dict[tuple[str, str, int], Array] = field(default_factory=dict, repr=False)

    @property
    def depth(self) -> int:
        return len(self.layers)

    @property
    def samples(self) -> int:
        return len(self.y)

    def slope(self, activation: str, letter: Literal["A", "Z"], layer: int) -> Array:
        """f′ of any activation at what a layer makes, worked out once."""
        key = activation, letter, layer
        if key not in self.known:
            self.known[key] = slope(activation, (self.A if letter == "A" else self.Z)[layer])
        return self.known[key]

    def slope_of(self, activation: str, given: Array) -> Array:
        """f′ at other numbers than a layer makes."""
        return slope(activation, given)

    def new(self, layer: int) -> Array:
        """The weight after the first update."""
        return self.W[layer] - self.moved["W", layer]

    def flow(self, layer: int) -> Array:
        """The outputs of a layer with those of an earlier one that are added behind it."""
        one = self.layers[layer - 1] if layer else None
        if one is None or one.skip is None or one.inside:
            return self.A[layer]
        return self.A[layer] + self.flow(one.skip)

    def mask(self, layer: int) -> Array | None:
        """What the outputs of a layer were multiplied with, if units of it were dropped."""
        return self.masks[layer] if layer < len(self.masks) else None

    def left(self, layer: int) -> Array:
        """What was left of the outputs of a layer."""
        mask, flow = self.mask(layer), self.flow(layer)
        return flow if mask is None else flow * mask

    def inner(self, layer: int, W: Array) -> Array:
        """A weight without the row that meets the ones."""
        match self.layers[layer - 1].ones:
            case None:
                return W
            case "last":
                return W[:-1]
            case "first":
                return W[1:]

    def widened(self, layer: int, A: Array) -> Array:
        """What a layer multiplies with its weight when it is given this."""
        place = self.layers[layer - 1].ones
        return widened(A, place, self.inputs[layer][:, [-1 if place == "last" else 0]])


def run_pass(
    seen: Seen, probe: Probe, moved: Mapping[str, Array], rows: Sequence[int] | None = None
) -> Pass:
    """The forward pass on a probe's numbers, or on some of its samples."""
    X, y = samples(seen, probe)
    masks, number = seen.masks, len(X)
    if rows is not None:
        X, y = X[list(rows)], y[list(rows)]
        masks = tuple(None if one is None else one[list(rows)] for one in masks)
    W: list[Array] = []
    b: list[Array | None] = []
    steps: dict[tuple[str, int], Array] = {}
    for place, layer in enumerate(seen.layers, 1):
        weight = as_matrix(probe.parameters[layer.weight])
        W.append(weight.T if layer.turned else weight)
        step = as_matrix(moved[layer.weight])
        steps["W", place] = step.T if layer.turned else step
        b.append(None if layer.bias is None else _float(probe.parameters[layer.bias]).ravel())
        if layer.bias is not None:
            steps["b", place] = _float(moved[layer.bias]).ravel()
    made = forward_pass(seen.layers, X, y, W, b, steps, coarse=probe.is_coarse, masks=masks)
    if len(X) < number:
        return made
    return replace(made, drawn=tuple(drawn(probe, A.shape) for A in made.A))


def forward_pass(
    layers: tuple[Layer, ...],
    X: Array,
    y: Array,
    weights: Sequence[Array],
    biases: Sequence[Array | None],
    moved: Mapping[tuple[str, int], Array],
    *,
    coarse: bool = False,
    masks: Sequence[Array | None] = (),
) -> Pass:
    """The pass of samples through these layers; weights are in×out, and masks of what goes in."""
    A: list[Array] = [X]
    Z: list[Array] = [X]
    inputs: list[Array] = [X]
    flows: list[Array] = [X]
    each = list(masks) or [None] * len(layers)
    for layer, W, b, mask in zip(layers, weights, biases, each, strict=True):
        into = layer.widened(flows[-1] if mask is None else flows[-1] * mask, Z[-1])
        inputs.append(into)
        sums = into @ W if b is None else into @ W + b
        Z.append(sums + layer.added(flows, inside=True))
        A.append(_activated(layer.activation, Z[-1]))
        flows.append(A[-1] + layer.added(flows, inside=False))
    return Pass(
        layers,
        y,
        tuple(A),
        tuple(Z),
        tuple(inputs),
        (X, *weights),
        (None, *biases),
        moved,
        coarse,
        (*each, None),
    )


def samples(seen: Seen, probe: Probe) -> tuple[Array, Array]:
    """Samples and targets with a row for each sample; labels become rows with a single 1."""
    X, y = np.asarray(probe.X), np.asarray(probe.Y)
    X = np.atleast_2d(X.T if seen.turned and X.ndim == 2 else X)
    shape = len(X), seen.output.shape[1]
    if y.dtype.kind in "iu" and y.size == shape[0] and shape[1] > 1:
        return _float(X), np.eye(shape[1])[from_zero(y, shape[1], probe)]
    if y.ndim == 2 and seen.turned:
        y = y.T
    return _float(X), _float(y).reshape(shape) if y.size == np.prod(shape) else _float(y)


def from_zero(labels: NDArray[Any], classes: int, probe: Probe) -> NDArray[Any]:
    """Labels of samples, counted from 0; the code shows it where it counts them from 1."""
    labels = labels.ravel()
    if labels.min(initial=1) < 1 or labels.max(initial=0) > classes:
        return labels
    rows = np.eye(classes)[labels - 1]
    seen = (event.value for event in probe.run.events if event.value.size == rows.size)
    if labels.max(initial=0) == classes or any(
        np.array_equal(one, rows) or np.array_equal(one.T, rows) for one in seen
    ):
        return labels - 1
    return labels


def _float(value: NDArray[Any]) -> Array:
    return np.asarray(value, float)


def _activated(activation: str, Z: Array) -> Array:
    if activation == "linear":
        return Z
    return np.asarray(_compiled(activation)({"z": Z}))


@cache
def _compiled(activation: str) -> Runner:
    function = FUNCTIONS[activation]

    def of(z: Any) -> Any:  # whatever its own argument is called
        return function(z)

    return compile_numpy(record(of, "z: n m", None).program, name="activation")


# ── slopes ───────────────────────────────────────────────────────────────────────────────────


def back(activation: str, Z: Array, dA: Array) -> Array:
    """∂L/∂Z from ∂L/∂A, through an activation; a wrong one goes back as the right one does."""
    if activation in WRONG:
        a = np.asarray(FUNCTIONS[activation](Z))
        if meant(activation) == "sigmoid":
            return dA * a * (1 - a)
        return a * (dA - np.sum(dA * a, axis=1, keepdims=True))
    return np.asarray(_through(activation)(Z, dA)[1]["z"])


def slope(activation: str, Z: Array) -> Array:
    """f′ entry by entry; of a softmax this is the diagonal of its Jacobian, p(1 − p)."""
    if meant(activation) == "softmax":
        p = np.asarray(FUNCTIONS[activation](Z))
        return p * (1 - p)
    return back(activation, Z, np.ones_like(Z))


@cache
def _through(activation: str) -> Callable[..., Any]:
    function = FUNCTIONS[activation]
    return derive(lambda z, dA: np.sum(function(z) * dA), "z: n m, dA: n m", wrt="z")
