"""What came out on held-out samples, in every convention and with every kind of target."""

import numpy as np
import pytest

import backpass as bp
from backpass.nn.exam import examine, input_gradients

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 3))
LABELS = np.arange(12) % 3


def network(outputs=3, **options):
    return bp.Network([bp.Dense(4, "tanh"), bp.Dense(outputs)], inputs=3, **options)


@pytest.mark.parametrize("targets", ["labels", "shares"])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_classes_are_told_and_mistakes_found(convention, targets):
    net = network(convention=convention)
    rows = convention == "rows"
    one_hot = np.eye(3)[LABELS]
    y = LABELS if targets == "labels" else one_hot if rows else one_hot.T
    exam = examine(net, X if rows else X.T, y)
    taken = net.predict_class(X if rows else X.T)
    assert exam.actual.tolist() == LABELS.tolist()
    assert exam.taken.tolist() == taken.tolist()
    assert sorted(exam.misread) == np.flatnonzero(taken != LABELS).tolist()
    assert exam.score == 1 - len(exam.misread) / 12
    assert exam.confusion.sum() == len(exam) == 12
    assert exam.to_json()["accuracy"] == exam.score
    assert {name: one.shape for name, one in exam.gradients.items()} == {
        name: one.shape for name, one in net.weights.items()
    }


def test_certainty_is_the_probability_of_the_class_that_was_taken():
    net = network()
    exam = examine(net, X, LABELS)
    shares = np.exp(exam.outputs) / np.exp(exam.outputs).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(exam.certainty, shares.max(axis=1), rtol=1e-5)
    assert (np.diff(exam.certainty[exam.misread]) <= 0).all()

    yes = network(1, loss="binary_cross_entropy")
    exam = examine(yes, X, (LABELS[:, None] > 0).astype(float))
    assert exam.confusion.shape == (2, 2)
    assert (exam.certainty >= 0.5).all()
    assert examine(network(loss="mse"), X, np.eye(3)[LABELS]).certainty is None


def test_numbers_have_no_classes():
    exam = examine(network(1, loss="mse"), X, X[:, :1] * 2)
    assert exam.actual is exam.taken is exam.confusion is exam.certainty is None
    assert exam.misread == []
    assert exam.to_json() == {"samples": 12, "loss": exam.loss, "r2": exam.score}


@pytest.mark.parametrize("bias", ["separate", "augmented", None])
@pytest.mark.parametrize("convention", ["rows", "columns"])
def test_gradients_of_inputs_agree_with_differences(convention, bias):
    net = network(convention=convention, bias=bias, dtype="float64")
    rows = convention == "rows"
    exam = examine(net, X if rows else X.T, LABELS)
    places, step = [7, 2], 1e-6
    found = input_gradients(net, exam, places)
    assert found.shape == (2, 3)
    for row, place in enumerate(places):
        for column in range(3):
            losses = []
            for sign in (1, -1):
                moved = X[places]
                moved[row, column] += sign * step
                losses.append(net.gradients(moved if rows else moved.T, LABELS[places])[0])
            slope = (losses[0] - losses[1]) / (2 * step)
            assert found[row, column] == pytest.approx(slope, abs=1e-8), place
