"""All samples at once: the optimisers of SciPy, iteration by iteration.

They ask for the loss, its gradient and, for Newton's method, the product of the Hessian and a
vector, each a derived program; an iteration counts as an epoch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.jacobian import along
from backpass.language.errors import BackpassError
from backpass.nn.architecture import Architecture, forward_only
from backpass.nn.optim import Optimizer
from backpass.nn.optimizers import FullBatch, NewtonCG
from backpass.nn.progress import bar
from backpass.nn.run import Run
from backpass.nn.train import Task, after_epoch
from backpass.running.epoch import Answers, Arrays
from backpass.running.runner import compile_numpy

Vector = NDArray[np.float64]


class _Loss:
    """The loss of all samples as a function of one long vector, with its slope and its bend."""

    def __init__(self, derivation: Derivation, output: str, task: Task, weights: Arrays) -> None:
        self.given = {**task.samples, **task.numbers}
        self.names = tuple(derivation.gradients)
        self.weights = weights
        self.told = compile_numpy(forward_only(derivation, derivation.loss, output), name="loss")
        self.slope = compile_numpy(derivation.program, name="gradients")
        self.derivation = derivation
        self._bend: tuple[Callable[..., Any], Sequence[str]] | None = None

    def packed(self, arrays: Sequence[Any]) -> Vector:
        return np.concatenate([np.ravel(one) for one in arrays]).astype(np.float64)

    def unpacked(self, flat: Vector) -> Arrays:
        found: Arrays = {}
        place = 0
        for name in self.names:
            one = self.weights[name]
            part = flat[place : place + one.size]
            found[name] = part.reshape(one.shape).astype(one.dtype)
            place += one.size
        return found

    def __call__(self, flat: Vector) -> tuple[float, Vector]:
        with np.errstate(all="ignore"):
            loss, *found = self.slope({**self.given, **self.unpacked(flat)})
        return float(loss), self.packed(found)

    def bend(self, flat: Vector, vector: Vector) -> Vector:
        """The Hessian at a point, times a vector."""
        if self._bend is None:
            program, vectors = along(self.derivation)
            self._bend = compile_numpy(program, name="hessian_times"), vectors
        run, vectors = self._bend
        directions = dict(zip(vectors, self.unpacked(vector).values(), strict=True))
        with np.errstate(all="ignore"):
            found = run({**self.given, **self.unpacked(flat), **directions})
        return self.packed(found if isinstance(found, tuple) else (found,))


def descent(
    optimizer: Optimizer, plan: Architecture, derivation: Derivation, right: Answers | None
) -> Callable[[Task, Run], None] | None:
    """How an optimiser that takes all samples at once trains; None for any other."""
    if not isinstance(optimizer, FullBatch):
        return None
    if plan.drops or plan.norms:
        raise BackpassError(
            f"{type(optimizer).__name__} needs the same loss whenever it asks; leave out Dropout "
            "and BatchNorm, or take another optimizer"
        )
    output = plan.output(derivation)
    return lambda task, run: descend(task, run, optimizer, derivation, output, right)


def descend(
    task: Task,
    run: Run,
    optimizer: FullBatch,
    derivation: Derivation,
    output: str,
    right: Answers | None,
) -> None:
    """Take up to `task.epochs` iterations, and change the run after each.

    Warns (RuntimeWarning) where the loss is not finite from the start on.
    """
    from scipy.optimize import minimize

    judged, history = _Loss(derivation, output, task, run.arrays), run.history
    history.backend = "numpy"
    start = perf_counter() - history.seconds
    flat = judged.packed([run.arrays[name] for name in judged.names])
    first = judged(flat)[0]
    if not math.isfinite(first):
        history.stopped = (
            f"the loss is {first} before the first iteration; take smaller first weights, or scale "
            "the inputs"
        )
        warnings.warn(history.stopped, RuntimeWarning, stacklevel=5)  # at the line that called fit
        return

    with bar(task.epochs, task.count, shown=task.progress) as tell:

        def between(intermediate_result: Any) -> None:
            run.arrays |= judged.unpacked(intermediate_result.x)
            run.epoch, run.epochs, run.steps = run.epoch + 1, run.epochs + 1, run.steps + 1
            with np.errstate(all="ignore"):
                loss, outputs = judged.told({**judged.given, **run.arrays})
            history.loss.append(float(loss))
            if right is not None:
                history.accuracy.append(right.count(outputs, task.samples["y"]) / task.count)
            history.seconds = perf_counter() - start
            after_epoch(task, run)
            tell(history)
            if history.ended:
                raise StopIteration

        bend = {"hessp": judged.bend} if isinstance(optimizer, NewtonCG) else {}
        found = minimize(
            judged, flat, method=optimizer.method, jac=True, callback=between,
            options={"maxiter": task.epochs, **optimizer.options}, **bend,
        )  # fmt: skip
    name = type(optimizer).__name__
    if not history.ended and run.epoch < task.epochs:
        how = "converged" if found.success else "found no lower loss"
        history.ended = f"{name} {how} after {run.epoch} iterations"
    if task.stopping is not None:
        task.stopping.end(run)
