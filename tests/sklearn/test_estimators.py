"""The estimators keep scikit-learn's contract, and do what its perceptrons lack."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from backpass.language.errors import BackpassError
from backpass.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS, SPECIES = load_iris(return_X_y=True)
IRIS = StandardScaler().fit_transform(IRIS)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
BODIES, PROGRESS = load_diabetes(return_X_y=True)
BODIES, PROGRESS = BODIES / BODIES.std(), (PROGRESS - PROGRESS.mean()) / PROGRESS.std()


@pytest.mark.parametrize("estimator", [MLPClassifier(), MLPRegressor()], ids=str)
def test_scikit_learns_own_checks_pass(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) > 60
    assert [one["check_name"] for one in results if one["status"] in ("failed", "xfail")] == []


@pytest.mark.parametrize(
    ("ours", "theirs"), [(MLPClassifier(), Theirs()), (MLPRegressor(), TheirRegressor())], ids=str
)
def test_every_parameter_of_theirs_is_there_with_its_default(ours, theirs):
    given = ours.get_params()
    assert {name: given[name] for name in theirs.get_params()} == theirs.get_params()


def test_every_attribute_of_theirs_is_there():
    for early in (False, True):
        options = {"early_stopping": early, "max_iter": 300}
        ours, theirs = MLPClassifier(**options).fit(IRIS, NAMES), Theirs(**options).fit(IRIS, NAMES)
        public = {name for name in vars(theirs) if not name.startswith("_")}
        assert public <= set(vars(ours))
        assert (ours.classes_ == theirs.classes_).all()
        assert (ours.validation_scores_ is None) == (theirs.validation_scores_ is None)


def test_a_pipeline_is_searched_pickled_and_cloned():
    line = make_pipeline(StandardScaler(), MLPClassifier((8,), random_state=0, max_iter=300))
    search = GridSearchCV(line, {"mlpclassifier__learning_rate_init": [1e-5, 0.02]}, cv=3)
    search.fit(IRIS, NAMES)
    assert search.best_params_ == {"mlpclassifier__learning_rate_init": 0.02}
    assert search.score(IRIS, NAMES) > 0.95
    best = search.best_estimator_
    again = pickle.loads(pickle.dumps(best))
    assert (again.predict_proba(IRIS) == best.predict_proba(IRIS)).all()
    assert not hasattr(clone(best)[-1], "coefs_")


def test_a_pickle_goes_on_where_the_original_would():
    one = MLPClassifier((5,), random_state=0)
    for _ in range(3):
        one.partial_fit(IRIS, NAMES, classes=np.unique(NAMES))
    other = pickle.loads(pickle.dumps(one))
    for model in (one, other):
        model.partial_fit(IRIS, NAMES)
    assert one.loss_curve_ == other.loss_curve_
    assert len(one.loss_curve_) == 4


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_labels_that_do_not_exclude_each_other(solver):
    X, Y = make_multilabel_classification(n_samples=120, random_state=0)
    options = {"solver": solver, "max_iter": 60, "random_state": 0}
    ours, theirs = (kind(**options).fit(X, Y) for kind in (MLPClassifier, Theirs))
    assert ours.predict(X).shape == Y.shape
    assert f1_score(Y, ours.predict(X), average="micro") > 0.6
    assert ours.out_activation_ == "logistic"
    assert (ours.predict(X) == theirs.predict(X)).all()
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
    assert ours.score(X, Y) == theirs.score(X, Y)


def test_several_labels_are_learnt_in_parts_and_held_out_as_theirs_are():
    X, Y = make_multilabel_classification(n_samples=120, random_state=0)
    parts = [kind((9,), random_state=0) for kind in (MLPClassifier, Theirs)]
    early = [kind((9,), random_state=0, early_stopping=True) for kind in (MLPClassifier, Theirs)]
    for one in parts:
        for _ in range(3):
            one.partial_fit(X, Y, classes=np.arange(Y.shape[1]))
    for one in early:
        one.fit(X, Y)
    for ours, theirs in (parts, early):
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-9)
        assert (ours.predict(X) == theirs.predict(X)).all()
    assert early[0].validation_scores_ == early[1].validation_scores_


@pytest.mark.parametrize(
    "classes",
    [[0, 1], [3, 5, 9], ["a", "bcd", "x"], [False, True], [7], [0.0, 1.0, 2.0]],
    ids=str,
)
def test_classes_of_every_kind_are_learnt_in_parts_as_theirs_are(classes):
    rng = np.random.default_rng(0)
    X, y = IRIS[:40], rng.choice(classes, 40)
    ours, theirs = MLPClassifier((4,), random_state=0), Theirs((4,), random_state=0)
    for one in (ours, theirs):
        for part in (slice(0, 1), slice(1, 40)):
            one.partial_fit(X[part], y[part], classes=classes)
    assert (ours.predict(IRIS) == theirs.predict(IRIS)).all()
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=1e-9)
    with pytest.raises(ValueError, match="classes not in"):
        ours.partial_fit(X[:1], np.array(["w"] if isinstance(classes[0], str) else [4]))


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_samples_are_taken_as_dense_ones(kind):
    dense, thin = (
        MLPClassifier((5,), max_iter=5, tol=1, random_state=0).fit(X, NAMES)
        for X in (IRIS, kind(IRIS))
    )
    assert (dense.predict_proba(IRIS) == thin.predict_proba(kind(IRIS))).all()


@pytest.mark.parametrize("activation", ["silu", "elu", "softplus", "sin"])
def test_activations_that_they_lack(activation):
    model = MLPClassifier((8,), activation, max_iter=400, random_state=0, learning_rate_init=0.01)
    assert model.fit(IRIS, NAMES).score(IRIS, NAMES) > 0.95
    assert activation in str(model.derivation()) or activation in ("silu", "elu")


def test_classes_may_count_unequally():
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = (X[:, 0] + X[:, 1] > 2).astype(int)  # few are
    plain, fair = (
        MLPClassifier((), class_weight=one, solver="lbfgs", alpha=1, random_state=0).fit(X, y)
        for one in (None, "balanced")
    )
    assert plain.predict(X).sum() < y.sum() < fair.predict(X).sum()
    by_hand = np.where(y == 1, 3.0, 1.0)
    one = MLPClassifier((4,), class_weight={0: 1, 1: 3}, max_iter=20, random_state=0).fit(X, y)
    other = MLPClassifier((4,), max_iter=20, random_state=0).fit(X, y, sample_weight=by_hand)
    assert one.loss_curve_ == other.loss_curve_
    with pytest.raises(ValueError, match="partial_fit sees a part"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"class_weight speaks of 7; the classes are \[0, 1\]"):
        MLPClassifier(class_weight={0: 2, 7: 1}).fit(X, y)


def test_a_part_may_lack_classes_that_have_weights():
    options = {"hidden_layer_sizes": (4,), "random_state": 0}
    some = SPECIES != 1
    weighed = MLPClassifier(class_weight={0: 2, 1: 3}, **options)
    weighed.partial_fit(IRIS[some], SPECIES[some], classes=[0, 1, 2])
    plain = MLPClassifier(**options)
    counts = np.where(SPECIES[some] == 0, 2, 1)
    plain.partial_fit(IRIS[some], SPECIES[some], classes=[0, 1, 2], sample_weight=counts)
    assert weighed.loss_ == plain.loss_


def test_dropout_is_drawn_for_every_step_and_left_out_of_predictions():
    options = {"max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}
    one, again, other = (
        MLPClassifier((40,), dropout=share, **options).fit(IRIS, NAMES) for share in (0.5, 0.5, 0)
    )
    assert one.loss_curve_ == again.loss_curve_
    assert one.loss_curve_[-1] > other.loss_curve_[-1]
    assert (one.predict_proba(IRIS) == again.predict_proba(IRIS)).all()
    assert one.score(IRIS, NAMES) > 0.9
    assert "A1 ⊙ M1" in str(one.derivation())
    with pytest.raises(ValueError, match="dropout is drawn anew for every step, and lbfgs"):
        MLPClassifier(dropout=0.5, solver="lbfgs").fit(IRIS, NAMES)


def test_batch_norms_follow_batches_and_predict_with_what_they_kept():
    options = {"max_iter": 80, "learning_rate_init": 0.01, "random_state": 0, "tol": 0}
    model = MLPClassifier((9, 7), batch_norm=True, **options).fit(IRIS * 100 + 5, NAMES)
    assert model.score(IRIS * 100 + 5, NAMES) > 0.95
    A, layers = IRIS * 100 + 5, list(zip(model.coefs_, model.intercepts_, strict=True))
    kept = (model.scales_, model.shifts_, model.running_means_, model.running_variances_)
    for (W, b), scale, shift, mean, var in zip(layers[:-1], *kept, strict=True):
        A = np.maximum((A @ W + b - mean) / np.sqrt(var + 1e-5) * scale + shift, 0)
    outputs = A @ layers[-1][0] + layers[-1][1]
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    wanted = shares / shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(IRIS * 100 + 5), wanted, atol=1e-12)
    shown = str(model.derivation())
    assert "H1   = γ1 ⊙ N1 + β1" in shown
    assert "dγ2" in shown
    plain = MLPClassifier((9, 7), **options).fit(IRIS, NAMES)
    assert plain.scales_ == plain.running_means_ == []


@pytest.mark.parametrize("backend", ["numpy", "compiled"])
def test_running_means_are_those_of_all_batches_where_these_are_few(backend):
    options = {"batch_norm": True, "batch_size": 100, "shuffle": False, "random_state": 0}
    model = MLPRegressor(
        "squared_error", (6,), learning_rate_init=1e-12, backend=backend, **options
    )
    model.partial_fit(BODIES[:300], PROGRESS[:300])  # three steps that leave the weights alone
    Z = BODIES[:300] @ model.coefs_[0] + model.intercepts_[0]
    np.testing.assert_allclose(model.running_means_[0], Z.mean(axis=0), atol=1e-9)
    spread = Z.reshape(3, 100, 6).var(axis=1).mean(axis=0)
    np.testing.assert_allclose(model.running_variances_[0], spread, rtol=1e-9)


def test_batch_norms_go_on_where_they_were_and_are_refused_where_they_cannot_be():
    one = MLPRegressor(hidden_layer_sizes=(6,), batch_norm=True, dropout=0.2, random_state=0)
    one.set_params(early_stopping=True, max_iter=5).fit(BODIES, PROGRESS)
    one.set_params(early_stopping=False)
    other = pickle.loads(pickle.dumps(one))
    for model in (one, other):
        model.partial_fit(BODIES, PROGRESS).partial_fit(BODIES, PROGRESS)
    assert one.loss_curve_ == other.loss_curve_
    assert (one.predict(BODIES) == other.predict(BODIES)).all()
    with pytest.raises(ValueError, match="the network is 10 → 6 → 1 with batch norms already, and"):
        one.set_params(batch_norm=False).partial_fit(BODIES, PROGRESS)
    with pytest.raises(ValueError, match="batch norms follow the batches, and lbfgs"):
        MLPRegressor(batch_norm=True, solver="lbfgs").fit(BODIES, PROGRESS)
    with pytest.raises(ValueError, match="batch_norm='yes' is not valid; give True or False"):
        MLPRegressor(batch_norm="yes").fit(BODIES, PROGRESS)
    bare = MLPRegressor(hidden_layer_sizes=(), batch_norm=True, max_iter=9).fit(BODIES, PROGRESS)
    assert bare.scales_ == []


def test_dropout_goes_on_in_a_pickle_as_in_the_original():
    one = MLPClassifier((9,), dropout=0.3, random_state=0)
    one.partial_fit(IRIS, NAMES, classes=np.unique(NAMES))
    other = pickle.loads(pickle.dumps(one))
    for model in (one, other):
        model.partial_fit(IRIS, NAMES).partial_fit(IRIS, NAMES)
    assert one.loss_curve_ == other.loss_curve_


def test_logarithms_of_probabilities_are_scikit_learns():
    options = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}
    one, other = (kind(**options).fit(IRIS, NAMES) for kind in (MLPClassifier, Theirs))
    found = one.predict_log_proba(IRIS)
    np.testing.assert_allclose(found, other.predict_log_proba(IRIS), rtol=1e-9)
    np.testing.assert_allclose(np.exp(found), one.predict_proba(IRIS), rtol=1e-12)


def test_a_formula_is_a_loss():
    brier = MLPClassifier(
        (8,), loss="Σ (output − target)²", solver="lbfgs", max_iter=500, random_state=0
    ).fit(IRIS, NAMES)
    missed = (brier.predict_proba(IRIS) - np.eye(3)[SPECIES]) ** 2
    penalty = 0.5 * brier.alpha * sum((W**2).sum() for W in brier.coefs_) / len(IRIS)
    np.testing.assert_allclose(brier.loss_, missed.sum() + penalty, rtol=1e-9)
    assert brier.score(IRIS, NAMES) > 0.97
    with pytest.raises(ValueError, match="weights have no place in it; let Σ or mean come last"):
        brier.set_params(loss="log(Σ (output − target)²)").fit(IRIS, NAMES, sample_weight=SPECIES)
    with pytest.raises(BackpassError, match="the loss has to be one number for all samples"):
        brier.set_params(loss="(output − target)²").fit(IRIS, NAMES)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_samples_count_in_a_formula_as_if_they_came_again(solver):
    counts = np.where(SPECIES == 1, 2, 1)  # of 200 in all, the size of a batch
    kinds = {
        "loss": "mean((output − target)²)", "solver": solver, "max_iter": 30, "alpha": 0,
        "shuffle": False, "random_state": 0,
    }  # fmt: skip
    weighed = MLPClassifier((5,), **kinds).fit(IRIS, NAMES, sample_weight=counts)
    again = (np.repeat(one, counts, axis=0) for one in (IRIS, NAMES))
    repeated = MLPClassifier((5,), **kinds).fit(*again)
    np.testing.assert_allclose(weighed.predict_proba(IRIS), repeated.predict_proba(IRIS), rtol=1e-5)
    by_class = MLPClassifier((5,), class_weight={"versicolor": 2}, **kinds).fit(IRIS, NAMES)
    assert (by_class.predict_proba(IRIS) == weighed.predict_proba(IRIS)).all()


def test_counts_and_distances_are_losses():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 3))
    y = random.poisson(np.exp(X[:, 0] / 2))
    counts = MLPRegressor("poisson", (8,), max_iter=300, random_state=0).fit(X, y)
    assert (counts.predict(X) > 0).all()
    assert counts.out_activation_ == "exp"
    with pytest.raises(ValueError, match="poisson is for counts, and y goes down to -1"):
        counts.fit(X, y - 1)
    target = X[:, 0] + 100.0 * (random.uniform(size=200) < 0.05)  # some are far off
    robust = MLPRegressor("absolute_error", (), solver="lbfgs", random_state=0).fit(X, target)
    np.testing.assert_allclose(robust.predict(X), X[:, 0], atol=0.2)


def test_what_was_learnt_can_be_read():
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, tol=1e9).fit(BODIES, PROGRESS)
    assert "dW2 = alpha · W2 / n + A1.T @ dZ2" in str(model.derivation())


def test_interrupting_keeps_what_was_learnt(monkeypatch):
    model = MLPRegressor(hidden_layer_sizes=(4,), random_state=0)
    told = model._compare

    def interrupt(held, truth):
        told(held, truth)
        if model.n_iter_ == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(model, "_compare", interrupt)
    with pytest.warns(UserWarning, match="interrupted by user"):
        model.fit(BODIES, PROGRESS)
    assert model.n_iter_ == 3
    assert model.predict(BODIES).shape == PROGRESS.shape


def test_numbers_that_explode_are_told_in_a_sentence():
    model = MLPRegressor(solver="sgd", learning_rate_init=1e6, random_state=0)
    with pytest.raises(ValueError, match=r"not finite.*StandardScaler"):
        model.fit(BODIES, PROGRESS)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_an_end_before_the_goal_is_warned_of(solver):
    with pytest.warns(ConvergenceWarning):
        MLPClassifier((5,), solver=solver, max_iter=3).fit(IRIS, NAMES)


def test_another_network_is_not_warm_started():
    model = MLPClassifier((3,), max_iter=2, tol=1e9, warm_start=True).fit(IRIS, NAMES)
    with pytest.raises(ValueError, match="the network is 4 → 3 → 3 already"):
        model.set_params(hidden_layer_sizes=(4,)).fit(IRIS, NAMES)
    with pytest.raises(ValueError, match="same classes as in the previous"):
        model.set_params(hidden_layer_sizes=(3,)).fit(IRIS, SPECIES)


def test_progress_is_told_as_scikit_learn_tells_it(capsys):
    options = {"max_iter": 4, "verbose": True, "random_state": 0, "tol": 10, "n_iter_no_change": 2}
    said = []
    for kind in (Theirs, MLPClassifier):
        kind((5,), **options).fit(IRIS, NAMES)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert "Stopping." in said[0]


def test_a_warm_start_may_change_how_it_goes_on():
    model = MLPClassifier((5,), solver="lbfgs", warm_start=True, max_iter=5, random_state=0)
    model.fit(IRIS, NAMES)
    assert not hasattr(model, "loss_curve_")
    for early in (True, False, True):
        model.set_params(solver="adam", early_stopping=early).fit(IRIS, NAMES)
        assert (model.validation_scores_ is None) == (not early)
    assert len(model.loss_curve_) == 15
    model.set_params(solver="lbfgs", warm_start=False, early_stopping=False).fit(IRIS, NAMES)
    assert not hasattr(model, "loss_curve_")
