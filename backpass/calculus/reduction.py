"""Sums, means and extremes along axes.

A sum is a form: its label is missing on the left. A maximum reads the entry at a computed
place, `m[n] = Z[n, am[n]]`, so that its gradient returns to that one entry; ties go to the first.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from backpass.calculus.op import RESULT, Op, Operand, Steps, register
from backpass.language.errors import ShapeError
from backpass.language.expr import Label, Read, divide, size_term
from backpass.language.program import Array, ArrayFunction, Call, Step, Write, axis_labels, canonical
from backpass.language.shapes import Shape, product, size

Axes = tuple[int, ...] | None


def axes_of(operand: Array, axis: Axes) -> tuple[int, ...]:
    """The axes as positions from the front, each once; all of them for None."""
    rank = len(operand.shape)
    if axis is None:
        return tuple(range(rank))
    for one in axis:
        if not -rank <= one < rank:
            raise ShapeError(f"axis {one} does not exist: the array has {rank} axes")
    return tuple(sorted({one % rank for one in axis}))


def kept_labels(
    labels: tuple[Label, ...], axes: tuple[int, ...], keepdims: bool
) -> tuple[tuple[Label, ...], tuple[Any, ...], Shape]:
    """The labels that stay, the left side, and the result's shape."""
    stay = tuple(label for place, label in enumerate(labels) if place not in axes)
    if not keepdims:
        return stay, stay, tuple(label.size for label in stay)
    left = tuple(
        size_term(0) if place in axes else label for place, label in enumerate(labels)
    )
    shape = tuple(size(1) if p in axes else label.size for p, label in enumerate(labels))
    return stay, left, shape


def _reduce(operand: Operand, axis: Axes, keepdims: bool, mean: bool) -> Steps:
    if not isinstance(operand, Array):
        operand = Array("0", ())
    axes = axes_of(operand, axis)
    labels = axis_labels(operand.shape)
    _, left, shape = kept_labels(labels, axes, keepdims)
    term = Read(operand.name, labels)
    if mean:
        count = product(operand.shape[place] for place in axes)
        value = divide(term, size_term(count))
    else:
        value = term
    kind = "real" if mean or operand.kind == "real" else "int"
    return (canonical(Step(Array(RESULT, shape, kind), (Write(left, value, labels),))),)


def _sum(a: Operand, axis: Axes = None, keepdims: bool = False) -> Steps:
    return _reduce(a, axis, keepdims, mean=False)


def _mean(a: Operand, axis: Axes = None, keepdims: bool = False) -> Steps:
    return _reduce(a, axis, keepdims, mean=True)


sum = register(Op("sum", "Every entry counts once.", _sum, ("axis", "keepdims")))
mean = register(Op("mean", "The sum, shared out evenly.", _mean, ("axis", "keepdims")))


def _place(find: Any) -> Any:
    """argmax or argmin over several axes at once, as one flat place."""

    def value(array: Any, *, axes: tuple[int, ...]) -> Any:
        back = np.moveaxis(array, axes, range(-len(axes), 0))
        kept = back.ndim - len(axes)  # and no -1 for the rest: an array may be empty
        flat = back.reshape(*back.shape[:kept], math.prod(back.shape[kept:]))
        return find(flat, axis=-1)

    return value


ARGMAX = ArrayFunction("argmax", _place(np.argmax))
ARGMIN = ArrayFunction("argmin", _place(np.argmin))


def _find(operand: Array, axis: Axes, function: ArrayFunction, target: str) -> Step:
    """The place of the extreme entry along one axis, or along all of a flat array."""
    axes = axes_of(operand, axis)
    if not axes:
        raise ShapeError(f"{function.name} of a single number")
    if len(axes) > 1:
        raise ShapeError(f"{function.name[3:]} over several axes: reshape them to one first")
    labels = axis_labels(operand.shape)
    stay, _, shape = kept_labels(labels, axes, False)
    over = tuple(labels[place] for place in axes)
    call = Call(function, (Read(operand.name, labels),), stay, over)
    return Step(Array(target, shape, "int", over[0].size), call)


def _extreme(operand: Operand, axis: Axes, keepdims: bool, function: ArrayFunction) -> Steps:
    if not isinstance(operand, Array) or not operand.shape:
        raise ShapeError(f"{function.name[3:]} of a single number")
    place = f"{function.name}_{RESULT}"
    steps: tuple[Step, ...] = ()
    if len(operand.shape) > 1 and len(axes_of(operand, axis)) > 1:
        if len(axes_of(operand, axis)) < len(operand.shape):
            raise ShapeError(f"{function.name[3:]} over some of many axes: reshape them to one first")
        flat = flatten(operand, f"flat_{RESULT}")
        steps, shape, operand = (flat,), operand.shape, flat.target
        if keepdims:
            raise ShapeError(f"{function.name[3:]} of everything with keepdims: reshape the result")
    axes = axes_of(operand, axis if len(operand.shape) > 1 else None)
    labels = axis_labels(operand.shape)
    stay, left, shape = kept_labels(labels, axes, keepdims)
    at = Read(place, stay)
    index = tuple(at if p in axes else label for p, label in enumerate(labels))
    pick = Step(Array(RESULT, shape), (Write(left, Read(operand.name, index), stay),))
    return (*steps, _find(operand, axes, function, place), pick)


def flatten(operand: Array, target: str) -> Step:
    """All axes as one, the last one running fastest."""
    labels = axis_labels(operand.shape)
    place = size_term(0)
    for label in labels:
        place = place * size_term(label.size) + label
    flat = Array(target, (product(operand.shape),), operand.kind)
    return Step(flat, (Write((place,), Read(operand.name, labels), labels),))


def _max(a: Operand, axis: Axes = None, keepdims: bool = False) -> Steps:
    return _extreme(a, axis, keepdims, ARGMAX)


def _min(a: Operand, axis: Axes = None, keepdims: bool = False) -> Steps:
    return _extreme(a, axis, keepdims, ARGMIN)


max = register(Op("max", "The largest entry alone has a slope.", _max, ("axis", "keepdims")))
min = register(Op("min", "The smallest entry alone has a slope.", _min, ("axis", "keepdims")))


def _argmax(a: Operand, axis: Axes = None) -> Steps:
    assert isinstance(a, Array)
    return (_find(a, axis, ARGMAX, RESULT),)


def _argmin(a: Operand, axis: Axes = None) -> Steps:
    assert isinstance(a, Array)
    return (_find(a, axis, ARGMIN, RESULT),)


argmax = register(Op("argmax", "A place, and places have no slope.", _argmax, ("axis",)))
argmin = register(Op("argmin", "A place, and places have no slope.", _argmin, ("axis",)))
