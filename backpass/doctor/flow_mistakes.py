"""The known mistakes in taking an error back through a layer, as what they compute.

Two tables: through the activation, ∂L/∂Z from ∂L/∂A, and down through a weight, ∂L/∂A from ∂L/∂Z
of the layer above. What is made of them is in `gradient_mistakes`, and what only scales a gradient
in `scales`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor import mask_mistakes, skip_mistakes
from backpass.doctor.activations import FUNCTIONS, meant
from backpass.doctor.mask_mistakes import through_mask
from backpass.doctor.mistake import At, Mistake
from backpass.doctor.skip_mistakes import with_skips
from backpass.nn.layers import ACTIVATIONS

Array = NDArray[np.float64]
_ELEMENTWISE = tuple(name for name in ACTIVATIONS if name not in ("softmax", "log_softmax"))
_LETTERS: tuple[Literal["A", "Z"], ...] = ("Z", "A")
_SLOPE = "{dZ} = {dA} ⊙ {slope}"
_CARRY = "{dA} = {carry}"


def _shaped(value: Array, like: Array) -> Array | None:
    return value if value.shape == like.shape else None


# ── ∂L/∂Z from ∂L/∂A ─────────────────────────────────────────────────────────────────────────


def _only(*names: str) -> Callable[[At], bool]:
    return lambda at: meant(at.f) in names


def _of_output(at: At, fed: Array) -> Array | None:
    """The slope as the output tells it, fed something else."""
    match at.f:
        case "sigmoid":
            return at.dA * fed * (1 - fed)
        case "tanh":
            return at.dA * (1 - fed**2)
        case _:
            return None


def _where(
    allowed: Callable[[At], bool], value: Callable[[At], Array]
) -> Callable[..., Array | None]:
    return lambda at: value(at) if allowed(at) else None


def _cut(at: At) -> Array | None:
    """∂L/∂Z of the units and of the ones beside them, without the wrong one."""
    if at.above is None or (place := at.run.layers[at.layer].ones) is None:
        return None
    wide = at.up.dZ @ at.run.W[at.layer + 1].T
    flat = 0.0 if meant(at.f) in ("sigmoid", "tanh") else 1.0  # the slope that is read off a 1
    if place == "first":
        return np.hstack([flat * wide[:, :1], (wide[:, 1:] * at.slope)[:, :-1]])
    return np.hstack([(wide[:, :-1] * at.slope)[:, 1:], flat * wide[:, -1:]])


def _doubled(at: At) -> Array | None:
    """∂L/∂Z of the outputs where the targets are taken away twice."""
    if at.above is not None or at.run.y.shape != at.a.shape:
        return None
    error, given = at.a - at.run.y, at.dA if at.given is None else at.given
    times = float(np.vdot(given, error) / (np.vdot(error, error) or 1.0))
    if not np.allclose(given, times * error, rtol=1e-9):
        return None
    return (given - times * at.run.y) * (1.0 if at.given is not None else at.slope)


SLOPES = (
    Mistake(16, "f′ is missing", _where(lambda at: at.f != "linear", lambda at: at.dA),
            "the error goes back without f′: {dZ} = {dA}", _SLOPE),
    Mistake(24, "f′ is applied twice", lambda at: at.dA * at.slope**2,
            "f′ is applied twice: {dZ} = {dA} ⊙ {slope} ⊙ {slope}", _SLOPE),
    Mistake(18, "f′(z) code is given a", lambda at: at.dA * at.run.slope(at.f, "A", at.layer),
            "the slope is taken at {A} where it should be at {Z}: {f}′({A})", _SLOPE),
    Mistake(19, "a(1 − a) code is given z", lambda at: _of_output(at, at.z),
            "the slope as the output tells it is given {Z} in place of {A}", _SLOPE),
    Mistake(23, "tanh′ = 1 − a", _where(_only("tanh"), lambda at: at.dA * (1 - at.a)),
            "tanh′ is taken as 1 − {A}; the square is missing", _SLOPE),
    Mistake(58, "f′ returns f", lambda at: at.dA * at.a,
            "the slope of {f} is taken to be {f} itself", _SLOPE),
    Mistake(58, "f′ returns f", lambda at: at.dA * np.asarray(FUNCTIONS[at.f](at.a), float),
            "the slope of {f} is taken to be {f} itself, of {A}", _SLOPE),
    Mistake(55, "ReLU is applied to the gradient instead of its mask",
            _where(_only("relu"), lambda at: np.maximum(at.dA, 0)),
            "ReLU is applied to the gradient: {dZ} = max({dA}, 0)", "{dZ} = {dA} ⊙ ({Z} > 0)"),
    Mistake(13, "only the diagonal of the softmax Jacobian",
            _where(_only("softmax"), lambda at: at.dA * at.slope),
            "of the softmax Jacobian only the diagonal p(1 − p) is used",
            "{dZ} = p ⊙ ({dA} − Σ {dA} p), which is p − y for cross-entropy"),
    Mistake(11, "σ′ is extra with cross-entropy",
            _where(_only("softmax", "sigmoid"), lambda at: at.through() * at.slope),
            "p − y is the whole gradient already, and is multiplied by p(1 − p) once more",
            "{dZ} = p − y"),
    Mistake(56, "σ′ is taken at the error",
            lambda at: _of_output(at, at.dA),
            "the slope is taken at the error: e(1 − e)", _SLOPE, linear=False),
    Mistake(42, "the wrong bias column is deleted", _cut,
            "of {dZ} with the part that meets the ones, the wrong end is cut off", _SLOPE),
    Mistake(12, "the targets count twice", _doubled,
            "the targets are taken away twice: {A} − 2 {Y}",
            "{A} − {Y} is the error, as the loss has it"),
    Mistake(None, "1 − a for a(1 − a)", _where(_only("sigmoid"), lambda at: at.dA * (1 - at.a)),
            "the slope of sigmoid lacks its factor {A}: 1 − {A}", _SLOPE),
    Mistake(None, "1 + a² for 1 − a²", _where(_only("tanh"), lambda at: at.dA * (1 + at.a**2)),
            "the slope of tanh has a wrong sign: 1 + {A}²", _SLOPE),
    Mistake(None, "a(1 + a) for a(1 − a)",
            _where(_only("sigmoid"), lambda at: at.dA * at.a * (1 + at.a)),
            "the slope of sigmoid has a wrong sign: {A}(1 + {A})", _SLOPE),
    Mistake(None, "(1 − a)² for 1 − a²", _where(_only("tanh"), lambda at: at.dA * (1 - at.a) ** 2),
            "the slope of tanh is taken as (1 − {A})²; it is 1 − {A}²", _SLOPE),
    Mistake(None, "the slope without the error", lambda at: at.slope,
            "the error itself is missing: {dZ} = {slope}", _SLOPE),
    Mistake(None, "the error is squared", lambda at: at.dA**2 * at.slope,
            "the error is squared: {dZ} = {dA}² ⊙ {slope}", _SLOPE, linear=False),
    Mistake(None, "the sign of the error only", lambda at: np.sign(at.dA) * at.slope,
            "only the sign of {dA} is used", _SLOPE, linear=False),
    Mistake(None, "f′ is added", lambda at: at.dA + at.slope,
            "the slope is added: {dZ} = {dA} + {slope}", _SLOPE),
    Mistake(None, "divided by f′", lambda at: at.dA / np.where(at.slope == 0, np.inf, at.slope),
            "the error is divided by the slope: {dZ} = {dA} / {slope}", _SLOPE),
)  # fmt: skip


def _other_slopes(at: At) -> Iterator[Mistake]:
    """The slope of another function, or of another layer."""
    for name in _ELEMENTWISE:
        if name in (at.f, "linear"):
            continue
        bug = 22 if name == "sigmoid" else None
        for letter in _LETTERS:
            yield Mistake(
                bug, f"{name}′ is used for {at.f}",
                lambda at, name=name, fed=letter: at.dA * at.run.slope(name, fed, at.layer),
                f"the slope of {name} at {{{letter}}} is used, where the layer has {{f}}", _SLOPE,
            )  # fmt: skip
    for name in ("sigmoid", "tanh"):
        if name != at.f:
            yield Mistake(
                22 if name == "sigmoid" else None, f"{name}′ is used for {at.f}",
                lambda at, name=name: at.dA * (at.a * (1 - at.a) if name == "sigmoid"
                                               else 1 - at.a**2),
                f"the slope of {name}, {'{A}(1 − {A})' if name == 'sigmoid' else '1 − {A}²'}, "
                "is used, where the layer has {f}", _SLOPE,
            )  # fmt: skip
    for other in range(1, at.run.depth + 1):
        if other != at.layer and at.run.Z[other].shape == at.z.shape:
            yield Mistake(
                35, "layer index off by one",
                lambda at, other=other: at.dA * at.run.slope(at.f, "Z", other),
                f"the slope is taken at Z{other}, of another layer", _SLOPE,
            )  # fmt: skip


def slopes(at: At) -> Iterator[Mistake]:
    """Every mistaken way through the activation of this layer."""
    yield from mask_mistakes.slopes(at)
    yield from skip_mistakes.slopes(at)
    yield from SLOPES
    yield from _other_slopes(at)


# ── ∂L/∂A from ∂L/∂Z of the layer above ──────────────────────────────────────────────────────


def _shifted(at: At) -> Array | None:
    W = at.run.W[at.layer + 1]
    if at.run.layers[at.layer].ones is None:
        return None
    wrong = W[1:] if at.run.layers[at.layer].ones == "last" else W[:-1]
    return at.up.dZ @ wrong.T


CARRIES = (
    Mistake(31, "updated W is used for δ",
            lambda at: at.up.dZ @ at.run.inner(at.layer + 1, at.run.new(at.layer + 1)).T,
            "the error goes back through {W_up} after its update",
            "{dA} = {carry}, with {W_up} as it was before the update"),
    Mistake(30, "W is not transposed going back",
            lambda at: _shaped(at.up.dZ @ at.W_up, at.a) if _square(at.W_up) else None,
            "{W_up} is not transposed: the error goes back through {W_up} itself", _CARRY),
    Mistake(33, "the raw error, not δ, is sent back", lambda at: at.up.dA @ at.W_up.T,
            "{dA_up} is sent back, before f′ of its own layer: {dA} = {raw_carry}", _CARRY),
    Mistake(32, "the gradient of W is used for W",
            lambda at: at.up.dZ @ at.run.inner(at.layer + 1, at.up.weight()).T,
            "the error goes back through the gradient of {W_up}", _CARRY, linear=False),
    Mistake(32, "the gradient of W is used for W",
            lambda at: (at.up.dZ**2).sum(axis=1, keepdims=True) * at.a
            if at.run.samples > 1 else None,
            "the error of each sample goes back through the gradient that this sample has for "
            "{W_up}", _CARRY, linear=False),
    Mistake(34, "|W| is sent back", lambda at: at.up.dZ @ np.abs(at.W_up).T,
            "the error goes back through |{W_up}|", _CARRY),
    Mistake(34, "normalised W is sent back",
            lambda at: at.up.dZ @ (at.W_up / at.W_up.sum(axis=0)).T,
            "the error is shared out by {W_up} divided by its sums over this layer", _CARRY),
    Mistake(34, "normalised W is sent back",
            lambda at: at.up.dZ @ (at.W_up / np.abs(at.W_up).sum(axis=0)).T,
            "the error is shared out by {W_up} divided by its sums over this layer", _CARRY),
    Mistake(34, "normalised W is sent back",
            lambda at: at.up.dZ @ (at.W_up / at.W_up.sum(axis=1, keepdims=True)).T,
            "the error is shared out by {W_up} divided by its sums", _CARRY),
    Mistake(57, "W is left out going back",
            lambda at: np.broadcast_to(at.up.dZ, at.a.shape) if _spreads(at) else None,
            "{W_up} is left out: {dA} = {dZ_up}", _CARRY),
    Mistake(57, "W is left out going back",
            lambda at: np.broadcast_to(at.up.dZ.sum(axis=1, keepdims=True), at.a.shape)
            if at.up.dZ.shape[1] > 1 else None,
            "{W_up} is left out: every entry of {dA} is the sum of {dZ_up} over its units",
            _CARRY),
    Mistake(49, "overwritten where it should be added up",
            lambda at: at.up.dZ[:, -1:] @ at.W_up[:, -1:].T if at.up.dZ.shape[1] > 1 else None,
            "only the last unit of {dZ_up} reaches {dA}: each overwrites what the others sent",
            _CARRY),
    Mistake(49, "only the first path is sent back",
            lambda at: at.up.dZ[:, :1] @ at.W_up[:, :1].T if at.up.dZ.shape[1] > 1 else None,
            "only the first unit of {dZ_up} reaches {dA}", _CARRY),
    Mistake(46, "an elementwise product for a matrix product",
            lambda at: np.broadcast_to(
                (at.up.dZ @ at.W_up.T).sum(axis=1, keepdims=True), at.a.shape),
            "{dZ_up} and {W_up} are multiplied and added up to one number for each sample",
            _CARRY),
    Mistake(46, "an elementwise product for a matrix product",
            lambda at: np.broadcast_to(
                at.up.dZ[:, :1] * at.W_up[:, 0].sum(), at.a.shape),
            "the first unit of {dZ_up} is multiplied with its weights in {W_up} entry by entry, "
            "and that is added up to one number for each sample", _CARRY),
    Mistake(29, "reshape instead of .T", lambda at: at.up.dZ @ at.W_up.reshape(at.W_up.T.shape),
            "{W_up} is reshaped, not transposed: the entries stand in another order", _CARRY),
    Mistake(42, "the wrong bias column is deleted", _shifted,
            "what is cut off {W_up} is not the part that meets the ones", _CARRY),
    Mistake(None, "W is squared going back", lambda at: at.up.dZ @ (at.W_up**2).T,
            "the error goes back through the squares of {W_up}", _CARRY),
    Mistake(None, "the outputs are sent back", lambda at: at.up.a @ at.W_up.T,
            "{A_up} is sent back in place of {dZ_up}", _CARRY),
    Mistake(None, "f′ alone is sent back", lambda at: at.up.slope @ at.W_up.T,
            "the slope of layer {above} alone is sent back; its error is missing", _CARRY),
    Mistake(None, "δ is summed over units", lambda at: at.up.dZ.sum(axis=1, keepdims=True)
            * at.W_up.sum(axis=1),
            "the entries of {dZ_up} are added up before they meet {W_up}", _CARRY),
    Mistake(46, "an elementwise product for a matrix product",
            lambda at: _shaped(at.up.dZ * at.W_up.T, at.a) if _broadcasts(at) else None,
            "{dZ_up} and {W_up} are multiplied entry by entry", _CARRY),
)  # fmt: skip


def _square(W: Array) -> bool:
    return W.shape[0] == W.shape[1]


def _spreads(at: At) -> bool:
    return at.up.dZ.shape[1] in (1, at.a.shape[1])


def _broadcasts(at: At) -> bool:
    dZ, W = at.up.dZ, at.W_up
    return dZ.shape == W.T.shape or (dZ.shape[0] == 1 and W.shape[1] == 1)


def _other_carries(at: At) -> Iterator[Mistake]:
    """Through the weight, or from the δ, of another layer."""
    for other in range(1, at.run.depth + 1):
        if other == at.layer + 1:
            continue
        W = at.run.inner(other, at.run.W[other])
        for turned, candidate in ((False, W), (True, W.T)):
            if candidate.shape == at.W_up.shape:
                yield Mistake(
                    35, "layer index off by one",
                    lambda at, other=other, turned=turned: at.up.dZ @ _turn(
                        at.run.inner(other, at.run.W[other]), turned).T,
                    f"the error goes back through {{W{other}}}, where {{W_up}} should be", _CARRY,
                )  # fmt: skip
    further = at.up.above
    while further is not None:
        if further.dZ.shape[1] == at.W_up.shape[1]:
            yield Mistake(
                35,
                "layer index off by one",
                lambda at, layer=further.layer: delta_of(at, layer) @ at.W_up.T,
                f"the error is taken from layer {further.layer}, not from the one above",
                _CARRY,
            )
        further = further.above


def _turn(W: Array, turned: bool) -> Array:
    return W.T if turned else W


def delta_of(at: At, layer: int) -> Array:
    """The ∂L/∂Z of a layer further up."""
    here = at
    while here.layer != layer:
        here = here.up
    return here.dZ


def carries(at: At) -> Iterator[Mistake]:
    """Every mistaken way down from the layer above."""
    yield from mask_mistakes.carries(at)
    yield from skip_mistakes.carries(at)
    yield from with_skips(at, through_mask(at, CARRIES))
    yield from with_skips(at, through_mask(at, _other_carries(at)))
