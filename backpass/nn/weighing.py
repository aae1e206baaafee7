"""Samples that count unequally, in a loss that a formula states.

Each sum and each mean over samples in it becomes one by their weights. Where these are is seen on
numbers, and on numbers the outcome is held to what it has to be: the losses of single samples, by
their weights. What is no sum and no mean over samples, such as √Σ, does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from backpass.language.errors import BackpassError

Function = Callable[..., Any]
Formula = Callable[[Mapping[str, Function], Any, Any], Any]  # of functions, output, target
REDUCING = "sum", "mean"
SAMPLES, OUTPUTS = 7, 4  # of a run that tells which axis is which


def weighted(
    formula: Formula,
    functions: Mapping[str, Function],
    known: Mapping[str, Function],
    sums: bool,
) -> Callable[[Any, Any, Any], Any] | None:
    """The loss by weights; None where it neither adds the losses of samples nor averages them.

    `known` are losses by weights, of an output, a target and weights, whose name it may call.
    """

    def loss(output: Any, target: Any, weight: Any) -> Any:
        turns = iter(axes)
        own = {name: _by_weight(name, functions, weight, turns) for name in REDUCING}
        own |= {name: _known(name, functions, known, weight, turns) for name in known}
        return formula({**functions, **own}, output, target)

    try:
        with np.errstate(all="ignore"):
            axes = _sample_axes(formula, functions, known)
            right = all(_agrees(loss, formula, functions, sums, *one) for one in ((5, 3), (4, 1)))
    except (BackpassError, IndexError, TypeError, ValueError):
        return None  # what is wrong with the formula is said when it is derived
    return loss if right else None


def _sample_axes(
    formula: Formula, functions: Mapping[str, Function], known: Mapping[str, Function]
) -> Sequence[int | None]:
    """For each sum, mean and known loss in turn the axis of samples, where it goes over that."""
    found: list[int | None] = []

    def watched(name: str) -> Function:
        def reduced(x: Any, *others: Any, **options: Any) -> Any:
            axis = options.get("axis", others[0] if others and name in REDUCING else None)
            shape = np.shape(x)
            place = shape.index(SAMPLES) if SAMPLES in shape else None
            found.append(place if place in _reduced(shape, axis) else None)
            return functions[name](x, *others, **options)

        return reduced

    output, target = np.random.default_rng(0).uniform(0.1, 0.9, (2, SAMPLES, OUTPUTS))
    watching = {name: watched(name) for name in (*REDUCING, *known)}
    formula({**functions, **watching}, output, target)
    return found


def _by_weight(
    name: str, functions: Mapping[str, Function], weight: Any, turns: Iterator[int | None]
) -> Function:
    """A sum or a mean in which samples count by their weights, where it goes over samples."""

    def reduced(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        place = next(turns)
        options = {"axis": axis, "keepdims": keepdims}
        if place is None:
            return functions[name](x, **options)
        along = (*(None,) * place, slice(None), *(None,) * (x.ndim - place - 1))
        if name == "sum":
            return functions["sum"](weight[along] * x, **options)
        beside = prod(x.shape[one] for one in _reduced(x.shape, axis) if one != place)
        total = functions["sum"](weight)
        return functions["sum"](weight[along] * x, **options) / (total * beside)

    return reduced


def _known(
    name: str, functions: Mapping[str, Function], known: Mapping[str, Function], weight: Any,
    turns: Iterator[int | None],
) -> Function:  # fmt: skip
    """A loss of samples by weights."""

    def judged(output: Any, *others: Any) -> Any:
        if next(turns) is None or len(others) != 1:
            return functions[name](output, *others)
        return known[name](output, *others, weight)

    return judged


def _reduced(shape: Sequence[int], axis: Any) -> tuple[int, ...]:
    """The axes that are summed over, from 0."""
    if axis is None:
        return tuple(range(len(shape)))
    several = axis if isinstance(axis, tuple) else (axis,)
    return tuple(one % len(shape) for one in several)


def _agrees(
    loss: Function, formula: Formula, functions: Mapping[str, Function],
    sums: bool, samples: int, outputs: int,
) -> bool:  # fmt: skip
    """Whether the loss by weights is that of the samples one by one, by their weights."""
    random = np.random.default_rng(1)
    output, target = random.uniform(0.1, 0.9, (2, samples, outputs))
    weight = random.uniform(0.5, 2, samples)
    each = [formula(functions, output[i : i + 1], target[i : i + 1]) for i in range(samples)]
    wanted = weight @ np.array(each, float)
    return bool(np.isclose(loss(output, target, weight), wanted / (1 if sums else weight.sum()),
                           rtol=1e-9, atol=0))  # fmt: skip
