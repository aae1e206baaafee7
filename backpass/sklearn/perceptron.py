"""What classifier and regressor share: the way from data to weights, and on to outputs."""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from backpass.derive import Derivation
from backpass.nn.forward import KEPT, NORMS
from backpass.nn.losses import find_loss
from backpass.sklearn.objective import ENTRIES, LEARNT, SQUASHES, Objective, derived, outputs
from backpass.sklearn.parameters import (
    SPELLINGS,
    InvalidParameter,
    Parameters,
    hidden_layers,
    refuse_invalid,
)
from backpass.sklearn.reporting import Reporter
from backpass.sklearn.solvers import Arrays, Pace, Samples, lbfgs, starting, walker

Array = NDArray[Any]
SLOWER, SLOWEST = 5.0, 1e-6  # what "adaptive" divides the learning rate by, and where it ends
FULL = 200  # samples of a batch, for "auto"


class Perceptron(CallbackSupportMixin, BaseEstimator, Parameters, ABC):
    """A multi-layer perceptron with the parameters of scikit-learn's."""

    _kind: str
    coefs_: list[Array]
    intercepts_: list[Array]
    best_loss_: Any
    best_validation_score_: Any
    validation_scores_: Any

    def derivation(self) -> Derivation:
        """The forward and backward pass that `fit` ran, to be printed and asked why."""
        check_is_fitted(self)
        return derived(self._objective())

    @abstractmethod
    def _squash(self) -> str:
        """What makes predictions of the last layer's numbers."""

    @abstractmethod
    def _goal(self, y: Any, incremental: bool) -> Array:
        """The targets, a column for each output."""

    @abstractmethod
    def _by_class(self, y: Any, counts: Array | None, incremental: bool) -> Array | None:
        """What samples count once their classes are looked at."""

    @abstractmethod
    def _judge(self, truth: Any, answers: Array, counts: Array | None) -> float:
        """How early stopping scores answers."""

    @abstractmethod
    def _answers(self, found: Array) -> Array:
        """Predictions as users see them."""

    # ── from data to weights ─────────────────────────────────────────────────────────────────

    def _fit(self, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
        refuse_invalid(vars(self), self._kind)
        hidden = hidden_layers(self.hidden_layer_sizes)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, reset=first,
            y_numeric=self._kind == "regressor", dtype=(np.float64, np.float32),
        )  # fmt: skip
        given, report = _dense(X), None
        goal = self._goal(y, incremental)
        widths = (given.shape[1], *hidden, goal.shape[1])
        before, wanted = (None if first else self._plan), (widths, bool(self.batch_norm and hidden))
        if before not in (None, wanted):
            raise InvalidParameter(
                f"the network is {_path(*before)} already, and these parameters and data ask "
                f"for {_path(*wanted)}; take warm_start=False, or a fresh estimator"
            )
        self._random_state = check_random_state(self.random_state)
        if first:
            self._plan = wanted
            self._begin(widths, given.dtype)
        given = given.astype(self.coefs_[0].dtype, copy=False)
        samples = self._samples(given, goal, self._counts(y, given, sample_weight, incremental))
        if not incremental:
            report = Reporter(self, X, y, sample_weight)
        if self.solver == "lbfgs":
            self._follow(samples, report)
        else:
            self._descend(samples, goal, report)
        if not all(np.isfinite(one).all() for one in (*self.coefs_, *self.intercepts_)):
            raise ValueError(
                "the weights are not finite any more; scale X, as StandardScaler does, or take a "
                "smaller learning_rate_init"
            )
        if report is not None:
            report.close()
        return self

    def _begin(self, widths: tuple[int, ...], dtype: Any) -> None:
        """Draw the weights that scikit-learn draws, and forget what was learnt."""
        self.n_layers_, self.n_outputs_ = len(widths), widths[-1]
        self.out_activation_ = self._squash()
        self.n_iter_ = self.t_ = 0
        factor = 2.0 if SPELLINGS.get(self.activation, self.activation) == "sigmoid" else 6.0
        self.coefs_, self.intercepts_ = [], []
        for into, out in pairwise(widths):
            bound = np.sqrt(factor / (into + out))
            for shape, drawn in (((into, out), self.coefs_), ((out,), self.intercepts_)):
                drawn.append(self._random_state.uniform(-bound, bound, shape).astype(dtype))
        for name, value in zip((*NORMS, *KEPT), (1, 0, 0, 1), strict=True):
            normed = widths[1:-1] if self._plan[1] else ()
            setattr(self, LEARNT[name], [np.full(units, value, dtype) for units in normed])
        for name in ("loss_curve_", "validation_scores_", "_descent"):
            vars(self).pop(name, None)

    def _begin_curves(self) -> None:
        """Those that are not there, as at first, behind lbfgs, or with another early_stopping."""
        if not hasattr(self, "loss_curve_"):
            self.loss_curve_: list[float] = []
            self._unimproved = 0
        early = self.early_stopping
        if not hasattr(self, "validation_scores_") or early == (self.validation_scores_ is None):
            self.validation_scores_ = [] if early else None
            self.best_validation_score_ = -np.inf if early else None
            self.best_loss_ = None if early else np.inf
            self._remember()

    def _samples(self, X: Array, goal: Array, counts: Array | None) -> Samples:
        """The samples as the objective takes them."""
        objective = self._objective(counts is not None)
        target = goal.argmax(axis=1) if objective.labelled else goal.astype(X.dtype)
        return Samples(X, target, counts)

    def _counts(self, y: Any, X: Array, sample_weight: Any, incremental: bool) -> Array | None:
        """What each sample counts; None where all count the same."""
        counts = None
        if sample_weight is not None:
            counts = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        counts = self._by_class(y, counts, incremental)
        stated = None if self.loss in ENTRIES else find_loss(self.loss)
        if counts is not None and stated is not None and stated.weighted is None:
            raise InvalidParameter(
                f"the loss {self.loss} neither adds up what its samples cost nor averages it, so "
                "weights have no place in it; let Σ or mean come last"
            )
        return None if counts is None else counts.astype(X.dtype, copy=False)

    def _objective(self, weighted: bool = False, training: bool = True) -> Objective:
        widths, normed = self._plan
        activation = SPELLINGS.get(self.activation, self.activation)
        return Objective(
            widths, activation, self.out_activation_, self.loss, weighted, self.alpha > 0,
            dropped=training and self.dropout > 0, normed=normed, kept=normed and not training,
        )  # fmt: skip

    @property
    def _weights(self) -> Arrays:
        """What was learnt, under the names that it has in the derivation."""
        return {
            f"{name}{place}": one
            for name, attribute in LEARNT.items()
            for place, one in enumerate(getattr(self, attribute), 1)
        }

    def _take(self, weights: Arrays) -> None:
        for name, attribute in LEARNT.items():
            count = len(getattr(self, attribute))
            setattr(self, attribute, [weights[f"{name}{place + 1}"] for place in range(count)])

    def _remember(self) -> None:
        self._best = {name: one.copy() for name, one in self._weights.items()}

    # ── the two kinds of solvers ─────────────────────────────────────────────────────────────

    def _follow(self, samples: Samples, report: Reporter | None) -> None:
        assert report is not None, "partial_fit does not exist for lbfgs"
        weights = self._weights

        def tell() -> bool:
            self._take(weights)
            self.n_iter_ += 1
            stop = report.end()
            report.begin()
            return stop

        self.n_iter_ = 0
        report.begin()
        found = lbfgs(
            self._objective(samples.s is not None), samples, weights, self.alpha,
            max_iter=self.max_iter, max_fun=self.max_fun, tol=self.tol, tell=tell,
        )  # fmt: skip
        report.abandon()
        self._take(weights)
        self.loss_, self.n_iter_ = found.loss, found.iterations
        if self.verbose:
            _say(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
        if found.short:
            warnings.warn(
                f"lbfgs ended after {self.n_iter_} iterations without having converged "
                f"({found.short}); raise max_iter, or scale X, as StandardScaler does",
                ConvergenceWarning,
                stacklevel=5,
            )

    def _descend(self, samples: Samples, goal: Array, report: Reporter | None) -> None:
        once = report is None
        if self.early_stopping and once:
            raise ValueError("partial_fit does not support early_stopping=True")
        self._begin_curves()
        train, held, truth = self._hold_out(samples, goal)
        if not once or not hasattr(self, "_descent"):
            seed = int(self._random_state.randint(2**31)) if self.dropout else 0
            self._descent = starting(self._pace(), self._weights, train.X.dtype, seed)
        objective = self._objective(samples.s is not None)
        size = self._batch(len(train))
        keep = 1 - float(self.dropout)
        walk = walker(
            objective, self._descent, train, size, 1 if once else self.max_iter,
            self.alpha, keep, self.backend,
        )  # fmt: skip
        order = np.arange(len(train))
        self.n_iter_ = 0
        try:
            for _ in range(1 if once else self.max_iter):
                if report is not None:
                    report.begin()
                if self.shuffle:
                    order = order[self._random_state.permutation(len(order))]
                weights = self._weights
                self.loss_ = walk.walk(weights, order)
                self._take(weights)
                if not np.isfinite(self.loss_):
                    raise ValueError(
                        f"the loss is not finite in iteration {self.n_iter_ + 1}; scale X, as "
                        "StandardScaler does, or take a smaller learning_rate_init"
                    )
                self.n_iter_ += 1
                self.t_ += len(train)
                self.loss_curve_.append(self.loss_)
                if self.verbose:
                    _say(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")
                self._compare(held, truth)
                self._descent.walked(self.t_)
                stop = report is not None and report.end()
                if stop or (self._unimproved > self.n_iter_no_change and self._give_up()):
                    break
            else:
                self._warn_unfinished(once)
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        if self.early_stopping:
            self._take({name: one.copy() for name, one in self._best.items()})

    def _pace(self) -> Pace:
        return Pace(
            self.solver, float(self.learning_rate_init), self.learning_rate, self.power_t,
            self.momentum, self.nesterovs_momentum, self.beta_1, self.beta_2, self.epsilon,
        )  # fmt: skip

    def _batch(self, count: int) -> int:
        if self.batch_size == "auto":
            return min(FULL, count)
        if self.batch_size > count:
            warnings.warn(
                f"batch_size={self.batch_size} is more than the {count} samples there are; all of "
                "them are taken",
                stacklevel=6,
            )
        return min(int(self.batch_size), count)

    def _hold_out(self, samples: Samples, goal: Array) -> tuple[Samples, Samples | None, Any]:
        """What is trained on, what early stopping judges by, and the truth about the latter."""
        if not self.early_stopping:
            return samples, None, None
        from sklearn.model_selection import train_test_split

        stratify = goal if self._kind == "classifier" and goal.shape[1] == 1 else None
        parts = train_test_split(
            np.arange(len(samples)), random_state=self._random_state,
            test_size=self.validation_fraction, stratify=stratify,
        )  # fmt: skip
        train, held = map(np.asarray, parts)
        if len(held) < 2:
            raise ValueError(
                f"{len(held)} of {len(samples)} samples are too few to judge by; raise "
                "validation_fraction, or give more samples"
            )
        return samples.at(train), samples.at(held), self._answers(goal[held])

    def _compare(self, held: Samples | None, truth: Any) -> None:
        """Count the iterations that were no better, by `tol`, than the best one before them."""
        if held is None:
            better = self.loss_ <= self.best_loss_ - self.tol
            self.best_loss_ = min(self.best_loss_, self.loss_)
        else:
            found = self._squashed(held.X)
            score = np.nan
            if np.isfinite(found).all():
                score = self._judge(truth, self._answers(found), held.s)
            self.validation_scores_.append(score)
            if self.verbose:
                _say(f"Validation score: {score:f}")
            better = not score < self.best_validation_score_ + self.tol
            if score > self.best_validation_score_:
                self.best_validation_score_ = score
                self._remember()
        self._unimproved = 0 if better else self._unimproved + 1

    def _give_up(self) -> bool:
        """Whether to stop, now that nothing improves; "adaptive" goes on more slowly first."""
        what = "Validation score" if self.early_stopping else "Training loss"
        said = (
            f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} "
            "consecutive epochs."
        )
        slower = self.solver == "sgd" and self.learning_rate == "adaptive"
        if slower and self._descent.lr > SLOWEST:
            self._descent.change(self._descent.lr / SLOWER)
            self._unimproved = 0
            said += f" Setting learning rate to {self._descent.lr:f}"
        else:
            said += " Learning rate too small. Stopping." if slower else " Stopping."
            slower = False
        if self.verbose:
            _say(said)
        return not slower

    def _warn_unfinished(self, once: bool) -> None:
        if not once:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=6,
            )

    # ── from weights to outputs ──────────────────────────────────────────────────────────────

    def _predicted(self, X: Any) -> Array:
        """The outputs of the network for new samples, squashed."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc"], reset=False)
        return self._squashed(_dense(X).astype(self.coefs_[0].dtype, copy=False))

    def _squashed(self, X: Array) -> Array:
        raw = outputs(self._objective(training=False))({"X": X, **self._weights})
        with np.errstate(over="ignore"):
            return SQUASHES[self.out_activation_](raw)

    def _stochastic(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit needs a stochastic solver, and lbfgs is none")
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _dense(X: Any) -> Array:
    return X.toarray() if issparse(X) else X


def _path(widths: tuple[int, ...], normed: bool) -> str:
    return " → ".join(map(str, widths)) + " with batch norms" * normed


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
