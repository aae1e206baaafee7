"""The derivation of a network that was seen, and every number of its run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation, derive
from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.infer import Masked, Seen
from backpass.doctor.layers import Layer, as_matrix
from backpass.doctor.margins import SUMS
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

    def values(
        self, X: Array, y: Array, parameters: dict[str, Array], masks: Masked = ()
    ) -> dict[str, Array]:
        """Every quantity of the forward and the backward pass, by name."""
        given = {
            name: parameters[path].ravel() if name.startswith("b") else as_matrix(parameters[path])
            for name, path in self.paths.items()
        }
        given = {"X": self.seen.laid(X), "y": _targets(self.seen, self.loss, y), **given}
        for place, mask in enumerate(masks):
            if mask is not None:
                given[f"M{place}"] = self._laid(mask, X.ndim)
        found = self._everything(given)
        names = [step.name for step in self.derivation.program.steps]
        return {**given, **dict(zip(names, found, strict=True))}

    def _laid(self, mask: Array, dimensions: int) -> Array:
        """A mask, which has a row for each sample, as the products have activations."""
        if dimensions < 2:
            return mask.ravel()
        return mask.T if self.seen.columns else mask

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
    *,
    fused: bool = False,
) -> Model:
    """Derive the network with this loss, its arrays named W1, b1, W2 and so on.

    `times` is what the loss is multiplied with, such as 1/n where samples are averaged. `fused`
    takes the last activation and the loss as one, where they have a short gradient together.
    """
    sizes = _Sizes(seen)
    width = sizes.of(len(seen.layers))
    paths: dict[str, str] = {}
    held: dict[str, str] = {}
    for place, layer in enumerate(seen.layers, 1):
        into = sizes.of(place - 1) + ("+1" if layer.ones else "")
        out = sizes.of(place)
        paths[f"W{place}"] = layer.weight
        held[f"W{place}"] = f"{out} {into}" if _is_turned(seen, layer, X) else f"{into} {out}"
        if layer.bias is not None:
            paths[f"b{place}"] = layer.bias
            held[f"b{place}"] = out
    last = seen.layers[-1].activation
    one = (_fused(loss, last) if fused else None) or _of(loss)
    masks = {
        f"M{place}": ("n " if X.ndim > 1 else "") + sizes.of(place)
        for place, layer in enumerate(seen.layers)
        if layer.kept is not None
    }
    shapes = {"X": sizes.of(0), "y": width, "parameters": held, "masks": masks}
    if X.ndim > 1:
        shapes |= {"X": f"n {sizes.of(0)}", "y": f"n {width}"}
        whole = y.ndim > 1 or seen.layers[-1].units == 1 or _in_rows(seen, one, y)
        if not whole:  # labels, or what no loss can compare
            shapes["y"] = f"n int<{width}" if y.dtype.kind in "iu" else "n"
    activations = [layer.activation for layer in seen.layers[:-1]]
    activations.append("linear" if one.squashes == last else last)
    forward = _forward(seen, activations, X.ndim > 1, _scaled(one, times))
    derivation = derive(forward, shapes, wrt=list(paths))
    if seen.columns and X.ndim > 1:
        derivation = derivation.columns("n")
    return Model(seen, one, derivation, paths)


def _is_turned(seen: Seen, layer: Layer, X: Array) -> bool:
    """Whether the forward pass to be derived has this weight out×in."""
    return layer.turned and not (seen.columns and X.ndim > 1)


def _in_rows(seen: Seen, loss: Loss, y: Array) -> bool:
    """Whether labels are handed to this loss as rows with a single 1."""
    labels = y.ndim == 1 and y.dtype.kind in "iu" and seen.output.shape[1] > 1
    return labels and not loss.name.startswith("cross_entropy")


def _targets(seen: Seen, loss: Loss, y: Array) -> Array:
    """Targets as the products have outputs; in one line, they are a column for rows of one unit."""
    samples, units = seen.output.shape
    if _in_rows(seen, loss, y):
        rows = np.eye(units)[y.astype(int)]
        return rows.T if seen.columns else rows
    if y.ndim == 1 and y.dtype.kind == "f" and units == 1 and samples > 1:
        return y[None, :] if seen.columns else y[:, None]
    return seen.laid(y)


def _scaled(loss: Loss, times: Times) -> Callable[[Any, Any], Any]:
    """The loss times a factor, in which sizes stay symbols."""
    if times(7, 11) == 1:
        return loss.function

    def scaled(output: Any, target: Any) -> Any:
        n, m = output.shape if output.ndim > 1 else (1, output.shape[0])
        return loss.function(output, target) * times(n, m)

    return scaled


class _Sizes:
    """Letters for widths: k inputs, j hidden, m outputs; d0, d1 … where there are more.

    What is added to one another has one width.
    """

    def __init__(self, seen: Seen) -> None:
        count = len(seen.layers) + 1
        self.names = {2: ["k", "m"], 3: ["k", "j", "m"]}.get(
            count, [f"d{place}" for place in range(count)]
        )
        for place, layer in enumerate(seen.layers, 1):
            if layer.skip is not None:
                self.names[place] = self.names[layer.skip]

    def of(self, place: int) -> str:
        return self.names[place]


def _of(name: str) -> Loss:
    """A loss of the library's, or one that is only met."""
    return LOSSES[name] if name in LOSSES else Loss(name, SUMS[name], sums=True)


def _fused(loss: str, activation: str) -> Loss | None:
    """The loss of logits that comes to this one after the activation, with its short gradient."""
    fitting = (one for one in LOSSES.values() if one.takes_logits == loss)
    return next((one for one in fitting if one.squashes == activation), None)


def _forward(
    seen: Seen, activations: Sequence[str], batch: bool, loss: Callable[[Any, Any], Any]
) -> Callable[..., Any]:
    """The forward pass as anybody would write it, of X, y and the parameters by name.

    A batch is derived with samples as rows, whatever the user has, and turned afterwards.
    """

    def affine(A: Any, parameters: Any, place: int, layer: Layer) -> Any:
        W = parameters[f"W{place}"]
        B = A
        if layer.ones is not None:
            one = np.ones((A.shape[0], 1)) if batch else np.ones(1)
            B = np.concatenate([A, one] if layer.ones == "last" else [one, A], axis=-1)
        if not layer.turned or (batch and seen.columns):
            left, right = B, W
        elif batch:
            left, right = B, W.T
        else:
            left, right = W, B
        return left @ right if layer.bias is None else left @ right + parameters[f"b{place}"]

    def forward(X: Any, y: Any, parameters: Any, masks: Any) -> Any:
        Z, A, S, D = [], [X], [X], [X]
        if "M0" in masks:
            D0 = X * masks["M0"]
            D = [D0]
        for place, layer in enumerate(seen.layers, 1):
            if layer.skip is None or not layer.inside:
                Z.append(affine(D[-1], parameters, place, layer))
            else:
                Z.append(affine(D[-1], parameters, place, layer) + S[layer.skip])
            A.append(FUNCTIONS[activations[place - 1]](Z[-1]))
            if layer.skip is None or layer.inside:
                S.append(A[-1])
            else:
                S.append(A[-1] + S[layer.skip])
            mask = f"M{place}"
            D.append(S[-1] * masks[mask] if mask in masks else S[-1])
        return loss(S[-1], y)

    return forward
