"""The known mistakes in making gradients of an error, as what they compute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backpass.doctor import mask_mistakes, skip_mistakes
from backpass.doctor.flow_mistakes import delta_of
from backpass.doctor.mistake import At, Mistake

Array = NDArray[np.float64]
_WEIGHT = "{dW} = {product}"
_BIAS = "{db} = {summed}"


def _product(left: Array, right: Array, like: Array) -> Array | None:
    """left.T @ right, where that has the right shape."""
    if len(left) != len(right) or (left.shape[1], right.shape[1]) != like.shape:
        return None
    return left.T @ right


# ── the gradient of W ────────────────────────────────────────────────────────────────────────


def _without_ones(at: At) -> Array | None:
    match at.run.layers[at.layer - 1].ones:
        case None:
            return None
        case "last":
            return np.vstack([at.weight()[:-1], np.zeros((1, at.W.shape[1]))])
        case "first":
            return np.vstack([np.zeros((1, at.W.shape[1])), at.weight()[1:]])


WEIGHTS = (
    Mistake(36, "never trained", lambda at: np.zeros_like(at.W),
            "{W} is never updated", "{W} -= rate * {dW}, with {dW} = {product}"),
    Mistake(17, "f′ is missing on one tensor", lambda at: at.into.T @ at.dA,
            "the gradient of {W} is made with {dA}; f′ is missing", _WEIGHT),
    Mistake(26, "z is used for a in the gradient of W",
            lambda at: at.run.widened(at.layer, at.run.Z[at.layer - 1]).T @ at.dZ
            if at.layer > 1 else None,
            "{Z_in} is used where {A_in} went into the product", _WEIGHT),
    Mistake(28, "the outer product is transposed",
            lambda at: at.weight().T if _is_square(at.W) else None,
            "the gradient of {W} is transposed", _WEIGHT),
    Mistake(29, "reshape instead of .T",
            lambda at: at.into.reshape(at.into.T.shape) @ at.dZ,
            "{A_in} is reshaped, not transposed: samples and units are mixed", _WEIGHT),
    Mistake(29, "reshape instead of .T", lambda at: at.weight().T.reshape(at.W.shape),
            "the gradient of {W} is reshaped, not transposed", _WEIGHT),
    Mistake(44, "only the last sample is used", lambda at: at.into[-1:].T @ at.dZ[-1:]
            if at.run.samples > 1 else None,
            "of all samples only the last one counts for {W}", _WEIGHT),
    Mistake(44, "only the first sample is used", lambda at: at.into[:1].T @ at.dZ[:1]
            if at.run.samples > 1 else None,
            "of all samples only the first one counts for {W}", _WEIGHT),
    Mistake(54, "the last sample is dropped", lambda at: at.into[:-1].T @ at.dZ[:-1]
            if at.run.samples > 2 else None,
            "the last sample does not count for {W}", _WEIGHT),
    Mistake(54, "the first sample is dropped", lambda at: at.into[1:].T @ at.dZ[1:]
            if at.run.samples > 2 else None,
            "the first sample does not count for {W}", _WEIGHT),
    Mistake(37, "the bias is not trained", _without_ones,
            "the part of {W} that meets the ones, its bias, is never updated", _WEIGHT),
    Mistake(27, "the weight is used in place of the input", lambda at: at.W * at.dZ.sum(axis=0),
            "{W} itself is used in place of {A_in}", _WEIGHT),
    Mistake(47, "the dot of two vectors is a scalar update",
            lambda at: np.full_like(at.W, np.vdot(at.into, at.dZ))
            if at.into.shape == at.dZ.shape else None,
            "{A_in} and {dZ} are multiplied to a single number", _WEIGHT),
    Mistake(47, "a scalar update", lambda at: np.full_like(at.W, at.weight().sum()),
            "the gradient of {W} is added up to a single number", _WEIGHT),
    Mistake(47, "a scalar update", lambda at: np.full_like(at.W, at.dZ.sum()),
            "{dZ} is added up to a single number, and {A_in} left out", _WEIGHT),
    Mistake(46, "an elementwise product for a matrix product",
            lambda at: np.broadcast_to(at.dZ.sum(axis=0), at.W.shape),
            "{A_in} is left out of the gradient of {W}", _WEIGHT),
    Mistake(43, "the inputs are added up before they meet δ",
            lambda at: np.outer(at.into.sum(axis=0), at.dZ.sum(axis=0))
            if at.run.samples > 1 else None,
            "samples of {A_in} and of {dZ} are added up before they are multiplied", _WEIGHT),
)  # fmt: skip


def _other_weights(at: At) -> Iterator[Mistake]:
    """Any quantity of the forward pass with any of the backward pass."""
    units = at.run.A[at.layer - 1].shape[1]
    for other in range(at.run.depth + 1):
        for letter in "AZ" if other else "A":
            width = at.run.A[other].shape[1]
            if other == at.layer - 1 or width < units:
                continue
            cut = f"the first {units} columns of " if width > units else ""
            yield Mistake(
                35, "layer index off by one",
                lambda at, other=other, letter=letter, units=units: _product(
                    at.run.widened(at.layer, getattr(at.run, letter)[other][:, :units]),
                    at.dZ, at.W),
                f"{cut}{{{letter if other else 'X'}{other or ''}}} are used where {{A_in}} went "
                "into the product" if cut else
                f"{{{letter if other else 'X'}{other or ''}}} is used where {{A_in}} went into "
                "the product", _WEIGHT,
            )  # fmt: skip
    here = at.above
    while here is not None:
        yield Mistake(
            35,
            "layer index off by one",
            lambda at, layer=here.layer: _product(at.into, delta_of(at, layer), at.W),
            f"the gradient of {{W}} is made with dZ{here.layer}, of another layer",
            _WEIGHT,
        )
        here = here.above
    if at.layer < at.run.depth:
        yield Mistake(
            None, "f′ is missing above", lambda at: _product(at.into, at.error, at.W),
            "the gradient of {W} is made with the error of the outputs", _WEIGHT,
        )  # fmt: skip


def weights(at: At) -> Iterator[Mistake]:
    """Every mistaken gradient of this layer's weight."""
    yield from mask_mistakes.weights(at)
    yield from skip_mistakes.weights(at)
    yield from WEIGHTS
    yield from _other_weights(at)


def _is_square(W: Array) -> bool:
    return W.shape[0] == W.shape[1]


# ── the gradient of b ────────────────────────────────────────────────────────────────────────

BIASES = (
    Mistake(37, "the bias is not trained", lambda at: np.zeros(at.a.shape[1]),
            "{b} is never updated", "{b} -= rate * {db}, with {db} = {summed}"),
    Mistake(39, "the bias gradient is summed to a scalar",
            lambda at: np.full(at.a.shape[1], at.dZ.sum()) if at.a.shape[1] > 1 else None,
            "{dZ} is summed over units as well: all entries of {b} move alike", _BIAS),
    Mistake(40, "bias from ∂L/∂A, not from ∂L/∂Z",
            lambda at: at.dA.sum(axis=0),
            "{db} is Σ {dA}; f′ is missing", _BIAS),
    Mistake(17, "f′ is missing on one tensor", lambda at: at.dA.sum(axis=0),
            "{db} is made with {dA}; f′ is missing", _BIAS),
    Mistake(41, "bias = row sum of dW", lambda at: at.weight().sum(axis=0),
            "{db} is the sum of the gradient of {W}, not of {dZ}", _BIAS),
    Mistake(44, "only the last sample is used",
            lambda at: at.dZ[-1] if at.run.samples > 1 else None,
            "of all samples only the last one counts for {b}", _BIAS),
    Mistake(44, "only the first sample is used",
            lambda at: at.dZ[0] if at.run.samples > 1 else None,
            "of all samples only the first one counts for {b}", _BIAS),
    Mistake(54, "the last sample is dropped",
            lambda at: at.dZ[:-1].sum(axis=0) if at.run.samples > 2 else None,
            "the last sample does not count for {b}", _BIAS),
    Mistake(54, "the first sample is dropped",
            lambda at: at.dZ[1:].sum(axis=0) if at.run.samples > 2 else None,
            "the first sample does not count for {b}", _BIAS),
    Mistake(None, "summed over the wrong axis",
            lambda at: at.dZ.sum(axis=1) if _is_square(at.dZ) else None,
            "{dZ} is summed over units, and samples stay", _BIAS),
    Mistake(None, "bias from the slope", lambda at: at.slope.sum(axis=0),
            "{db} is the sum of {slope}; the error is missing", _BIAS, linear=False),
    Mistake(None, "b itself", lambda at: at.run.b[at.layer], "{b} moves along itself", _BIAS,
            linear=False),
    Mistake(None, "a constant", lambda at: np.ones(at.a.shape[1]),
            "all entries of {b} move by the same constant", _BIAS, linear=False),
)  # fmt: skip


def _other_biases(at: At) -> Iterator[Mistake]:
    here = at.above
    while here is not None:
        if here.dZ.shape == at.dZ.shape:
            yield Mistake(
                35, "layer index off by one",
                lambda at, layer=here.layer: delta_of(at, layer).sum(axis=0),
                f"{{b}} is updated with dZ{here.layer}, of another layer", _BIAS,
            )  # fmt: skip
        here = here.above


def biases(at: At) -> Iterator[Mistake]:
    """Every mistaken gradient of this layer's bias."""
    yield from BIASES
    yield from _other_biases(at)
