"""Displays draw what an estimator holds, as scikit-learn's do."""

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")
from matplotlib import pyplot as plt  # the back end is chosen first

from backpass.language.errors import BackpassError, ShapeError
from backpass.sklearn import (
    LossCurveDisplay,
    MLPClassifier,
    WeightsDisplay,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X = np.random.default_rng(0).normal(size=(60, 6))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_a_curve_is_the_loss_of_every_iteration():
    model = MLPClassifier((4,), max_iter=7, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model, color="red")
    assert list(display.line_.get_ydata()) == model.loss_curve_
    assert list(display.line_.get_xdata()) == [1, 2, 3, 4, 5, 6, 7]
    assert display.line_.get_color() == "red"
    assert display.ax_.get_xlabel() == "iteration"
    again = display.plot(ax=display.ax_, name="again")
    assert len(display.ax_.lines) == 2
    assert again.figure_ is display.figure_


def test_the_score_of_early_stopping_stands_beside_it():
    model = MLPClassifier((4,), max_iter=7, early_stopping=True, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)
    assert list(display.score_line_.get_ydata()) == model.validation_scores_


def test_weights_are_pictures_of_a_sample():
    model = MLPClassifier((12,), max_iter=2, random_state=0).fit(X, Y)
    display = WeightsDisplay.from_estimator(model, shape=(2, 3))
    assert len(display.images_) == 12
    np.testing.assert_array_equal(
        display.images_[1].get_array(), model.coefs_[0][:, 1].reshape(2, 3)
    )
    with pytest.raises(ShapeError, match=r"shape=\(3, 3\) is 9 numbers, and a sample has 6"):
        WeightsDisplay.from_estimator(model, shape=(3, 3))


def test_lbfgs_has_no_curve():
    model = MLPClassifier((4,), solver="lbfgs", random_state=0).fit(X, Y)
    with pytest.raises(BackpassError, match="solver='lbfgs' keeps no curve"):
        LossCurveDisplay.from_estimator(model)
