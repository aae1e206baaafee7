"""Backpropagation through time: the right way, and each known mistake as what it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.mistake import At, Mistake
from backpass.doctor.recurrent.dense import all_steps, at_step, through
from backpass.doctor.recurrent.seen import Unrolled
from backpass.doctor.recurrent.ways import Way

Array = NDArray[np.float64]
HUGE = 1e9


@dataclass(frozen=True, slots=True)
class Taken:
    """What goes back through each step: ∂L/∂h_t, ∂L/∂Z_t, what is handed on to the step before.

    `errors` are those of the outputs by step, `order` that in which the steps were taken, and
    `alone` the part of ∂L/∂Z_t that comes from the output of the step itself.
    """

    one: Unrolled
    dh: list[Array]
    dz: list[Array]
    carry: list[Array]
    errors: list[Array | None]
    order: range
    alone: list[Array]
    known: dict[str, At] = field(default_factory=dict[str, At], repr=False)

    def all_steps(self, name: str) -> At:
        """All steps as one dense layer, over inputs or over the states before."""
        if name not in self.known:
            self.known[name] = all_steps(self.one, name, self.dh, self.dz)
        return self.known[name]


def taken(
    one: Unrolled, errors: list[Array], way: Way, moved: Mapping[str, Array] | None = None
) -> Taken:
    """The error through all steps; `errors` are ∂L/∂ of what goes into the outputs' activation.

    Some mistakes look at what the update has `moved`, as an updated weight does.
    """
    steps = one.steps
    at: list[Array | None] = [None] * steps
    own: list[Array | None] = [*([None] * (steps - len(errors))), *errors]
    if one.seen.every:
        from_ = [(t + way.error) % steps if way.around else t + way.error for t in range(steps)]
        at = [errors[t] if 0 <= t < steps else None for t in from_]
    else:
        at[0 if way.forward else -1] = errors[0]
    nothing = np.zeros_like(one.h[0])
    dh, dz, on = [nothing] * steps, [nothing] * steps, [nothing] * steps
    first = [nothing] * steps
    carry = nothing
    order = range(steps) if way.forward else range(steps - 1, -1, -1)
    for t in order:
        alone = _fallen(one, t, at[t], way, moved or {})
        dh[t] = alone + carry if way.carried else alone
        first[t] = _bent(one, t, alone, Way() if way.part == "later" else way)
        match way.part:
            case "all":
                dz[t] = _bent(one, t, dh[t], way)
            case "own":
                dz[t] = first[t] + _bent(one, t, carry, Way())
            case "later":
                dz[t] = first[t] + _bent(one, t, carry, way)
        if not np.abs(dz[t]).max() < HUGE:  # a mistake that grows from step to step is none
            return Taken(one, dh, [np.full_like(nothing, np.nan)] * steps, on, own, order, first)
        handed = dz[t] if way.bent else dh[t]
        if not way.chained:
            handed = _bent(one, t, alone, way)
        carry = on[t] = _handed(one, t, handed, way)
    return Taken(one, dh, dz, on, own, order, first)


def _fallen(
    one: Unrolled, t: int, error: Array | None, way: Way, moved: Mapping[str, Array]
) -> Array:
    if error is None:
        return np.zeros_like(one.h[0])
    if way.falls is None:
        return error @ one.weights["Wy"].T
    last = t if one.seen.every else one.steps - 1
    return _value(way.falls, through(one, last, "Wy", error, moved), one.h[0])


def _handed(one: Unrolled, t: int, handed: Array, way: Way) -> Array:
    W = one.weights["Wh"]
    if way.hands is not None and t > 0:
        return _value(way.hands, through(one, t - 1, "Wh", handed, {}), one.h[0])
    return handed @ (W.T if way.turned else W) if way.weighed else handed


def _bent(one: Unrolled, t: int, dh: Array, way: Way) -> Array:
    if not way.sloped:
        return dh
    if way.bends is not None:
        return _value(way.bends, at_step(one, t, dh), dh)
    place = min(max(t + 1 + way.slope, 0), one.steps)
    return dh * slope_of(one.seen.bend, one.h[place])


def _value(one: Mistake, at: At, like: Array) -> Array:
    """What a mistake makes there; not a number where it cannot be made."""
    with np.errstate(all="ignore"):
        found = one.value(at)
    if found is None or found.shape != like.shape:
        return np.full_like(like, np.nan)
    return found


def slope_of(bend: str, h: Array) -> Array:
    """f′ as the state tells it."""
    match bend:
        case "tanh":
            return 1 - h**2
        case "sigmoid":
            return h * (1 - h)
        case "relu":
            return (h > 0).astype(float)
        case _:
            return np.ones_like(h)
