"""scikit-learn's MLPClassifier, told to take the same steps: no penalty, no shuffling, no end.

Two classes are one logistic output there, so that its 2-3-2 is a 2-3-1 and learns other weights.
"""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.training.problems import (
    BETA1,
    BETA2,
    EPSILON,
    MOMENTUM,
    RATES,
    Problem,
    Weights,
)


class Estimator:
    """Fitted again from where it stands: `warm_start`."""

    def __init__(self, problem: Problem, optimizer: str) -> None:
        self.problem = problem
        self.X, self.y = problem.data()
        self.net = MLPClassifier(
            problem.widths[1:-1],
            solver="adam" if optimizer == "Adam" else "sgd",
            alpha=0.0,
            batch_size=problem.batch,
            learning_rate_init=RATES[optimizer],
            max_iter=1,
            shuffle=False,
            tol=0.0,
            momentum=MOMENTUM if optimizer == "momentum" else 0.0,
            nesterovs_momentum=False,
            n_iter_no_change=10**9,
            warm_start=True,
            beta_1=BETA1,
            beta_2=BETA2,
            epsilon=EPSILON,
        )
        # a first call makes all that fitting needs; then it starts from the weights of all
        self._fit()
        for place, (W, b) in enumerate(problem.weights()):
            if W.shape == self.net.coefs_[place].shape:
                self.net.coefs_[place], self.net.intercepts_[place] = W, b

    def train(self) -> None:
        self.net.max_iter = self.problem.epochs
        self._fit()

    def _fit(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.net.fit(self.X, self.y)

    def weights(self) -> Weights:
        return list(zip(self.net.coefs_, self.net.intercepts_, strict=True))


def trainer(problem: Problem, optimizer: str) -> Estimator:
    return Estimator(problem, optimizer)
