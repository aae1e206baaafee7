"""Which class an output means, wherever samples stand."""

import numpy as np
import pytest

from backpass.nn.judge import answers, classes, confusion, explained
from backpass.nn.losses import LOSSES

OUT = np.array([[0.1, 0.7, 0.2], [0.9, -1, 0.3], [0.4, 0.45, 0.5], [2, 1, 0]])
ANSWERS = [1, 0, 2, 0]
LABELS = np.array([1, 0, 0, 0])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("loss", "goal"),
    [("cross_entropy", LABELS), ("cross_entropy", np.eye(3)[LABELS]), ("mse", np.eye(3)[LABELS])],
)
def test_the_largest_of_several_outputs(axis, loss, goal):
    out, goal = (OUT, goal) if axis == 0 else (OUT.T, goal.T)
    assert classes(out, LOSSES[loss], axis).tolist() == ANSWERS
    right = answers(goal, LOSSES[loss], axis)
    assert right.count(out, goal) == 3


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("loss", "said"), [("binary_cross_entropy", [1, 1, 1, 0]), ("mse", [0, 1, 0, 0])]
)
def test_one_output_says_yes_above_its_threshold(axis, loss, said):
    out, goal = np.array([[0.1], [0.9], [0.4], [-2]]), np.array([[0.0], [1], [1], [0]])
    out, goal = (out, goal) if axis == 0 else (out.T, goal.T)
    assert classes(out, LOSSES[loss], axis).tolist() == said
    right = answers(goal, LOSSES[loss], axis)
    assert right.count(out, goal) == sum(a == b for a, b in zip(said, [0, 1, 1, 0], strict=True))


def test_targets_that_are_no_classes_are_not_counted():
    for goal in (OUT, OUT[:, :1], np.ones((4, 3)), np.eye(3) / 2):
        assert answers(goal, LOSSES["mse"], 0) is None


@pytest.mark.parametrize("axis", [0, 1])
def test_the_share_of_variance_that_is_explained(axis):
    y = np.array([[1.0, 5], [2, 5], [3, 5]])
    for out, wanted in (
        (y, 1.0),
        (np.full((3, 2), [2.0, 5]), 0.5),  # the mean of the first, the second as it is
        (np.array([[1.0, 4], [2, 5], [3, 5]]), 0.5),
        (y + np.array([1, 0]), (1 - 3 / 2 + 1) / 2),
    ):
        given, goal = (out, y) if axis == 0 else (out.T, y.T)
        assert explained(given, goal, axis) == pytest.approx(wanted)


def test_who_was_taken_for_whom():
    found = confusion(np.array([0, 0, 2, 2, 2]), np.array([0, 1, 2, 2, 0]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 2]]


@pytest.mark.parametrize("axis", [0, 1])
def test_a_sample_with_several_labels_is_right_when_all_are(axis):
    out = np.array([[1.0, -1, 2], [1, 1, -1], [-1, -1, -2]])
    goal = np.array([[1.0, 0, 1], [1, 0, 0], [0, 0, 0]])
    out, goal = (out, goal) if axis == 0 else (out.T, goal.T)
    right = answers(goal, LOSSES["binary_cross_entropy"], axis)
    assert right.count(out, goal) == 2


@pytest.mark.parametrize("axis", [0, 1])
def test_labels_that_do_not_exclude_each_other_are_one_for_each_output(axis):
    out = OUT if axis == 0 else OUT.T
    for name, decided in (
        ("binary_cross_entropy", 0),
        ("binary_cross_entropy_from_probabilities", 0.5),
    ):
        found = classes(out, LOSSES[name], axis, exclusive=False)
        assert (found == (out > decided)).all()
        assert classes(out, LOSSES[name], axis).tolist() == ANSWERS
    for name in ("cross_entropy", "mse"):
        assert classes(out, LOSSES[name], axis, exclusive=False).tolist() == ANSWERS
