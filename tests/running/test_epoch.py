"""What every back end of training shares: draws that can be counted up to, answers, steps."""

import numpy as np
import pytest

from backpass.running.epoch import Answers, Drawn


def by_hand(seed, step, layer, entry):
    """One draw of 24 bits in Python's own integers."""

    def mix(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return z ^ (z >> 31)

    golden, key = 0x9E3779B97F4A7C15, 0
    for part in (seed, step, layer):
        key = mix((key + (part + 1) * golden) % 2**64)
    return mix((key + (entry + 1) * golden) % 2**64) >> 40


def test_a_draw_is_counted_up_to():
    found = Drawn(layer=2, keep=0.75).draw(7, 11, (3, 4), "float64")
    for entry, value in enumerate(found.ravel().tolist()):
        assert value == (1 / 0.75 if by_hand(7, 11, 2, entry) < 0.75 * 2**24 else 0)
    large = Drawn(1, 0.5).draw(2**40, 2**35, (1, 1), "float32")
    assert large[0, 0] == (2 if by_hand(2**40, 2**35, 1, 0) < 2**23 else 0)


def test_draws_are_fair_and_differ():
    drawn = Drawn(layer=1, keep=0.8)
    found = drawn.draw(0, 0, (500, 400), "float32")
    assert found.dtype == np.float32
    assert abs(found.mean() - 1) < 5 * 0.5 / np.sqrt(found.size)
    kept = found > 0
    for other in (
        Drawn(2, 0.8).draw(0, 0, (500, 400), "float32"),
        drawn.draw(1, 0, (500, 400), "float32"),
        drawn.draw(0, 1, (500, 400), "float32"),
    ):
        both = (kept & (other > 0)).mean()
        assert abs(both - 0.64) < 0.01
    for axis in (0, 1):
        beside = np.take(kept, range(1, kept.shape[axis]), axis)
        here = np.take(kept, range(kept.shape[axis] - 1), axis)
        assert abs((here & beside).mean() - 0.64) < 0.01


def test_samples_as_columns_get_the_same_draws():
    rows = Drawn(1, 0.5).draw(0, 3, (6, 5), "float64")
    columns = Drawn(1, 0.5, axis=1).draw(0, 3, (5, 6), "float64")
    assert (columns == rows.T).all()


def test_to_keep_everything_is_to_multiply_by_one():
    assert (Drawn(1, 1.0).draw(0, 0, (9, 9), "float32") == 1).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_answers_are_counted(axis):
    out = np.array([[0.2, 0.9], [0.8, 0.1], [0.7, 0.6]])
    both = np.array([[0, 1], [1, 1], [1, 1]])
    given, goal = (out, both) if axis == 0 else (out.T, both.T)
    assert Answers("above", axis).count(given, goal) == 2
    assert Answers("above", axis, decided=0.05).count(given, goal) == 2
    assert Answers("largest", axis).count(given, np.array([1, 0, 1])) == 2
    assert Answers("largest", axis).count(given, goal) == 3  # of equal targets the first
