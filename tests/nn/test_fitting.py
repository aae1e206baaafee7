"""What fit is given besides samples: held-out ones, and what each counts."""

import numpy as np
import pytest

import backpass as bp
from backpass.language.errors import BackpassError
from backpass.nn.losses import LOSSES

CONVENTIONS = "rows", "columns"


def data(count=30, seed=0):
    random = np.random.default_rng(seed)
    y = np.arange(count) % 3
    return random.normal(size=(count, 4)) + np.eye(3, 4)[y], y


def net(loss="cross_entropy", last="linear", **options):
    return bp.Network(
        [bp.Dense(5, "tanh"), bp.Dense(3, last)], 4, loss, dtype="float64",
        **{"optimizer": bp.SGD(0.2), **options},
    )  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_validation_judges_what_was_not_trained_on(convention):
    X, y = data()
    given = X if convention == "rows" else X.T
    one = net(convention=convention)
    history = one.fit(given, y, epochs=3, validation=(given, y), progress=False)
    assert history.val_accuracy[-1] == one.score(given, y)
    assert history.val_loss[-1] == pytest.approx(one.gradients(given, y)[0])
    apart = np.random.default_rng(0).permutation(30)[:8]
    rest = np.setdiff1d(np.arange(30), apart)
    split, by_hand = net(convention=convention), net(convention=convention)
    found = split.fit(given, y, epochs=3, validation=0.25, progress=False)
    X_held = X[apart] if convention == "rows" else X[apart].T
    X_rest = X[rest] if convention == "rows" else X[rest].T
    expected = by_hand.fit(X_rest, y[rest], epochs=3, validation=(X_held, y[apart]), progress=False)
    assert found.loss == expected.loss
    assert found.val_loss == pytest.approx(expected.val_loss)


def test_held_out_numbers_are_judged_by_r2():
    X, _ = data()
    one = bp.Network([bp.Dense(2)], 4, "mse", optimizer=bp.SGD(0.1))
    history = one.fit(X, X[:, :2], epochs=3, validation=(X, X[:, :2]), progress=False)
    assert history.val_r2[-1] == pytest.approx(one.score(X, X[:, :2]))
    assert history.val_accuracy == history.accuracy == []


def targets(loss, y):
    return y if LOSSES[loss].targets == "classes" else np.eye(3)[y]


LASTS = {
    "cross_entropy_from_probabilities": "softmax",
    "binary_cross_entropy_from_probabilities": "sigmoid",
}


@pytest.mark.parametrize("shares", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_sample_of_weight_two_counts_as_two(loss, shares):
    X, y = data()
    weight = 1 + np.arange(30) % 3
    twice = np.repeat(np.arange(30), weight)
    rate = bp.SGD(0.002 if LOSSES[loss].sums else 0.2)
    one, other = (net(loss, LASTS.get(loss, "linear"), optimizer=rate) for _ in "12")
    goal = np.eye(3)[y] * 0.8 + 0.2 / 3 if shares else targets(loss, y)
    found = one.fit(
        X, goal, epochs=3, batch_size=99, shuffle=False, sample_weight=weight, progress=False
    )
    expected = other.fit(X[twice], goal[twice], epochs=3, batch_size=99, progress=False)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-10)
    for name, values in other.weights.items():
        np.testing.assert_allclose(one.weights[name], values, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_samples_of_no_weight_are_left_out(convention):
    X, y = data()
    weight = (np.arange(30) < 20).astype(float)
    one, other = net(convention=convention), net(convention=convention)
    given = X if convention == "rows" else X.T
    rest = X[:20] if convention == "rows" else X[:20].T
    found = one.fit(given, y, epochs=2, batch_size=7, sample_weight=weight, progress=False)
    expected = other.fit(rest, y[:20], epochs=2, batch_size=7, progress=False)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-10)


def test_balanced_classes_count_alike():
    X, y = data()
    kept = np.flatnonzero((y > 0) | (np.arange(30) < 9))  # three of the first class, ten of others
    X, y = X[kept], y[kept]
    counts = np.bincount(y)
    by_hand = (len(y) / (3 * counts))[y]
    runs = [
        net().fit(X, y, epochs=2, progress=False, **how).loss
        for how in (
            {"class_weight": "balanced"},
            {"class_weight": {c: len(y) / (3 * counts[c]) for c in range(3)}},
            {"sample_weight": by_hand},
            {"class_weight": {0: counts[1] / counts[0]}},
        )
    ]
    for other in runs[1:]:
        np.testing.assert_allclose(other, runs[0], rtol=1e-10)
    assert net().fit(X, y, epochs=2, progress=False).loss != runs[0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"validation": 1.5}, "give a share between 0 and 1"),
        ({"validation": 0.999}, "leaves none to train on"),
        ({"validation": (1, 2, 3)}, "validation holds 3 arrays"),
        ({"validation": (np.ones((2, 5)), [0, 1])}, "in validation, X is 2×5"),
        ({"sample_weight": [1, 2]}, "give one number for each of the 30 samples"),
        ({"sample_weight": -np.ones(30)}, "of sample 0 is -1"),
        ({"sample_weight": np.zeros(30)}, "of every sample is 0"),
        ({"class_weight": "fair"}, 'give "balanced"'),
        ({"class_weight": [1, 2]}, "is not valid"),
        ({"class_weight": {"setosa": 2}}, "speaks of a class 'setosa'; the network has classes f"),
        ({"class_weight": {3: 2}}, "speaks of a class 3; the network has classes from 0 to 2"),
        ({"class_weight": {1: "2"}}, r"class_weight\[1\]='2' is not valid; give a number"),
        ({"checkpoint": 3}, "checkpoint=3 is no file; give its path"),
        ({"log": True}, "log=True is no file; give its path"),
        ({"callbacks": print}, "is no list of them; give "),
        ({"batch_size": 0}, "batch_size=0 is not valid"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, says):
    one = net()
    before = one.weights["W1"].copy()
    with pytest.raises(BackpassError, match=says):
        one.fit(*data(), epochs=1, progress=False, **options)
    assert (one.weights["W1"] == before).all()


def test_numbers_have_no_classes():
    X, _ = data()
    with pytest.raises(BackpassError, match="class_weight needs classes"):
        net("mse").fit(X, X[:, :3], class_weight="balanced")
