"""Sums, means and extremes along axes.

A sum is a loop whose label is missing on the left: `s[n] = Z[n,k]`. A maximum reads the entry at
a computed place, `m[n] = Z[n, at[n]]`, so that its gradient returns to that one entry; ties go
to the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backpass.calculus.indexing import row_major
from backpass.calculus.op import RESULT, Op, Operand, Steps, register
from backpass.language.errors import ShapeError
from backpass.language.expr import ZERO, Label, Read, Term, divide, size_term
from backpass.language.program import (
    Array,
    ArrayFunction,
    Call,
    Step,
    Write,
    axis_labels,
    canonical,
)
from backpass.language.shapes import Shape, product, size

Axis = int | Sequence[int] | None
Labels = tuple[Label, ...]


def _array(operand: Operand, name: str) -> Array:
    if isinstance(operand, Array):
        return operand
    raise ShapeError(f"{name} of a single number")


def _axes(array: Array, axis: Axis) -> tuple[int, ...]:
    """The axes as positions from the front, each once; all of them for None."""
    rank = len(array.shape)
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, Sequence) else (axis,)
    for one in axes:
        if not -rank <= one < rank:
            raise ShapeError(f"axis {one} does not exist: the array has {rank} axes")
    return tuple(sorted({one % rank for one in axes}))


def _left(labels: Labels, axes: tuple[int, ...], keepdims: bool) -> tuple[tuple[Term, ...], Shape]:
    """The left side without some axes, or with length 1 for them, and the shape that it fills."""
    one = size(1)
    pairs = [(ZERO, one) if p in axes else (label, label.size) for p, label in enumerate(labels)]
    kept = pairs if keepdims else [pair for p, pair in enumerate(pairs) if p not in axes]
    return tuple(index for index, _ in kept), tuple(length for _, length in kept)


# Sums and means.


def _sum(a: Operand, axis: Axis = None, keepdims: bool = False) -> Steps:
    array = _array(a, "sum")
    labels = axis_labels(array.shape)
    left, shape = _left(labels, _axes(array, axis), keepdims)
    target = Array(RESULT, shape, "real" if array.kind == "real" else "int")
    return (canonical(Step(target, (Write(left, Read(array.name, labels), labels),))),)


def _mean(a: Operand, axis: Axis = None, keepdims: bool = False) -> Steps:
    array = _array(a, "mean")
    labels, axes = axis_labels(array.shape), _axes(array, axis)
    left, shape = _left(labels, axes, keepdims)
    count = product(array.shape[place] for place in axes)
    term = divide(Read(array.name, labels), size_term(count))
    return (canonical(Step(Array(RESULT, shape), (Write(left, term, labels),))),)


def _var(a: Operand, axis: Axis = None, keepdims: bool = False) -> Steps:
    array = _array(a, "var")
    labels, axes = axis_labels(array.shape), _axes(array, axis)
    stay = tuple(label for place, label in enumerate(labels) if place not in axes)
    (mean,) = _mean(a, axes)
    mean = replace(mean, target=replace(mean.target, name=f"mean_{RESULT}"))
    left, shape = _left(labels, axes, keepdims)
    count = size_term(product(array.shape[place] for place in axes))
    away = Read(array.name, labels) - Read(mean.name, stay)
    target = Array(RESULT, shape)
    return mean, canonical(Step(target, (Write(left, divide(away**2, count), labels),)))


sum = register(Op("sum", "Every entry counts once.", _sum, ("axis", "keepdims")))
mean = register(Op("mean", "The sum, shared out evenly.", _mean, ("axis", "keepdims")))
var = register(Op("var", "How far from their mean, squared.", _var, ("axis", "keepdims")))


# Places of extremes.


def _place(find: Callable[..., Any]) -> Callable[..., Any]:
    """argmax or argmin over several axes at once, as one flat place."""

    def value(array: Any, *, axes: tuple[int, ...]) -> Any:
        back = np.moveaxis(array, axes, range(-len(axes), 0))
        kept = back.ndim - len(axes)  # and no -1 for the rest: an array may be empty
        flat = back.reshape(*back.shape[:kept], math.prod(back.shape[kept:]))
        return find(flat, axis=-1)

    return value


ARGMAX = ArrayFunction("argmax", _place(np.argmax))
ARGMIN = ArrayFunction("argmin", _place(np.argmin))


def _find(array: Array, axis: int, function: ArrayFunction, target: str) -> Step:
    """The step that computes the place of the extreme entry along one axis."""
    labels = axis_labels(array.shape)
    over, stay = labels[axis], (*labels[:axis], *labels[axis + 1 :])
    call = Call(function, (Read(array.name, labels),), stay, (over,))
    return Step(Array(target, tuple(label.size for label in stay), "int", over.size), call)


def _place_of(a: Operand, axis: Axis, function: ArrayFunction) -> Steps:
    array = _array(a, function.name)
    axes = _axes(array, axis)
    if not axes:
        raise ShapeError(f"{function.name} of a single number")
    if len(axes) == 1:
        return (_find(array, axes[0], function, RESULT),)
    joined = _joined(array, axis_labels(array.shape), axes)
    return (joined, _find(joined.target, len(array.shape) - len(axes), function, RESULT))


def _joined(array: Array, labels: Labels, axes: tuple[int, ...]) -> Step:
    """Several axes as one, at the end."""
    stay = tuple(label for place, label in enumerate(labels) if place not in axes)
    over = tuple(labels[place] for place in axes)
    shape = (*(label.size for label in stay), product(label.size for label in over))
    write = Write((*stay, row_major(over)), Read(array.name, labels), labels)
    return Step(Array(f"flat_{RESULT}", shape, array.kind), (write,))


def _argmax(a: Operand, axis: Axis = None) -> Steps:
    return _place_of(a, axis, ARGMAX)


def _argmin(a: Operand, axis: Axis = None) -> Steps:
    return _place_of(a, axis, ARGMIN)


argmax = register(Op("argmax", "A place, and places have no slope.", _argmax, ("axis",)))
argmin = register(Op("argmin", "A place, and places have no slope.", _argmin, ("axis",)))


# Extremes: the entry at that place.


def _extreme(a: Operand, axis: Axis, keepdims: bool, function: ArrayFunction) -> Steps:
    array = _array(a, function.name[3:])
    axes = _axes(array, axis)
    if not axes:
        raise ShapeError(f"{function.name[3:]} of a single number")
    labels = axis_labels(array.shape)
    left, shape = _left(labels, axes, keepdims)
    stay = tuple(label for place, label in enumerate(labels) if place not in axes)
    at = Read(f"{function.name}_{RESULT}", stay)
    if len(axes) == 1:
        before, source, place = (), array, axes[0]
        index = (*labels[:place], at, *labels[place + 1 :])
    else:
        before = (_joined(array, labels, axes),)
        source, place, index = before[0].target, len(stay), (*stay, at)
    pick = Step(Array(RESULT, shape), (Write(left, Read(source.name, index), stay),))
    return (*before, _find(source, place, function, at.name), pick)


def _max(a: Operand, axis: Axis = None, keepdims: bool = False) -> Steps:
    return _extreme(a, axis, keepdims, ARGMAX)


def _min(a: Operand, axis: Axis = None, keepdims: bool = False) -> Steps:
    return _extreme(a, axis, keepdims, ARGMIN)


max = register(Op("max", "The largest entry alone has a slope.", _max, ("axis", "keepdims")))
min = register(Op("min", "The smallest entry alone has a slope.", _min, ("axis", "keepdims")))
