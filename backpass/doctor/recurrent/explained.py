"""Which mistakes make exactly the updates of a recurrent network, on all probes with one scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.fits import proportion
from backpass.doctor.recurrent.dense import Moved, laid, losses, outputs
from backpass.doctor.recurrent.rows import RIGHT, Row, outer_rows, rows
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.recurrent.through_time import Taken, taken
from backpass.doctor.recurrent.ways import Way, pairs, ways
from backpass.doctor.search import UNEXPLAINED, Story, stories
from backpass.doctor.search import Fit as Explained

Array = NDArray[np.float64]
SLACK = 1e-7


@dataclass(frozen=True, slots=True)
class Fit:
    """A tensor's update: `scale` times what a row makes; `also` are mistakes that make the same."""

    row: Row
    scale: float
    also: tuple[int, ...] = ()


@dataclass(frozen=True)
class Account:
    """The outputs' story, a way back in time, and what the updates of the steps' tensors are.

    A fit is None where nothing explains it; `also` are mistakes that go back to the same numbers,
    and `both` the mistakes of a way that has two.
    """

    story: Story
    way: Way
    at: tuple[Taken, ...]
    fits: Mapping[str, Fit | None]
    also: tuple[int, ...] = ()
    both: tuple[Way, Way] | tuple[()] = ()

    @property
    def cost(self) -> float:
        found = sum(UNEXPLAINED if one is None else one.row.bug != 0 for one in self.fits.values())
        found += len(self.both) or (self.way.bug != 0)
        return self.story.cost + found + 0.5 * (len(self.scales) > 1)

    @property
    def ways(self) -> tuple[tuple[Way, Way], ...]:
        """Each mistake going back, and what the way is without it."""
        if self.both:
            one, other = self.both
            return (one, other), (other, one)
        return ((self.way, Way()),) if self.way.bug != 0 else ()

    @property
    def whole(self) -> bool:
        """Whether every update is explained."""
        return self.story.whole and all(self.fits.values())

    @property
    def scales(self) -> list[float]:
        """What the updates are times the gradients; several when they do not agree."""
        hidden = [fit for fit in self.fits.values() if fit and fit.row.bug not in (36, 37)]
        found = [one.scale for one in self.story.fits.values() if one and one.slip is None]
        kept: list[float] = []
        for scale in (*found, *(one.scale for one in hidden)):
            if not any(np.isclose(scale, other, rtol=1e-5) for other in kept):
                kept.append(scale)
        return kept


def account(
    seen: Recurrent,
    runs: Sequence[Unrolled],
    moved: Sequence[Moved],
    *,
    mistaken: bool = True,
    any_: bool = False,
) -> Account | None:
    """The explanation with the fewest mistakes, or None where not one tensor has any.

    Without `mistaken`, the tensors that go right are all that is looked at.
    """
    steps = _steps(seen, moved)
    passes = [outputs(one, own) for one, own in zip(runs, moved, strict=True)]
    best: Account | None = None
    for story in stories(passes, losses(runs[0]), deep=False):
        for one in _accounts(story, runs, moved, steps, mistaken=mistaken):
            if best is None or one.cost < best.cost:
                best = one
            elif one.way.bug and best.way.bug and one.cost == best.cost and _same(one, best):
                # what no number of the code tells apart
                numbers = (*best.also, one.way.bug)
                best = replace(best, also=tuple(n for n in numbers if n != best.way.bug))
        if best is not None and best.cost == 0:
            return best
    if best is None or (not any_ and not any([*best.fits.values(), *best.story.fits.values()])):
        return None
    return best


def _accounts(
    story: Story, runs: Sequence[Unrolled], moved: Sequence[Moved],
    steps: Mapping[str, Sequence[Array]], *, mistaken: bool,
) -> Iterator[Account]:  # fmt: skip
    """The right way back, and if it explains not all, every mistaken one."""
    errors = [np.split(at.dZ, len(one.out)) for at, one in zip(story.at, runs, strict=True)]
    for way in (Way(), *ways(runs[0])) if mistaken else [Way()]:
        of_each = zip(runs, errors, moved, strict=True)
        at = tuple(taken(one, error, way, own) for one, error, own in of_each)
        if not all(np.isfinite(dz).all() for one in at for dz in one.dz):
            continue
        plain = {name: _fit(name, at, goal, mistaken=False) for name, goal in steps.items()}
        exact = all(plain.values())
        if way.bug != 0 and not any(plain.values()):
            continue
        fits: dict[str, Fit | None] = plain if exact else {
            name: fit or (_fit(name, at, steps[name]) if mistaken else None)
            for name, fit in plain.items()
        }  # fmt: skip
        told, outer = _of_another_step(story, at, moved) if mistaken else (story, {})
        yield Account(told, way, at, fits | outer)
        if way.bug == 0 and exact:
            return


def twice_mistaken(
    seen: Recurrent, runs: Sequence[Unrolled], moved: Sequence[Moved]
) -> Account | None:
    """What explains every update by two mistakes going back, where the outputs are explained."""
    passes = [outputs(one, own) for one, own in zip(runs, moved, strict=True)]
    steps, first = _steps(seen, moved), next(name for name, _ in seen.arrays if name in RIGHT)
    story = next(iter(stories(passes, losses(runs[0]), deep=False)), None)
    if story is None or not story.whole:
        return None
    errors = [np.split(at.dZ, len(one.out)) for at, one in zip(story.at, runs, strict=True)]
    each = list(zip(runs, errors, moved, strict=True))
    for one, other, way in pairs(runs[0]):
        at: list[Taken] = []
        for run in each:  # most fail on the first
            at.append(taken(run[0], run[1], way, run[2]))
            if _fit(first, at, steps[first][: len(at)], mistaken=False) is None:
                break
        else:
            fits = {name: _fit(name, at, goal, mistaken=False) for name, goal in steps.items()}
            if all(fits.values()):
                return Account(story, way, tuple(at), fits, both=(one, other))
    return None


def _steps(seen: Recurrent, moved: Sequence[Moved]) -> dict[str, list[Array]]:
    return {
        name: [laid(seen, name, own[held.path]) for own in moved]
        for name, held in seen.arrays
        if name in RIGHT
    }


def _of_another_step(
    story: Story, at: Sequence[Taken], moved: Sequence[Moved]
) -> tuple[Story, dict[str, Fit | None]]:
    """The outputs' weight, where it was made with the states of other steps, and only with them."""
    if story.fits.get(("W", 1)) is not None:
        return story, {}
    seen = at[0].one.seen
    goal = [laid(seen, "Wy", own[seen.paths["Wy"]]) for own in moved]
    for row in outer_rows():
        scale = proportion(goal, [one for a in at if (one := row.total(a)) is not None], SLACK)
        if scale is not None:
            whole = replace(story, fits={**story.fits, ("W", 1): Explained(scale)})
            return whole, {"Wy": Fit(row, scale)}
    return story, {}


def _same(one: Account, other: Account) -> bool:
    return all(
        np.allclose(a, b, rtol=1e-9, atol=1e-14)
        for a, b in zip(one.at[0].dz, other.at[0].dz, strict=True)
    )


def _fit(
    name: str, at: Sequence[Taken], goal: Sequence[Array], *, mistaken: bool = True
) -> Fit | None:
    """The right row, or the first that makes the update, with the numbers of others that do too."""
    found: list[Fit] = []
    for row in rows(name) if mistaken else [RIGHT[name]]:
        made = [row.total(one) for one in at]
        if any(one is None or not np.isfinite(one).all() for one in made):
            continue
        scale = proportion(goal, [one for one in made if one is not None], SLACK)
        if scale is not None:
            found.append(Fit(row, scale))
    if not found:
        return None
    bugs = dict.fromkeys(one.row.bug for one in found if one.row.bug != found[0].row.bug)
    return replace(found[0], also=tuple(bug for bug in bugs if bug))
