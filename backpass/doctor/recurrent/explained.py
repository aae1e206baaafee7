"""Which mistakes make exactly the updates of a recurrent network, on all probes with one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family, families
from backpass.doctor.fits import proportion
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.recurrent.through_time import (
    RIGHT,
    WAYS,
    Row,
    Taken,
    Way,
    rows,
    taken,
    through_outputs,
)

Array = NDArray[np.float64]
SLACK = 1e-7
UNEXPLAINED = 3.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A tensor's update: `scale` times what a row makes; `also` are mistakes that make the same."""

    row: Row
    scale: float
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class Account:
    """A way back in time, and what each tensor's update is: None where nothing explains it."""

    family: Family
    way: Way
    at: tuple[Taken, ...]
    fits: Mapping[str, Fit | None]

    @property
    def cost(self) -> float:
        found = sum(UNEXPLAINED if one is None else one.row.bug != 0 for one in self.fits.values())
        return found + (self.way.bug != 0) + 0.5 * (len(self.scales) > 1)

    @property
    def scales(self) -> list[float]:
        """What the updates are times the gradients; several when they do not agree."""
        kept: list[float] = []
        for one in self.fits.values():
            if one is None or one.row.bug in (36, 37):
                continue
            if not any(np.isclose(one.scale, other, rtol=1e-5) for other in kept):
                kept.append(one.scale)
        return kept


def account(
    seen: Recurrent, runs: Sequence[Unrolled], moved: Sequence[Mapping[str, Array]]
) -> Account | None:
    """The explanation with the fewest mistakes, or None where not one tensor has any."""
    steps = {
        name: [_laid(own[held.path], held.turned, name) for own in moved]
        for name, held in seen.arrays
    }
    found: list[Account] = []
    for family in families(seen.output):
        errors = [_errors(family, one) for one in runs]
        if not all(np.isfinite(error).all() for each in errors for error in each):
            continue
        for way in (Way(), *WAYS):
            pairs = zip(runs, errors, strict=True)
            at = tuple(taken(one, error, way) for one, error in pairs)
            fits = {name: _fit(name, at, goal) for name, goal in steps.items()}
            found.append(Account(family, way, at, fits))
            if found[-1].cost == 0:
                return found[-1]
    best = min(found, key=lambda one: one.cost, default=None)
    if best is None or all(fit is None for fit in best.fits.values()):
        return None
    return best


def _laid(step: Array, turned: bool, name: str) -> Array:
    if name in ("b", "c"):
        return step.ravel()
    return step.T if turned else step


def _errors(family: Family, one: Unrolled) -> list[Array]:
    output, target = np.concatenate(one.out), np.concatenate(one.y)
    if family.base == "cross_entropy_from_probabilities":
        return [(a - y) / len(output) for a, y in zip(one.out, one.y, strict=True)]
    gradient = family.gradient(output, target)
    return through_outputs(one, np.split(gradient, len(one.out)))


def _fit(name: str, at: Sequence[Taken], goal: Sequence[Array]) -> Fit | None:
    """The first row that makes the update, with the numbers of others that do too."""
    scale = proportion(goal, [RIGHT[name].total(one) for one in at], SLACK)
    if scale is not None:
        return Fit(RIGHT[name], scale)
    found: list[Fit] = []
    for row in rows(name):
        scale = proportion(goal, [row.total(one) for one in at], SLACK)
        if scale is not None:
            found.append(Fit(row, scale))
    if not found:
        return None
    also = tuple(dict.fromkeys(one.row.bug for one in found if one.row.bug != found[0].row.bug))
    return replace(found[0], also=also)
