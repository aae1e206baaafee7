"""How weights follow their gradients: an update rule is index notation, as everything else.

    >>> print(bp.SGD(0.1))
    SGD(lr=0.1)
      W′[k,j] = W[k,j] - lr * dW[k,j]

A rule speaks of one weight W and its gradient dW. The names that it assigns end in ′; those
beside W are state that it keeps from step to step and that starts at zero (a velocity, say).
Every other name is a field of the optimiser. The rules become steps behind the backward pass,
so that all gradients are there before the first weight changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import ClassVar

from backpass.language.errors import BackpassError
from backpass.language.notation import parse_step
from backpass.language.program import Array, Program, Step, canonical, rename_step
from backpass.language.shapes import Shape

PRIME = "′"
WEIGHT = "W"


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its numbers; a subclass states `rules` and names its numbers as fields."""

    rules: ClassVar[tuple[str, ...]] = ()

    @property
    def numbers(self) -> dict[str, float]:
        """The fields by name: what the rules read besides W, dW and their state."""
        return asdict(self)

    @property
    def state(self) -> tuple[str, ...]:
        """What is kept from step to step besides the weight."""
        names = (rule.split("[", 1)[0].removesuffix(PRIME) for rule in self.rules)
        return tuple(name for name in names if name != WEIGHT)

    def __str__(self) -> str:
        numbers = ", ".join(f"{name}={value:g}" for name, value in self.numbers.items())
        return "\n".join([f"{type(self).__name__}({numbers})", *(f"  {one}" for one in self.rules)])


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent: a step of `lr` against the gradient of a few samples at a time."""

    lr: float = 0.01

    rules: ClassVar[tuple[str, ...]] = ("W′[k,j] = W[k,j] - lr * dW[k,j]",)

    def __post_init__(self) -> None:
        if not 0 < self.lr < float("inf"):
            raise BackpassError(f"lr={self.lr} is no learning rate; give a number above 0")


OPTIMIZERS: dict[str, type[Optimizer]] = {"SGD": SGD}


def state_name(state: str, weight: str) -> str:
    """What a weight's own state is called: the V of W1 is V_W1."""
    return f"{state}_{weight}"


def with_updates(
    program: Program, gradients: Mapping[str, str], optimizer: Optimizer, shown: Sequence[str]
) -> Program:
    """A program that computes gradients, followed by the update of every weight.

    It takes the optimiser's numbers and state besides, and gives `shown` and then what
    `updated` lists.
    """
    numbers = tuple(Array(field.name, ()) for field in fields(optimizer))
    state: list[Array] = []
    steps: list[Step] = []
    for weight, gradient in gradients.items():
        shape = program.arrays[weight].shape
        state += [Array(state_name(name, weight), shape) for name in optimizer.state]
        steps += _updates(optimizer, weight, gradient, shape)
    return Program(
        (*program.inputs, *numbers, *state),
        (*program.steps, *steps),
        (*shown, *(name + PRIME for name in updated(optimizer, gradients))),
        program.constants,
    )


def updated(optimizer: Optimizer, weights: Iterable[str]) -> list[str]:
    """The weights and their state, in the order in which an update gives them."""
    weights = list(weights)
    return [*weights, *(state_name(name, one) for one in weights for name in optimizer.state)]


def _updates(optimizer: Optimizer, weight: str, gradient: str, shape: Shape) -> Iterator[Step]:
    """The rules for one weight; for a bias the labels of the axes it lacks are left out."""
    names = {WEIGHT: weight, f"d{WEIGHT}": gradient}
    names |= {name: state_name(name, weight) for name in optimizer.state}
    names |= {name + PRIME: names[name] + PRIME for name in (WEIGHT, *optimizer.state)}
    shapes = dict.fromkeys(names, shape) | {field.name: () for field in fields(optimizer)}
    labels = ",".join("kj"[2 - len(shape) :])
    for rule in optimizer.rules:
        step = parse_step(rule.replace("[k,j]", f"[{labels}]"), shapes)
        yield canonical(rename_step(step, names))
