"""Losses: each is one number, said as it is computed and with the gradient that people know.

`half_sum_of_squares` and `sum_of_squares` add up; `mse`, `mae` and `huber` average all entries;
cross-entropies average samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backpass.calculus.elementwise import absolute, clip, log, maximum, sigmoid
from backpass.calculus.fused import LABELS, SHARES, WEIGHTS
from backpass.calculus.indexing import within
from backpass.calculus.op import RESULT, Op, Operand, Steps, form, named, register, scalar
from backpass.calculus.whole import apply
from backpass.language.errors import ShapeError
from backpass.language.expr import Label, Read, Term, divide, number, size_term
from backpass.language.program import Array, Step, Write, axis_labels
from backpass.language.shapes import product, show_shape

Terms = tuple[Term, ...]
Entry = Callable[[Term, Term], Term]  # what one entry of the prediction and of the target cost

# Sums of squares.

# fmt: off
half_sum_of_squares = named("half_sum_of_squares", form(
    "L = 1/2 * (a[...] - y[...]) ** 2", "½Σ(a − y)²: the ½ is there to meet the 2."
))
sum_of_squares = named("sum_of_squares", form(
    "L = (a[...] - y[...]) ** 2", "Σ(a − y)², with the slope 2(a − y)."
))
# fmt: on


# Averages over all entries.


def _averaged(name: str, a: Operand, y: Operand, entry: Entry) -> Steps:
    """The mean over all entries of a function of two arrays of one shape."""
    a, y = _alike(name, a, y)
    labels = axis_labels(a.shape)
    term = entry(Read(a.name, labels), Read(y.name, labels))
    return _mean_of(term, labels, labels)


def _alike(name: str, a: Operand, y: Operand) -> tuple[Array, Array]:
    if not (isinstance(a, Array) and isinstance(y, Array) and a.shape == y.shape):
        raise ShapeError(
            f"{name} compares entry by entry, and {_shown(a)} is not {_shown(y)}; "
            "reshape one to the other's shape"
        )
    return a, y


def _shown(operand: Operand) -> str:
    return show_shape(operand.shape) if isinstance(operand, Array) else "a number"


def _mean_of(term: Term, labels: tuple[Label, ...], counted: tuple[Label, ...]) -> Steps:
    """Σ term over `labels`, divided by how many there are of `counted`."""
    count = size_term(product(label.size for label in counted))
    return (Step(Array(RESULT, ()), (Write((), divide(term, count), labels),)),)


def _mse(a: Operand, y: Operand) -> Steps:
    return _averaged("mse", a, y, lambda p, t: (p - t) ** 2)


def _mae(a: Operand, y: Operand) -> Steps:
    return _averaged("mae", a, y, lambda p, t: absolute(p - t))


def _huber_value(e: Any, delta: Any) -> Any:
    near = np.clip(e, -delta, delta)
    return near * (e - near / 2)


@scalar("y = huber_entry(e, delta)", value=_huber_value)
def huber_entry(e: Term, delta: Term, dy: Term) -> Terms:
    """A parabola that turns into a straight line `delta` away from zero."""
    return dy * clip(e, -delta, delta), dy * maximum(absolute(e) - delta, 0)


def _huber(a: Operand, y: Operand, delta: object = 1.0) -> Steps:
    if not isinstance(delta, (int, float)):
        raise ShapeError("delta is a fixed number, such as 1.0")
    bound = number(delta)
    return _averaged("huber", a, y, lambda p, t: huber_entry(p - t, bound))


mse = register(Op("mse", "The mean of the squares over all entries.", _mse))
mae = register(Op("mae", "The mean distance over all entries.", _mae))
huber = register(Op("huber", "Squares near zero, distances far off.", _huber, ("delta",)))


# Cross-entropy of classes: targets are labels, or rows of probabilities.


def _cross_entropy(logits: Operand, target: Operand) -> Steps:
    z, t = _classes("logits", logits, target)
    return (apply(SHARES if t.shape == z.shape else LABELS, (z, t), len(z.shape) - 1),)


def _cross_entropy_from_probabilities(p: Operand, target: Operand) -> Steps:
    p, t = _classes("probabilities", p, target)
    labels = axis_labels(p.shape)
    samples = labels[:-1]
    if t.shape == p.shape:
        return _mean_of(-(Read(t.name, labels) * log(Read(p.name, labels))), labels, samples)
    true_class = Read(t.name, samples)
    return _mean_of(-log(Read(p.name, (*samples, true_class))), samples, samples)


def _classes(what: str, a: Operand, target: Operand) -> tuple[Array, Array]:
    if isinstance(a, Array) and isinstance(target, Array) and a.shape:
        labels = target.kind == "int" and target.shape == a.shape[:-1]
        if labels:
            return a, within(target, a.shape[-1])
        if target.shape == a.shape:
            return a, target
        kind = "integers" if target.kind == "int" else "real numbers"
        raise ShapeError(
            f"cross-entropy of {what} {show_shape(a.shape)} takes integer labels "
            f"{show_shape(a.shape[:-1])} or probabilities {show_shape(a.shape)}, "
            f"not {kind} {show_shape(target.shape)}"
        )
    raise ShapeError(f"cross-entropy takes an array of {what} and an array of targets")


def _of_weights(logits: Operand, target: Operand) -> Steps:
    z, t = _alike("cross_entropy_of_weights", logits, target)
    return (apply(WEIGHTS, (z, t), len(z.shape) - 1),)


cross_entropy = register(
    Op("cross_entropy", "What the logits say of the true class, averaged.", _cross_entropy)
)
cross_entropy_of_weights = register(
    Op("cross_entropy_of_weights", "−Σ t·log softmax(z), averaged over samples.", _of_weights)
)
cross_entropy_from_probabilities = register(
    Op(
        "cross_entropy_from_probabilities",
        "−log of the probability given to the true class, averaged.",
        _cross_entropy_from_probabilities,
    )
)


# Cross-entropy of yes or no: one logit, or one probability, for each entry.


@scalar("c = logistic_loss(z, t)", value=lambda z, t: np.logaddexp(z, 0) - t * z)
def logistic_loss(z: Term, t: Term, dc: Term) -> Terms:
    """−t·log σ(z) − (1−t)·log(1−σ(z)), whose slope is simply σ(z) − t."""
    return dc * (sigmoid(z) - t), -(dc * z)


# fmt: off
log_likelihood = named("log_likelihood", form(
    "c[...] = -logistic_loss(z[...], t[...])",
    "t·log σ(z) + (1−t)·log(1−σ(z)), which no logit can overflow.",
))
total_log_likelihood = named("total_log_likelihood", form(
    "c = -logistic_loss(z[i], t[i])", "The sum of t·log σ(z) + (1−t)·log(1−σ(z))."
))
total_logistic_loss = named("total_logistic_loss", form(
    "c = logistic_loss(z[i], t[i])", "The same with the other sign."
))
# fmt: on


def _bernoulli_value(p: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        yes = np.where(t == 0, 0.0, t * np.log(p))  # 0·log 0 is 0 here
        no = np.where(t == 1, 0.0, (1 - t) * np.log1p(-p))
    return -(yes + no)


@scalar("c = bernoulli_loss(p, t)", value=_bernoulli_value)
def bernoulli_loss(p: Term, t: Term, dc: Term) -> Terms:
    """−t·log p − (1−t)·log(1−p)."""
    return dc * (p - t) / (p * (1 - p)), dc * (log(1 - p) - log(p))


def _binary(a: Operand, y: Operand) -> Steps:
    return _averaged("binary_cross_entropy", a, y, logistic_loss)


def _binary_from_probabilities(a: Operand, y: Operand) -> Steps:
    return _averaged("binary_cross_entropy_from_probabilities", a, y, bernoulli_loss)


binary_cross_entropy = register(
    Op("binary_cross_entropy", "Yes or no, from one logit each, averaged over all.", _binary)
)
binary_cross_entropy_from_probabilities = register(
    Op(
        "binary_cross_entropy_from_probabilities",
        "Yes or no, from one probability each, averaged over all.",
        _binary_from_probabilities,
    )
)
