"""The gradient that a backward pass should return: derived, or else by central differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation, derive
from backpass.doctor.custom.pair import Pair
from backpass.language.errors import BackpassError
from backpass.language.program import Program, Step
from backpass.running.runner import compile_numpy

Array = NDArray[np.float64]
ENTRIES = 20_000
STEP = 1e-5


@dataclass(frozen=True)
class Derived:
    """The derivation of ⟨outputs, incoming⟩ for a forward pass that was traced."""

    d: Derivation
    names: tuple[str, ...]  # of the differentiable inputs
    above: tuple[str, ...]  # of what comes in from above, one for each output
    fixed: Mapping[str, Any]

    def given(self, inputs: Sequence[Array], incoming: Sequence[Array]) -> dict[str, Any]:
        """The inputs of the program, by name."""
        return {
            **dict(zip(self.names, inputs, strict=True)), **self.fixed,
            **dict(zip(self.above, incoming, strict=True)),
        }  # fmt: skip

    def gradients(
        self, inputs: Sequence[Array], incoming: Sequence[Array]
    ) -> tuple[tuple[Array, ...], float]:
        """The gradient of each input, and the value that they are the gradients of."""
        found, value = self.run(self.d.backward, self.d.gradients.values(), inputs, incoming)
        named = dict(zip(self.d.gradients, found, strict=True))
        return tuple(
            named.get(name, np.zeros_like(one))
            for name, one in zip(self.names, inputs, strict=True)
        ), value

    def run(
        self, backward: Sequence[Step], wanted: Any, inputs: Sequence[Array],
        incoming: Sequence[Array],
    ) -> tuple[list[Array], float]:  # fmt: skip
        """What quantities are, with this backward pass, and the value of the forward pass."""
        forward, names = self.d.forward, list(wanted)
        steps = (*forward.steps, *backward)
        known = {step.name for step in steps}
        outputs = (self.d.loss, *(name for name in names if name in known))
        program = Program(forward.inputs, steps, outputs, forward.constants)
        runner = compile_numpy(program, gradients={name: name for name in outputs[1:]})
        given = self.given(inputs, incoming)
        value, found = runner({one.name: given[one.name] for one in forward.inputs}, {})
        return [np.asarray(found.get(name, given.get(name)), float) for name in names], float(value)


def derived(pair: Pair) -> Derived | None:
    """The derivation, where the forward pass can be traced and read."""
    forward = pair.traced()
    if forward is None:
        return None
    outputs = pair.forward(pair.inputs)
    above = pair.incoming(len(outputs))

    def loss(given: Mapping[str, Any], above: Mapping[str, Any]) -> Any:
        out = forward(given)
        parts = [np.sum(a * b) for a, b in zip(out, above.values(), strict=True)]
        return sum(parts[1:], parts[0])

    shapes = {
        "given": {name: _sizes(one) for name, one in zip(pair.names, pair.inputs, strict=True)}
        | {name: _sizes(one) for name, one in pair.fixed.items()},
        "above": {name: _sizes(one) for name, one in zip(above, outputs, strict=True)},
    }
    try:
        reached = [name for name in derive(loss, shapes).gradients if name in pair.names]
        d = derive(loss, shapes, wrt=reached)
    except Exception:  # what has no meaning here cannot be traced; differences take anything
        return None
    return Derived(d, pair.names, above, pair.fixed)


def right(
    found: Derived | None, pair: Pair, inputs: Sequence[Array], incoming: Sequence[Array]
) -> tuple[Array, ...] | None:
    """The derived gradients, if the program that was traced gives what the forward pass does."""
    if found is None:
        return None
    try:
        gradients, value = found.gradients(inputs, incoming)
    except (BackpassError, ArithmeticError, ValueError):
        return None
    outputs = pair.forward(inputs)
    wanted = float(sum(np.sum(a * b) for a, b in zip(outputs, incoming, strict=True)))
    return gradients if np.isclose(value, wanted, rtol=1e-9) else None


def _sizes(array: Any) -> str:
    shape = " ".join(map(str, array.shape)) or "()"
    return shape if array.dtype.kind == "f" else f"{shape} int<{int(array.max(initial=0)) + 1}"


def differences(
    pair: Pair, inputs: Sequence[Array], incoming: Sequence[Array]
) -> tuple[Array, ...]:
    """The same, entry by entry.

    Raises BackpassError for inputs of more entries than anybody would wait for.
    """
    count = sum(one.size for one in inputs)
    if count > ENTRIES:
        raise BackpassError(
            f"{pair.name} was given {count:,} numbers, which are too many to move one by one; "
            "give smaller inputs"
        )
    found: list[Array] = []
    for place, one in enumerate(inputs):
        gradient = np.zeros_like(one)
        for entry in np.ndindex(one.shape):
            step = STEP * max(1.0, abs(float(one[entry])))
            ends: list[float] = []
            for sign in (1, -1, 2, -2):
                moved = one.copy()
                moved[entry] += sign * step
                given = [*inputs[:place], moved, *inputs[place + 1 :]]
                outputs = pair.forward(given)
                ends.append(
                    sum(float(np.sum(o * g)) for o, g in zip(outputs, incoming, strict=True))
                )
            near, far = (ends[0] - ends[1]) / (2 * step), (ends[2] - ends[3]) / (4 * step)
            gradient[entry] = (4 * near - far) / 3
        found.append(gradient)
    return tuple(found)
