"""Backpropagation through time: the right way, and each known mistake as what it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.passes import back
from backpass.doctor.recurrent.seen import Unrolled

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Way:
    """How the error is taken back in time; what is right unless it is said otherwise.

    `bug` is a number of the catalogue, 0 for none. `slope` and `past` say which state is taken, by
    steps from where it belongs, and `chained` whether what comes from later steps is handed on.
    """

    bug: int = 0
    name: str = ""
    says: str = ""
    fix: str = ""
    slope: int = 0
    sloped: bool = True
    bent: bool = True  # what is handed on has met f′
    carried: bool = True
    chained: bool = True
    turned: bool = True
    weighed: bool = True
    forward: bool = False  # from the first step on
    error: int = 0  # whose step's error is taken


@dataclass(frozen=True, slots=True)
class Taken:
    """What goes back through each step: ∂L/∂h_t, ∂L/∂Z_t, what is handed on to the step before.

    `errors` are those of the outputs by step, and `order` that in which the steps were taken.
    """

    one: Unrolled
    dh: list[Array]
    dz: list[Array]
    carry: list[Array]
    errors: list[Array | None]
    order: range


_CARRY = "dh_{t} = error_{t} @ Wy.T + dZ_{t+1} @ Wh.T"
_SLOPE = "dZ_{t} = dh_{t} ⊙ f′ at h_{t}"

WAYS = (
    Way(60, "what comes from later steps is left out",
        "the error of a step is that of its own output alone: what flows back from the step after "
        "it, dh_next, is missing", _CARRY, carried=False),
    Way(60, "only one later step reaches back",
        "what is handed on holds the error of one step alone, and not what came to it from later "
        "steps", _CARRY, chained=False),
    Way(60, "the steps are gone through from the first on",
        "the loop begins at the first step, so that what is handed on comes from the step before, "
        "not from the one after", "go from the last step to the first", forward=True),
    Way(60, "f′ of the step before", "the slope at step t is taken of the state of step t − 1",
        _SLOPE, slope=-1),
    Way(60, "f′ of the step after", "the slope at step t is taken of the state of step t + 1",
        _SLOPE, slope=1),
    Way(60, "the error of the step before", "step t takes the output's error of step t − 1",
        _CARRY, error=-1),
    Way(60, "the error of the step after", "step t takes the output's error of step t + 1",
        _CARRY, error=1),
    Way(16, "f′ is missing", "the error goes back through each step without f′", _SLOPE,
        sloped=False),
    Way(33, "f′ is missing in what is handed on",
        "what goes on to the step before is ∂L/∂h, which has not met f′ of its own step", _CARRY,
        bent=False),
    Way(30, "Wh is not transposed going back",
        "the error goes back in time through Wh itself", _CARRY, turned=False),
    Way(57, "Wh is left out going back", "what is handed on has not met Wh", _CARRY,
        weighed=False),
    Way(60, "the error is not taken back in time",
        "every step before gets the error as it is: it meets neither f′ of the step after nor Wh",
        _CARRY, weighed=False, bent=False),
)  # fmt: skip


def taken(one: Unrolled, errors: list[Array], way: Way) -> Taken:
    """The error through all steps; `errors` are ∂L/∂ of what goes into the outputs' activation."""
    steps = one.steps
    at: list[Array | None] = [None] * steps
    own: list[Array | None] = [*([None] * (steps - len(errors))), *errors]
    if one.seen.every:
        at = [errors[t + way.error] if 0 <= t + way.error < steps else None for t in range(steps)]
    else:
        at[0 if way.forward else -1] = errors[0]
    nothing = np.zeros_like(one.h[0])
    dh, dz, on = [nothing] * steps, [nothing] * steps, [nothing] * steps
    carry = nothing
    order = range(steps) if way.forward else range(steps - 1, -1, -1)
    for t in order:
        error = at[t]
        alone = nothing if error is None else error @ one.weights["Wy"].T
        dh[t] = alone + carry if way.carried else alone
        dz[t] = _bent(one, t, dh[t], way)
        handed = dz[t] if way.bent else dh[t]
        if not way.chained:
            handed = _bent(one, t, alone, way)
        W = one.weights["Wh"]
        carry = on[t] = handed @ (W.T if way.turned else W) if way.weighed else handed
    return Taken(one, dh, dz, on, own, order)


def _bent(one: Unrolled, t: int, dh: Array, way: Way) -> Array:
    if not way.sloped:
        return dh
    place = min(max(t + 1 + way.slope, 0), one.steps)
    return dh * slope_of(one.seen.bend, one.h[place])


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


def through_outputs(one: Unrolled, gradients: list[Array]) -> list[Array]:
    """∂L/∂ of what goes into the last activation, from ∂L/∂ of the outputs."""
    c = one.weights["c"].ravel() if "c" in one.weights else 0.0
    used = one.h[1:] if one.seen.every else one.h[-1:]
    pairs = zip(used, gradients, strict=True)
    return [back(one.seen.output, h @ one.weights["Wy"] + c, dA) for h, dA in pairs]


# ── gradients ────────────────────────────────────────────────────────────────────────────────

Terms = Callable[[Taken], list[Array]]


@dataclass(frozen=True, slots=True)
class Row:
    """What one tensor's gradient is added up from, step by step; `bug` 0 where it is right."""

    terms: Terms
    bug: int = 0
    name: str = ""
    says: str = ""
    fix: str = ""

    def total(self, at: Taken) -> Array:
        return np.sum(self.terms(at), axis=0)


def _of(into: Callable[[Taken, int], Array | None]) -> Terms:
    """Products of what went in with ∂L/∂Z, where there is something."""

    def terms(at: Taken) -> list[Array]:
        found: list[Array] = []
        for t, dz in enumerate(at.dz):
            value = into(at, t)
            found.append(np.zeros((0, 0)) if value is None else value.T @ dz)
        like = next(one for one in found if one.size)
        return [one if one.size else np.zeros_like(like) for one in found]

    return terms


def _output(by: int) -> Terms:
    def terms(at: Taken) -> list[Array]:
        h, steps = at.one.h, at.one.steps
        return [
            h[min(max(t + 1 + by, 0), steps)].T @ error
            for t, error in enumerate(at.errors)
            if error is not None
        ]

    return terms


def _shifted(values: Callable[[Taken], list[Array]], by: int, *, around: bool = False) -> Terms:
    """Products with what went in some steps from there; `around`, the last is before the first."""

    def into(at: Taken, t: int) -> Array | None:
        found = values(at)
        place = (t + by) % len(found) if around else t + by
        return found[place] if 0 <= place < len(found) else None

    return _of(into)


RIGHT: dict[str, Row] = {
    "Wx": Row(_shifted(lambda at: at.one.x, 0)),
    "Wh": Row(_shifted(lambda at: at.one.h, 0)),
    "b": Row(lambda at: [dz.sum(axis=0) for dz in at.dz]),
    "Wy": Row(_output(0)),
    "c": Row(lambda at: [error.sum(axis=0) for error in at.errors if error is not None]),
}
_PRODUCT = "h_{t−1}.T @ dZ_{t}, added up over the steps"
SHIFTED: dict[str, tuple[Row, ...]] = {
    "Wh": (
        Row(_shifted(lambda at: at.one.h, 1), 60, "h of the same step for that before",
            "the gradient of {W} is made with h_{t}, the state after the step; what met {W} there "
            "is h_{t−1}", _PRODUCT),
        Row(_shifted(lambda at: at.one.h, -1), 60, "a state one step too early",
            "the gradient of {W} is made with h_{t−2}; what met {W} at step t is h_{t−1}",
            _PRODUCT),
    ),
    "Wx": (
        Row(_shifted(lambda at: at.one.x, 1), 60, "the inputs of the step after",
            "the gradient of {W} is made with the inputs of step t + 1", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, -1), 60, "the inputs of the step before",
            "the gradient of {W} is made with the inputs of step t − 1", "x_{t}.T @ dZ_{t}"),
        Row(_shifted(lambda at: at.one.x, -1, around=True), 60, "the inputs of the step before",
            "the gradient of {W} is made with the inputs of step t − 1, and at the first step with "
            "those of the last", "x_{t}.T @ dZ_{t}"),
    ),
    "Wy": (
        Row(_output(-1), 60, "h of the step before for the outputs",
            "the gradient of {W} is made with h_{t−1}; the outputs of step t were made of h_{t}",
            "h_{t}.T @ error_{t}"),
    ),
}  # fmt: skip


def rows(tensor: str) -> Iterator[Row]:
    """Mistaken gradients of one tensor, where ∂L/∂Z is given."""
    right = RIGHT[tensor]
    yield Row(
        lambda at: [0.0 * term for term in right.terms(at)],
        36 if tensor.startswith("W") else 37, "never trained", "{W} is never updated",
        "subtract rate × its gradient",
    )  # fmt: skip
    yield from SHIFTED.get(tensor, ())
    fix = "add up what every step has"
    cuts: tuple[tuple[int, str, str, slice], ...] = (
        (49, "overwritten where it should be added up",
         "only the first step counts for {W}: each turn overwrites what the others left",
         slice(1)),
        (49, "overwritten where it should be added up",
         "only the last step counts for {W}: each turn overwrites what the others left",
         slice(-1, None)),
        (60, "the first step is left out", "the first step does not count for {W}", slice(1, None)),
        (60, "the last step is left out", "the last step does not count for {W}", slice(-1)),
    )  # fmt: skip
    for bug, name, says, cut in cuts:
        terms = _cut(right.terms, cut)
        yield Row(terms, bug, name, says, fix)


def _cut(terms: Terms, cut: slice) -> Terms:
    def found(at: Taken) -> list[Array]:
        every = terms(at)
        return every[cut] or [np.zeros_like(every[0])]

    return found
