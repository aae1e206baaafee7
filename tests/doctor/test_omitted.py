"""Updates that are missing, that come to nothing, or that go the wrong way, on their lines."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp

RANDOM = np.random.default_rng(8)
X, Y = RANDOM.normal(size=(6, 4)), RANDOM.normal(size=(6, 2))
CLASSES = np.eye(3)[[0, 1, 2, 0, 1, 2]]


class Softmax:
    def __init__(self, moves_bias):
        self.W, self.b = RANDOM.normal(size=(4, 3)), np.array([0.1, 0.2, 0.3])
        self.moves_bias = moves_bias

    def step(self, X, Y):
        E = np.exp(X @ self.W + self.b)
        P = E / E.sum(axis=1, keepdims=True)
        D = P - Y
        self.W = self.W - 0.1 * X.T @ D
        if self.moves_bias:
            self.b = self.b - 0.1 * D.sum()
        return -np.sum(Y * np.log(P))


COMES_TO_NOTHING = [(True, 39, "self.b ="), (False, 37, "self.W =")]


@pytest.mark.parametrize(("moves", "bug", "line"), COMES_TO_NOTHING)
def test_parts_that_cancel_are_told_from_an_update_that_is_not_made(moves, bug, line):
    (finding,) = bp.doctor(Softmax(moves).step, X, CLASSES).findings
    assert finding.bug == bug
    assert finding.source.startswith(line)


class Two:
    """Two layers, of which `slope` and `sign` may be mistaken, and the bias may stay."""

    def __init__(self, sign=1.0, bare=False):
        self.W, self.V = RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 2))
        self.sign, self.bare = sign, bare

    def step(self, X, Y):
        H = np.tanh(X @ self.W)
        E = H @ self.V - Y
        back = E @ self.V.T
        down = back if self.bare else back * (1 - H**2)
        top = self.sign * H.T @ E
        low = X.T @ down
        self.V = self.V - 0.1 * top
        self.W = self.W - 0.1 * low
        return np.sum(E**2) / 2


def test_a_sign_is_put_on_its_line_though_no_other_update_is_right():
    found = {one.bug: one.source for one in bp.doctor(Two(-1.0, bare=True).step, X, Y).findings}
    assert found[2] == "top = self.sign * H.T @ E"
    assert len(found) == 2


def test_a_missing_update_follows_one_that_is_mistaken():
    U, u, V = (RANDOM.normal(size=shape) for shape in ((4, 5), 5, (5, 2)))

    def step(X, Y):
        gU, gu, gV = np.zeros((4, 5)), np.zeros(5), np.zeros((5, 2))
        for x, y in zip(X, Y, strict=True):
            h = np.tanh(x @ U + u)
            e = h @ V - y
            back = (V @ e) * (1 - h**2)
            gV += np.outer(h, e)
            gU += np.outer(h[:4], back)
            gu += 0
        V[:] = V - 0.1 * gV
        U[:] = U - 0.1 * gU
        return gu

    found = {one.bug: one.source for one in bp.doctor(step, X, Y).findings}
    assert found[35] == "gU += np.outer(h[:4], back)"
    assert found[37] == "gU += np.outer(h[:4], back)"


def test_what_is_kept_for_later_is_no_parameter():
    class Odd:
        def __init__(self):
            self.W, self.x = RANDOM.normal(size=(4, 2)), np.zeros(4)

        def step(self, X, Y):
            self.x = X.sum(axis=0)
            self.W = self.W - 0.1 * np.outer(np.sin(self.x), Y.sum(axis=0)) * self.W

    report = bp.doctor(Odd().step, X, Y)
    assert report.verdict == "unknown"
    assert [one.path for one in report.tensors] == ["self.W"]
