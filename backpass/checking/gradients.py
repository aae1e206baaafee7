"""Hold every gradient of a function against differences, at one point.

A gradient is tried in random directions first, since one wrong entry shows in nearly all of
them. When a direction disagrees, the entry that is to blame is looked for: by trying every
entry of a small array, and by halving a large one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np

from backpass.checking.differences import Comparison, compare, noise, precision

Values = Mapping[str, Any]  # arrays by name
Loss = Callable[[Values], float]  # nan where it cannot be computed
Gradient = Callable[[Values], Values]

SMALL = 256  # entries of an array that are all tried when one of them is to be found
ASIDE = 1e-3  # how far to step away from a kink, as a part of the values
OTHER_ORDER = 1e-5  # an entry this much smaller than the others is measured by itself
ROUNDED = 32.0  # a gradient entry may be off by so many spacings of the largest entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a gradient beside the slope there by differences."""

    index: tuple[int, ...]
    here: float
    differences: float


@dataclass(frozen=True, slots=True)
class Kink:
    """An entry at which the function has two slopes."""

    index: tuple[int, ...]
    here: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How one gradient compares with differences.

    `error` is the largest disagreement as a part of the gradient's size, and `resolution`,
    when not 0, what differences could tell apart at best, the function being noisy.
    """

    name: str
    shape: str
    ok: bool = True
    error: float = 0.0
    resolution: float = 0.0
    directions: int = 0
    entries: int = 0
    unclear: int = 0  # directions and entries of which differences could not tell
    kinked: int = 0  # directions and entries in which the function has two slopes
    worst: Entry | None = None
    factor: float | None = None  # the gradient is this many times the slope, in every direction
    kinks: tuple[Kink, ...] = ()
    aside: bool = False  # whether it was tried a small step away from a kink too
    at: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried at a point: how many directions for each gradient, and whether every entry."""

    directions: int
    entries: bool
    random: np.random.Generator = field(repr=False)
    at: str = ""


def examine(
    f: Loss, g: Gradient, values: Values, names: Mapping[str, tuple[str, str]], trial: Trial
) -> list[Agreement]:
    """Compare gradients at a point; `names` gives what each is called and its shape, by array.

    At a kink no slope is wrong, so there the gradient is also tried a small step aside.
    """
    found = _examine(f, g, values, names, trial)
    kinked = {one: names[one] for one, agreement in found.items() if agreement.kinked}
    if kinked:
        near = _nudged(values, names, trial.random)
        if isfinite(f(near)):
            aside = f"{trial.at}, a small step aside" if trial.at else "a small step aside"
            again = _examine(f, g, near, kinked, replace(trial, entries=False, at=aside))
            for one, agreement in again.items():
                found[one] = replace(merge([found[one], agreement]), aside=True)
    return list(found.values())


def merge(agreements: Sequence[Agreement]) -> Agreement:
    """What is known of one gradient after several trials."""
    worst = max(agreements, key=lambda one: (not one.ok, one.error))
    return replace(
        worst,
        error=max(one.error for one in agreements),
        resolution=max(one.resolution for one in agreements),
        directions=sum(one.directions for one in agreements),
        entries=sum(one.entries for one in agreements),
        unclear=sum(one.unclear for one in agreements),
        kinked=sum(one.kinked for one in agreements),
        kinks=tuple(kink for one in agreements for kink in one.kinks),
        aside=any(one.aside for one in agreements),
    )


@dataclass(frozen=True, slots=True)
class _Point:
    """A function with its claimed gradients and its rounding, at one point."""

    f: Loss
    values: Values
    gradients: Values
    here: float
    sigma: float
    scales: Values  # how far each entry is moved
    rounded: Mapping[str, float]  # how far the entries of a gradient are off as they are rounded

    def along(self, name: str, direction: Any, size: float = 0.0) -> Comparison:
        """The claimed and the measured slope as one array moves in a direction."""
        start = self.values[name]
        return compare(
            lambda t: self.f({**self.values, name: start + t * direction}),
            float(np.sum(self.gradients[name] * direction)),
            here=self.here,
            sigma=self.sigma,
            size=size,
            slack=self.rounded[name] * float(np.linalg.norm(direction)),
        )

    def entry(self, name: str, index: tuple[int, ...]) -> Comparison:
        """The claimed and the measured slope in one entry."""
        length = float(self.scales[name][index])
        direction = np.zeros(np.shape(self.values[name]))
        direction[index] = length
        return self.along(name, direction, length * _rms(self.gradients[name])).per(length)


def _examine(
    f: Loss, g: Gradient, values: Values, names: Mapping[str, tuple[str, str]], trial: Trial
) -> dict[str, Agreement]:
    gradients = g(values)
    here = f(values)
    scales = _scales(values, gradients, names)
    steps = {one: scales[one] * _normal(values[one], trial.random) for one in names}
    sigma = noise(lambda t: f({**values, **{one: values[one] + t * steps[one] for one in steps}}))
    rounded = {one: ROUNDED * precision(gradients[one]) * _largest(gradients[one]) for one in names}
    point = _Point(f, values, gradients, here, sigma, scales, rounded)
    return {
        one: _agreement(point, one, Agreement(called, shape, at=trial.at), trial)
        for one, (called, shape) in names.items()
    }


def _scales(values: Values, gradients: Values, names: Iterable[str]) -> Values:
    """How far every entry is moved: as far as the entries of its array are large.

    An entry of quite another order is measured by itself. An array of zeros is moved as far as
    changes the function as much as the other arrays do, but no further than any is large.
    """
    sizes = {
        one: _rms(value) for one, value in values.items() if np.asarray(value).dtype.kind == "f"
    }
    largest = max(sizes.values(), default=0.0) or 1.0
    steep = {one: float(np.linalg.norm(gradients[one])) for one in names}
    effects = sorted(sizes[one] * steep[one] for one in names if sizes[one] * steep[one])
    effect = effects[len(effects) // 2] if effects else 0.0
    found: dict[str, Any] = {}
    for one in names:
        own: Any = np.abs(values[one])
        size = sizes[one] or min(effect / steep[one] if effect and steep[one] else largest, largest)
        found[one] = np.where((own == 0) | (own > OTHER_ORDER * size), size, own)
    return found


def _agreement(point: _Point, name: str, blank: Agreement, trial: Trial) -> Agreement:
    gradient, scale = point.gradients[name], point.scales[name]
    if not np.size(gradient):
        return blank
    size = float(np.linalg.norm(scale * gradient))
    tried = trial.directions if np.size(gradient) > 1 else 0
    steps = [scale * _normal(gradient, trial.random) for _ in range(tried)]
    along = [point.along(name, step, size) for step in steps]
    indices = _indices(point, name, steps, along, trial.entries)
    entries = {index: point.entry(name, index) for index in indices}
    every = len(entries) == np.size(gradient)
    both = [*along, *entries.values()]
    return replace(
        blank,
        ok=all(one.verdict != "differs" for one in both),
        error=_apart(list(entries.values())) if every else _apart(along, size),
        resolution=max((one.coarse for one in both if one.told), default=0.0),
        directions=len(along),
        entries=len(entries),
        unclear=sum(one.verdict == "unclear" for one in both),
        kinked=sum(one.verdict == "kink" for one in both),
        worst=_worst(entries),
        factor=_factor(along),
        kinks=tuple(
            Kink(index, one.claimed, one.slope.left, one.slope.right)
            for index, one in entries.items()
            if one.verdict == "kink"
        ),
    )


def _indices(
    point: _Point, name: str, steps: Sequence[Any], along: Sequence[Comparison], every: bool
) -> list[tuple[int, ...]]:
    """The entries to try by themselves: all of them, or what it takes to name one that is wrong."""
    shape = np.shape(point.gradients[name])
    wrong = [s for s, one in zip(steps, along, strict=True) if one.verdict == "differs"]
    odd = wrong or any(one.verdict == "kink" for one in along)
    if every or not steps or (odd and int(np.prod(shape)) <= SMALL):
        return list(np.ndindex(shape))
    return [_search(point, name, wrong[0])] if wrong else []


def _apart(comparisons: Sequence[Comparison], size: float = 0.0) -> float:
    """How far the claims are from the slopes, as a part of the larger of the two.

    Of all entries it is exact, of random directions an estimate, for which `size` is known.
    """
    told = [one for one in comparisons if one.told]
    if not size and all(one.verdict == "agrees" and not one.claimed for one in told):
        return 0.0
    claimed = _rms([one.claimed for one in told])
    measured = _rms([one.slope.value for one in told])
    largest = max(claimed, measured, size)
    return _rms([one.difference for one in told]) / largest if largest else 0.0


def _worst(entries: Mapping[tuple[int, ...], Comparison]) -> Entry | None:
    """The entry with the largest disagreement, one that counts as wrong before all others."""
    told = {index: one for index, one in entries.items() if one.told}
    if not told:
        return None
    index = max(told, key=lambda at: (told[at].verdict == "differs", told[at].difference))
    return Entry(tuple(map(int, index)), told[index].claimed, told[index].slope.value)


def _factor(along: Sequence[Comparison]) -> float | None:
    """The number of times that the gradient is too large, if it is the same in all directions."""
    if len(along) < 2 or any(one.verdict != "differs" or not one.slope.value for one in along):
        return None
    ratios = [one.claimed / one.slope.value for one in along]
    spread = max(ratios) - min(ratios)
    return ratios[0] if spread <= 1e-5 * abs(ratios[0]) else None


def _search(point: _Point, name: str, direction: Any) -> tuple[int, ...]:
    """An entry that is wrong, by halving the direction again and again."""
    flat = np.ravel(direction)
    places = np.arange(flat.size)
    along = point.along(name, direction)
    apart = along.claimed - along.slope.value
    while len(places) > 1:
        half, rest = np.array_split(places, 2)
        part = np.zeros(flat.size)
        part[half] = flat[half]
        along = point.along(name, part.reshape(np.shape(direction)))
        here = along.claimed - along.slope.value
        places, apart = (half, here) if abs(here) >= abs(apart - here) else (rest, apart - here)
    return _place(int(places[0]), np.shape(direction))


def _place(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of an entry that is counted along the rows."""
    index: tuple[int, ...] = ()
    for length in reversed(shape):
        flat, last = divmod(flat, length)
        index = (last, *index)
    return index


def _nudged(values: Values, names: Iterable[str], random: np.random.Generator) -> Values:
    """Every entry a small step aside, one way or the other."""
    near = dict(values)
    for name in names:
        step = _normal(near[name], random)
        near[name] = near[name] + ASIDE * (_rms(near[name]) or 1.0) * (step + np.sign(step))
    return near


def _normal(like: Any, random: np.random.Generator) -> Any:
    return random.standard_normal(np.shape(like))


def _largest(array: Any) -> float:
    return float(np.abs(array).max(initial=0.0))


def _rms(array: Any) -> float:
    """The typical size of an entry."""
    count = np.size(array)
    return float(np.linalg.norm(np.ravel(array))) / count**0.5 if count else 0.0
