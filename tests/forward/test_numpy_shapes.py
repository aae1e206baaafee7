"""NumPy's ways to move entries about give what NumPy gives, or are refused."""

from __future__ import annotations

import numpy as np
import pytest

from backpass.language.shapes import size
from tests.forward.recording import recorded, refusal

MOVES = [
    lambda X, T, v: np.transpose(T, (2, 0, 1)),
    lambda X, T, v: T.transpose(1, 0, 2),
    lambda X, T, v: T.transpose((-1, 0, 1)),
    lambda X, T, v: T.T,
    lambda X, T, v: T.mT,
    lambda X, T, v: v.T,
    lambda X, T, v: np.swapaxes(T, 0, -1),
    lambda X, T, v: np.moveaxis(T, 0, -1),
    lambda X, T, v: np.moveaxis(T, (0, 1), (1, 2)),
    lambda X, T, v: np.flip(T),
    lambda X, T, v: np.flip(T, axis=(0, 2)),
    lambda X, T, v: X.reshape(X.shape[0] * 4),
    lambda X, T, v: X.reshape(-1),
    lambda X, T, v: X.reshape(-1, 2),
    lambda X, T, v: X.reshape((len(X), 2, 2)),
    lambda X, T, v: np.reshape(T, (-1, T.shape[2])),
    lambda X, T, v: T.reshape(2, -1),
    lambda X, T, v: np.ravel(T),
    lambda X, T, v: np.squeeze(v[:, None]),
    lambda X, T, v: np.squeeze(X[None, :, None], axis=0),
    lambda X, T, v: np.expand_dims(X, (0, -1)),
    lambda X, T, v: np.atleast_2d(v),
    lambda X, T, v: np.atleast_2d(np.sum(v)) + np.atleast_1d(v),
    lambda X, T, v: np.broadcast_to(v, (3, len(v))),
    lambda X, T, v: np.concatenate([X, 2 * X, np.ones((len(X), 4))]),
    lambda X, T, v: np.concatenate((X, X[:, :1]), axis=-1),
    lambda X, T, v: np.concatenate([X, T], axis=None),
    lambda X, T, v: np.stack([v, v * v], axis=1),
    lambda X, T, v: np.stack([X, X]),
    lambda X, T, v: np.column_stack([X, np.ones(len(X)), X]),
    lambda X, T, v: np.hstack([v, v]),
    lambda X, T, v: np.hstack([X, X]),
    lambda X, T, v: np.vstack([v, v]),
    lambda X, T, v: np.take(X, [[0, 1], [1, 0]]),
    lambda X, T, v: np.diag(v) @ np.diag(np.outer(v, v)),
]


@pytest.mark.parametrize("move", MOVES)
def test_entries_move_as_in_numpy(move):
    recorded(lambda X, T, v: np.sum(move(X, T, v) ** 3 / 2), "X: n 4, T: n k 2, v: m")


def test_whole_numbers_and_real_ones_join_as_real_ones():
    recorded(lambda v, y: np.sum(np.concatenate([y, v]) ** 2), "v: n, y: m int<3")
    recorded(lambda v, y: np.sum(np.stack([np.arange(len(v)), v]) * v), "v: n, y: m int<3")


def test_a_length_may_be_left_to_reshape():
    program = recorded(lambda X, W: X.reshape(len(X), -1) @ W, "X: n k m, W: k*m j")
    assert program.arrays["y"].shape == (size("n"), size("j"))


@pytest.mark.parametrize(
    ("move", "sentence"),
    [
        (lambda X: X.reshape(3, -1), "reshape of X (n×4): n×4 does not reshape to 3×(-1)"),
        (lambda X: X.reshape(-1, -1), "n×4 does not reshape to (-1)×(-1)"),
        (lambda X: X.reshape(len(X), 5), "reshape of X (n×4): n×4 does not reshape to n×5"),
        (lambda X: X.reshape(4, -1, order="F"), "reshape counts rows first here (order='C')"),
        (lambda X: X.transpose(0, 0), "the axes (0, 0) name one axis twice"),
        (lambda X: np.transpose(X, (0,)), "axes (0,) do not name each of the 2 axes once"),
        (lambda X: np.swapaxes(X, 0, 2), "there is no axis 2: the array has 2 axes"),
        (lambda X: X[0].mT, "there is no axis -2: the array has 1 axis"),
        (lambda X: np.squeeze(X, 1), "squeeze drops axes of length 1 only"),
        (
            lambda X: np.concatenate([X, X.T]),
            "concatenate of X (n×4) and X.T (4×n): n×4 and 4×n do",
        ),
        (lambda X: np.concatenate([X, X], axis=2), "axis 2 does not exist among 2"),
        (lambda X: np.stack([X, X.T]), "stack of X (n×4) and X.T (4×n): n×4 and 4×n do not stack"),
        (lambda X: np.broadcast_to(X, (3, 4)), "n×4 does not broadcast to 3×4"),
        (lambda X: np.diag(X[0], k=1), "diag takes the main diagonal only"),
    ],
)
def test_what_does_not_fit_is_told_in_names(move, sentence):
    assert sentence in refusal(lambda X: np.sum(move(X)), "X: n 4")
