"""Gradients that are 0 for every input are said to be, with the reason, and no others are."""

import numpy as np
import pytest

import backpass as bp


def heads(X, Wq, Wk, bk, Wv):
    Q, K, V = X @ Wq, X @ Wk + bk, X @ Wv
    return np.sum((bp.softmax(Q @ K.T) @ V) ** 2)


ZERO = [
    (lambda X, W: np.sum(bp.softmax(X @ W)), "X: n k, W: k m", "X W",
     "the entries of A1 always add up to 1, and only their sum is asked for"),
    (lambda Z, w: np.sum(w[:, None] * bp.softmax(Z)), "Z: n m, w: n", "Z", "always add up to 1"),
    (lambda X, c, Y: np.sum((bp.softmax(X - c[:, None]) - Y) ** 2), "X: n m, c: n, Y: n m", "c",
     "c moves all entries of a row of Z alike, which A1 does not feel"),
    (lambda X, c: np.sum(bp.softmax(X + c, axis=0) ** 3), "X: n m, c: m", "c", "a column of Z"),
    (lambda x, c: np.sum(bp.log_softmax(x * 2 - c) ** 2), "x: m, c: ()", "c", "entries of Z alike"),
    (lambda X, c, y: bp.cross_entropy(X + c[:, None], y), "X: n m, c: n, y: n int<m", "c",
     "which L does not feel"),
    (heads, "X: t d, Wq: d k, Wk: d k, bk: k, Wv: d m", "bk",
     "bk moves all entries of a row of Z alike"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "shapes", "wrt", "reason"), ZERO)
def test_what_a_softmax_does_not_feel_has_the_gradient_zero(forward, shapes, wrt, reason):
    d = bp.derive(forward, shapes, wrt=wrt)
    for name in wrt.split():
        assert f"d{name} = 0 " in " ".join(str(d).split())
    assert reason in " ".join(str(d).split())
    assert d.check()


NOT_ZERO = [
    (lambda X, c: np.sum(bp.softmax(X + c) ** 2), "X: n m, c: m"),  # moves each column by its own
    (lambda X, c: np.sum(bp.softmax(X * c[:, None]) ** 2), "X: n m, c: n"),  # stretches, not moves
    (lambda X, c: np.sum(bp.logsumexp(X + c[:, None], axis=1)), "X: n m, c: n"),
    (lambda X, c: np.sum(bp.softmax(X + c[:, None]) ** 2) + np.sum(c**2), "X: n m, c: n"),
    (lambda X, c: np.sum((bp.softmax(X + c[:, None]) + c[:, None]) ** 2), "X: n m, c: n"),
    (lambda X, c: np.sum(bp.softmax(np.column_stack([X, c])) ** 2), "X: n m, c: n"),
    (lambda X, c: np.sum(np.arange(3.0) * bp.softmax(X + c[:, None] * X)), "X: n 3, c: n"),
    (lambda X, c: np.sum(bp.softmax((X + c[:, None])[:, :2]) * bp.tanh(X + c[:, None])[:, :2]),
     "X: n 3, c: n"),
]  # fmt: skip


@pytest.mark.parametrize(("forward", "shapes"), NOT_ZERO)
def test_what_it_feels_has_not(forward, shapes):
    d = bp.derive(forward, shapes, wrt="c")
    assert "dc = 0" not in " ".join(str(d).split())
    assert d.check()


def test_zero_flows_no_further():
    d = bp.derive("z = x ⊙ w; L = Σ sign(z)", "x: n, w: n")
    assert "dz is 0, and nothing else flows back" in " ".join(str(d).split())
    assert d.check()
