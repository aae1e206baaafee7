"""What a score is worth: beside it, what the same answer for every sample would reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backpass.nn.exam import Exam
from backpass.nn.judge import labels
from backpass.nn.recipe import Job
from backpass.nn.target import amount


@dataclass(frozen=True)
class Verdict:
    """A model beside the baseline that knows the training targets and no features.

    For classes, `score` and `baseline` are shares of right answers, and the baseline always says
    the class that is most frequent in training. For numbers `score` is R², `error` the root of
    the mean squared error in the unit of the target, and `baseline` that error when the mean of
    the training targets is always said.
    """

    score: float
    baseline: float
    always: str
    error: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        found = {"baseline": self.baseline, "always": self.always}
        if self.error is None:
            return {"accuracy": self.score, **found}
        return {"r2": self.score, "error": self.error, **found}


def verdict(job: Job, exam: Exam) -> Verdict:
    """Judge the answers of a trained model."""
    target, loss = job.model.target, job.model.network.architecture.loss
    if exam.actual is None:
        answers, goals = target.numbers(exam.outputs), target.numbers(exam.targets)
        always = float(target.numbers(np.asarray(job.model.oriented(job.y))).mean())
        error, baseline = (float(np.sqrt(np.mean((one - goals) ** 2))) for one in (answers, always))
        return Verdict(exam.score, baseline, amount(always), error)
    trained = labels(job.model.oriented(job.y), loss, 0)
    assert trained is not None
    often = int(np.bincount(trained).argmax())
    return Verdict(exam.score, float(np.mean(exam.actual == often)), target.classes[often])
