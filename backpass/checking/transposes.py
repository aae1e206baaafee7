"""The transpose law, step by step: ⟨v, J u⟩ = ⟨Jᵀ v, u⟩.

J is a step's Jacobian. The left side is a slope, measured by differences; Jᵀ v is what the one
rule sends back through that step alone. A law that fails names the step that is to blame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backpass.calculus.backward import reverse
from backpass.checking.differences import compare, noise
from backpass.checking.stand_ins import Functions, specified_step
from backpass.language.errors import NoRule
from backpass.language.evaluate import evaluate_step
from backpass.language.expr import Read
from backpass.language.program import Program, Step, step_reads

FLOW = "⟨v⟩"  # what flows into the step; no name of a program has such brackets


@dataclass(frozen=True, slots=True)
class Law:
    """How well the transpose law holds in one step, as a part of the slope's size."""

    step: str
    ok: bool
    error: float


def laws(
    program: Program,
    functions: Functions,
    values: Mapping[str, Any],
    sizes: Mapping[str, int],
    random: np.random.Generator,
) -> list[Law]:
    """The law for every step that reads real numbers, at `values` of all its arrays.

    `functions` are the bodies of those that were declared without one.
    """
    found = (_law(step, program, functions, values, sizes, random) for step in program.steps)
    return [law for law in found if law is not None]


def _law(
    step: Step, program: Program, functions: Functions, values: Mapping[str, Any],
    sizes: Mapping[str, int], random: np.random.Generator,
) -> Law | None:  # fmt: skip
    inputs = dict.fromkeys(
        read.name for read in step_reads(step) if program.arrays[read.name].kind == "real"
    )
    if step.target.kind != "real" or not inputs:
        return None
    v = random.standard_normal(np.shape(values[step.name]))
    u = {one: random.standard_normal(np.shape(values[one])) for one in inputs}
    arrays = {**values, FLOW: v}
    try:
        back, names = reverse([step], program.arrays, step.name, list(inputs),
                              seed=lambda index: Read(FLOW, index))  # fmt: skip
        for one in back:
            arrays[one.name] = evaluate_step(specified_step(one, functions), arrays, sizes)
    except NoRule:  # a second slope, of a function of which the first alone is known
        return None
    claimed = sum(float(np.sum(arrays[called] * u[one])) for one, called in names.items())

    def phi(t: float) -> float:
        moved = {one: values[one] + t * u[one] for one in inputs}
        return float(np.sum(v * evaluate_step(step, {**values, **moved}, sizes)))

    size = float(np.sqrt(sum(np.sum(np.square(arrays[called])) for called in names.values())))
    found = compare(phi, claimed, here=phi(0.0), sigma=noise(phi), size=size)
    if not found.told:
        return None
    size = max(size, abs(found.slope.value))
    return Law(step.name, found.verdict == "agrees", found.difference / size if size else 0.0)
