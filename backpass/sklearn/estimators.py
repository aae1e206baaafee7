"""scikit-learn's two perceptrons: its parameters and attributes, trained by a derivation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.callback import with_callbacks
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)

from backpass.sklearn.perceptron import Perceptron

Array = NDArray[Any]


class MLPClassifier(ClassifierMixin, Perceptron):
    """A perceptron that tells classes apart, in place of `sklearn.neural_network.MLPClassifier`.

    All of that class's parameters mean here what they mean there, and from equal seeds both take
    the same steps. Besides:

    activation : "identity", "logistic", "tanh", "relu", or any other of
        `backpass.nn.layers.ACTIVATIONS`, such as "silu"
    loss : "log_loss", or a formula such as "Σ (output − target)²", in which `output` are the
        probabilities and `target` has a one for each class that a sample is of
    class_weight : None, "balanced", or a dict from class to weight
    dropout : the share of hidden units that are left out of each step, drawn anew every time
    batch_norm : whether each hidden unit gets mean 0 and variance 1 over a batch, and a scale and
        a shift of its own; they are kept as `scales_` and `shifts_`, and what predictions take
        for mean and variance as `running_means_` and `running_variances_`
    backend : what runs the steps, "auto" or a name of `backpass.nn.backends`

    `derivation()` is what a fitted estimator was trained by.
    """

    class_weight: Any
    _kind = "classifier"

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        loss: str = "log_loss",
        class_weight: Any = None,
        dropout: float = 0.0,
        batch_norm: bool = False,
        backend: str = "auto",
    ) -> None:
        self._keep(locals())

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Learn the classes `y` (n,), or a column of ones and zeros for each label, from `X`."""
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(Perceptron._stochastic)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Walk once through these samples; the first call names all classes there will be."""
        if _check_partial_fit_first_call(self, classes):
            several = type_of_target(y).startswith("multilabel")
            self._label_binarizer = LabelBinarizer().fit(y if several else classes)
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """The class of each sample, or all its labels."""
        return self._answers(self._predicted(X))

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, in the order of `classes_`."""
        found = self._predicted(X)
        return np.hstack([1 - found, found]) if self.n_outputs_ == 1 else found

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of what `predict_proba` gives."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def _squash(self) -> str:
        return "softmax" if self._label_binarizer.y_type_ == "multiclass" else "logistic"

    def _goal(self, y: Any, incremental: bool) -> Array:
        """A column for each class that may be asked for, one alone for two classes."""
        y = y.toarray() if issparse(y) else y
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
            return self._label_binarizer.transform(y)
        if not self.warm_start and (known := self._known(y)) is not None:
            return known
        found = unique_labels(y)
        if self.warm_start and set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit; these were {self.classes_}, and now there are {found}"
            )
        if len(np.setdiff1d(found, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`: there are {found}, and those that the "
                f"first call named are {self.classes_}"
            )
        return self._label_binarizer.transform(y)

    def _known(self, y: Array) -> Array | None:
        """What the binarizer makes of classes if it knows all of them, in a fraction of its time.

        It looks through them again and again, which takes longer than a step on a small batch.
        """
        classes, kind = self.classes_, self._label_binarizer.y_type_
        if y.ndim > 1 or y.dtype.kind != classes.dtype.kind or kind not in ("binary", "multiclass"):
            return None
        if y.dtype.kind not in "biuU":
            return None
        places = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        if (classes[places] != y).any():
            return None
        return places[:, None] if kind == "binary" else np.eye(len(classes), dtype=int)[places]

    def _by_class(self, y: Any, counts: Array | None, incremental: bool) -> Array | None:
        if self.class_weight is None:
            return counts
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs all samples at once, and partial_fit sees a part '
                "of them; give the weights as a dict"
            )
        weights = self.class_weight
        if isinstance(weights, Mapping):
            known = np.asarray(self.classes_).tolist()
            for one in weights:
                if one not in known:
                    raise ValueError(f"class_weight speaks of {one!r}; the classes are {known}")
            weights = {one: weights.get(one, 1) for one in known}  # also those not in this part
        of_classes = compute_sample_weight(weights, y)
        return of_classes if counts is None else counts * of_classes

    def _judge(self, truth: Any, answers: Array, counts: Array | None) -> float:
        from sklearn.metrics import accuracy_score

        return accuracy_score(truth, answers, sample_weight=counts)

    def _answers(self, found: Array) -> Array:
        one = found.ravel() if self.n_outputs_ == 1 else found
        return np.asarray(self._label_binarizer.inverse_transform(one))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorMixin, Perceptron):
    """A perceptron that gives numbers, in place of `sklearn.neural_network.MLPRegressor`.

    All of that class's parameters mean here what they mean there, and from equal seeds both take
    the same steps. Besides:

    loss : "squared_error", "poisson", "absolute_error", or a formula such as
        "Σ sqrt(1 + (output − target)²)"
    activation : "identity", "logistic", "tanh", "relu", or any other of
        `backpass.nn.layers.ACTIVATIONS`, such as "silu"
    dropout : the share of hidden units that are left out of each step, drawn anew every time
    batch_norm : whether each hidden unit gets mean 0 and variance 1 over a batch, and a scale and
        a shift of its own; they are kept as `scales_` and `shifts_`, and what predictions take
        for mean and variance as `running_means_` and `running_variances_`
    backend : what runs the steps, "auto" or a name of `backpass.nn.backends`

    `derivation()` is what a fitted estimator was trained by.
    """

    _kind = "regressor"

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: int = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        batch_norm: bool = False,
        backend: str = "auto",
    ) -> None:
        self._keep(locals())

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn the numbers `y`, (n,) or a column for each of several, from `X`."""
        return self._fit(X, y, sample_weight, incremental=False)

    @available_if(Perceptron._stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Walk once through these samples."""
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: Any) -> Array:
        """The number of each sample, or its numbers."""
        return self._answers(self._predicted(X))

    def _squash(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _goal(self, y: Any, incremental: bool) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and (y < 0).any():
            raise ValueError(f"poisson is for counts, and y goes down to {y.min():g}")
        return y[:, None] if y.ndim == 1 else y

    def _by_class(self, y: Any, counts: Array | None, incremental: bool) -> Array | None:
        return counts

    def _judge(self, truth: Any, answers: Array, counts: Array | None) -> float:
        from sklearn.metrics import r2_score

        return r2_score(truth, answers, sample_weight=counts)

    def _answers(self, found: Array) -> Array:
        return found.ravel() if found.shape[1] == 1 else found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
