"""Initialisers have the spread that their papers ask for."""

import numpy as np
import pytest

import backpass as bp
from backpass.nn.init import INITIALISERS

IN, OUT = 300, 200


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("zeros", 0),
        ("normal", 1e-4),
        ("uniform", 1 / (3 * IN)),
        ("glorot", 2 / (IN + OUT)),
        ("he", 2 / IN),
        ("lecun", 1 / IN),
        ("orthogonal", 1 / IN),
    ],
)
def test_the_variance(name, variance):
    W = INITIALISERS[name](np.random.default_rng(0), IN, OUT)
    assert W.shape == (IN, OUT)
    np.testing.assert_allclose(W.var(), variance, rtol=0.03)
    assert abs(W.mean()) <= 4 * (variance / W.size) ** 0.5


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_orthogonal_rows_or_columns(shape):
    W = INITIALISERS["orthogonal"](np.random.default_rng(0), *shape)
    product = W.T @ W if shape[0] >= shape[1] else W @ W.T
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-14)


@pytest.mark.parametrize("init", INITIALISERS)
def test_both_conventions_start_from_the_same_weights(init):
    layers = [bp.Dense(5, "relu"), bp.Dense(2)]
    rows, columns, augmented = (
        bp.Network(layers, inputs=3, init=init, seed=2, **options)
        for options in ({}, {"convention": "columns"}, {"bias": "augmented"})
    )
    for name in ("W1", "W2"):
        np.testing.assert_array_equal(rows.weights[name], columns.weights[name].T)
        np.testing.assert_array_equal(rows.weights[name], augmented.weights[name][:-1])
        assert not augmented.weights[name][-1].any()
    assert not rows.weights["b1"].any()
