"""scikit-learn's callbacks are told of every iteration, and may end a training."""

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from backpass.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


class Notes:
    """Keeps what it is told, and asks to stop after `last` iterations."""

    def __init__(self, last=None):
        self.last, self.said, self.scores = last, [], []

    def setup(self, estimator, context):
        self.said.append("setup")

    def teardown(self, estimator, context):
        self.said.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.said.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.said.append(f"end {context.task_name}")
        if fitted_estimator is not None:
            self.scores.append(fitted_estimator.score(X, y))
            self.model, self.metadata = fitted_estimator, metadata
        return self.last is not None and len(self.scores) == self.last


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_every_iteration_is_told_and_may_be_the_last(solver):
    notes = Notes(last=4)
    model = MLPClassifier((5,), solver=solver, random_state=0, max_iter=50)
    model.set_callbacks(notes).fit(X, Y, sample_weight=np.ones(len(X)))
    assert notes.said[:3] == ["setup", "begin fit", "begin iteration"]
    assert notes.said[-2:] == ["end fit", "teardown"]
    assert model.n_iter_ == 4
    assert notes.scores[-1] == model.score(X, Y)
    assert notes.metadata["sample_weight"].sum() == len(X)
    assert notes.said.count("begin iteration") == notes.said.count("end iteration")


def test_an_estimator_of_the_past_does_not_learn_on():
    early = Notes(last=1)
    model = MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=1)
    model.set_callbacks(early).fit(X, Y)
    before = early.model.predict(X)
    model.set_params(warm_start=True, max_iter=20).set_callbacks().fit(X, Y)
    assert (early.model.predict(X) == before).all()
    assert (model.predict(X) != before).any()


def test_scikit_learns_own_callbacks_work(capsys):
    monitor = ScoringMonitor(scoring="accuracy")
    model = MLPClassifier((5,), max_iter=6, random_state=0)
    model.set_callbacks(monitor, ProgressBar()).fit(X, Y)
    scores = [one for one in monitor.get_logs().data if one["task_name"] == "iteration"]
    assert len(scores) == 6
    assert scores[-1]["accuracy"] == model.score(X, Y)
    assert "MLPClassifier" in capsys.readouterr().out


def test_a_pipeline_passes_them_on():
    bar = ProgressBar()
    line = make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=3, random_state=0))
    line.set_callbacks(bar).fit(X, Y)
    assert line.score(X, Y) >= 0
