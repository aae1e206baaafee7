"""How weights follow their gradients: an update rule is index notation, as everything else.

    >>> print(bp.SGD(0.1))
    SGD(lr=0.1)
      W′[k,j] = W[k,j] - lr * dW[k,j]

A rule speaks of one weight W and its gradient dW. The names that it assigns end in ′; those
beside W are state that it keeps from step to step and that starts at zero (a velocity, say). A
name without ′ is needed within the step alone, and one without labels, such as the number of the
step in `t′ = t + 1`, is the same for all weights. Every other name is a field of the optimiser.
The rules become steps behind the backward pass, so that all gradients are there before the first
weight changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np

from backpass.calculus.op import SCALARS
from backpass.language.errors import BackpassError
from backpass.language.notation import parse_step
from backpass.language.program import Array, Program, Step, canonical, fresh, rename_step
from backpass.language.shapes import Shape
from backpass.nn.schedules import Place, Schedule, above_zero, described, is_number
from backpass.running.epoch import Arrays

PRIME = "′"
WEIGHT = "W"
DECAY = "(1 - lr * weight_decay) * "  # of a weight; a bias, which has one axis, does not decay
OVER_ALL = " += "  # a rule that adds up over all weights
BY_VALUE = ("G[k,j] = clip(dW[k,j], -clip_value, clip_value)",)
BY_NORM = (
    "Q += dW[k,j]**2",
    "s = minimum(1, clip_norm / (Q**(1/2) + 1e-6))",
    "G[k,j] = s * dW[k,j]",
)


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its numbers; a subclass states `rules` and names its numbers as fields.

    `clip_value` holds each entry of the gradients within ±it. `clip_norm` scales all gradients
    down together where the root of the sum of all their squares is larger (Pascanu, Mikolov and
    Bengio, 2013), with PyTorch's 1e-6 beside the norm.
    """

    clip_value: float | None = field(default=None, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.clip_value is not None and self.clip_norm is not None:
            raise BackpassError("clip_value and clip_norm are two ways to clip; give one of them")
        for name in ("clip_value", "clip_norm"):
            if getattr(self, name) is not None:
                above_zero(name, getattr(self, name))

    rules: ClassVar[tuple[str, ...]] = ()

    @property
    def followed(self) -> tuple[str, ...]:
        """The rules that these numbers make; all of them, unless a subclass chooses."""
        return self.rules

    @property
    def lines(self) -> tuple[str, ...]:
        """All that happens at a step: the clipping, and the rules of what is left of dW."""
        clipping = BY_VALUE if self.clip_value is not None else BY_NORM
        if self.clip_value is None and self.clip_norm is None:
            return self.followed
        return (*clipping, *(re.sub(r"\bdW\b", "G", rule) for rule in self.followed))

    @property
    def numbers(self) -> dict[str, Any]:
        """The fields that the rules read, by name."""
        return {name: getattr(self, name) for name in _numbers(type(self), self.lines)}

    @property
    def state(self) -> tuple[str, ...]:
        """What is kept from step to step of every weight."""
        return tuple(name for name in self._kept("[") if name != WEIGHT)

    @property
    def counts(self) -> tuple[str, ...]:
        """What is kept from step to step once for all weights."""
        return self._kept("")

    def values(self, place: Place, dtype: Any) -> Arrays:
        """What the rules read in the epoch at this place: one value, or one for every step."""
        return {
            name: np.asarray(one.rates(place) if isinstance(one, Schedule) else one, dtype)
            for name, one in self.numbers.items()
        }

    @property
    def settings(self) -> dict[str, Any]:
        """All fields as JSON can hold them."""
        return {one.name: described(getattr(self, one.name)) for one in fields(self)}

    def _kept(self, bracket: str) -> tuple[str, ...]:
        names = (re.match(r"(\w+)′(\[?)", rule) for rule in self.lines)
        return tuple(found[1] for found in names if found and found[2] == bracket)

    def __str__(self) -> str:
        own = sorted(fields(self), key=lambda one: bool(one.kw_only))  # clipping last
        said = ", ".join(
            f"{one.name}={_number(value)}"
            for one in own
            if (value := getattr(self, one.name)) != one.default or one.name in self.numbers
        )
        lines = [f"{type(self).__name__}({said})", *(f"  {line}" for line in self.lines)]
        if any(DECAY in line for line in self.lines):
            lines.append("  (a bias does not decay)")
        return "\n".join(lines)


@cache
def _numbers(kind: type[Optimizer], lines: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of an optimiser that its lines read; asked for in every epoch."""
    read = set(re.findall(r"\w+", " ".join(lines)))
    return tuple(one.name for one in fields(kind) if one.name in read)


def share(name: str, value: float) -> None:
    """Refuse a number outside of 0 to below 1."""
    if not (is_number(value) and 0 <= value < 1):
        raise BackpassError(f"{name}={value!r:.40} is not valid; give a number from 0 to below 1")


def state_name(state: str, weight: str) -> str:
    """What a weight's own state is called: the V of W1 is V_W1."""
    return f"{state}_{weight}"


def first_state(optimizer: Optimizer, weights: Arrays, dtype: Any) -> Arrays:
    """The state before the first step: zeros."""
    own = {
        state_name(name, one): np.zeros_like(values)
        for one, values in weights.items()
        for name in optimizer.state
    }
    return own | {name: np.zeros((), dtype) for name in optimizer.counts}


def updated(optimizer: Optimizer, weights: Iterable[str]) -> list[str]:
    """The weights and their state, in the order in which an update gives them."""
    weights = list(weights) if optimizer.lines else []  # what SciPy updates has no rules
    own = [state_name(name, one) for one in weights for name in optimizer.state]
    return [*weights, *own, *optimizer.counts]


def with_updates(
    program: Program, gradients: Mapping[str, str], optimizer: Optimizer, shown: Sequence[str]
) -> Program:
    """A program that computes gradients, followed by the update of every weight.

    It takes the optimiser's numbers and state besides, and gives `shown` and then what
    `updated` lists.
    """
    scalars = [Array(name, ()) for name in (*optimizer.numbers, *optimizer.counts)]
    own = [
        Array(state_name(name, weight), program.arrays[weight].shape)
        for weight in gradients
        for name in optimizer.state
    ]
    steps = list(_shared(program, gradients, optimizer))
    for weight, gradient in gradients.items():
        steps += _updates(optimizer, weight, gradient, program.arrays[weight].shape)
    given = {step.name for step in steps}
    for name in updated(optimizer, gradients):
        if name + PRIME not in given:
            rules = "; ".join(optimizer.lines)
            raise BackpassError(
                f"the rule of {type(optimizer).__name__}, {rules}, gives no {name}′: every weight "
                "and all state have a line of their own, such as W′[k,j] = …"
            )
    taken = [*program.arrays, *(one.name for one in (*scalars, *own))]
    new = {name: fresh(name, taken) for step in steps if (name := step.name) in taken}
    steps = [rename_step(step, new) for step in steps] if new else steps
    return Program(
        (*program.inputs, *scalars, *own),
        (*program.steps, *steps),
        (*shown, *(name + PRIME for name in updated(optimizer, gradients))),
        program.constants,
    )


def _shared(program: Program, gradients: Mapping[str, str], optimizer: Optimizer) -> Iterator[Step]:
    """The rules that are followed once for all weights."""
    scalars = dict.fromkeys((*_scalars(optimizer), f"d{WEIGHT}"), ())
    for rule in optimizer.lines:
        if OVER_ALL in rule:
            parts = [
                _step(rule.replace(OVER_ALL, " = "), program.arrays[weight].shape,
                      scalars, {f"d{WEIGHT}": gradient})
                for weight, gradient in gradients.items()
            ]  # fmt: skip
            yield canonical(
                Step(parts[0].target, tuple(one for part in parts for one in part.writes))
            )
        elif "[" not in rule:
            yield canonical(parse_step(rule, scalars, SCALARS))


def _updates(optimizer: Optimizer, weight: str, gradient: str, shape: Shape) -> Iterator[Step]:
    """The rules for one weight."""
    own = [found[1] for rule in optimizer.lines if (found := re.match(r"(\w+′?)\[", rule))]
    names = {name: state_name(name.removesuffix(PRIME), weight) for name in own}
    names |= {name: state_name(name, weight) for name in optimizer.state}
    names |= {WEIGHT: weight, WEIGHT + PRIME: weight, f"d{WEIGHT}": gradient}
    names = {old: new + PRIME * old.endswith(PRIME) for old, new in names.items()}
    scalars = dict.fromkeys(_scalars(optimizer), ())
    for rule in optimizer.lines:
        if "[" in rule and OVER_ALL not in rule:
            rule = rule if len(shape) > 1 else rule.replace(DECAY, "")
            yield _step(rule, shape, scalars | dict.fromkeys(names, shape), names)


def _step(rule: str, shape: Shape, shapes: Mapping[str, Shape], names: Mapping[str, str]) -> Step:
    """A rule over one weight; for a bias the labels of the axes it lacks are left out."""
    labels = ",".join("kj"[2 - len(shape) :])
    step = parse_step(
        rule.replace("[k,j]", f"[{labels}]"), {**shapes, f"d{WEIGHT}": shape}, SCALARS
    )
    return canonical(rename_step(step, names))


def _scalars(optimizer: Optimizer) -> list[str]:
    """The names of the rules that stand for single numbers."""
    made = [found[1] for rule in optimizer.lines if (found := re.match(r"(\w+′?) \+?= ", rule))]
    return [*optimizer.numbers, *optimizer.counts, *made]


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
