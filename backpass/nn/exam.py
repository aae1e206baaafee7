"""What a trained network does with samples that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.calculus.backward import reverse
from backpass.calculus.library import FUNCTIONS
from backpass.language.program import Program
from backpass.nn import samples
from backpass.nn.judge import classes, confusion, labels
from backpass.nn.losses import Loss
from backpass.nn.network import Network
from backpass.running.runner import compile_numpy

Array = NDArray[Any]


@dataclass(frozen=True)
class Exam:
    """Answers, what they are worth, and the gradients that these samples would train with.

    `inputs`, `outputs` and `targets` have a row for each sample. `actual` and `taken` are
    classes, None where targets are numbers; `certainty` is the probability that the network gave
    to the class that it took, None where its loss does not speak of probabilities.
    """

    loss: float
    score: float
    gradients: dict[str, Array]
    inputs: Array
    outputs: Array
    targets: Array
    actual: Array | None
    taken: Array | None
    certainty: Array | None

    def __len__(self) -> int:
        return len(self.outputs)

    @cached_property
    def misread(self) -> list[int]:
        """The samples whose class was not found, the surest mistakes first."""
        if self.actual is None or self.taken is None:
            return []
        wrong = np.flatnonzero(self.actual != self.taken)
        if self.certainty is not None:
            wrong = wrong[np.argsort(-self.certainty[wrong], kind="stable")]
        return wrong.tolist()

    @cached_property
    def confusion(self) -> NDArray[np.int64] | None:
        """How many samples of class i were taken for class j, in row i and column j."""
        if self.actual is None or self.taken is None:
            return None
        return confusion(self.actual, self.taken, max(2, self.outputs.shape[1]))

    def to_json(self) -> dict[str, Any]:
        """The numbers by name; `accuracy` for classes, `r2` for numbers."""
        table = self.confusion
        return {
            "samples": len(self),
            "loss": self.loss,
            "r2" if table is None else "accuracy": self.score,
            **({} if table is None else {"confusion": table.tolist()}),
        }


def examine(net: Network, X: Any, y: Any) -> Exam:
    """Ask a network about samples X whose targets y are known; both as `net.fit` takes them."""
    plan = net.architecture
    given = samples.inputs(X, plan, net.dtype)
    goal = samples.targets(y, given, plan, net.dtype)
    loss, gradients = net.gradients(given.X, goal)
    inputs, outputs = given.X, net.predict(given.X)
    if plan.convention == "columns":
        inputs, outputs, goal = inputs.T, outputs.T, goal.T
    actual = labels(goal, plan.loss, 0)
    taken = None if actual is None else classes(outputs, plan.loss, 0)
    return Exam(
        loss=loss,
        score=net.score(X, y),
        gradients=gradients,
        inputs=inputs,
        outputs=outputs,
        targets=goal,
        actual=actual,
        taken=taken,
        certainty=None if taken is None else _certainty(outputs, taken, plan.loss),
    )


def input_gradients(net: Network, exam: Exam, places: Sequence[int]) -> Array:
    """How the loss moves with the inputs of these samples, a row for each."""
    X, y = exam.inputs[places], exam.targets[places]
    if net.architecture.convention == "columns":
        X, y = X.T, y.T
    derivation = net.derivation(net.architecture.loss.targets == "classes" and y.ndim > 1)
    forward = derivation.forward
    backward, gradients = reverse(forward.steps, forward.arrays, derivation.loss, ["X"])
    steps = (*forward.steps, *backward)
    program = Program(forward.inputs, steps, (gradients["X"],), forward.constants)
    found = compile_numpy(program)({"X": X, "y": y, **net.weights})
    return found if net.architecture.convention == "rows" else found.T


def _certainty(outputs: Array, taken: Array, loss: Loss) -> Array | None:
    """The probability of the class that was taken, where outputs mean probabilities."""
    if loss.targets == "numbers":
        return None
    shares = FUNCTIONS[loss.squashes](outputs) if loss.squashes else outputs
    if loss.targets == "shares" and outputs.shape[1] == 1:
        shares = np.column_stack([1 - shares, shares])
    return shares[np.arange(len(taken)), taken]
