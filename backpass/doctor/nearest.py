"""What comes nearest to updates that nothing explains: never more than a hint where to look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family
from backpass.doctor.fits import Made, Tensor
from backpass.doctor.flow_mistakes import carries, slopes
from backpass.doctor.gradient_mistakes import biases, weights
from backpass.doctor.mistake import At, Mistake
from backpass.doctor.passes import Pass
from backpass.doctor.search import Story, tops
from backpass.doctor.wording import Wording

Array = NDArray[np.float64]
TOLD = 2
_LEAST = 0.01  # of the difference: less is chance


@dataclass(frozen=True, slots=True)
class _Near:
    says: str
    share: float


def nearest(
    story: Story,
    passes: Sequence[Pass],
    bank: Iterable[Family],
    wording: Wording,
    paths: dict[Tensor, str],
) -> str | None:
    """The known mistakes that leave least of the topmost updates that are not explained."""
    open_ = [key for key, fit in story.fits.items() if fit is None]
    if not open_:
        return None
    layer = max(place for _, place in open_)
    keys = [key for key in open_ if key[1] == layer]
    moved = np.concatenate([one.moved[key].ravel() for one in passes for key in keys])
    starts = [(story.family, story.layer(layer))]
    if layer == passes[0].depth:
        starts = [(top.family, top.at) for top in tops(passes, bank)]
    rights = [(family, _right(at)) for family, at in starts]
    rights.sort(key=lambda one: _rest(moved, _gradients(one[1], keys)))
    family, right = rights[0]
    whole = _rest(moved, _gradients(right, keys))
    names = ", ".join(paths[key] for key in keys)
    title = f"the gradient of {family.members[0][0]}"
    if not whole > 0:
        return None
    found = [
        _Near(wording.say(one.says, layer), 1 - rest / whole)
        for one, made in _mistaken(right, keys)
        if np.isfinite(rest := _rest(moved, made))
    ]
    found.sort(key=lambda one: -one.share)
    told = list({one.says: one for one in reversed(found) if one.share > _LEAST}.values())[::-1]
    if not told:
        return (
            f"No mistake that is known here comes nearer to what {names} moved by than {title} "
            f"does, which leaves {_percent(whole)} of it."
        )
    each = "; ".join(f"{_percent(one.share)} if {one.says}" for one in told[:TOLD])
    return (
        f"Not proven, only nearest: of the difference between what {names} moved by and {title}, "
        f"this much would be explained: {each}."
    )


def _right(at: Made) -> Made:
    """The layer as it should be, from the layer above as it was made."""
    carried = [one if one.above is None else one.with_carry(one.carried()) for one in at]
    return tuple(one.with_delta(one.through()) for one in carried)


def _gradients(at: Made, keys: Sequence[Tensor]) -> Array:
    return np.concatenate(
        [(one.weight() if key[0] == "W" else one.bias()).ravel() for one in at for key in keys]
    )


def _rest(moved: Array, made: Array) -> float:
    """The part of the updates that is no multiple of these."""
    size, length = float(moved @ moved), float(made @ made)
    if moved.shape != made.shape or not size > 0 or not np.isfinite(length):
        return np.inf
    return 1 - (float(moved @ made) ** 2 / (size * length) if length > 0 else 0.0)


def _mistaken(right: Made, keys: Sequence[Tensor]) -> Iterator[tuple[Mistake, Array]]:
    """Each known mistake with the updates that it would make."""
    first = right[0]
    down = list(carries(first)) if first.above is not None else []
    with np.errstate(all="ignore"):
        for one in down:
            carried = _all(right, one)
            if carried is not None:
                at = [at.with_carry(value) for at, value in zip(right, carried, strict=True)]
                yield one, _gradients(tuple(at.with_delta(at.through()) for at in at), keys)
        for one in slopes(first):
            made = _all(right, one)
            if made is not None and all(v.shape == first.a.shape for v in made):
                at = [at.with_delta(value) for at, value in zip(right, made, strict=True)]
                yield one, _gradients(tuple(at), keys)
        for letter, known in (("W", weights), ("b", biases)):
            for one in known(first) if (letter, first.layer) in keys else ():
                made = _all(right, one)
                if made is not None:
                    yield one, _with(right, keys, letter, made)


def _all(right: Made, one: Mistake) -> list[Array] | None:
    found = [value for at in right if (value := one.value(at)) is not None]
    return found if len(found) == len(right) else None


def _with(right: Made, keys: Sequence[Tensor], letter: str, made: Sequence[Array]) -> Array:
    """The gradients, those of one kind as the mistake makes them."""

    def of(at: At, value: Array, kind: str) -> Array:
        return value if kind == letter else at.weight() if kind == "W" else at.bias()

    pairs = zip(right, made, strict=True)
    return np.concatenate([of(at, value, key[0]).ravel() for at, value in pairs for key in keys])


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
