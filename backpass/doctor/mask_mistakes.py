"""The known mistakes with dropout: a mask that is in one pass only, or in one gradient only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.masks import Drawn
from backpass.doctor.mistake import At, Mistake

Array = NDArray[np.float64]
_CARRY = "{dA} = {carry}"


def through_mask(at: At, found: Iterable[Mistake]) -> Iterator[Mistake]:
    """Mistaken ways down to a layer whose units were dropped: the mask is met all the same."""
    for one in found:
        yield one if at.mask is None else replace(one, value=lambda at, one=one: _met(at, one))


def _met(at: At, one: Mistake) -> Array | None:
    carry = one.value(at)
    return None if carry is None else at.masked(carry)


def carries(at: At) -> Iterator[Mistake]:
    """The ways down in which the mask itself is mistaken."""
    if at.mask is not None:
        yield Mistake(
            59, "the dropout mask is missing going back", lambda at: at.unmasked().carried(),
            "what dropout left of {A} went on, and the error goes back to all its units: the mask "
            "{M} is missing", _CARRY,
        )  # fmt: skip
    name, says, fix = (
        (
            "the dropout mask is in the backward pass only",
            "the error is masked, and no unit of {A} was dropped in the forward pass",
            "{dA} = {carry}, or the same mask on {A} before it goes on",
        )
        if at.mask is None
        else (
            "another dropout mask is used going back",
            "the error goes back through another mask than {M}, which dropped units of {A}",
            "{dA} = {carry}, with the mask of the forward pass",
        )
    )
    for key in _others(at):
        yield Mistake(59, name, lambda at, key=key: _with(at, key), says, fix, linear=False)


def _others(at: At) -> Iterator[Drawn]:
    """Arrays that may be masks, and are not that of the layer, nor its slope, nor targets."""
    known = [at.a != 0, at.slope != 0, at.run.y != 0]
    if at.mask is not None:
        known.append(at.mask != 0)
    for key, M in at.run.drawn[at.layer].items() if at.run.drawn else ():
        if not any(np.array_equal(M != 0, one) for one in known):
            yield key


def _with(at: At, key: Drawn) -> Array | None:
    mask = at.run.drawn[at.layer].get(key) if at.run.drawn else None
    return None if mask is None else at.unmasked().carried() * mask


def slopes(at: At) -> Iterator[Mistake]:
    """f′ taken of what dropout left."""
    if at.mask is None:
        return
    says = "the slope is taken at {D}, after dropout, where it should be at {A}"
    fix = "{dZ} = {dA} ⊙ {slope}"
    for value in (_of_left, lambda at: at.dA * at.run.slope_of(at.f, at.run.left(at.layer))):
        yield Mistake(25, "f′ is taken after dropout", value, says, fix)


def _of_left(at: At) -> Array | None:
    """The slope as the output tells it, given what dropout left."""
    left = at.run.left(at.layer)
    match at.f:
        case "sigmoid":
            return at.dA * left * (1 - left)
        case "tanh":
            return at.dA * (1 - left**2)
        case _:
            return None


def weights(at: At) -> Iterator[Mistake]:
    """The gradient of a weight made with what stood there before dropout."""
    if at.run.mask(at.layer - 1) is not None:
        yield Mistake(
            59, "the dropout mask is missing in the gradient of W",
            lambda at: at.run.widened(at.layer, at.run.A[at.layer - 1]).T @ at.dZ,
            "the gradient of {W} is made with {A_bare}, before dropout; {A_in} went into the "
            "product", "{dW} = {product}",
        )  # fmt: skip
