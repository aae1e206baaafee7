import math

import numpy as np
import pytest

from backpass.language.errors import BackpassError, ShapeError
from backpass.nn.data import load_digits, split


def test_the_digits_are_all_there_and_scaled():
    X, y = load_digits()
    assert X.shape == (1797, 64)
    assert X.dtype == np.float64
    assert y.shape == (1797,)
    assert y.dtype == np.int64
    assert X.min() == 0
    assert X.max() == 1
    assert np.array_equal(X * 16, np.round(X * 16))
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def test_the_first_picture_is_a_zero():
    X, y = load_digits()
    ink = X[0].reshape(8, 8) > 0.4
    assert y[0] == 0
    assert ["".join(".#"[pixel] for pixel in row) for row in ink.astype(int)] == [
        "...##...",
        "..####..",
        "..#..##.",
        "..#..##.",
        "..#..##.",
        "..#..##.",
        "..#.##..",
        "...##...",
    ]


def test_a_picture_looks_most_like_others_of_its_digit():
    (X, y), (X_held, y_held) = split(*load_digits())
    distances = (X_held**2).sum(1)[:, None] - 2 * X_held @ X.T + (X**2).sum(1)
    assert np.mean(y[distances.argmin(1)] == y_held) > 0.97


def test_every_sample_is_in_exactly_one_part_with_its_own_label():
    y = np.arange(1797)
    X = np.column_stack([y, -y])
    (kept_X, kept_y), (held_X, held_y) = split(X, y)
    assert len(held_y) == 450
    assert sorted([*kept_y, *held_y]) == y.tolist()
    for part_X, part_y in [(kept_X, kept_y), (held_X, held_y)]:
        assert np.array_equal(part_X, np.column_stack([part_y, -part_y]))


def test_the_seed_decides():
    y = np.arange(100)
    ((_, once), _), ((_, again), _), ((_, other), _) = (split(y, y, seed=s) for s in (3, 3, 4))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match="X has 3 samples and y has 2"):
        split(np.zeros((3, 1)), np.zeros(2))


@pytest.mark.parametrize("held_out", [0, 1, 1.5, -0.25, math.nan])
def test_neither_part_may_be_empty(held_out: float):
    with pytest.raises(BackpassError, match="leaves one part empty; choose a share between"):
        split(np.zeros((4, 1)), np.zeros(4), held_out=held_out)


@pytest.mark.parametrize(("count", "advice"), [(4, "choose a smaller share"), (1, "give at least")])
def test_too_large_a_share_is_told_from_no_share(count: int, advice: str):
    with pytest.raises(BackpassError, match=f"leaves one part empty; {advice}"):
        split(np.zeros((count, 1)), np.zeros(count), held_out=0.9)
