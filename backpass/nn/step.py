"""The programs of a network that run: the step that trains it, and what judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.language.notation import parse_step
from backpass.language.program import Array, Program, Step, canonical
from backpass.language.shapes import size
from backpass.nn.architecture import Architecture, forward_only
from backpass.nn.forward import KEPT
from backpass.nn.judge import explained
from backpass.nn.optim import PRIME, Optimizer, updated, with_updates
from backpass.nn.schedules import Place
from backpass.running.epoch import Answers, Arrays, Drawn, Stepping
from backpass.running.runner import compile_numpy

Values = NDArray[Any]


def stepping(
    plan: Architecture,
    derivation: Derivation,
    optimizer: Optimizer,
    right: Answers | None,
    samples: Mapping[str, Values],
) -> Stepping:
    """Forward, backward and update as one program, and the part of each of its arrays."""
    shown = (derivation.loss, plan.output(derivation))
    whole = with_updates(derivation.program, derivation.gradients, optimizer, shown)
    norms = {place: (plan.widths[place], one.momentum) for place, one in plan.norms.items()}
    whole, kept = following(whole, norms)
    return Stepping(
        whole,
        changed=(*updated(optimizer, derivation.gradients), *kept),
        axes={name: plan.axis if one.ndim > 1 else 0 for name, one in samples.items()},
        numbers=(*optimizer.numbers, *plan.penalties),
        drawn={
            f"M{place}": Drawn(place, 1 - one.rate, plan.axis) for place, one in plan.drops.items()
        },
        answers=right,
    )


def following(
    program: Program, norms: Mapping[int, tuple[int, float | str]]
) -> tuple[Program, tuple[str, ...]]:
    """A step in which running means and variances follow those of the batch, and their names.

    `norms` are the units and the momentum of each batch norm, by the number of its layer; the
    momentum may be the name of a number that every step is given.
    """
    steps: list[Step] = []
    given = {one: () for _, one in norms.values() if isinstance(one, str)}
    for place, (units, momentum) in norms.items():
        for kept, seen in zip(KEPT, "mv", strict=True):
            names = dict.fromkeys((f"{kept}{place}", f"{seen}{place}"), (size(units),))
            own, others = (f"{name}[j]" for name in names)
            rule = f"{kept}{place}′[j] = (1 - {momentum}) * {own} + {momentum} * {others}"
            steps.append(canonical(parse_step(rule, {**names, **given})))
    kept = [Array(step.name.removesuffix(PRIME), step.target.shape) for step in steps]
    whole = replace(
        program,
        inputs=(*program.inputs, *(Array(name, ()) for name in given), *kept),
        steps=(*program.steps, *steps),
        outputs=(*program.outputs, *(step.name for step in steps)),
    )
    return whole, tuple(one.name for one in kept)


def described(plan: Architecture, weights: Arrays, optimizer: Optimizer) -> str:
    """A network in a line: its layers, its loss, the rule that trains it, and how large it is."""
    path = " → ".join([str(plan.inputs), *map(str, plan.layers)])
    rule = str(optimizer).partition("\n")[0]
    count = sum(values.size for values in weights.values())
    return f"{path}, {plan.loss_text}, {rule}, {count:,} weights"


def judge(
    plan: Architecture, derivation: Derivation, X: Values, y: Values, right: Answers | None
) -> Callable[[Arrays], dict[str, float]]:
    """What measures held-out samples: their loss, and the share that is right, or R²."""
    program = forward_only(derivation, derivation.loss, plan.output(derivation))
    runner = compile_numpy(program, name="judge")

    def judged(arrays: Arrays) -> dict[str, float]:
        with np.errstate(all="ignore"):
            loss, outputs = runner({"X": X, "y": y, **plan.penalties, **arrays})
        if right is None:
            return {"val_loss": float(loss), "val_r2": explained(outputs, y, plan.axis)}
        share = right.count(outputs, y) / X.shape[plan.axis]
        return {"val_loss": float(loss), "val_accuracy": share}

    return judged


def quantities(one: Stepping, optimizer: Optimizer, place: Place, arrays: Arrays) -> Arrays:
    """All that a step computes, by name, beside what it computes it from."""
    names = tuple(step.name for step in one.program.steps)
    run = compile_numpy(replace(one.program, outputs=names), name="quantities")
    values = optimizer.values(place, arrays["X"].dtype)
    X, inputs = arrays["X"], {**arrays, **{name: values[name].ravel()[0] for name in values}}
    for name, drawn in one.drawn.items():  # in the mean nothing is dropped
        units = one.program.arrays[name].shape[1 - drawn.axis].number or 0
        count = X.shape[drawn.axis]
        inputs[name] = np.ones((count, units) if drawn.axis == 0 else (units, count), X.dtype)
    return {**inputs, **dict(zip(names, run(inputs), strict=True))}
