"""Dense layers as other houses have them, out×in and in rows, whatever the conventions here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.architecture import Architecture
from backpass.nn.forward import KEPT, NORMS

Array = NDArray[Any]
Arrays = dict[str, Array]
PARTS = (*NORMS, *KEPT)  # of a batch norm: γ, β, mean, var


@dataclass(frozen=True, slots=True)
class Linear:
    """A dense layer as others have it: the weight out×in, the bias, and the norm behind it.

    Of a batch norm `norm` holds scale, shift, running mean and running variance.
    """

    W: Array
    b: Array | None
    norm: tuple[Array, ...] = ()


def layers_of(plan: Architecture, arrays: Mapping[str, Array]) -> list[Linear]:
    """Every dense layer, laid out in rows; a dropout leaves predictions alone and is left out."""
    found: list[Linear] = []
    for place in range(1, len(plan.widths)):
        W = arrays[f"W{place}"]
        W = W.T if plan.convention == "rows" else W
        b = arrays.get(f"b{place}")
        if plan.bias == "augmented":
            W, b = W[:, :-1], W[:, -1]
        parts = PARTS if place in plan.norms else ()
        found.append(
            Linear(
                np.array(W, order="C"),
                None if b is None else np.array(b, order="C"),
                tuple(arrays[f"{part}{place}"].copy() for part in parts),
            )
        )
    return found


def arrays_of(plan: Architecture, layers: Sequence[Linear], dtype: Any) -> Arrays:
    """The other way round: W1, b1 and so on, as the network's conventions have them."""
    found: Arrays = {}
    for place, (layer, (into, out)) in enumerate(
        zip(layers, pairwise(plan.widths), strict=True), 1
    ):
        W, b = layer.W, layer.b
        if W.shape != (out, into) or (b is not None and b.shape != (out,)):
            raise ShapeError(
                f"layer {place} is {into} → {out}, and its weight is {'×'.join(map(str, W.shape))}"
                f"{'' if b is None else f' with {b.size} biases'}"
            )
        b = np.zeros(out) if b is None else b
        if plan.bias == "augmented":
            W = np.column_stack([W, b])
        found[f"W{place}"] = np.array(W.T if plan.convention == "rows" else W, dtype, order="C")
        if plan.bias == "separate":
            found[f"b{place}"] = np.array(b, dtype)
        if bool(layer.norm) != (place in plan.norms):
            raise BackpassError(
                f"layer {place} has {'a' if layer.norm else 'no'} batch norm in what was given, "
                "and another in the layers of the network; leave layers out, they are read off it"
            )
        for part, one in zip(PARTS, layer.norm, strict=False):
            found[f"{part}{place}"] = np.array(one, dtype)
    return found
