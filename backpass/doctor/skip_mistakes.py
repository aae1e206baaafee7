"""The mistakes with a skip connection, as in a residual block: a way back that is left out.

Where outputs are added to those of a later layer, the error comes back on two ways, and adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.mistake import At, Mistake

Array = NDArray[np.float64]


def with_skips(at: At, found: Iterable[Mistake]) -> Iterator[Mistake]:
    """Mistaken ways down to a layer that is added to a later one too: that way is met as well."""
    for one in found:
        yield replace(one, value=lambda at, one=one: _both(at, one)) if at.skips else one


def _both(at: At, one: Mistake) -> Array | None:
    carry = one.value(at)
    return None if carry is None else carry + at.skipped()


def carries(at: At) -> Iterator[Mistake]:
    """The ways down in which a skip itself is mistaken."""
    for one in at.skips:
        k, inside = one.layer, one.run.layers[one.layer - 1].inside
        joined = f"{{dZ{k}}}" if inside else f"{{dA{k}}}"
        other = f"{{dA{k}}}" if inside else f"{{dZ{k}}}"
        fix = "{dA} = {carry}"
        yield Mistake(
            49, "the way back over the skip is missing",
            lambda at, k=k: at.carried() - _of(at, k).joined,
            f"{{A}} is added to what layer {k} makes too, and {joined}, which comes back from "
            "there, is missing", fix,
        )  # fmt: skip
        yield Mistake(
            49, "only the skip is sent back", lambda at, k=k: np.array(_of(at, k).joined),
            f"the error comes back over the skip alone: {{dA}} = {joined}", fix,
        )  # fmt: skip
        if one.f == "linear":
            continue
        through = "without f′ of" if inside else "through f′ of"
        yield Mistake(
            None, "the skip joins on the other side of f′",
            lambda at, k=k, inside=inside: at.carried() - _of(at, k).joined
            + (_of(at, k).dA if inside else _of(at, k).dZ),
            f"{{A}} is added {'before' if inside else 'behind'} the activation of layer {k}, and "
            f"the error comes back over the skip {through} that layer: {other}", fix,
        )  # fmt: skip


def _of(at: At, layer: int) -> At:
    return next(one for one in at.skips if one.layer == layer)


def slopes(at: At) -> Iterator[Mistake]:
    """f′ taken of what stands behind the skip."""
    own = at.run.layers[at.layer - 1]
    if own.skip is None or own.inside:
        return
    says = "the slope is taken at the sum with the skip, {D}, where it should be at {A}"
    fix = "{dZ} = {dA} ⊙ {slope}"
    for value in (_of_sum, lambda at: at.dA * at.run.slope_of(at.f, at.run.flow(at.layer))):
        yield Mistake(None, "f′ is taken behind the skip", value, says, fix)


def _of_sum(at: At) -> Array | None:
    """The slope as the output tells it, given the sum."""
    flow = at.run.flow(at.layer)
    match at.f:
        case "sigmoid":
            return at.dA * flow * (1 - flow)
        case "tanh":
            return at.dA * (1 - flow**2)
        case _:
            return None


def weights(at: At) -> Iterator[Mistake]:
    """The gradient of a weight made without the skip that its inputs have."""
    below = at.run.layers[at.layer - 2] if at.layer > 1 else None
    if below is not None and below.skip is not None and not below.inside:
        yield Mistake(
            None, "the skip is missing in the gradient of W",
            lambda at: at.run.widened(at.layer, at.run.A[at.layer - 1]).T @ at.dZ,
            "the gradient of {W} is made with {A_bare}, before the skip is added; {A_in} went into "
            "the product", "{dW} = {product}",
        )  # fmt: skip
