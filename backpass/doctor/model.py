"""The derivation of a network that was seen, and every number of its run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation, derive
from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.infer import Layer, Seen
from backpass.language.program import Program
from backpass.nn.losses import LOSSES, Loss
from backpass.running.runner import compile_numpy

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """A network that was seen with a loss: its derivation, and where each array stands."""

    seen: Seen
    loss: Loss
    derivation: Derivation
    paths: dict[str, str]  # W1 -> self.W[0]

    def values(self, X: Array, y: Array, parameters: dict[str, Array]) -> dict[str, Array]:
        """Every quantity of the forward and the backward pass, by name."""
        X, y = self.seen.laid(X), self.seen.laid(y)
        given = {name: parameters[path] for name, path in self.paths.items()}
        found = self._everything({"X": X, "y": y, **given})
        names = [step.name for step in self.derivation.program.steps]
        return {"X": X, "y": y, **given, **dict(zip(names, found, strict=True))}

    @cached_property
    def _everything(self) -> Any:
        program = self.derivation.program
        names = tuple(step.name for step in program.steps)
        whole = Program(program.inputs, program.steps, names, program.constants)
        return compile_numpy(whole, name="everything")


Times = Callable[[Any, Any], Any]  # a factor by the number of samples and of outputs


def model(
    seen: Seen,
    loss: str,
    X: Array,
    y: Array,
    parameters: dict[str, Array],
    times: Times = lambda n, m: 1,
) -> Model:
    """Derive the network with this loss, its arrays named W1, b1, W2 and so on.

    `times` is what the loss is multiplied with, such as 1/n where samples are averaged.
    """
    X, y = seen.laid(X), seen.laid(y)
    paths: dict[str, str] = {}
    held: dict[str, str] = {}
    shapes: dict[str, Any] = {}
    sizes = _Sizes(seen)
    samples = "n"
    shapes["X"] = _shape(X.shape, seen.columns, samples, sizes.of(0))
    width = sizes.of(len(seen.layers))
    if y.dtype.kind in "iu" and y.ndim == 1:
        shapes["y"] = f"{samples} int<{width}"
    else:
        shapes["y"] = _shape(y.shape, seen.columns, samples, width)
    for place, layer in enumerate(seen.layers, 1):
        into = sizes.of(place - 1) + ("+1" if layer.ones else "")
        out = sizes.of(place)
        paths[f"W{place}"] = layer.weight
        held[f"W{place}"] = f"{out} {into}" if layer.turned else f"{into} {out}"
        if layer.bias is not None:
            paths[f"b{place}"] = layer.bias
            bias = parameters[layer.bias].shape
            held[f"b{place}"] = " ".join(out if size != 1 else "1" for size in bias)
    one = LOSSES[loss]
    forward = _forward(seen.layers, _scaled(one, times, seen.columns), seen.columns)
    derivation = derive(forward, {**shapes, "parameters": held}, wrt=list(paths))
    return Model(seen, one, derivation, paths)


def _scaled(loss: Loss, times: Times, columns: bool) -> Callable[[Any, Any], Any]:
    """The loss times a factor, in which sizes stay symbols."""
    if times(7, 11) == 1:
        return loss.function

    def scaled(output: Any, target: Any) -> Any:
        n, m = reversed(output.shape) if columns else output.shape
        return loss.function(output, target) * times(n, m)

    return scaled


class _Sizes:
    """Letters for widths: k inputs, j hidden, m outputs; d0, d1 … where there are more."""

    def __init__(self, seen: Seen) -> None:
        count = len(seen.layers) + 1
        self.names = {2: ["k", "m"], 3: ["k", "j", "m"]}.get(
            count, [f"d{place}" for place in range(count)]
        )

    def of(self, place: int) -> str:
        return self.names[place]


def _shape(shape: tuple[int, ...], columns: bool, samples: str, width: str) -> str:
    if len(shape) == 1:
        return width
    return f"{width} {samples}" if columns else f"{samples} {width}"


def _forward(
    layers: tuple[Layer, ...], loss: Callable[[Any, Any], Any], columns: bool
) -> Callable[..., Any]:
    """The forward pass as anybody would write it, of X, y and the parameters by name."""

    def affine(A: Any, parameters: Any, place: int, layer: Layer) -> Any:
        W = parameters[f"W{place}"]
        if layer.ones is not None:
            one = np.ones((1, A.shape[1]) if columns else (A.shape[0], 1))
            parts = [A, one] if layer.ones == "last" else [one, A]
            B = np.concatenate(parts, axis=0 if columns else 1)
        else:
            B = A
        if columns:
            left, right = W if layer.turned else W.T, B
        else:
            left, right = B, W.T if layer.turned else W
        return left @ right if layer.bias is None else left @ right + parameters[f"b{place}"]

    def forward(X: Any, y: Any, parameters: Any) -> Any:
        Z, A = [], [X]
        for place, layer in enumerate(layers, 1):
            Z.append(affine(A[-1], parameters, place, layer))
            A.append(FUNCTIONS[layer.activation](Z[-1]))
        return loss(A[-1], y)

    return forward
