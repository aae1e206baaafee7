"""Random points at which formulas are held to a derivation, with every quantity of it by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.calculus.backward import leads_to, reverse
from backpass.checking.points import draw_inputs, size_names
from backpass.checking.stand_ins import declared, specified
from backpass.derive import Derivation
from backpass.doctor.formula.functions import LIBRARY, Functions
from backpass.language.errors import DerivationError
from backpass.language.evaluate import evaluate
from backpass.language.program import Program, Step
from backpass.reading.passes import Passes

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Point:
    """Sizes and numbers for everything that the forward and the backward pass name."""

    sizes: Mapping[str, int]
    arrays: Mapping[str, Array]
    functions: Functions = LIBRARY

    @property
    def names(self) -> list[str]:
        """Quantities and sizes."""
        return [*self.arrays, *self.sizes]


@dataclass(frozen=True, eq=False)
class Ground:
    """A derivation by every input, and points to try it at; the points differ in their sizes."""

    passes: Passes
    backward: Mapping[str, Step]
    points: tuple[Point, ...]

    @property
    def loss(self) -> str:
        return self.passes.forward.outputs[0]

    @property
    def functions(self) -> Functions:
        return self.points[0].functions

    def gradient(self, name: str) -> str | None:
        """What the gradient of a quantity is called, if there is one."""
        return f"d{name}" if f"d{name}" in self.backward else None

    def letters(self, point: Point) -> dict[int, str]:
        """The sizes of a point by their names; fixed sizes are not among them."""
        return {number: name for name, number in point.sizes.items()}


def ground(d: Derivation) -> Ground:
    """Derive by every real input that matters, so that each quantity on the way has a gradient."""
    program = d.forward
    influence = leads_to(program.steps, d.loss, "real")
    real = [one.name for one in program.inputs if one.kind == "real" and one.name in influence]
    steps, gradients = reverse(program.steps, program.arrays, d.loss, real)
    passes = Passes(program, tuple(steps), tuple(gradients), d.passes.dialect)
    whole = Program(
        program.inputs, (*program.steps, *steps), tuple(gradients.values()), program.constants
    )
    bodies = declared(whole)  # functions without a body get one
    whole, functions = specified(whole, bodies), LIBRARY.declaring(bodies)
    wanted = size_names(program.inputs)
    points = tuple(
        replace(_point(whole, {name: world[name] for name in wanted}, seed), functions=functions)
        for seed, world in enumerate(d.worlds[:2])
    )
    return Ground(passes, {step.name: step for step in steps}, points)


def _point(program: Program, sizes: Mapping[str, int], seed: int) -> Point:
    """Numbers of both signs where that is possible, else between 0 and 1, as logarithms need."""
    random = np.random.default_rng(seed)
    for positive in (False, True):
        inputs = draw_inputs(program.inputs, sizes, random, positive=positive)
        with np.errstate(all="ignore"):
            arrays = evaluate(program, inputs)
        if all(np.isfinite(array).all() for array in arrays.values()):
            return Point(sizes, arrays)
    raise DerivationError("at random numbers this forward pass has no finite gradient to compare")
