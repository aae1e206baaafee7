"""NumPy's functions mean on traced values what they mean on arrays, or are refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import backpass as bp
from backpass.forward.numpy_api import FUNCTIONS, INSTEAD, METHODS, UFUNCS
from tests.forward.recording import recorded, refusal

PLAIN = [np.exp, np.expm1, np.sin, np.cos, np.tanh, np.square, np.negative, np.positive]
PLAIN += [np.abs, np.fabs, np.sign, np.sum, np.mean, np.max, np.min, np.amax, np.amin]
PLAIN += [np.argmax, np.argmin, np.tril, np.triu, np.ravel, np.transpose, np.copy]
PAIRS = [np.add, np.subtract, np.multiply, np.maximum, np.minimum, np.fmax, np.fmin, np.logaddexp]
PAIRS += [np.greater, np.greater_equal, np.less, np.less_equal, np.equal, np.not_equal]
REDUCTIONS = [np.sum, np.mean, np.max, np.min]


@pytest.mark.parametrize("function", PLAIN)
def test_a_function_of_one_array(function):
    recorded(lambda X: np.sum(function(X) * 1.0), "X: n k")


@pytest.mark.parametrize("function", PAIRS)
def test_a_function_of_two_arrays_broadcasts(function):
    recorded(lambda X, b: np.sum(function(X, b) * X), "X: n k, b: k")
    recorded(lambda X: np.sum(function(2, X)), "X: n k")


@pytest.mark.parametrize("function", [np.log, np.log1p, np.log2, np.log10, np.sqrt])
def test_a_function_of_positive_numbers(function):
    recorded(lambda X: np.sum(function(X * X + 1)), "X: n k")


@pytest.mark.parametrize("function", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (2, 1), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_a_reduction_along_any_axes(function, axis, keepdims):
    recorded(lambda X: np.sum(function(X, axis=axis, keepdims=keepdims) ** 2), "X: n k m")


def test_the_other_functions_give_what_numpy_gives():
    def single(X, Y, v, y):
        terms = [
            np.divide(X, 3),
            np.power(X, 3),
            np.float_power(X * X, 1.5),
            np.where(X > Y, X, 2),
            np.clip(X, -0.5, Y * Y),
            np.clip(X, 0.1, None),
            np.clip(X, max=0.3),
            np.matmul(X, Y.T),
            np.dot(X, v),
            np.dot(2, X),
            np.outer(v, X),
            np.inner(X, Y),
            np.vdot(X, Y),
            np.einsum("nk,mk->nm", X, Y),
            np.einsum("nk,nk", X, Y),
            np.trace(X @ Y.T),
            np.diag(v) + 1,
            np.diagonal(X @ Y.T),
            np.diagonal(X[:, None, :] * Y),
            np.logical_and(X > 0, Y > 0) * X,
            np.logical_or(X > 0, Y > 0) * X,
            np.logical_not(X > 0) * X,
            np.take(X, [0, 1, 1], axis=1),
            np.sum(np.ones_like(X) + np.zeros_like(Y) + np.full_like(X, 2)),
            np.mean(y),
            np.multiply.outer(v, v),
            np.add.reduce(X),
            np.tril(X, -1) * np.triu(X, k=2) + np.tril(X, 3) + np.triu(X, 1)[0],
            np.einsum("nk->", X, optimize=True).item() * X,
            np.ndim(X) + np.size(X) * X[0, 0] + np.size(X, 1) + np.shape(X)[0],
        ]
        return sum(np.sum(one) for one in terms)

    recorded(single, "X: n k, Y: n k, v: k, y: n int<m")


def test_a_list_of_methods():
    def single(X, v):
        Y = X.T.dot(X) + v.flatten()
        total = X.sum() + X.mean(axis=0).max() - X.min(0).sum() + X.clip(-1, 1).sum()
        total += X.reshape(-1).sum()
        total += X.reshape(X.shape[1], X.shape[0])[0, 0] + X.transpose(1, 0)[1, 0] * X.ravel()[2]
        total += X.swapaxes(0, 1)[0, 1] + Y.trace() + Y.diagonal().sum() + X.copy()[0, 0]
        return total + X.take([1], axis=0).squeeze()[0] + X.argmax(axis=1).sum() * X[0, 0]

    recorded(single, "X: n k, v: k")


def test_ours_are_called_as_numpys_are():
    def single(X, y):
        total = np.sum(bp.softmax(X, 0) * X) + np.sum(bp.sum(X, 1) ** 2) + np.sum(bp.max(X, axis=0))
        total += bp.mean(bp.concatenate([X, X], axis=1)) + np.sum(bp.log_softmax(X, axis=0) * X)
        return total + bp.cross_entropy(X, y) + bp.huber(X, X * X, 0.5) + bp.huber(X, -X)

    recorded(single, "X: n k, y: n int<k")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            np.prod,
            "np.prod has no rule here; write np.exp(np.sum(np.log(x))) for positive entries",
        ),
        (np.average, "np.average has no rule here; write np.mean(x), or np.sum(w * x) / np.sum(w"),
        (lambda x: np.linalg.norm(x, 1), "np.linalg.norm is the root of a sum of squares here;"),
        (np.cosh, "np.cosh has no rule here; write (np.exp(x) + np.exp(-x)) / 2"),
        (np.arctan, "np.arctan has no rule here, so nothing could flow back through it"),
        (np.median, "np.median has no rule here, so nothing could flow back"),
        (np.cumsum, "np.cumsum has no rule here; write np.tril(np.ones((len(x), len(x)))) @ x"),
        (np.add.accumulate, "np.add.accumulate has no rule here"),
        (lambda x: x.prod(), ".prod of an array has no rule here; write np.exp(np.sum("),
        (lambda x: x.means(), ".means of an array does not exist; did you mean mean?"),
        (lambda x: np.tanh(x, out=np.zeros(3)), "out= and += change an array in place; write"),
        (lambda x: np.add(x, 1, where=x > 0), "where= leaves entries undefined; use np.where"),
        (lambda x: np.sum(x, where=x > 0), "np.sum with where= is not known here; leave it out"),
        (lambda x: np.where(x > 0), "np.where of one argument has no shape; give both sides"),
        (lambda x: np.trace(x, offset=1), "np.trace here: got an unexpected keyword argument"),
        (lambda x: x.sum(axis=2), "there is no axis 2: the array has 2 axes"),
        (lambda x: x.sum(axis=(1, -1)), "the axes (1, -1) name one axis twice"),
        (lambda x: x.sum(axis="rows"), "an axis is a whole number"),
        (
            lambda x: np.einsum("nk,kj->nz", x, x),
            "in 'nk,kj->nz' the z of the result is in no operand",
        ),
        (lambda x: np.einsum("nk->kk", x), "in 'nk->kk' the result has k twice"),
        (lambda x: np.einsum("nk", x, x), "'nk' names 1 operand, not 2"),
        (lambda x: np.einsum("n1", x), "'n1' cannot be read; subscripts are written like 'nk,kj"),
        (lambda x: np.einsum(x, [0, 1]), 'einsum takes its subscripts as a text, "nk,kj->nj"'),
        (lambda x: np.mod(x, 2), "np.remainder goes up in jumps and has no slope; leave it out"),
        (np.linalg.inv, "np.linalg.inv has no rule here, so nothing could flow back through it"),
        (special.expit, "expit has no rule here; write bp.sigmoid(x)"),
        (special.softmax, "scipy works on plain arrays alone; use NumPy's functions, or bp's"),
        (lambda x: x.tril(), ".tril of an array does not exist"),
        (lambda x: np.tril(x, 1.5), "np.tril takes a matrix, and a whole number as its diagonal k"),
        (lambda x: x.reshape("n"), "a shape is one or several whole numbers, (-1, 3)"),
        (lambda x: x.item(), "item() takes out the only entry of an array; pick one, x[0, 0]"),
        (lambda x: bp.softmax(x, axis=(0, 1)), "softmax runs along one axis, not 2"),
        (bp.mse, "bp.mse here: missing a required argument: 'y'"),
        (lambda x: bp.huber(x, x, x), "bp.huber takes plain numbers for delta"),
    ],
)
def test_what_is_not_known_is_refused_by_name(call, sentence):
    assert sentence in refusal(lambda x: np.sum(call(x)), "x: n n")


def test_every_spelling_that_is_named_instead_is_none_that_is_known():
    assert not INSTEAD.keys() & {*UFUNCS, *FUNCTIONS, *METHODS}
