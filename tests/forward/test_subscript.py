"""What stands in square brackets picks out what NumPy picks out, or is refused."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forward.recording import recorded, refusal


@pytest.mark.parametrize(
    "pick",
    [
        lambda X, y: X[0],
        lambda X, y: X[-1],
        lambda X, y: X[1:],
        lambda X, y: X[:, :-1],
        lambda X, y: X[::-1],
        lambda X, y: X[1:3, ::2],
        lambda X, y: X[1, ::-2],
        lambda X, y: X[..., 0],
        lambda X, y: X[0, ...],
        lambda X, y: X[None] + X[:, None],
        lambda X, y: X[:, np.newaxis, ..., None],
        lambda X, y: X[[0, 2, 0]],
        lambda X, y: X[:, (1, 0)],
        lambda X, y: X[np.array([[0, 1], [1, 2]])],
        lambda X, y: X[y],
        lambda X, y: X[y, y],
        lambda X, y: X[y][:, y],
        lambda X, y: X[y, 0],
        lambda X, y: X[np.arange(len(X)), 1],
        lambda X, y: X[range(2), y[:2]],
        lambda X, y: X[None][0, y],
        lambda X, y: X[None, y, :, None],
        lambda X, y: (X[None] * X[:, None])[:, 0, y],
        lambda X, y: (X[None] * X[:, None])[y, :, y],
        lambda X, y: (X[None] * X[:, None])[0, :, y],
        lambda X, y: X[X.argmax(axis=0), 0],
        lambda X, y: X[np.int64(1)],
        lambda X, y: X[X.shape[0] - 1],
        lambda X, y: X[: X.shape[0] - 2],
    ],
)
def test_picked_entries(pick):
    recorded(lambda X, y: np.sum(pick(X, y) ** 3), "X: n 4, y: m int<3")


@pytest.mark.parametrize(
    ("pick", "sentence"),
    [
        (lambda X: X[X > 0], "X[mask] has as many entries as the mask has ones, so no shape; use"),
        (lambda X: X[np.array([True, False])], "X[mask] has as many entries as the mask"),
        (lambda X: X[X], "an index must be integers; declare it with a bound, like y: n int<m"),
        (lambda X: X[0, 0, 0], "3 indices for an array with 2 axes"),
        (lambda X: X[0][0][0], "1 index for an array with 0 axes"),
        (lambda X: X[..., 0, ...], "an index has at most one ellipsis"),
        (lambda X: X[:, 4], "the index 4 lies outside an axis of length 4"),
        (lambda X: X[:, -5], "the index -5 lies outside an axis of length 4"),
        (lambda X: X[7], "the index 7 may lie outside an axis whose length is not fixed"),
        (lambda X: X["a"], "a str is no index; use whole numbers, slices or integer arrays"),
        (lambda X: X[1.0], "a float is no index"),
        (lambda X: X[True], "a truth value is no index"),
        (lambda X: X[: X.sum()], "a traced value is no plain number yet"),
        (lambda X: X[:1.5], "a slice needs whole numbers as its bounds"),
        (lambda X: X[::0], "the step of a slice cannot be 0"),
    ],
)
def test_an_index_that_is_none(pick, sentence):
    assert sentence in refusal(lambda X: np.sum(pick(X)), "X: n 4")
