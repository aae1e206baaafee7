"""The slope of a function along a line by central differences, and how far it can be trusted.

A line is `phi(t)`, a number for every t; its slope is wanted at t = 0. With a step h

    D(h) = (phi(h) − phi(−h)) / 2h              the slope; off by h²·phi‴/6 where phi is smooth
    B(h) = (phi(h) − 2·phi(0) + phi(−h)) / h    the bend: the slope on the right less the left one

and from the steps h and h/2 together

    value    = (4·D(h/2) − D(h)) / 3                              off by about h⁴
    error    = 4/3·|D(h/2) − D(h)| + |B(h/2) − B(h)/2| + rounding
    rounding = 10·sigma / h

where sigma is the noise of phi, which is measured beforehand. For a smooth function this error
is far too careful. For one kink within the step, wherever it lies, it is never too small; that
is what its second part is for: at a kink D is the mean of both slopes for every h, and only B
tells. While they are needed, steps are tried from h = (10·sigma/|phi|)^(1/5), where h⁴ and the
rounding balance, down to where rounding is all that is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from itertools import pairwise
from math import isfinite
from typing import Any, Literal

import numpy as np

Line = Callable[[float], float]
Verdict = Literal["agrees", "differs", "kink", "unclear"]

RELATIVE = 1e-6  # slopes that differ by less than this part of their size agree
CAREFUL = 10.0  # how many standard deviations of noise are taken for possible
NEAREST = 1e-9  # a kink no further away than this is here
COARSE = 1e-2  # an error of this part of the slope says too little


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope by differences at one step: its value, its error, and the slope to either side."""

    value: float
    error: float
    rounding: float  # the part of the error that a shorter step makes larger
    left: float
    right: float
    steady: bool  # whether half the step bends as much; a smooth line bends half as much

    @property
    def jump(self) -> float:
        """How much the slope changes at this very point; next to nothing where it is smooth."""
        return abs(self.right - self.left)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claimed slope, the one by differences, and what follows.

    "kink" says that the function has two slopes here, "unclear" that differences settle
    nothing, because the function jumps, is noisy, or is no number nearby.
    """

    verdict: Verdict
    claimed: float
    slope: Slope
    coarse: float = 0.0  # the error as a part of the slope's size, where it had to be allowed for

    @property
    def told(self) -> bool:
        """Whether the comparison says something."""
        return self.verdict in ("agrees", "differs")

    @property
    def difference(self) -> float:
        """How far apart the two slopes are."""
        return abs(self.claimed - self.slope.value)

    def per(self, length: float) -> Comparison:
        """The same for a line that is walked along in other units."""
        *numbers, steady = astuple(self.slope)
        slope = Slope(*(part / length for part in numbers), steady=steady)
        return replace(self, claimed=self.claimed / length, slope=slope)


def noise(phi: Line) -> float:
    """The standard deviation of the rounding in `phi` near 0.

    Fourth differences over tiny steps leave nothing of a smooth function and √70 times its
    noise. A kink among the points leaves more, so each side of 0 is measured by itself, at two
    distances, and the smallest result counts. Never less than the precision of the values.
    """
    found: list[float] = []
    floor = precision(phi(0.0)) * abs(phi(0.0)) / 2
    for step in (1e-7, -1e-7, 1e-9, -1e-9):
        side = np.array([phi(step * count) for count in range(9)])
        if not np.isfinite(side).all():
            continue
        floor = max(floor, precision(side) * float(np.abs(side).max()) / 2)
        if np.ptp(side) or not found:  # in single precision such steps may change nothing at all
            found.append(float(np.sqrt(np.mean(np.diff(side, 4) ** 2) / 70)))
    return max(min(found, default=0.0), floor)


def precision(values: Any) -> float:
    """The relative spacing of the floats, single or double, that all these values are."""
    double = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        single = double.astype(np.float32).astype(np.float64)
    return float(np.finfo(np.float32 if np.array_equal(single, double) else np.float64).eps)


def compare(
    phi: Line, claimed: float, *, here: float, sigma: float, size: float = 0.0, slack: float = 0.0
) -> Comparison:
    """Hold a claimed slope of `phi` at 0 against differences.

    `here` is phi(0) and `sigma` its noise. `size` is how large such slopes are elsewhere, when
    that is known, and `slack` by how much the claim may be off because it was rounded itself.
    """

    def tolerance(slope: Slope) -> float:
        return RELATIVE * max(abs(claimed), abs(slope.value)) + slack

    slopes: list[Slope] = []
    for h in _steps(sigma, max(abs(here), abs(claimed))):
        slope = estimate(phi, h, here, sigma)
        if slope is None:
            continue
        if abs(claimed - slope.value) <= tolerance(slope):
            return Comparison("agrees", claimed, slope)
        slopes.append(slope)
        if slope.rounding >= slope.error / 2 or (h <= NEAREST and _jumps(slope, tolerance(slope))):
            break
    if not slopes:
        nothing = float("nan")
        nowhere = Slope(nothing, nothing, nothing, nothing, nothing, steady=False)
        return Comparison("unclear", claimed, nowhere)
    best = min(_consistent(slopes), key=lambda slope: slope.error)
    kink = _kink(slopes, tolerance(best))
    if kink is not None:
        return Comparison("kink", claimed, kink)
    if not abs(claimed - best.value) <= tolerance(best) + best.error:  # a claim of nan differs
        return Comparison("differs", claimed, best)
    if not claimed and not size:
        return Comparison("agrees", claimed, best)  # 0, as far as rounding lets see
    coarse = best.error / max(size, abs(claimed), abs(best.value), best.error)
    return Comparison("unclear" if coarse > COARSE else "agrees", claimed, best, coarse)


def _steps(sigma: float, values: float) -> Iterator[float]:
    """Steps from the best one for a smooth function downwards, a tenth each time."""
    start = min(max((CAREFUL * sigma / values) ** 0.2, 1e-3), 0.1) if values else 1e-3
    yield from (start * 0.1**count for count in range(13))


def estimate(phi: Line, h: float, here: float, sigma: float) -> Slope | None:
    """Slope and error from the steps h and h/2; None where phi is no number."""
    far, near = (phi(h), phi(-h)), (phi(h / 2), phi(-h / 2))
    if not all(map(isfinite, far + near)):
        return None
    wide, narrow = (far[0] - far[1]) / (2 * h), (near[0] - near[1]) / h
    bends = (far[0] - 2 * here + far[1]) / h, 2 * (near[0] - 2 * here + near[1]) / h
    rounding = CAREFUL * sigma / h
    error = 4 / 3 * abs(narrow - wide) + abs(bends[1] - bends[0] / 2) + rounding
    right = (4 * (near[0] - here) - (far[0] - here)) / h  # off by about h²
    left = (4 * (here - near[1]) - (here - far[1])) / h
    steady = abs(bends[1]) > 0.7 * abs(bends[0])
    return Slope(narrow + (narrow - wide) / 3, error, rounding, left, right, steady)


def _consistent(slopes: Sequence[Slope]) -> Iterator[Slope]:
    """The slopes, each with an error that covers what the next shorter step says.

    Where many kinks lie within a step their traces may cancel by luck in one estimate.
    """
    for slope, shorter in pairwise(slopes):
        apart = abs(slope.value - shorter.value) - shorter.rounding
        yield replace(slope, error=max(slope.error, apart + slope.rounding))
    yield slopes[-1]


def _jumps(slope: Slope, tolerance: float) -> bool:
    """Whether the slopes to either side differ by more than noise, and by a bend that stays."""
    return slope.steady and slope.jump > 2 * tolerance + 4 * slope.rounding


def _kink(slopes: Sequence[Slope], tolerance: float) -> Slope | None:
    """The shortest step that shows two slopes, if no shorter one could have shown them as one.

    None too where the slopes grow without end as the step shrinks: there the function itself jumps.
    """
    found = [place for place, slope in enumerate(slopes) if _jumps(slope, tolerance)]
    if not found:
        return None
    last = found[-1]
    kink = slopes[last]
    hidden = all(4 * slope.rounding > kink.jump / 2 for slope in slopes[last + 1 :])
    leaps = last > 0 and kink.jump > 2 * slopes[last - 1].jump
    return kink if hidden and not leaps else None
