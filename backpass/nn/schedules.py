"""How the learning rate changes while a network is trained: a value for every step.

    optimizer=bp.SGD(bp.Cosine(0.5), momentum=0.9)
    optimizer=bp.Adam(bp.WarmUp(bp.Cosine(0.01), epochs=2))

A schedule stands where a rate would. It counts epochs from when the network was made, so that
fitting again goes on; a part of an epoch counts where the formula says e, and only whole epochs
where it says ⌊e⌋.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """An epoch that is about to be walked through, seen by a schedule.

    `epochs` were done since the network was made, `epoch` of them in this training, which has
    `total`. There are `steps` to take, over `samples` samples. The rate was divided by `slowed`
    so far, where it follows what is learnt.
    """

    epochs: int
    epoch: int
    total: int
    steps: int
    samples: int
    slowed: float = 1.0

    @property
    def passed(self) -> Array:
        """The epochs before each step since the network was made, with their parts."""
        return self.epochs + np.arange(self.steps) / self.steps


@dataclass(frozen=True)
class Schedule:
    """The learning rate `lr`, and what becomes of it."""

    lr: float

    def __post_init__(self) -> None:
        above_zero("lr", self.lr)

    def rates(self, place: Place) -> Array:
        """The rate of each step of an epoch."""
        raise NotImplementedError(f"{type(self).__name__} gives no rates")

    def __str__(self) -> str:
        own = [one for one in fields(self) if getattr(self, one.name) != one.default]
        said = ", ".join(f"{one.name}={_said(getattr(self, one.name))}" for one in own)
        return f"{type(self).__name__}({said})"


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step, as if it were given without a schedule."""

    def rates(self, place: Place) -> Array:
        return np.full(place.steps, self.lr)


@dataclass(frozen=True)
class StepDecay(Schedule):
    """Every few epochs a share of the rate remains: lr · factor^⌊e / every⌋."""

    every: int = 10
    factor: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("every", self.every)
        above_zero("factor", self.factor)

    def rates(self, place: Place) -> Array:
        return np.full(place.steps, self.lr * self.factor ** (place.epochs // self.every))


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """Every epoch the same share of the rate remains: lr · factor^⌊e⌋."""

    factor: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("factor", self.factor)

    def rates(self, place: Place) -> Array:
        return np.full(place.steps, self.lr * self.factor**place.epochs)


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """lr / (1 + n ⌊e⌋)^power for n samples: scikit-learn's "invscaling", with its power_t."""

    power: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("power", self.power)

    def rates(self, place: Place) -> Array:
        seen = place.epochs * place.samples
        return np.full(place.steps, self.lr / (1 + seen) ** self.power)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a wave down: lowest + (lr − lowest) · (1 + cos(π e / epochs)) / 2.

    Loshchilov and Hutter, 2017, without restarts. Without `epochs` it is as long as the training
    that it is used for, and counts from its start; after its end the rate stays at `lowest`.
    """

    epochs: float | None = None
    lowest: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epochs is not None:
            above_zero("epochs", self.epochs)
        if not 0 <= self.lowest <= self.lr:
            raise BackpassError(f"lowest={self.lowest} does not lie between 0 and lr={self.lr}")

    def rates(self, place: Place) -> Array:
        length = self.epochs or place.total
        passed = place.passed if self.epochs else place.passed - (place.epochs - place.epoch)
        wave = (1 + np.cos(np.pi * np.minimum(passed / length, 1))) / 2
        return self.lowest + (self.lr - self.lowest) * wave


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Up in a straight line from nothing for the first epochs, then as `lr` says.

    `lr` is a rate or another schedule, which is multiplied by (e + one step) / epochs until that
    is 1 (Goyal and others, 2017, section 2.2).
    """

    lr: Any
    epochs: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("epochs", self.epochs)

    def rates(self, place: Place) -> Array:
        then = self.lr if isinstance(self.lr, Schedule) else Constant(self.lr)
        return then.rates(place) * np.minimum((place.passed + 1 / place.steps) / self.epochs, 1)


@dataclass(frozen=True)
class Adaptive(Schedule):
    """The rate is divided by `factor` whenever the loss has not fallen for `patience` epochs.

    To fall is to be lower than ever by more than `tol`. Once the rate is not above `smallest`,
    training stops instead. This is scikit-learn's "adaptive", whose n_iter_no_change is
    patience − 1. `monitor` is the curve of the History that is watched.
    """

    patience: int = 10
    tol: float = 1e-4
    factor: float = 5.0
    smallest: float = 1e-6
    monitor: str = "loss"

    def __post_init__(self) -> None:
        super().__post_init__()
        above_zero("patience", self.patience)
        if not 1 < self.factor < float("inf"):
            raise BackpassError(f"factor={self.factor} is not valid; give a number above 1")

    def rates(self, place: Place) -> Array:
        return np.full(place.steps, self.lr / place.slowed)


SCHEDULES: dict[str, type[Schedule]] = {
    one.__name__: one
    for one in (Constant, StepDecay, ExponentialDecay, InverseScaling, Cosine, WarmUp, Adaptive)
}
KIND = "schedule"


def described(value: Any) -> Any:
    """A rate or a schedule as JSON can hold it."""
    if not isinstance(value, Schedule):
        return value
    own = {one.name: described(getattr(value, one.name)) for one in fields(value)}
    return {KIND: type(value).__name__, **own}


def restored_rate(value: Any) -> Any:
    """What `described` was given; KeyError and TypeError for what it does not write."""
    if not isinstance(value, Mapping):
        return value
    own: dict[str, Any] = {name: restored_rate(one) for name, one in value.items()}
    return SCHEDULES[own.pop(KIND)](**own)


def adaptive(rate: Any) -> Adaptive | None:
    """The part of a schedule that follows what is learnt, if it has one."""
    if isinstance(rate, WarmUp):
        return adaptive(rate.lr)
    return rate if isinstance(rate, Adaptive) else None


def is_number(value: Any) -> bool:
    """Whether this is a real number; True is none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def above_zero(name: str, value: Any) -> None:
    """Refuse what is neither a number above 0 nor, for a learning rate, a schedule."""
    if name == "lr" and isinstance(value, Schedule):
        return
    if not (is_number(value) and 0 < value < math.inf):
        what = "no learning rate" if name == "lr" else "not valid"
        raise BackpassError(f"{name}={value!r:.40} is {what}; give a number above 0")


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
