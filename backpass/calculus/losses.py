"""Losses: each is one number, said as it is computed and with the gradient that people know.

`half_sum_of_squares` and `sum_of_squares` add up; `mse`, `mae` and `huber` average all entries;
cross-entropies average samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backpass.calculus.elementwise import log, sigmoid
from backpass.calculus.fused import LABELS, SHARES, WEIGHTS
from backpass.calculus.op import RESULT, Op, Operand, Steps, form, named, register, scalar
from backpass.calculus.whole import apply
from backpass.language.errors import ShapeError
from backpass.language.expr import (
    Label,

    Read,
    Term,
    divide,
    multiply,
    number,
    size_term,
)
from backpass.language.program import Array, Step, Write, axis_labels
from backpass.language.shapes import product, show_shape

half_sum_of_squares = named(
    "half_sum_of_squares",
    form("L = 1/2 * (a[...] - y[...]) ** 2", "½Σ(a − y)²: the ½ is there to meet the 2."),
)
sum_of_squares = named(
    "sum_of_squares", form("L = (a[...] - y[...]) ** 2", "Σ(a − y)², with the slope 2(a − y).")
)


def _same_shape(a: Operand, y: Operand, name: str) -> tuple[Array, Array]:
    if not (isinstance(a, Array) and isinstance(y, Array) and a.shape == y.shape):
        shapes = [show_shape(one.shape) if isinstance(one, Array) else "a number" for one in (a, y)]
        raise ShapeError(
            f"{name} compares entry by entry, and {shapes[0]} is not {shapes[1]}; "
            "reshape one to the other's shape"
        )
    return a, y


def _average(entry: Callable[[Read, Read], Term], a: Array, y: Array) -> Steps:
    """The mean over all entries of a function of two arrays of one shape."""
    labels = axis_labels(a.shape)
    term = entry(Read(a.name, labels), Read(y.name, labels))
    term = divide(term, size_term(product(a.shape)))
    return (Step(Array(RESULT, ()), (Write((), term, labels),)),)


def _mse(a: Operand, y: Operand) -> Steps:
    return _average(lambda p, t: (p - t) ** 2, *_same_shape(a, y, "mse"))


def _mae(a: Operand, y: Operand) -> Steps:
    from backpass.calculus.elementwise import absolute

    return _average(lambda p, t: absolute(p - t), *_same_shape(a, y, "mae"))


@scalar(
    "y = huber_entry(e, delta)",
    value=lambda e, d: np.where(np.abs(e) <= d, 0.5 * e * e, d * (np.abs(e) - 0.5 * d)),
)
def huber_entry(e: Term, delta: Term, dy: Term) -> tuple[Term, ...]:
    """A parabola that turns into a straight line `delta` away from zero."""
    from backpass.calculus.elementwise import clip, maximum, absolute

    return dy * clip(e, -delta, delta), dy * maximum(absolute(e) - delta, 0)


def _huber(a: Operand, y: Operand, delta: Operand | float = 1.0) -> Steps:
    bound = number(delta) if isinstance(delta, (int, float)) else delta
    assert not isinstance(bound, Array)
    return _average(lambda p, t: huber_entry(p - t, bound), *_same_shape(a, y, "huber"))


mse = register(Op("mse", "The mean of the squares over all entries.", _mse))
mae = register(Op("mae", "The mean distance over all entries.", _mae))
huber = register(Op("huber", "Squares near zero, distances far off.", _huber, ("delta",)))


def _cross_entropy(logits: Operand, target: Operand) -> Steps:
    if not (isinstance(logits, Array) and isinstance(target, Array) and logits.shape):
        raise ShapeError("cross_entropy takes an array of logits and an array of targets")
    if target.kind == "int" and target.shape == logits.shape[:-1]:
        return (apply(LABELS, (logits, target), len(logits.shape) - 1),)
    if target.shape == logits.shape:
        return (apply(SHARES, (logits, target), len(logits.shape) - 1),)
    raise ShapeError(
        f"cross_entropy of logits {show_shape(logits.shape)} takes integer labels "
        f"{show_shape(logits.shape[:-1])} or rows of probabilities {show_shape(logits.shape)}, "
        f"not {target.kind} {show_shape(target.shape)}"
    )


def _cross_entropy_from_probabilities(p: Operand, target: Operand) -> Steps:
    if not (isinstance(p, Array) and isinstance(target, Array) and p.shape):
        raise ShapeError("cross-entropy takes an array of probabilities and an array of targets")
    labels = axis_labels(p.shape)
    count = size_term(product(p.shape[:-1]))
    loops: tuple[Label, ...] = labels
    if target.kind == "int" and target.shape == p.shape[:-1]:
        loops = labels[:-1]
        place = Read(target.name, loops)
        term = -log(Read(p.name, (*loops, place)))
    elif target.shape == p.shape:
        term = -multiply(Read(target.name, labels), log(Read(p.name, labels)))
    else:
        raise ShapeError(
            f"cross-entropy of probabilities {show_shape(p.shape)} takes integer labels "
            f"{show_shape(p.shape[:-1])} or probabilities {show_shape(p.shape)}, "
            f"not {target.kind} {show_shape(target.shape)}"
        )
    return (Step(Array(RESULT, ()), (Write((), divide(term, count), loops),)),)


def _of_weights(logits: Operand, target: Operand) -> Steps:
    logits, target = _same_shape(logits, target, "cross_entropy_of_weights")
    return (apply(WEIGHTS, (logits, target), len(logits.shape) - 1),)


cross_entropy_of_weights = register(
    Op("cross_entropy_of_weights", "−Σ t·log softmax(z), averaged over samples.", _of_weights)
)
cross_entropy = register(
    Op("cross_entropy", "What the logits say of the true class, averaged.", _cross_entropy)
)
cross_entropy_from_probabilities = register(
    Op(
        "cross_entropy_from_probabilities",
        "−log of the probability given to the true class, averaged.",
        _cross_entropy_from_probabilities,
    )
)


def _logistic_loss(z: Any, t: Any) -> Any:
    return np.logaddexp(z, 0) - t * z


@scalar("c = logistic_loss(z, t)", value=_logistic_loss)
def logistic_loss(z: Term, t: Term, dc: Term) -> tuple[Term, ...]:
    """−t·log σ(z) − (1−t)·log(1−σ(z)), whose slope is simply σ(z) − t."""
    return dc * (sigmoid(z) - t), -(dc * z)


def _probability_loss(p: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        yes = np.where(t == 0, 0.0, t * np.log(p))  # 0·log 0 is 0 here
        no = np.where(t == 1, 0.0, (1 - t) * np.log1p(-p))
    return -(yes + no)


@scalar("c = bernoulli_loss(p, t)", value=_probability_loss)
def bernoulli_loss(p: Term, t: Term, dc: Term) -> tuple[Term, ...]:
    """−t·log p − (1−t)·log(1−p)."""
    return dc * (p - t) / (p * (1 - p)), dc * (log(1 - p) - log(p))


def _per_sample(entry: Op, name: str) -> Callable[[Operand, Operand], Steps]:
    def build(a: Operand, y: Operand) -> Steps:
        return _average(lambda p, t: entry(p, t), *_same_shape(a, y, name))

    return build


binary_cross_entropy = register(
    Op(
        "binary_cross_entropy",
        "Two classes, from one logit each, averaged over all entries.",
        _per_sample(logistic_loss, "binary_cross_entropy"),
    )
)
binary_cross_entropy_from_probabilities = register(
    Op(
        "binary_cross_entropy_from_probabilities",
        "Two classes, from one probability each, averaged over all entries.",
        _per_sample(bernoulli_loss, "binary_cross_entropy_from_probabilities"),
    )
)

