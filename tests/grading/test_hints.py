"""What is told beside a score, where the reference or the gradients alone do not show it."""

from pathlib import Path

import pytest

from backpass.grading.key import Key
from tests.grading.networks import edited, handed_in
from tests.grading.test_grade import graded, reference_key

REFERENCE = """
import numpy as np
import backpass as bp

params = {"W1": np.ones((4, 5)), "b1": np.ones(5), "W2": np.ones((5, 3)), "b2": np.ones(3)}
X, y = np.ones((6, 4)), np.eye(3)[np.arange(6) % 3]


def loss(params, X, y):
    A1 = bp.relu(X @ params["W1"] + params["b1"])
    return bp.cross_entropy(A1 @ params["W2"] + params["b2"], y)
"""
RIGHT = """
import numpy as np


def slope(A):
    return A > 0


def grads(params, X, y):
    A1 = np.maximum(X @ params["W1"] + params["b1"], 0)
    E = np.exp(A1 @ params["W2"] + params["b2"])
    P = E / E.sum(1, keepdims=True)
    dZ2 = (P - y) / len(X)
    dZ1 = dZ2 @ params["W2"].T * slope(A1)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return reference_key(tmp_path_factory.mktemp("reference"), REFERENCE)


def test_probabilities_that_a_reference_does_not_show(tmp_path: Path, answers: Key):
    twice = edited("(P - y)", "(P - y) * P * (1 - P)", RIGHT)
    found = graded(handed_in(tmp_path / "in", right=RIGHT, twice=twice), answers)
    assert found["right"].verdict == "correct"
    (hint,) = found["twice"].hints
    assert (hint.bug, hint.line) == (11, 13)


def test_a_mistake_that_only_a_run_shows_is_told_and_is_no_verdict(tmp_path: Path, answers: Key):
    axis = edited("E.sum(1, keepdims=True)", "E.sum(0, keepdims=True)", RIGHT)
    one = graded(handed_in(tmp_path / "in", axis=axis), answers)["axis"]
    assert (one.verdict, one.score) == ("unknown", 0)
    assert [(hint.bug, hint.line) for hint in one.hints] == [(14, 12)]


def test_a_line_is_found_by_another_name_of_the_same_mistake(tmp_path: Path, answers: Key):
    ones = edited("A > 0", "A >= 0", RIGHT)
    (hint,) = graded(handed_in(tmp_path / "in", ones=ones), answers)["ones"].hints
    assert (hint.bug, hint.line, hint.source) == (16, 6, "return A >= 0")


def test_a_gradient_of_0_is_told_in_the_words_of_an_assignment(tmp_path: Path, answers: Key):
    zero = edited("dZ1.sum(0)", "np.zeros(5)", RIGHT)
    (hint,) = graded(handed_in(tmp_path / "in", zero=zero), answers)["zero"].hints
    assert hint.explanation == "b1 gets no gradient"
    assert hint.fix == "db1 = Σ over samples of dZ1"
