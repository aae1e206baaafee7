"""Softmax and the losses: array functions with a hand-chosen, stable backward pass.

Each states its definition in elementary steps too (`long`): the short gradient, such as
`P - onehot(y)`, is what those steps come to, and the laws hold one against the other. In these
texts `.` stands for the axes that a function leaves alone, and `...` for axes that only what
flows in may have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backpass.calculus.whole import array_function, enter


def _logsumexp(z: Any, *, axes: tuple[int, ...]) -> Any:
    # shift by the max: exp(800) overflows, exp(0) does not
    top = z.max(axis=axes, keepdims=True)
    return np.log(np.exp(z - top).sum(axis=axes)) + top.squeeze(axes)


def _log_softmax(z: Any, *, axes: tuple[int, ...]) -> Any:
    return z - np.expand_dims(_logsumexp(z, axes=axes), axes)


def _softmax(z: Any, *, axes: tuple[int, ...]) -> Any:
    return np.exp(_log_softmax(z, axes=axes))


logsumexp = array_function(
    "l[.] = logsumexp(Z[.,k] over k)",
    value=_logsumexp,
    doc="A smooth maximum: the log of the summed exponentials; its slope is the softmax.",
    backward=(
        "P[.,k] = softmax(Z[.,k] over k)",
        "dZ[...,.,k] = dl[...,.] * P[.,k]",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "l[.] = log(S[.])",
    ),
)

softmax = array_function(
    "P[.,k] = softmax(Z[.,k] over k)",
    value=_softmax,
    doc="Exponentials, shared out so that they sum to 1.",
    backward=(
        "s[...,.] = dP[...,.,k] * P[.,k]",
        "dZ[...,.,k] = P[.,k] * (dP[...,.,k] - s[...,.])",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "P[.,k] = E[.,k] / S[.]",
    ),
)

log_softmax = array_function(
    "Y[.,k] = log_softmax(Z[.,k] over k)",
    value=_log_softmax,
    doc="The logarithm of the softmax, without ever forming the softmax.",
    backward=(
        "s[...,.] = dY[...,.,k]",
        "dZ[...,.,k] = dY[...,.,k] - exp(Y[.,k]) * s[...,.]",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "Y[.,k] = Z[.,k] - log(S[.])",
    ),
)

# Cross-entropy of labels, from logits. The mean over samples divides by their number.


def _labels_loss(z: Any, y: Any, *, axes: tuple[int, ...]) -> Any:
    classes = axes[-1]
    picked = np.take_along_axis(z, np.expand_dims(y, classes), classes).squeeze(classes)
    return (_logsumexp(z, axes=(classes,)) - picked).mean()


LABELS = enter(
    "L = cross_entropy(Z[.,k], y[.] over .,k)",
    _labels_loss,
    backward=(
        "P[.,k] = softmax(Z[.,k] over k)",
        "dZ[...,.,k] = dL[...] * (P[.,k] - [k == y[.]]) / size(.)",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "P[.,k] = E[.,k] / S[.]",
        "L = -log(P[.,y[.]]) / size(.)",
    ),
)


def _shares_loss(z: Any, t: Any, *, axes: tuple[int, ...]) -> Any:
    return (_logsumexp(z, axes=axes[-1:]) - (t * z).sum(axis=axes[-1])).mean()


# Each row of T sums to 1, so the sum of T·log S over k is log S itself.
SHARES = enter(
    "L = cross_entropy_of_shares(Z[.,k], T[.,k] over .,k)",
    _shares_loss,
    backward=(
        "P[.,k] = softmax(Z[.,k] over k)",
        "dZ[...,.,k] = dL[...] * (P[.,k] - T[.,k]) / size(.)",
        "dT[...,.,k] = -dL[...] * Z[.,k] / size(.)",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "l[.] = log(S[.])",
        "c[.] = T[.,k] * Z[.,k]",
        "L = (l[.] - c[.]) / size(.)",
    ),
)


def _weights_loss(z: Any, t: Any, *, axes: tuple[int, ...]) -> Any:
    return -(t * _log_softmax(z, axes=axes[-1:])).sum(axis=axes[-1]).mean()


# Targets that nobody promised to sum to 1, as when a hand-written loss is recognised.
WEIGHTS = enter(
    "L = cross_entropy_of_weights(Z[.,k], T[.,k] over .,k)",
    _weights_loss,
    backward=(
        "P[.,k] = softmax(Z[.,k] over k)",
        "t[.] = T[.,k]",
        "Y[.,k] = log_softmax(Z[.,k] over k)",
        "dZ[...,.,k] = dL[...] * (t[.] * P[.,k] - T[.,k]) / size(.)",
        "dT[...,.,k] = -dL[...] * Y[.,k] / size(.)",
    ),
    long=(
        "E[.,k] = exp(Z[.,k])",
        "S[.] = E[.,k]",
        "L = -T[.,k] * log(E[.,k] / S[.]) / size(.)",
    ),
)
