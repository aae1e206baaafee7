"""The right backward pass of a forward pass, layer by layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family
from backpass.doctor.mistake import At
from backpass.doctor.passes import Pass

Array = NDArray[np.float64]


def top(run: Pass, family: Family, times: float = 1.0) -> At:
    """The outputs, with `times` the gradient of a family of losses by them."""
    error = times * family.gradient(run.A[-1], run.y)
    given = None
    if family.base == "cross_entropy_from_probabilities":  # p − y, whatever targets sum to
        given = times * (run.A[-1] - run.y) / run.samples
    return At(run, run.depth, error, carry=error, given=given)


def chain(run: Pass, family: Family, times: float = 1.0) -> list[At]:
    """Every layer with its ∂L/∂A and ∂L/∂Z, the lowest first."""
    at = top(run, family, times)
    found = [at.with_delta(at.through())]
    while found[0].layer > 1:
        at = At(run, found[0].layer - 1, found[0].error, above=found[0])
        at = at.with_carry(at.carried())
        found.insert(0, at.with_delta(at.through()))
    return found


def gradients(run: Pass, family: Family, times: float = 1.0) -> dict[tuple[str, int], Array]:
    """The gradient of each weight and bias of the network."""
    found: dict[tuple[str, int], Array] = {}
    for at in chain(run, family, times):
        found["W", at.layer] = at.weight()
        if run.b[at.layer] is not None:
            found["b", at.layer] = at.bias()
    return found
