"""What an update is times a gradient: held to all probes at once, with one scale for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.mistake import At
from backpass.doctor.passes import Pass

Array = NDArray[np.float64]
Tensor = tuple[str, int]  # ("W", 1)
Made = tuple[At, ...]  # a layer's backward pass on each probe

SIDES = 4  # random directions that a product is looked at from, before it is made


@dataclass(frozen=True)
class Goal:
    """What moved a parameter, on each probe; `held` is what it was worth, all in one line.

    `bare` is the same with nothing where a weight meets the ones, as decay may leave biases alone.
    `left` and `right` are random directions, and `seen_from` what the updates are along them.
    """

    moved: tuple[Array, ...]
    held: tuple[Array, ...]
    seen: Array
    was: Array
    bare: Array | None
    size: float
    slack: float
    left: Array
    right: Array
    seen_from: Array
    was_from: Array
    bare_from: Array | None

    def scale(self, made: Sequence[Array]) -> float | None:
        """The one number that makes all updates of these, if there is one."""
        return proportion(self.moved, made, self.slack)

    def decayed(
        self, made: Sequence[Array], *, barely: bool = False
    ) -> tuple[float, float, bool] | None:
        """The scales of a gradient and of the parameter itself, when the update is their sum.

        Last, whether that is the parameter without what meets the ones, as it is if it is `barely`
        so.
        """
        if any(one.shape != other.shape for one, other in zip(self.moved, made, strict=True)):
            return None
        if len(self.seen) < 6 or not self.size:
            return None
        line = _line(made)
        for was in (self.bare,) if barely else (self.was, self.bare):
            found = None if was is None else _sum(self.seen, line, was, self.slack)
            if found is not None:
                return *found, was is self.bare
        return None

    def may_be(self, at: Made) -> bool:
        """Whether the gradient that this δ makes can be the update, seen from a few sides."""
        if self.left.shape[1] == 0:
            return True
        made = np.concatenate(
            [((one.into @ self.left) * (one.dZ @ self.right)).sum(axis=0) for one in at]
        )
        length, size = float(np.linalg.norm(made)), float(np.linalg.norm(self.seen_from))
        if length == 0 or size == 0:
            return length == size
        slack = max(100 * self.slack, 1e-6)
        rest = self.seen_from - made * (self.seen_from @ made) / length**2
        if np.linalg.norm(rest) <= slack * size:
            return True
        return any(
            was is not None and _sum(self.seen_from, made, was, slack) is not None
            for was in (self.was_from, self.bare_from)
        )


def goals(passes: Sequence[Pass]) -> dict[Tensor, Goal]:
    """Every parameter of the layers with its first update."""
    return {key: _goal(passes, key) for key in passes[0].moved}


def _goal(passes: Sequence[Pass], key: Tensor) -> Goal:
    letter, layer = key
    held = tuple(one.W[layer] if letter == "W" else bias(one, layer) for one in passes)
    moved = tuple(one.moved[key] for one in passes)
    if all(is_noise(step, was) for step, was in zip(moved, held, strict=True)):
        moved = tuple(np.zeros_like(step) for step in moved)
    ones = passes[0].layers[layer - 1].ones if letter == "W" else None
    bare = None if ones is None else tuple(_bare(one, layer) for one in passes)
    random = np.random.default_rng(layer)
    sides = SIDES if moved[0].ndim == 2 and moved[0].size > 2 * SIDES else 0
    left, right = (random.normal(size=(length, sides)) for length in _shape(moved[0]))
    seen_from, was_from, bare_from = (
        np.concatenate([np.einsum("ps,pq,qs->s", left, one, right) for one in whole])
        if sides
        else np.zeros(0)
        for whole in (moved, held, bare or held)
    )
    seen = _line(moved)
    return Goal(
        moved, held, seen, _line(held), None if bare is None else _line(bare),
        float(np.linalg.norm(seen)), _slack(moved, held, passes[0].coarse),
        left, right, seen_from, was_from, None if bare is None else bare_from,
    )  # fmt: skip


def is_noise(value: Array, like: Array) -> bool:
    """Whether this is no more than what is rounded away in numbers like the others."""
    size = float(np.max(np.abs(like), initial=0.0))
    return bool(np.max(np.abs(value), initial=0.0) <= 8 * np.finfo(float).eps * size)


def _bare(run: Pass, layer: int) -> Array:
    """A weight in which the row that meets the ones is 0."""
    found = run.W[layer].copy()
    found[0 if run.layers[layer - 1].ones == "first" else -1] = 0
    return found


def _shape(one: Array) -> tuple[int, int]:
    return (one.shape[0], one.shape[1]) if one.ndim == 2 else (0, 0)


def _line(arrays: Sequence[Array]) -> Array:
    return np.concatenate([one.ravel() for one in arrays])


def bias(run: Pass, layer: int) -> Array:
    """The bias of a layer that has one."""
    found = run.b[layer]
    assert found is not None
    return found


def _slack(moved: Sequence[Array], held: Sequence[Array], coarse: bool) -> float:
    """What subtraction has rounded away, relative to the update."""
    step = min(float(np.linalg.norm(one)) for one in moved)
    size = max(float(np.linalg.norm(one)) for one in held)
    least = 1e-5 if coarse else 1e-7
    return max(least, min(50 * np.finfo(float).eps * size / step, 1e-3)) if step else least


def proportion(moved: Sequence[Array], wanted: Sequence[Array], slack: float) -> float | None:
    """The one number that makes all of these of those, if there is one; 1 for nothing at all."""
    if any(one.shape != other.shape for one, other in zip(moved, wanted, strict=True)):
        return None
    seen, made = _line(moved), _line(wanted)
    size, length = float(np.linalg.norm(seen)), float(made @ made)
    if size == 0 or length == 0:
        return 1.0 if size == length == 0 else None
    scale = float(seen @ made) / length
    if abs(scale) * length**0.5 < 1e-3 * size:
        return None
    return scale if np.linalg.norm(seen - scale * made) <= slack * size else None


def _sum(seen: Array, made: Array, was: Array, slack: float) -> tuple[float, float] | None:
    """How much of the one and of the other, when it is both and nothing else."""
    mm, mw, ww, sm, sw = made @ made, made @ was, was @ was, seen @ made, seen @ was
    apart = mm * ww - mw * mw
    if not apart > 1e-10 * mm * ww:
        return None
    scale, decay = float((sm * ww - sw * mw) / apart), float((sw * mm - sm * mw) / apart)
    rest = np.linalg.norm(seen - scale * made - decay * was)
    return (scale, decay) if scale and rest <= slack * np.linalg.norm(seen) else None
