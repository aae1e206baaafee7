"""A forward pass with its backward pass, as every reading receives them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backpass.language.program import Array, Call, Origin, Program, Step
from backpass.language.shapes import Size
from backpass.reading.presentation import Dialect


@dataclass(frozen=True)
class Passes:
    """The forward program, the backward steps that read its names, and what was asked for.

    `wrt` are the names whose gradients are wanted. In the `code` dialect `A.T @ B` stands for a
    product and a one-label quantity is a row of numbers; in `math` it is a column, and `Aᵀ B`.
    """

    forward: Program
    backward: tuple[Step, ...]
    wrt: tuple[str, ...]
    dialect: Dialect = "code"
    arrays: Mapping[str, Array] = field(init=False, repr=False, compare=False)
    gradients: Mapping[str, str] = field(init=False, repr=False, compare=False)  # dW1 -> W1
    adjoints: Mapping[str, str] = field(init=False, repr=False, compare=False)  # W1 -> dW1
    _steps: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps = {step.name: step for step in (*self.forward.steps, *self.backward)}
        object.__setattr__(self, "_steps", steps)
        arrays = {**self.forward.arrays, **{step.name: step.target for step in self.backward}}
        object.__setattr__(self, "arrays", arrays)
        found = {step.name: of for step in self.backward if (of := self._source(step)) is not None}
        object.__setattr__(self, "gradients", found)
        object.__setattr__(self, "adjoints", {of: gradient for gradient, of in found.items()})

    def _source(self, step: Step) -> str | None:
        """What a backward step is the gradient of; None for one that only prepares another."""
        origin = next(origins(step), None)
        if origin is not None:
            return origin.read.name
        told = next((note.data[0] for note in step.notes if note.kind == "of"), None)
        if told is not None:
            return told
        # the gradient of a declared cost is a call, `dy = ∇C(y)`, and has no read that moved
        of = step.name.removeprefix("d")
        return of if step.name != of and of in self.forward.arrays else None

    @property
    def loss(self) -> str:
        """The scalar that is differentiated."""
        return self.forward.outputs[0]

    @cached_property
    def samples(self) -> Size | None:
        """The size that counts the samples: all inputs outside `wrt` have it, weights do not.

        None when no size is like that, as with a single sample.
        """
        given = [array.shape for array in self.forward.inputs if array.name not in self.wrt]
        wanted = [array.shape for array in self.forward.inputs if array.name in self.wrt]
        common = [size for size in given[0] if all(size in s for s in given)] if given else []
        # samples go through the whole forward pass; what else inputs share does not
        steps = [step.target.shape for step in self.forward.steps]
        best = max(common, key=lambda size: sum(size in shape for shape in steps), default=None)
        carried = sum(best in shape for shape in wanted)
        counted = any(best in one.shape for one in self.forward.inputs if one.kind == "int")
        if all(len(shape) < 2 for shape in given) and not counted:
            return None if carried else best  # it may as well be the length of a vector x
        return None if carried == len(wanted) else best

    def step(self, name: str) -> Step:
        """The forward or backward step that assigns `name`; KeyError if none does."""
        return self._steps[name]


def origins(step: Step) -> Iterator[Origin]:
    """Where the writes of a backward step come from, as far as that is known."""
    bodies = (step.body,) if isinstance(step.body, Call) else step.body
    yield from (body.origin for body in bodies if body.origin is not None)
