"""Which mistakes, layer by layer from the outputs down, make exactly the updates that were seen.

Every candidate is held to all probes at once, with one scale for all: what agrees by accident on
one of them does not on the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family
from backpass.doctor.fits import Goal, Made, Tensor, goals, is_noise
from backpass.doctor.flow_mistakes import carries, slopes
from backpass.doctor.gradient_mistakes import biases, weights
from backpass.doctor.mask_mistakes import through_mask
from backpass.doctor.mistake import At, Mistake, Stage
from backpass.doctor.passes import Pass
from backpass.doctor.patience import look_on
from backpass.doctor.skip_mistakes import with_skips
from backpass.doctor.small_edits import bias_edits, carry_edits, slope_edits, weight_edits

Array = NDArray[np.float64]
Rows = Literal["right", "listed", "edited"]

UNEXPLAINED = 3.0  # what a tensor that nothing explains costs, in mistakes
DECAYED = 0.5
BEAM = 6
PAIRS = 4_000_000  # products up to which two mistakes in one layer are looked for


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake, where it was made, and what else would be the same on this network."""

    layer: int
    stage: Stage
    mistake: Mistake
    also: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """An update explained: `scale` times a gradient, and `decay` times the weight itself.

    Where that is `bare`, what meets the ones is left alone by decay.
    """

    scale: float
    slip: Slip | None = None
    decay: float = 0.0
    more: tuple[Slip, ...] = ()  # where the tensor was made with a δ of its own
    bare: bool = False

    @property
    def cost(self) -> float:
        return (self.slip is not None) + len(self.more) + DECAYED * (self.decay != 0)


@dataclass(frozen=True)
class Story:
    """What was done from the output down to a layer; `fits` is None where nothing explains it."""

    family: Family
    at: Made
    slips: tuple[Slip, ...] = ()
    fits: dict[Tensor, Fit | None] = field(default_factory=dict)
    goals: Mapping[Tensor, Goal] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every update is explained."""
        return all(fit is not None for fit in self.fits.values())

    @property
    def right(self) -> bool:
        """Whether every update is explained, and without a mistake."""
        fits = self.fits.values()
        return not self.slips and all(fit is not None and fit.slip is None for fit in fits)

    @property
    def listed(self) -> bool:
        """Whether every update is explained by nothing but mistakes of the catalogue."""
        fits = self.fits.values()
        own = [fit.slip for fit in fits if fit is not None and fit.slip is not None]
        return self.whole and all(slip.mistake.bug is not None for slip in (*self.slips, *own))

    @property
    def cost(self) -> float:
        found = sum(UNEXPLAINED if fit is None else fit.cost for fit in self.fits.values())
        return len(self.slips) + found

    @property
    def spread(self) -> int:
        """How many scales the updates have."""
        return len({f"{fit.scale:.5g}" for fit in self.fits.values() if fit is not None})

    def layer(self, number: int) -> Made:
        """The backward pass of a layer as it was made."""
        found = self.at
        while found[0].layer != number:
            found = tuple(at.up for at in found)
        return found


def stories(
    passes: Sequence[Pass],
    families: Iterable[Family],
    *,
    deep: bool = True,
    mistaken: bool = False,
) -> list[Story]:
    """The best explanations of all updates, the best of them first.

    Without `deep`, one mistake in each layer and each tensor is all that is looked for. A loss
    that makes the last layer's updates as they are is kept to, or left out if they are `mistaken`.
    """
    depth, begun = passes[0].depth, tops(passes, families)
    right = [_measured(_right(story)) for story in begun]
    exact = [story for story in right if story.cost == 0]
    if mistaken:
        begun = [story for story, one in zip(begun, right, strict=True) if one.cost != 0]
        exact = []
    best = _kept(exact or [new for story in begun for new in _layer(story, [], deep)])
    for layer in range(depth - 1, 0, -1):
        below = [_below(story, layer) for story in best]
        best = _kept([new for story in below for new in _layer(story, carries(story.at[0]), deep)])
    return best


def tops(passes: Sequence[Pass], families: Iterable[Family]) -> list[Story]:
    """The backward pass of each loss at its beginning, the error at the outputs."""
    depth, wanted = passes[0].depth, goals(passes)
    found: list[Story] = []
    for family in families:
        errors = [family.gradient(one.A[-1], one.y) for one in passes]
        if all(np.isfinite(error).all() for error in errors):
            top = tuple(
                At(one, depth, error, carry=error, given=_together(family, one))
                for one, error in zip(passes, errors, strict=True)
            )
            found.append(Story(family, top, goals=wanted))
    return found


def _together(family: Family, one: Pass) -> Array | None:
    """A softmax with its cross-entropy is p − y, also of targets that do not sum to 1."""
    if family.base != "cross_entropy_from_probabilities":
        return None
    return (one.A[-1] - one.y) / one.samples


def _below(story: Story, layer: int) -> Story:
    at = tuple(At(one.run, layer, one.error, above=one) for one in story.at)
    return replace(story, at=at)


def _kept(found: list[Story]) -> list[Story]:
    found = sorted(found, key=lambda story: story.cost)
    return [story for story in found if story.cost <= found[0].cost + 0.1][:BEAM]


# ── one layer ────────────────────────────────────────────────────────────────────────────────


def _layer(story: Story, mistaken: Iterable[Mistake], deep: bool) -> list[Story]:
    """Every way through one layer that costs least; rarer ways are tried when commoner fail."""
    down, across = list(mistaken), list(slopes(story.at[0]))
    right = _right(story)
    first = _measured(right)
    if first.cost == story.cost:
        return [first]
    once = [*_each(story, down, [None]), *_each(story, [None], across)]
    found = [first, _measured(right, rows="listed"), *map(_measured, once)]
    if _least(found) <= story.cost + 1 or not deep:
        return _merged(found)
    found.append(_measured(right, rows="edited"))
    carried = list(_met(story.at[0])) if down else []
    found += map(_measured, _each(story, carried, [None]))
    found += map(_measured, _each(story, [None], list(slope_edits(story.at[0]))))
    if _least(found) <= story.cost + 1:
        return _merged(found)
    twice = list(_each(story, down, across))
    small = _is_small(story.at)
    likely = [one for one in once if small or _explains(_measured(one))]
    found += [_measured(one, rows="listed") for one in likely]
    found += map(_measured, twice)
    if _least(found) >= story.cost + UNEXPLAINED:
        nearest = sorted(found, key=lambda one: one.cost)[:3]
        found = [_completed(one, [*once, *twice]) for one in nearest]
    return _merged(found)


def _met(at: At) -> Iterator[Mistake]:
    """Ways down that nobody lists, with the masks and the skips that they meet."""
    return with_skips(at, through_mask(at, carry_edits(at)))


def _explains(story: Story) -> bool:
    """Whether its last layer's updates are explained, one of them at least."""
    layer = story.at[0].layer
    return any(fit is not None for (_, place), fit in story.fits.items() if place == layer)


def _is_small(at: Made) -> bool:
    """Whether hundreds of gradients of the layer take seconds, not minutes."""
    return sum(one.run.samples * one.W.size for one in at) < PAIRS


def _completed(story: Story, others: Sequence[Story]) -> Story:
    """A tensor that its own δ does not explain may have been made with another one."""
    layer, fits = story.at[0].layer, dict(story.fits)
    for letter in ("W", "b"):
        if fits.get((letter, layer), 0) is not None:
            continue
        for other in others:
            fit = _fit(other, letter, ())
            if fit is not None and fit.decay == 0:
                slips = [_alone(one) for one in other.slips[len(story.slips) - _own(story) :]]
                fits[letter, layer] = Fit(fit.scale, slips[0], more=tuple(slips[1:]))
                break
    return replace(story, fits=fits)


def _alone(slip: Slip) -> Slip:
    if slip.mistake.bug != 16:
        return slip
    return replace(slip, mistake=replace(slip.mistake, bug=17, name="f′ is missing on one tensor"))


def _own(story: Story) -> int:
    """How many of its mistakes were made in its last layer."""
    return sum(slip.layer == story.at[0].layer for slip in story.slips)


def _right(story: Story) -> Story:
    found = _through(_down(story, None), None)
    assert found is not None
    return found


def _least(found: list[Story]) -> float:
    return min(story.cost for story in found)


def _each(
    story: Story, down: Sequence[Mistake | None], across: Sequence[Mistake | None]
) -> Iterator[Story]:
    for one in down:
        carried = _down(story, one)
        for other in across if carried is not None else ():
            through = _through(carried, other)
            if through is not None:
                yield through


def _down(story: Story, mistake: Mistake | None) -> Story | None:
    if story.at[0].carry is not None:  # the outputs: the loss has given it
        return story
    values = _values(story.at, At.carried if mistake is None else mistake.value)
    if values is None:
        return None
    at = tuple(one.with_carry(value) for one, value in zip(story.at, values, strict=True))
    return replace(story, at=at, slips=_and(story, "carry", mistake))


def _through(story: Story | None, mistake: Mistake | None) -> Story | None:
    if story is None:
        return None
    values = _values(story.at, At.through if mistake is None else mistake.value)
    if values is None or any(v.shape != at.a.shape for v, at in zip(values, story.at, strict=True)):
        return None
    at = tuple(one.with_delta(value) for one, value in zip(story.at, values, strict=True))
    return replace(story, at=at, slips=_and(story, "slope", mistake))


def _and(story: Story, stage: Stage, mistake: Mistake | None) -> tuple[Slip, ...]:
    if mistake is None:
        return story.slips
    return (*story.slips, Slip(story.at[0].layer, stage, mistake))


def _values(at: Made, value: Callable[[At], Array | None]) -> list[Array] | None:
    found: list[Array] = []
    with np.errstate(all="ignore"):
        for one in at:
            made = value(one)
            if made is None or not np.isfinite(made).all():
                return None
            found.append(made)
    return found


def _merged(found: list[Story]) -> list[Story]:
    """The cheapest; of those that come to the same numbers, the first with the others beside it."""
    least = _least(found)
    kept: list[Story] = []
    for story in found:
        if story.cost > least + 0.1:
            continue
        for place, other in enumerate(kept):
            if story.fits.keys() == other.fits.keys() and _same(story, other):
                kept[place] = _beside(other, story)
                break
        else:
            kept.append(story)
    return kept


def _same(one: Story, other: Story) -> bool:
    pairs = zip(one.at, other.at, strict=True)
    return all(np.allclose(a.dZ, b.dZ, rtol=1e-9, atol=1e-14) for a, b in pairs)


def _beside(one: Story, other: Story) -> Story:
    """The one story, and at its last slip what the other one calls it."""
    if len(one.slips) != len(other.slips) or not one.slips or one.slips[-1] == other.slips[-1]:
        return one
    last = one.slips[-1]
    also = (*last.also, other.slips[-1].mistake)
    return replace(one, slips=(*one.slips[:-1], replace(last, also=also)))


# ── tensors ──────────────────────────────────────────────────────────────────────────────────


def _measured(story: Story, *, rows: Rows = "right") -> Story:
    """The story with its layer's updates held to its gradients, and to mistaken ones of `rows`."""
    layer = story.at[0].layer
    fits = dict(story.fits)
    for letter in ("W", "b"):
        if (letter, layer) in story.goals:
            fits[letter, layer] = _fit(story, letter, _rows(story.at[0], letter, rows))
    return replace(story, fits=fits)


def _cancelled(at: Made, values: Sequence[Array]) -> list[Array]:
    """The values, of which nothing is left where their parts add up to what is rounded away."""
    return [
        np.zeros_like(value) if is_noise(value, np.sum(np.abs(one.dZ))) else value
        for one, value in zip(at, values, strict=True)
    ]


def _rows(at: At, letter: str, rows: Rows) -> Iterator[Mistake]:
    """Mistaken gradients of one tensor, the rarer ones when the commoner were in vain."""
    match rows:
        case "right":
            return iter(())
        case "listed":
            return weights(at) if letter == "W" else biases(at)
        case "edited":
            return weight_edits(at) if letter == "W" else bias_edits(at)


def _fit(story: Story, letter: str, mistaken: Iterable[Mistake]) -> Fit | None:
    look_on()
    at, layer = story.at, story.at[0].layer
    goal = story.goals[letter, layer]
    if letter == "b" or goal.may_be(at):
        gradient = _cancelled(at, [one.weight() if letter == "W" else one.bias() for one in at])
        scale = goal.scale(gradient)
        if scale is not None:
            return Fit(scale)
        decayed = goal.decayed(gradient)
        if decayed is not None:
            return Fit(decayed[0], decay=decayed[1], bare=decayed[2])
    found: Fit | None = None
    for mistake in mistaken:
        values = _values(at, mistake.value)
        if values is None:
            continue
        values = _cancelled(at, values)
        scale, decay = goal.scale(values), 0.0
        if scale is None and (both := goal.decayed(values, barely=True)) is not None:
            scale, decay, _ = both
        if scale is None:
            continue
        if found is None or found.slip is None:
            stage: Stage = "weight" if letter == "W" else "bias"
            found = Fit(scale, Slip(layer, stage, mistake), decay, bare=decay != 0)
        else:
            also = (*found.slip.also, mistake)
            found = replace(found, slip=replace(found.slip, also=also))
    return found
