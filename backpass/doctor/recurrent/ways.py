"""The known mistaken ways to take an error back in time, as what differs from the right one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

from backpass.doctor.flow_mistakes import carries, slopes
from backpass.doctor.mistake import Mistake
from backpass.doctor.recurrent.dense import at_step, through
from backpass.doctor.recurrent.seen import Unrolled

Part = Literal["all", "own", "later"]


@dataclass(frozen=True, slots=True)
class Way:
    """How the error is taken back in time; what is right unless it is said otherwise.

    `bug` is a number of the catalogue, 0 for none and None for what has no number there. `slope`
    says which state f′ is taken of, by steps from where it belongs, and `chained` whether what
    comes from later steps is handed on. Some go back from each output on its own: then f′ may be
    mistaken in one `part` alone, in what a step's own output sends, or in what later steps do.
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
    around: bool = False  # and at the first step that of the last, as an index of −1 finds it
    part: Part = "all"  # where `slope`, `sloped` and `bends` hold
    bends: Mistake | None = None  # through the activation, in place of ⊙ f′
    falls: Mistake | None = None  # from the outputs to their state, in place of @ Wy.T
    hands: Mistake | None = None  # to the step before, in place of @ Wh.T


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
    Way(60, "the error of the step before",
        "step t takes the output's error of step t − 1, and the first step that of the last",
        _CARRY, error=-1, around=True),
    Way(60, "the error of the step after", "step t takes the output's error of step t + 1",
        _CARRY, error=1),
    Way(16, "f′ is missing", "the error goes back through each step without f′", _SLOPE,
        sloped=False),
    Way(16, "f′ is missing",
        "what the error of its own output sends to a step goes on without f′", _SLOPE,
        sloped=False, part="own"),
    Way(16, "f′ is missing", "what comes from later steps goes on without f′", _SLOPE,
        sloped=False, part="later"),
    Way(60, "f′ of the step after",
        "for what comes from later steps, the slope at step t is taken of the state of step t + 1",
        _SLOPE, slope=1, part="later"),
    Way(60, "f′ of the step before",
        "for what comes from later steps, the slope at step t is taken of the state of step t − 1",
        _SLOPE, slope=-1, part="later"),
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


def pairs(one: Unrolled) -> Iterator[tuple[Way, Way, Way]]:
    """Two mistakes that are made in different places of a step, and the way that has both."""
    found = list(ways(one))
    changes = [_changes(way) for way in found]
    for place, (way, own) in enumerate(zip(found, changes, strict=True)):
        for other, further in zip(found[:place], changes[:place], strict=True):
            if not any(own & group and further & group for group in _TOGETHER):
                both = {name: getattr(way, name) for name in own}
                yield way, other, replace(other, **both)


_TOGETHER = (
    {"slope", "sloped", "part", "bends"},
    {"carried", "chained", "turned", "weighed", "bent", "hands"},
    {"error", "around", "falls"},
)


def _changes(way: Way) -> set[str]:
    told = {"bug", "name", "says", "fix"}
    return {
        one.name
        for one in fields(way)
        if one.name not in told and getattr(way, one.name) != one.default
    }


def _of_table(
    one: Mistake, fix: str, *, bends: Mistake | None = None, falls: Mistake | None = None,
    hands: Mistake | None = None,
) -> Way:  # fmt: skip
    W = "Wh" if hands else "Wy"
    words = Words(WORDS, W_up=W, W=W, raw_carry=f"dA_{{t}} @ {W}.T")
    if hands is None:
        words.update(dZ_up="error_{t}", dA_up="∂L/∂ of the outputs", A_up="the outputs")
    says = one.says.format_map(words)
    return Way(one.bug, one.name, says, fix, bends=bends, falls=falls, hands=hands)


class Words(dict[str, str]):
    """Words for what stands in braces, which stays as it is where there are none."""

    def __missing__(self, name: str) -> str:
        return name


WORDS = Words(
    A="h_{t}", Z="Z_{t}", dA="dh_{t}", dZ="dZ_{t}", slope="f′(Z_{t})", f="f",
    above="of the step after",
    dZ_up="dZ_{t+1}", dA_up="dh_{t+1}", A_up="h_{t+1}", Z_up="Z_{t+1}",
)  # fmt: skip
