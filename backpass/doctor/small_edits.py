"""Mistakes that no catalogue lists: the right formula with one of its quantities changed.

Each step of the backward pass is a product of a few quantities. Here every other quantity of the
run that has the shape stands in for each of them, or is one factor too many. What fits is told by
its algebra, as it has no other name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.mistake import At, Mistake

Array = NDArray[Any]
_ELSE = "another quantity in a product"
_MORE = "a factor is too much"
_SLOPE = "{dZ} = {dA} ⊙ {slope}"
_CARRY = "{dA} = {carry}"
_WEIGHT = "{dW} = {product}"
_BIAS = "{db} = {summed}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value of the run with a row for each sample, and what it is called in braces."""

    name: str
    value: Callable[[At], Array]


# ── what there is ────────────────────────────────────────────────────────────────────────────


def _forward(at: At) -> Iterator[Quantity]:
    yield Quantity("{X}", lambda at: at.run.A[0])
    for k in range(1, at.run.depth + 1):
        yield Quantity(f"{{A{k}}}", lambda at, k=k: at.run.A[k])
        if at.run.left(k) is not at.run.A[k]:
            yield Quantity(f"{{D{k}}}", lambda at, k=k: at.run.left(k))
        yield Quantity(f"{{Z{k}}}", lambda at, k=k: at.run.Z[k])
        yield Quantity(
            f"{{slope{k}}}", lambda at, k=k: at.run.slope(at.run.layers[k - 1].activation, "Z", k)
        )
    yield Quantity("{Y}", lambda at: at.run.y)
    yield Quantity("({A_last} − {Y})", lambda at: at.run.A[-1] - at.run.y)


def _backward(at: At, *, here: bool) -> Iterator[Quantity]:
    """∂L/∂A and ∂L/∂Z of the layers above, and with `here` of this one."""
    for k in range(at.layer if here else at.layer + 1, at.run.depth + 1):
        yield Quantity(f"{{dA{k}}}", lambda at, k=k: _at(at, k).dA)
        yield Quantity(f"{{dZ{k}}}", lambda at, k=k: _at(at, k).dZ)


def _at(at: At, layer: int) -> At:
    while at.layer != layer:
        at = at.up
    return at


def _shaped(at: At, found: Iterator[Quantity], like: Array) -> list[Quantity]:
    """Those of a shape, each value once."""
    kept: list[tuple[Quantity, Array]] = []
    for one in found:
        value = one.value(at)
        if value.shape == like.shape and not any(np.array_equal(value, v) for _, v in kept):
            kept.append((one, value))
    return [one for one, _ in kept]


_BENT: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("{}", lambda q: q),
    ("{}²", lambda q: q**2),
    ("(1 − {})", lambda q: 1 - q),
    ("(1 + {})", lambda q: 1 + q),
    ("(1 − {}²)", lambda q: 1 - q**2),
    ("{0}(1 − {0})", lambda q: q * (1 - q)),
    ("|{}|", np.abs),
    ("the sign of {}", np.sign),
    ("max({}, 0)", lambda q: np.maximum(q, 0)),
)
_PLAIN = _BENT[:1]
_GATHERED: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("the mean of {} over samples", lambda q: _mean(q, 0)),
    ("the mean of {} over units", lambda q: _mean(q, 1)),
)


def _mean(value: Array, axis: int) -> Array:
    return np.broadcast_to(value.mean(axis=axis, keepdims=True), value.shape)


def _bent(
    pool: list[Quantity], ways: tuple[tuple[str, Callable[[Array], Array]], ...]
) -> Iterator[Quantity]:
    for one in pool:
        for text, way in ways:
            yield Quantity(
                text.format(one.name), lambda at, one=one, way=way: way(one.value(at))
            )  # fmt: skip


# ── through an activation ────────────────────────────────────────────────────────────────────


def slope_edits(at: At) -> Iterator[Mistake]:
    """∂L/∂A ⊙ f′ with one factor changed, too much or missing."""
    own = f"{{dA{at.layer}}}"
    flows = Quantity("{dA}", lambda at: at.dA)
    pool = _shaped(at, _forward(at), at.a)
    further = [
        one for one in _shaped(at, _backward(at, here=False), at.a) if one.name not in (own, "{dA}")
    ]
    for one in _bent([*pool, *further, flows], _BENT):
        yield Mistake(
            None, _ELSE, lambda at, q=one: at.dA * q.value(at),
            f"{{dZ}} is {{dA}} ⊙ {one.name}: that stands where {{slope}} should", _SLOPE,
            linear=False,
        )  # fmt: skip
    for one in _bent([*pool, *further, flows], _BENT):
        yield Mistake(
            None, _MORE, lambda at, q=one: at.through() * q.value(at),
            f"{{dZ}} is {{dA}} ⊙ {{slope}} ⊙ {one.name}: the factor {one.name} is too much", _SLOPE,
            linear=False,
        )  # fmt: skip
    for one in [*_bent([*pool, *further], _PLAIN), *_bent([flows], _BENT[1:] + _GATHERED)]:
        yield Mistake(
            None, _ELSE, lambda at, q=one: q.value(at) * at.slope,
            f"{{dZ}} is {one.name} ⊙ {{slope}}: that stands where {{dA}} should", _SLOPE,
            linear=False,
        )  # fmt: skip
    for text, way in _GATHERED:
        yield Mistake(
            None, _ELSE, lambda at, way=way: at.dA * way(at.slope),
            f"{{dZ}} is {{dA}} times {text.format('{slope}')}, where each entry has its own slope",
            _SLOPE,
            linear=False,
        )  # fmt: skip
    for sign, word in ((1, "+"), (-1, "−")):
        yield Mistake(
            None, "a sum for a product", lambda at, sign=sign: at.dA + sign * at.slope,
            f"{{dZ}} is {{dA}} {word} {{slope}}, where they are multiplied", _SLOPE,
            linear=False,
        )  # fmt: skip


# ── down through a weight ────────────────────────────────────────────────────────────────────


def carry_edits(at: At) -> Iterator[Mistake]:
    """∂L/∂Z of the layer above with its weight, one of them changed."""
    like = at.up.dZ
    pool = _shaped(at, _forward(at), like) + _shaped(at, _backward(at, here=False), like)
    for one in _bent(pool, _BENT + _GATHERED):
        if one.name != f"{{dZ{at.layer + 1}}}":
            yield Mistake(
                None, _ELSE, lambda at, q=one: q.value(at) @ at.W_up.T,
                f"{one.name} goes back through {{W_up}}, where {{dZ_up}} should", _CARRY,
            linear=False,
            )  # fmt: skip
    for one in _bent(pool, _BENT):
        yield Mistake(
            None, _MORE, lambda at, q=one: (at.up.dZ * q.value(at)) @ at.W_up.T,
            f"{{dZ_up}} ⊙ {one.name} goes back through {{W_up}}: the factor {one.name} is too much",
            _CARRY,
            linear=False,
        )  # fmt: skip
    for text, way in _WEIGHTS:
        yield Mistake(
            None, _ELSE, lambda at, way=way: at.up.dZ @ way(at.W_up).T,
            f"the error goes back through {text.format('{W_up}')}, not through {{W_up}}", _CARRY,
            linear=False,
        )  # fmt: skip


_WEIGHTS: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("the inverse of {}", lambda W: np.linalg.pinv(W).T),
    ("the signs of {}", np.sign),
    ("{} with its rows in the other order", lambda W: W[::-1]),
    ("{} with its columns in the other order", lambda W: W[:, ::-1]),
    ("the mean of {} over its outputs", lambda W: _mean(W, 1)),
    ("the mean of {} over its inputs", lambda W: _mean(W, 0)),
    ("max({}, 0)", lambda W: np.maximum(W, 0)),
)


# ── gradients ────────────────────────────────────────────────────────────────────────────────


def weight_edits(at: At) -> Iterator[Mistake]:
    """What goes in, transposed, with ∂L/∂Z: one of them changed."""
    units = at.run.A[at.layer - 1].shape[1]
    for one in [*_forward(at), *_backward(at, here=True)]:
        width = one.value(at).shape[1]
        if width < units:
            continue
        cut = "" if width == units else f" (its first {units} columns)"
        shifted = cut and one.name.startswith("{A")
        for text, way in _BENT:
            plain = shifted and text == "{}"
            yield Mistake(
                35 if plain else None, "layer index off by one" if plain else _ELSE,
                lambda at, q=one, way=way, units=units: at.run.widened(
                    at.layer, way(q.value(at))[:, :units]).T @ at.dZ,
                f"{{dW}} is {_product(at, text.format(one.name), '{dZ}')}: {one.name}{cut} stands "
                "where {A_in} should", _WEIGHT,
            linear=False,
            )  # fmt: skip
    pool = _shaped(at, _forward(at), at.dZ) + _shaped(at, _backward(at, here=True), at.dZ)
    for one in _bent(pool, _BENT + _GATHERED):
        if one.name != f"{{dZ{at.layer}}}":
            yield Mistake(
                None, _ELSE, lambda at, q=one: at.into.T @ q.value(at),
                f"{{dW}} is {_product(at, '{A_in}', one.name)}: {one.name} stands where {{dZ}} "
                "should", _WEIGHT,
            linear=False,
            )  # fmt: skip
    for one in _bent(pool, _BENT):
        yield Mistake(
            None, _MORE, lambda at, q=one: at.into.T @ (at.dZ * q.value(at)),
            f"{{dW}} is {_product(at, '{A_in}', f'({{dZ}} ⊙ {one.name})')}: the factor {one.name} "
            "is too much", _WEIGHT,
            linear=False,
        )  # fmt: skip
    for text, way in (("{W}", lambda at: at.W), ("|{W}|", lambda at: np.abs(at.W))):
        yield Mistake(
            None, _MORE, lambda at, way=way: at.weight() * way(at),
            f"the gradient of {{W}} is multiplied by {text}, entry by entry", _WEIGHT,
            linear=False,
        )  # fmt: skip


def _product(at: At, into: str, out: str) -> str:
    """A gradient of a weight in the order that the user's layout has."""
    return f"{out} @ {into}.T" if at.run.layers[at.layer - 1].turned else f"{into}.T @ {out}"


def bias_edits(at: At) -> Iterator[Mistake]:
    """∂L/∂Z summed over samples: something else, or one factor too much."""
    pool = _shaped(at, _forward(at), at.dZ) + _shaped(at, _backward(at, here=True), at.dZ)
    for one in _bent(pool, _BENT):
        if one.name != f"{{dZ{at.layer}}}":
            yield Mistake(
                None, _ELSE, lambda at, q=one: q.value(at).sum(axis=0),
                f"{{db}} is the sum of {one.name} over samples, where {{dZ}} should be summed",
                _BIAS,
            linear=False,
            )  # fmt: skip
        yield Mistake(
            None, _MORE, lambda at, q=one: (at.dZ * q.value(at)).sum(axis=0),
            f"{{db}} is the sum of {{dZ}} ⊙ {one.name}: the factor {one.name} is too much", _BIAS,
            linear=False,
        )  # fmt: skip
