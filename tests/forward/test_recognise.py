"""Hand-written functions are recognised in every spelling, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

import backpass as bp
from tests.forward.recording import functions, lines

# Entry by entry: every spelling of a function is that function.

SIGMOIDS = [
    lambda z: 1 / (1 + np.exp(-z)),
    lambda z: 1 / (np.exp(-z) + 1.0),
    lambda z: 1.0 / (1 + np.exp(-1 * z)),
    lambda z: np.exp(z) / (1 + np.exp(z)),
    lambda z: (1 + np.exp(-z)) ** -1,
    lambda z: 0.5 * (1 + np.tanh(z / 2)),
    lambda z: (1 + np.tanh(0.5 * z)) / 2,
    lambda z: 0.5 + 0.5 * np.tanh(z / 2),
]
RELUS = [
    lambda z: np.maximum(z, 0),
    lambda z: np.maximum(0.0, z),
    lambda z: np.where(z > 0, z, 0),
    lambda z: np.where(np.less(0, z), z, 0.0),
    lambda z: z * (z > 0),
    lambda z: (z > 0) * z,
    lambda z: (z > 0).astype(float) * z,
]
LEAKY = [
    lambda z: np.where(z > 0, z, 0.01 * z),
    lambda z: np.where(z > 0, z, z * 0.01),
    lambda z: np.maximum(0.01 * z, z),
    lambda z: np.maximum(z, z * 0.3),
]
SOFTPLUS = [
    lambda z: np.log(1 + np.exp(z)),
    lambda z: np.log(np.exp(z) + 1),
    lambda z: np.log1p(np.exp(z)),
    lambda z: np.logaddexp(0, z),
]
SPELLINGS = {"sigmoid": SIGMOIDS, "relu": RELUS, "leaky_relu": LEAKY, "softplus": SOFTPLUS}


def each(spellings):
    return pytest.mark.parametrize(
        ("name", "spelled"),
        [(name, one) for name, ways in spellings.items() for one in ways],
    )


@each(SPELLINGS)
def test_a_spelling_is_the_function(name, spelled):
    def forward(X, W):
        return np.sum(spelled(X @ W) ** 2)

    assert functions(forward, "X: n k, W: k j") == {name}
    assert f"{name}(Z[n,j]" in lines(forward, "X: n k, W: k j")[1]


@pytest.mark.parametrize(
    ("near", "applied"),
    [
        (lambda z: 1 / (1 + np.exp(z)), {"exp"}),  # σ(−z)
        (lambda z: 1 / (2 + np.exp(-z)), {"exp"}),
        (lambda z: 2 / (1 + np.exp(-z)), {"exp"}),
        (lambda z: 1 / (1 + np.exp(-(z**2))) + z, {"sigmoid"}),  # of another argument
        (lambda z: np.exp(z) / (1 + np.exp(2 * z)), {"exp"}),
        (lambda z: 0.5 * (1 + np.tanh(z)), {"tanh"}),
        (lambda z: 0.5 * (2 + np.tanh(z / 2)), {"tanh"}),
        (lambda z: np.maximum(z, 1), {"maximum"}),
        (lambda z: np.minimum(z, 0), {"minimum"}),
        (lambda z: np.where(z >= 0, z, 0), {"where"}),  # another slope at 0
        (lambda z: np.where(z > 0, 0, z), {"where"}),
        (lambda z: np.where(z < 0, z, 0), {"where"}),
        (lambda z: np.where(z > 0, z, 1), {"where"}),
        (lambda z: np.where(z > 0, z**2, 0), {"where"}),
        (lambda z: z**2 * (z > 0), set()),
        (lambda z: z * (z > 1), set()),
        (lambda z: np.maximum(z, 2 * z), {"maximum"}),  # the steeper branch is above zero
        (lambda z: np.maximum(z, -0.1 * z), {"maximum"}),
        (lambda z: np.log(2 + np.exp(z)), {"exp", "log"}),
        (lambda z: np.log(1 + np.exp(z) ** 2), {"exp", "log"}),
    ],
)
def test_a_near_miss_stays_what_it_is(near, applied):
    assert functions(lambda X: np.sum(near(X)), "X: n k") == applied


# Along an axis.


def top(z, axis=1):
    return z.max(axis=axis, keepdims=True)


def shifted(z, axis=1):
    return np.exp(z - top(z, axis))


SOFTMAXES = [
    lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    lambda z: np.exp(z) / np.sum(np.exp(z), axis=-1)[:, None],
    lambda z: np.exp(z) / np.sum(np.exp(z), 1).reshape(-1, 1),
    lambda z: np.exp(z) / np.expand_dims(np.sum(np.exp(z), axis=1), 1),
    lambda z: shifted(z) / shifted(z).sum(axis=1, keepdims=True),
    lambda z: shifted(z) / np.sum(shifted(z), axis=1)[:, np.newaxis],
    lambda z: np.exp(z - np.max(z)) / np.sum(np.exp(z - np.max(z)), axis=1, keepdims=True),
]
LOG_SOFTMAXES = [
    lambda z: np.log(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)),
    lambda z: z - np.log(np.exp(z).sum(axis=1, keepdims=True)),
    lambda z: np.log(bp.softmax(z)),
    lambda z: (z - top(z)) - np.log(shifted(z).sum(axis=1, keepdims=True)),
    lambda z: z - bp.logsumexp(z)[:, None],
]
LOGSUMEXPS = [
    lambda z: np.log(shifted(z).sum(axis=1)) + z.max(axis=1),
    lambda z: top(z)[:, 0] + np.log(np.sum(shifted(z), axis=1)),
    lambda z: np.log(np.sum(np.exp(z), axis=1)),
    lambda z: np.log(np.exp(z).sum(1)),
]


@pytest.mark.parametrize("spelled", SOFTMAXES)
def test_a_softmax_of_rows_in_every_spelling(spelled):
    def forward(X, T):
        return np.sum(spelled(X) * T)

    assert functions(forward, "X: n k, T: n k") == {"softmax"}
    assert "softmax(X[n,k] over k)" in lines(forward, "X: n k, T: n k")[0]


def test_a_softmax_of_columns_and_of_a_vector():
    def columns(X, T):
        return np.sum(shifted(X, 0) / shifted(X, 0).sum(axis=0) * T)

    def kept(X, T):
        return np.sum(np.exp(X) / np.exp(X).sum(axis=0, keepdims=True) * T)

    def vector(z, t):
        e = np.exp(z - np.max(z))
        return np.sum(e / np.sum(e) * t)

    assert "softmax(X[n,k] over n)" in lines(columns, "X: n k, T: n k")[0]
    assert "softmax(X[n,k] over n)" in lines(kept, "X: n k, T: n k")[0]
    assert functions(vector, "z: n, t: n") == {"softmax"}


@pytest.mark.parametrize("spelled", LOG_SOFTMAXES)
def test_a_log_softmax_in_every_spelling(spelled):
    found = functions(lambda X, T: np.sum(spelled(X) * T * 3), "X: n k, T: n k")
    assert found == {"log_softmax"}


@pytest.mark.parametrize("spelled", LOGSUMEXPS)
def test_a_logsumexp_in_every_spelling(spelled):
    assert functions(lambda X: np.sum(spelled(X) ** 2), "X: n k") == {"logsumexp"}


@pytest.mark.parametrize(
    "near",
    [
        lambda z: np.exp(z) / np.exp(z).sum(axis=1),  # divides column k by the sum of row k
        lambda z: np.exp(z) / np.exp(z).sum(axis=0)[:, None],
        lambda z: np.exp(z) / np.exp(2 * z).sum(axis=1, keepdims=True),
        lambda z: np.exp(2 * z) / np.exp(z).sum(axis=1, keepdims=True),
        lambda z: np.exp(z) / (1 + np.exp(z).sum(axis=1, keepdims=True)),
        lambda z: np.exp(z) / np.exp(z).mean(axis=1, keepdims=True),
    ],
)
def test_a_quotient_that_shares_nothing_out_is_no_softmax(near):
    assert functions(lambda X: np.sum(near(X)), "X: k k") == {"exp"}


def test_a_shift_by_another_axis_is_kept():
    def forward(X, T):
        e = np.exp(X - X.max(axis=0))
        return np.sum(e / e.sum(axis=1, keepdims=True) * T)

    assert "max" in "\n".join(lines(forward, "X: n k, T: n k"))


@pytest.mark.parametrize(
    "spelled",
    [
        lambda X, W: 1 / (1 + np.exp(-X @ W)),
        lambda X, W: 1 / (1 + np.exp(np.dot(-X, W))),
        lambda X, W: 1 / (np.exp(-X.dot(W)) + 1),
    ],
)
def test_a_minus_that_binds_tighter_than_a_product_belongs_to_the_sigmoid(spelled):
    shapes = "X: n k, W: k m, T: n m"
    d = bp.derive(lambda X, W, T: np.sum((spelled(X, W) - T) ** 2), shapes, wrt="W")
    assert "Z[n,m] = X[n,k] * W[k,m]" in d.index()
    assert functions(lambda X, W, T: np.sum((spelled(X, W) - T) ** 2), shapes) == {"sigmoid"}
    assert d.check()


# Cross-entropy.


def softmax(z):
    e = np.exp(z - np.max(z, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


LABELS = [
    lambda Z, y: -np.mean(np.log(softmax(Z)[np.arange(len(y)), y])),
    lambda Z, y: -np.log(softmax(Z)[range(len(y)), y]).mean(),
    lambda Z, y: np.mean(-np.log(softmax(Z))[np.arange(Z.shape[0]), y]),
    lambda Z, y: -np.sum(np.log(softmax(Z)[np.arange(len(Z)), y])) / len(Z),
    lambda Z, y: -1 / len(y) * np.sum(np.log(softmax(Z))[np.arange(len(y)), y]),
    lambda Z, y: np.sum(-np.log(bp.softmax(Z)[np.arange(len(y)), y])) * (1 / y.shape[0]),
]
ONE_HOT = [
    lambda Z, T: -np.mean(np.sum(T * np.log(softmax(Z)), axis=1)),
    lambda Z, T: -np.sum(T * np.log(softmax(Z))) / len(T),
    lambda Z, T: np.sum(-T * np.log(softmax(Z))) / T.shape[0],
    lambda Z, T: -(np.log(softmax(Z)) * T).sum(axis=1).mean(),
]


@pytest.mark.parametrize("spelled", LABELS)
def test_cross_entropy_of_labels_in_every_spelling(spelled):
    program = lines(spelled, "Z: n k, y: n int<k")
    assert "L = cross_entropy(Z[n,k], y[n] over n,k)" in program[-1]


@pytest.mark.parametrize("spelled", ONE_HOT)
def test_cross_entropy_of_shares_in_every_spelling(spelled):
    assert functions(spelled, "Z: n k, T: n k") == {"cross_entropy_of_weights"}


YES_OR_NO = [
    lambda z, t: -np.mean(t * np.log(p(z)) + (1 - t) * np.log(1 - p(z))),
    lambda z, t: np.mean(-t * np.log(p(z)) - (1 - t) * np.log(1 - p(z))),
    lambda z, t: -np.sum((1 - t) * np.log(1 - p(z)) + np.log(p(z)) * t) / len(z),
]


def p(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("spelled", YES_OR_NO)
def test_cross_entropy_of_yes_or_no_in_every_spelling(spelled):
    (line,) = lines(spelled, "z: n, t: n")
    assert "logistic_loss(z[n],t[n])" in line.replace(", ", ",")


def test_cross_entropy_of_yes_or_no_keeps_its_scale():
    """A sum stays a sum, an average over samples one over samples, and weights are weights."""

    def entries(Z, T):
        return T * np.log(p(Z)) + (1 - T) * np.log(1 - p(Z))

    for forward, scale in (
        (lambda Z, T: -np.sum(entries(Z, T)), 1),
        (lambda Z, T: -np.sum(entries(Z, T)) / len(Z), 1 / 2),
        (lambda Z, T: -np.mean(entries(Z, T)), 1 / 4),
        (lambda Z, T: -3 * np.sum(entries(Z, T)), 3),
    ):
        d = bp.derive(forward, "Z: n k, T: n k", wrt="Z")
        assert functions(forward, "Z: n k, T: n k") == {"logistic_loss"}
        Z, T = np.array([[800.0, -800.0], [1.0, -2.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
        value, gradients = d(Z, T)
        np.testing.assert_allclose(gradients["Z"], scale * (bp.sigmoid(Z) - T), rtol=1e-12)
        assert np.isfinite(value)


@pytest.mark.parametrize(
    "spelled",
    [
        lambda z, t: -(t @ np.log(p(z)) + (1 - t) @ np.log(1 - p(z))),
        lambda z, t: -np.dot(t, np.log(p(z))) - np.dot(1 - t, np.log(1 - p(z))),
        lambda z, t: -(np.dot(np.log(1 - p(z)), 1 - t) + np.log(p(z)) @ t) / len(z),
    ],
)
def test_cross_entropy_of_yes_or_no_as_inner_products(spelled):
    assert functions(spelled, "z: n, t: n") == {"logistic_loss"}
    assert bp.derive(spelled, "z: n, t: n").check()


@pytest.mark.parametrize(
    "near",
    [
        lambda z, t: -np.sum(t * np.log(p(z)) + (1 - t) * np.log(p(z))),
        lambda z, t: -np.sum(t * np.log(p(z)) - (1 - t) * np.log(1 - p(z))),
        lambda z, t: -np.sum(t * np.log(p(z)) + 2 * (1 - t) * np.log(1 - p(z))),
        lambda z, t: -np.sum(t * np.log(p(z)) + (1 - z) * np.log(1 - p(z))),
        lambda z, t: -np.sum(t * np.log(p(z)) + (1 - t) * np.log(1 - p(t))),
        lambda z, t: -(t @ np.log(p(z)) + np.sum((1 - t) * np.log(1 - p(z)))),
    ],
)
def test_what_weighs_the_two_answers_differently_is_no_cross_entropy(near):
    assert "logistic_loss" not in functions(near, "z: n, t: n")


@pytest.mark.parametrize(
    ("near", "shapes"),
    [
        (lambda Z, y: np.mean(np.log(softmax(Z)[np.arange(len(y)), y])), "Z: n k, y: n int<k"),
        (lambda Z, y: -np.sum(np.log(softmax(Z)[np.arange(len(y)), y])), "Z: n k, y: n int<k"),
        (lambda Z, y: -np.mean(softmax(Z)[np.arange(len(y)), y]), "Z: n k, y: n int<k"),
        (lambda Z, T: -np.mean(T * np.log(softmax(Z))), "Z: n k, T: n k"),  # over n·k
        (lambda Z, T: -np.sum(T * np.log(softmax(Z.T).T)) / len(T), "Z: n k, T: n k"),
        (lambda Z, T: -np.sum(T * np.log(softmax(Z))) / T.shape[1], "Z: n k, T: n k"),
        (lambda Z, T: -np.sum(T * np.log(softmax(Z) + 1e-9)) / len(T), "Z: n k, T: n k"),
    ],
)
def test_what_is_no_mean_over_samples_is_no_cross_entropy(near, shapes):
    assert not functions(near, shapes) & {"cross_entropy", "cross_entropy_of_weights"}


def test_the_probabilities_stay_a_line_when_the_user_named_them():
    def loss(X, y, W):
        P = softmax(X @ W)
        return -np.mean(np.log(P[np.arange(len(y)), y]))

    assert [line.partition("[")[0].partition(" =")[0] for line in
            lines(loss, "X: n h, y: n int<k, W: h k")] == ["Z", "P", "L"]  # fmt: skip
