"""Backpropagation through time: the right way, and each known mistake as what it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.flow_mistakes import carries, slopes
from backpass.doctor.gradient_mistakes import BIASES, WEIGHTS
from backpass.doctor.mistake import At, Mistake
from backpass.doctor.recurrent.dense import all_steps, at_step, through
from backpass.doctor.recurrent.seen import Unrolled

Array = NDArray[np.float64]
HUGE = 1e9


@dataclass(frozen=True, slots=True)
class Way:
    """How the error is taken back in time; what is right unless it is said otherwise.

    `bug` is a number of the catalogue, 0 for none and None for what has no number there. `slope`
    says which state f′ is taken of, by steps from where it belongs, and `chained` whether what
    comes from later steps is handed on.
    """

    bug: int | None = 0
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
    bends: Mistake | None = None  # through the activation, in place of ⊙ f′
    falls: Mistake | None = None  # from the outputs to their state, in place of @ Wy.T
    hands: Mistake | None = None  # to the step before, in place of @ Wh.T


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
    known: dict[str, At] = field(default_factory=dict[str, At], repr=False)

    def all_steps(self, name: str) -> At:
        """All steps as one dense layer, over inputs or over the states before."""
        if name not in self.known:
            self.known[name] = all_steps(self.one, name, self.dh, self.dz)
        return self.known[name]


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


_STATE = "dh_{t} = error_{t} @ Wy.T, with what comes from the step after"
_HANDED = "dh_{t} = … + dZ_{t+1} @ Wh.T"


def ways(one: Unrolled) -> Iterator[Way]:
    """Every mistaken way back, the ones of time first; then those that any layer may have."""
    yield from WAYS
    start = at_step(one, 0, np.ones_like(one.h[1]))
    for each in slopes(start):
        if each.bug != 16:
            yield _of_table(each, _SLOPE, bends=each)
    last = one.steps - 1
    for each in carries(through(one, last, "Wy", np.ones_like(one.out[-1]), {})):
        if each.bug != 35:
            yield _of_table(each, _STATE, falls=each)
    for each in carries(through(one, 0, "Wh", np.ones_like(one.h[1]), {})):
        if each.bug not in (30, 31, 33, 35, 57):
            yield _of_table(each, _HANDED, hands=each)


def _of_table(
    one: Mistake, fix: str, *, bends: Mistake | None = None, falls: Mistake | None = None,
    hands: Mistake | None = None,
) -> Way:  # fmt: skip
    W = "Wh" if hands else "Wy"
    words = _Words(_WORDS, W_up=W, W=W, raw_carry=f"dA_{{t}} @ {W}.T")
    if hands is None:
        words.update(dZ_up="error_{t}", dA_up="∂L/∂ of the outputs", A_up="the outputs")
    says = one.says.format_map(words)
    return Way(one.bug, one.name, says, fix, bends=bends, falls=falls, hands=hands)


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return name


_WORDS = _Words(
    A="h_{t}", Z="Z_{t}", dA="dh_{t}", dZ="dZ_{t}", slope="f′(Z_{t})", f="f",
    above="of the step after",
    dZ_up="dZ_{t+1}", dA_up="dh_{t+1}", A_up="h_{t+1}", Z_up="Z_{t+1}",
)  # fmt: skip


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
        at = [errors[t + way.error] if 0 <= t + way.error < steps else None for t in range(steps)]
    else:
        at[0 if way.forward else -1] = errors[0]
    nothing = np.zeros_like(one.h[0])
    dh, dz, on = [nothing] * steps, [nothing] * steps, [nothing] * steps
    carry = nothing
    order = range(steps) if way.forward else range(steps - 1, -1, -1)
    for t in order:
        alone = _fallen(one, t, at[t], way, moved or {})
        dh[t] = alone + carry if way.carried else alone
        dz[t] = _bent(one, t, dh[t], way)
        if not np.abs(dz[t]).max() < HUGE:  # a mistake that grows from step to step is none
            return Taken(one, dh, [np.full_like(nothing, np.nan)] * steps, on, own, order)
        handed = dz[t] if way.bent else dh[t]
        if not way.chained:
            handed = _bent(one, t, alone, way)
        carry = on[t] = _handed(one, t, handed, way)
    return Taken(one, dh, dz, on, own, order)


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


# ── gradients ────────────────────────────────────────────────────────────────────────────────

Terms = Callable[[Taken], list[Array]]


@dataclass(frozen=True, slots=True)
class Row:
    """What one tensor's gradient is added up from, step by step; `bug` 0 where it is right."""

    terms: Terms
    bug: int | None = 0
    name: str = ""
    says: str = ""
    fix: str = ""
    whole: Callable[[Taken], Array | None] | None = None  # where it is no sum over the steps

    def total(self, at: Taken) -> Array | None:
        if self.whole is None:
            return np.sum(self.terms(at), axis=0)
        with np.errstate(all="ignore"):
            return self.whole(at)


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
}  # fmt: skip


def outer_rows() -> Iterator[Row]:
    """Gradients of the outputs' weight that are made with states of other steps."""
    for by, word in ((-1, "h_{t−1}"), (1, "h_{t+1}")):

        def terms(at: Taken, by: int = by) -> list[Array]:
            h, steps = at.one.h, at.one.steps
            return [
                h[min(max(t + 1 + by, 0), steps)].T @ error
                for t, error in enumerate(at.errors)
                if error is not None
            ]

        yield Row(
            terms, 60, "h of another step for the outputs",
            f"the gradient of {{W}} is made with {word}; the outputs of step t are of h_{{t}}",
            "h_{t}.T @ error_{t}",
        )  # fmt: skip


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
    words = _Words(_WORDS, W="{W}", b="{W}", A_in="h_{t−1}" if tensor == "Wh" else "x_{t}")
    layer = "Wh" if tensor == "Wh" else "Wx"
    for one in BIASES if tensor == "b" else WEIGHTS:
        if one.bug not in (36, 37):
            yield Row(
                right.terms, one.bug, one.name, one.says.format_map(words), _SUMMED[tensor],
                lambda at, one=one: one.value(at.all_steps(layer)),
            )  # fmt: skip


_SUMMED = {
    "Wx": "x_{t}.T @ dZ_{t}, added up over the steps", "Wh": _PRODUCT,
    "b": "dZ_{t}, added up over steps and sequences",
}  # fmt: skip


def _cut(terms: Terms, cut: slice) -> Terms:
    def found(at: Taken) -> list[Array]:
        every = terms(at)
        return every[cut] or [np.zeros_like(every[0])]

    return found
