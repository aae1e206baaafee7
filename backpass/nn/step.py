"""The programs of a network that run: the step that trains it, and what judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.nn.architecture import Architecture, forward_only
from backpass.nn.judge import explained
from backpass.nn.optim import Optimizer, updated, with_updates
from backpass.nn.schedules import Place
from backpass.running.epoch import Answers, Arrays, Stepping
from backpass.running.runner import compile_numpy

Array = NDArray[Any]


def stepping(
    plan: Architecture,
    derivation: Derivation,
    optimizer: Optimizer,
    right: Answers | None,
    samples: Mapping[str, Array],
) -> Stepping:
    """Forward, backward and update as one program, and the part of each of its arrays."""
    shown = (derivation.loss, plan.output(derivation))
    return Stepping(
        with_updates(derivation.program, derivation.gradients, optimizer, shown),
        changed=tuple(updated(optimizer, derivation.gradients)),
        axes={name: plan.axis if one.ndim > 1 else 0 for name, one in samples.items()},
        numbers=tuple(optimizer.numbers),
        answers=right,
    )


def judge(
    plan: Architecture, derivation: Derivation, X: Array, y: Array, right: Answers | None
) -> Callable[[Arrays], dict[str, float]]:
    """What measures held-out samples: their loss, and the share that is right, or R²."""
    program = forward_only(derivation, derivation.loss, plan.output(derivation))
    runner = compile_numpy(program, name="judge")

    def judged(arrays: Arrays) -> dict[str, float]:
        with np.errstate(all="ignore"):
            loss, outputs = runner({"X": X, "y": y, **arrays})
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
    inputs = {**arrays, **{name: values[name].ravel()[0] for name in values}}
    return {**inputs, **dict(zip(names, run(inputs), strict=True))}
