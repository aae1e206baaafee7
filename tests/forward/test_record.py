"""What is recorded of a forward pass beyond its operations: arrays that it makes itself."""

import numpy as np

import backpass as bp


def test_a_causal_mask_and_a_one_hot_are_known_in_every_spelling():
    def masked(S):
        n = len(S)
        return np.sum(np.where(np.tril(np.ones((n, n))) > 0, S, 0))

    def compared(S):
        places = np.arange(len(S))
        return np.sum(np.where(places[:, None] >= places[None, :], S, 0))

    S = np.arange(9.0).reshape(3, 3)
    for forward in (masked, compared):
        value, gradients = bp.derive(forward, "S: n n")(S)
        assert value == np.sum(np.tril(S))
        np.testing.assert_array_equal(gradients["S"], np.tril(np.ones((3, 3))))

    def picked(X, y):
        return np.sum(X * bp.one_hot(y, X.shape[1]))

    def met(X, y):
        return np.sum(X * (np.arange(X.shape[1])[None, :] == y[:, None]))

    y = np.array([2, 0, 2])
    for forward in (picked, met):
        value, gradients = bp.derive(forward, "X: n m, y: n int<m", wrt="X")(S, y)
        assert value == S[np.arange(3), y].sum()
        np.testing.assert_array_equal(gradients["X"], np.eye(3)[y])
