"""From equal seeds, the steps are those of scikit-learn's perceptrons."""

import warnings

import numpy as np
import pytest
from sklearn import neural_network as theirs
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning

from backpass import sklearn as ours

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS, LABELS = DIGITS[:300] / 16, LABELS[:300]
BODIES, PROGRESS = load_diabetes(return_X_y=True)
PROGRESS = (PROGRESS - PROGRESS.mean()) / PROGRESS.std()
POINTS, TAGS = make_multilabel_classification(150, random_state=0)

DATA = {
    "ten classes": ("MLPClassifier", DIGITS, LABELS),
    "two classes": ("MLPClassifier", DIGITS, LABELS % 2),
    "labels": ("MLPClassifier", POINTS, TAGS),
    "a number": ("MLPRegressor", BODIES, PROGRESS),
    "two numbers": ("MLPRegressor", BODIES, np.column_stack([PROGRESS, PROGRESS**2])),
}
WAYS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.01},
    "invscaling": {
        "solver": "sgd", "nesterovs_momentum": False, "learning_rate": "invscaling",
        "learning_rate_init": 0.1,
    },
    "adaptive": {
        "solver": "sgd", "momentum": 0, "learning_rate": "adaptive", "learning_rate_init": 0.3,
        "tol": 0.01, "n_iter_no_change": 2,
    },
    "adaptive with momentum": {
        "solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.1,
        "n_iter_no_change": 1,
    },
    "early stopping": {"early_stopping": True, "n_iter_no_change": 3, "learning_rate_init": 0.01},
    "in order": {"shuffle": False, "batch_size": 40},
    "logistic": {"activation": "logistic", "alpha": 0.1},
    "tanh": {"activation": "tanh", "hidden_layer_sizes": (12, 6)},
    "identity": {"activation": "identity", "alpha": 0},
    "no hidden layer": {"hidden_layer_sizes": ()},
}  # fmt: skip


def both(data, weighted=False, dtype=float, **options):
    kind, X, y = DATA[data]
    counts = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
    options = {"hidden_layer_sizes": (20,), "max_iter": 25, "random_state": 3, **options}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return [
            getattr(house, kind)(**options).fit(X.astype(dtype), y, sample_weight=counts)
            for house in (theirs, ours)
        ]


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("data", DATA)
def test_the_loss_curves_are_equal(data, way, weighted):
    one, other = both(data, weighted, **WAYS[way])
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-8)
    for name in ("coefs_", "intercepts_"):
        for mine, yours in zip(getattr(other, name), getattr(one, name), strict=True):
            np.testing.assert_allclose(mine, yours, rtol=1e-6, atol=1e-8)
    X = DATA[data][1]
    np.testing.assert_allclose(other.predict(X), one.predict(X), rtol=1e-6, atol=1e-8)
    assert (other.n_iter_, other.t_, other.n_layers_, other.n_outputs_, other.out_activation_) == (
        one.n_iter_, one.t_, one.n_layers_, one.n_outputs_, one.out_activation_,
    )  # fmt: skip
    if one.validation_scores_ is None:
        assert other.best_loss_ == pytest.approx(one.best_loss_, rel=1e-8)
    else:
        np.testing.assert_allclose(other.validation_scores_, one.validation_scores_, rtol=1e-8)


@pytest.mark.parametrize("data", [name for name in DATA if name != "two numbers"])
def test_lbfgs_finds_the_same(data):
    one, other = both(data, solver="lbfgs", max_iter=15)
    assert other.loss_ == pytest.approx(one.loss_, rel=1e-6)
    assert other.n_iter_ == one.n_iter_


def test_lbfgs_on_several_numbers_follows_the_gradient_of_its_loss():
    # theirs is given the sum over the outputs as gradient, and the mean as loss
    one, other = both("two numbers", solver="lbfgs", max_iter=200, tol=1e-6)
    assert other.loss_ < one.loss_
    _, X, y = DATA["two numbers"]
    penalty = other.alpha * sum((W**2).sum() for W in other.coefs_) / len(X)
    assert other.loss_ == pytest.approx((((other.predict(X) - y) ** 2).mean() + penalty) / 2)


def test_counts():
    X, y = BODIES, np.random.default_rng(0).poisson(3.0, len(BODIES))
    options = {"loss": "poisson", "max_iter": 200, "tol": 1e-3, "random_state": 0}
    one, other = (house.MLPRegressor(**options).fit(X, y) for house in (theirs, ours))
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("data", ["ten classes", "a number"])
def test_single_precision_stays_single(data):
    one, other = both(data, dtype=np.float32)
    assert {W.dtype for W in other.coefs_} == {np.dtype(np.float32)}
    np.testing.assert_allclose(other.loss_curve_, one.loss_curve_, rtol=1e-3)


def test_walks_one_by_one_are_equal():
    for solver in ("adam", "sgd"):
        curves = []
        for house in (theirs, ours):
            model = house.MLPClassifier((10,), solver=solver, random_state=0)
            for start in (0, 100, 200, 0):
                part = slice(start, start + 100)
                model.partial_fit(DIGITS[part], LABELS[part], classes=range(10))
            curves.append(model.loss_curve_)
        np.testing.assert_allclose(*curves, rtol=1e-8)


def test_going_on_is_equal():
    curves = []
    for house in (theirs, ours):
        options = {"max_iter": 4, "warm_start": True, "random_state": 0}
        model = house.MLPClassifier((10,), **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(DIGITS, LABELS).fit(DIGITS, LABELS)
        curves.append(model.loss_curve_)
    assert len(curves[0]) == 8
    np.testing.assert_allclose(*curves, rtol=1e-8)


def test_machine_code_takes_the_same_steps():
    for data, weighted in (("ten classes", True), ("two numbers", False)):
        one, other = both(data, weighted, max_iter=8)
        compiled = ours.MLPClassifier if data == "ten classes" else ours.MLPRegressor
        model = compiled(**{**other.get_params(), "backend": "compiled"})
        _, X, y = DATA[data]
        counts = np.random.default_rng(0).uniform(0, 2, len(X)) if weighted else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y, sample_weight=counts)
        np.testing.assert_allclose(model.loss_curve_, one.loss_curve_, rtol=1e-8)
