"""What the parameters of an estimator may be: one sentence for each that is something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from backpass.language.errors import BackpassError, nearest
from backpass.nn.layers import ACTIVATIONS, is_count
from backpass.nn.losses import find_loss
from backpass.sklearn.objective import ENTRIES

SPELLINGS = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's word, and ours
SOLVERS = ("adam", "sgd", "lbfgs")
RATES = ("constant", "invscaling", "adaptive")
LOSSES = {
    "classifier": ("log_loss",),
    "regressor": tuple(name for name in ENTRIES if name != "log_loss"),
}

Test = Callable[[Any], bool]


class InvalidParameter(BackpassError, ValueError):
    """A parameter of an estimator has a value that means nothing."""


class Parameters:
    """What both estimators are asked; `MLPClassifier` and `MLPRegressor` say what it means."""

    hidden_layer_sizes: Any
    activation: str
    solver: str
    alpha: float
    batch_size: Any
    learning_rate: str
    learning_rate_init: float
    power_t: float
    max_iter: int
    shuffle: bool
    random_state: Any
    tol: float
    verbose: bool
    warm_start: bool
    momentum: float
    nesterovs_momentum: bool
    early_stopping: bool
    validation_fraction: float
    beta_1: float
    beta_2: float
    epsilon: float
    n_iter_no_change: float
    max_fun: int
    loss: str
    dropout: float
    batch_norm: bool
    backend: str

    def _keep(self, given: Mapping[str, Any]) -> None:
        """Hold every argument of `__init__` untouched under its own name, as clones want it."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)


def is_number(value: object) -> bool:
    """Whether this is a finite real number, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))


def _share(value: Any) -> bool:
    return is_number(value) and 0 <= value < 1


def _above_zero(value: Any) -> bool:
    return is_number(value) and value > 0


def _not_negative(value: Any) -> bool:
    return is_number(value) and value >= 0


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _class_weight(value: Any) -> bool:
    """Whether this weighs classes; for several labels a sample it is a list of such."""
    if isinstance(value, list):
        return all(map(_class_weight, value))
    if isinstance(value, Mapping):
        return all(map(_not_negative, value.values()))
    return value is None or (isinstance(value, str) and value == "balanced")


NUMBERS: dict[str, tuple[Test, str]] = {
    "alpha": (_not_negative, "a number from 0 on"),
    "batch_size": (lambda v: v == "auto" or is_count(v), '"auto" or a whole number from 1 on'),
    "learning_rate_init": (_above_zero, "a number above 0"),
    "power_t": (_not_negative, "a number from 0 on"),
    "max_iter": (is_count, "a whole number from 1 on"),
    "shuffle": (_yes_or_no, "True or False"),
    "tol": (_not_negative, "a number from 0 on"),
    "verbose": (lambda v: _yes_or_no(v) or v == 0 or is_count(v), "True or False"),
    "warm_start": (_yes_or_no, "True or False"),
    "momentum": (lambda v: is_number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "nesterovs_momentum": (_yes_or_no, "True or False"),
    "early_stopping": (_yes_or_no, "True or False"),
    "validation_fraction": (_share, "a share from 0 on and below 1"),
    "beta_1": (_share, "a number from 0 on and below 1"),
    "beta_2": (_share, "a number from 0 on and below 1"),
    "epsilon": (_above_zero, "a number above 0"),
    "n_iter_no_change": (
        lambda v: is_count(v) or (isinstance(v, Real) and v == np.inf),
        "a whole number from 1 on, or np.inf",
    ),
    "max_fun": (is_count, "a whole number from 1 on"),
    "class_weight": (_class_weight, '"balanced", or {class: weight}, with weights from 0 on'),
    "dropout": (_share, "a share from 0 on and below 1"),
    "batch_norm": (_yes_or_no, "True or False"),
}


def refuse_invalid(parameters: Mapping[str, Any], kind: str) -> None:
    """Raise InvalidParameter for the first of these parameters that means nothing."""
    for name, (good, wanted) in NUMBERS.items():
        if name in parameters and not good(parameters[name]):
            raise InvalidParameter(f"{name}={parameters[name]!r} is not valid; give {wanted}")
    _one_of(parameters, "activation", (*SPELLINGS, *ACTIVATIONS))
    _one_of(parameters, "solver", SOLVERS)
    _one_of(parameters, "learning_rate", RATES)
    if parameters["solver"] == "lbfgs" and (parameters["dropout"] or parameters["batch_norm"]):
        what = "dropout is drawn anew for every step"
        if not parameters["dropout"]:
            what = "batch norms follow the batches"
        raise InvalidParameter(f"{what}, and lbfgs takes all samples at once; take adam or sgd")
    hidden_layers(parameters["hidden_layer_sizes"])
    loss = parameters["loss"]
    if loss not in LOSSES[kind]:
        if not isinstance(loss, str) or loss.isidentifier():
            _one_of(parameters, "loss", LOSSES[kind], " or a formula in output and target")
        find_loss(loss)


def hidden_layers(sizes: Any) -> tuple[int, ...]:
    """The hidden layers, of which a single one may be given as a number."""
    several = tuple(sizes) if hasattr(sizes, "__iter__") else (sizes,)
    if not all(map(is_count, several)):
        raise InvalidParameter(
            f"hidden_layer_sizes={sizes!r} is not valid; give whole numbers from 1, as in (64, 32)"
        )
    return tuple(map(int, several))


def _one_of(
    parameters: Mapping[str, Any], name: str, known: tuple[str, ...], besides: str = ""
) -> None:
    value = parameters[name]
    if not isinstance(value, str) or value not in known:
        words = f"; give {', '.join(map(repr, known))}{besides}"
        raise InvalidParameter(f"{name}={value!r} is not known{nearest(value, known) or words}")
