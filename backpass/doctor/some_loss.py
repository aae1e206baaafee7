"""Whether an error that stands at the outputs is the gradient of any loss at all, known or not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.bank import Family
from backpass.doctor.mistake import At, Mistake
from backpass.doctor.passes import Pass

Array = NDArray[np.float64]
_STEP = 1e-5


def is_of_some_loss(at: At, made_so: Mistake, family: Family) -> bool:
    """Whether ∂L/∂Z of the outputs, made so from the gradient of a family, has a loss behind it.

    Then it depends on outputs and targets alone, and its own derivative is symmetric: what one
    entry does to another's error is what that one does to its own.
    """
    run, random = at.run, np.random.default_rng(0)
    Z = run.Z[-1]

    def error(Z: Array, run: Pass) -> Array:
        A = np.asarray(FUNCTIONS[at.f](Z), float)
        here = replace(run, A=(*run.A[:-1], A), Z=(*run.Z[:-1], Z), known={})
        slope = family.gradient(A, run.y)
        given = None if at.given is None else (A - run.y) / run.samples
        made = made_so.value(replace(at, run=here, error=slope, carry=slope, given=given))
        return np.full(Z.shape, np.nan) if made is None else made

    def others(values: tuple[Array, ...]) -> tuple[Array, ...]:
        return (*(random.normal(size=one.shape) for one in values[:-1]), values[-1])

    plain = error(Z, run)
    below = replace(run, A=others(run.A), Z=others(run.Z), inputs=others(run.inputs))
    if not np.allclose(plain, error(Z, below), rtol=1e-9):
        return False
    u, v = random.normal(size=Z.shape), random.normal(size=Z.shape)
    along_u, along_v = (
        (error(Z + _STEP * w, run) - error(Z - _STEP * w, run)) / (2 * _STEP) for w in (u, v)
    )
    one, other = float(np.sum(v * along_u)), float(np.sum(u * along_v))
    size = float(np.linalg.norm(along_u) * np.linalg.norm(v))
    return math.isclose(one, other, rel_tol=0, abs_tol=1e-6 * size)
