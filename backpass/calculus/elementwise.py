"""Functions that act entry by entry: what they are, and how steep they are.

A form needs no slope: sums, products, quotients and powers are differentiated by the rules of
arithmetic. For the others the body is the slope times what flows in, and its arguments tell
what the backward pass needs: `x` the input, `y` the output.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backpass.calculus.op import comparison, form, named, scalar
from backpass.language.expr import Term, number

Terms = tuple[Term, ...]

# Arithmetic. Axes broadcast, so these serve numbers, vectors and arrays of any rank.

# fmt: off
add      = named("add",      form("c[...] = a[...] + b[...]",  "Entries meet entries."))
subtract = named("subtract", form("c[...] = a[...] - b[...]",  "What is taken away pulls back."))
multiply = named("multiply", form("c[...] = a[...] * b[...]",  "Each is the other's slope."))
divide   = named("divide",   form("c[...] = a[...] / b[...]",  "a/b = a·b⁻¹."))
power    = named("power",    form("c[...] = a[...] ** b[...]", "xᵇ falls to b·xᵇ⁻¹."))
negative = named("negative", form("b[...] = -a[...]",          "A sign flips the slope."))
positive = named("positive", form("b[...] = a[...]",           "The thing itself."))
square   = named("square",   form("b[...] = a[...] ** 2",      "x² falls to 2x."))
sqrt     = named("sqrt",     form("b[...] = a[...] ** (1/2)",  "√x falls to ½·x^(−½)."))
# fmt: on


# Exponentials.


@scalar("y = exp(x)", value=np.exp)
def exp(y: Term, dy: Term) -> Term:
    """Its own slope."""
    return dy * y


@scalar("y = expm1(x)", value=np.expm1)
def expm1(y: Term, dy: Term) -> Term:
    """eˣ − 1 without losing digits near zero; as steep as eˣ."""
    return dy * (y + 1)


# Logarithms: steep near zero, ever flatter beyond.


@scalar("y = log(x)", value=np.log)
def log(x: Term, dy: Term) -> Term:
    """The natural logarithm: its slope is 1/x."""
    return dy / x


@scalar("y = log1p(x)", value=np.log1p)
def log1p(x: Term, dy: Term) -> Term:
    """log(1 + x) without losing digits near zero."""
    return dy / (1 + x)


@scalar("y = log2(x)", value=np.log2)
def log2(x: Term, dy: Term) -> Term:
    """The logarithm in units of log 2."""
    return dy / (x * log(number(2)))


@scalar("y = log10(x)", value=np.log10)
def log10(x: Term, dy: Term) -> Term:
    """The logarithm in units of log 10."""
    return dy / (x * log(number(10)))


@scalar("c = logaddexp(a, b)", value=np.logaddexp)
def logaddexp(a: Term, b: Term, dc: Term) -> Terms:
    """log(eᵃ + eᵇ), a rounded maximum; its two slopes sum to 1."""
    return dc * sigmoid(a - b), dc * sigmoid(b - a)


# Waves.


@scalar("y = sin(x)", value=np.sin)
def sin(x: Term, dy: Term) -> Term:
    """A quarter wave behind the cosine."""
    return dy * cos(x)


@scalar("y = cos(x)", value=np.cos)
def cos(x: Term, dy: Term) -> Term:
    """Falls where the sine is high."""
    return -(dy * sin(x))


# Activations, the smooth ones first. At a kink each takes the slope named in its body.


@scalar("y = tanh(x)", value=np.tanh)
def tanh(y: Term, dy: Term) -> Term:
    """Steepest at zero, flat in the tails; the output alone tells the slope."""
    return dy * (1 - y**2)


def _where(c: ArrayLike, a: ArrayLike, b: ArrayLike) -> Any:
    return np.where(np.asarray(c, dtype=bool), a, b)


def _sigmoid(x: Any) -> Any:
    # exp(800) overflows, and so would 1/(1 + exp(800)); log(1 + exp(800)) is 800
    return np.exp(-np.logaddexp(0, -x))


@scalar("y = sigmoid(x)", value=_sigmoid)
def sigmoid(y: Term, dy: Term) -> Term:
    """From 0 to 1, steepest in the middle; the output alone tells the slope."""
    return dy * y * (1 - y)


@scalar("y = softplus(x)", value=lambda x: np.logaddexp(x, 0))
def softplus(x: Term, dy: Term) -> Term:
    """log(1 + eˣ), a rounded ReLU; the sigmoid is its slope."""
    return dy * sigmoid(x)


@scalar("y = relu(x)", value=lambda x: np.maximum(x, 0))
def relu(x: Term, dy: Term) -> Term:
    """Lets through what is above zero, and its slope with it; 0 at the kink."""
    return dy * (x > 0)


@scalar("y = leaky_relu(x, slope=0.01)", value=lambda x, slope: _where(x > 0, x, slope * x))
def leaky_relu(x: Term, slope: Term, dy: Term) -> Terms:
    """ReLU that leaks a little below zero, so that no unit dies."""
    return dy * ((x > 0) + slope * (x <= 0)), dy * x * (x <= 0)


# Size and sign.


@scalar("y = abs(x)", value=np.abs)
def absolute(x: Term, dy: Term) -> Term:
    """Its slope is the sign; 0 at the kink."""
    return dy * sign(x)


@scalar("y = sign(x)", value=np.sign)
def sign(x: Term, dy: Term) -> Term:
    """Flat on both sides of its jump."""
    return 0 * dy * x


# Choices: whoever is chosen takes the whole slope.


@scalar("c = maximum(a, b)", value=np.maximum)
def maximum(a: Term, b: Term, dc: Term) -> Terms:
    """The larger one takes the whole slope; a tie goes to the first."""
    return dc * (a >= b), dc * (a < b)


@scalar("c = minimum(a, b)", value=np.minimum)
def minimum(a: Term, b: Term, dc: Term) -> Terms:
    """The smaller one takes the whole slope; a tie goes to the first."""
    return dc * (a <= b), dc * (a > b)


@scalar("y = clip(x, low, high)", value=np.clip)
def clip(x: Term, low: Term, high: Term, dy: Term) -> Terms:
    """Inside the bounds nothing happens; outside, the bound takes the slope."""
    within, below = (x >= low) * (x <= high), (x < low) * (low <= high)
    return dy * within, dy * below, dy * (1 - within - below)


@scalar("y = where(c, a, b)", value=_where)
def where(c: Term, a: Term, b: Term, dy: Term) -> Terms:
    """Each entry follows the side that was chosen for it."""
    return 0 * c, where(c, dy, 0), where(c, 0, dy)


# Comparisons: 1 where they hold and 0 elsewhere, without a slope.

# fmt: off
greater       = named("greater",       comparison("c[...] = [a[...] > b[...]]",  "a is larger."))
greater_equal = named("greater_equal", comparison("c[...] = [a[...] >= b[...]]", "a is no less."))
less          = named("less",          comparison("c[...] = [a[...] < b[...]]",  "a is smaller."))
less_equal    = named("less_equal",    comparison("c[...] = [a[...] <= b[...]]", "a is no more."))
equal         = named("equal",         comparison("c[...] = [a[...] == b[...]]", "They agree."))
not_equal     = named("not_equal",     comparison("c[...] = [a[...] != b[...]]", "They differ."))
negation      = named("negation",      comparison("c[...] = [a[...] == 0]",      "It does not."))
both          = named("both",          comparison("c[...] = a[...] * b[...]",    "Both hold."))
either        = named("either",   comparison("c[...] = maximum(a[...], b[...])", "One holds."))
# fmt: on
