"""Programs of many styles are read by their numbers alone, and their first update is derived."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from backpass.doctor.infer import network, networks
from backpass.doctor.model import model
from backpass.doctor.probe import probe
from backpass.doctor.updates import first_updates

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(6, 3)), RANDOM.uniform(size=(6, 2))


def load(name):
    return importlib.import_module(f"tests.doctor.programs.{name}")


def tables():
    program = load("tables")
    labels = np.array([[0, 1, 1, 0, 1, 0]])
    return program.step, program.make(3, 4, 1), X.T, labels


def blocks():
    return load("blocks").Stack([3, 6, 5, 4]).learn, X, np.array([0, 1, 2, 3, 1, 2])


def loops():
    return load("loops").Loops(3, 4, 2).learn, [0.1, 0.2, 0.3], [0.0, 1.0]


def samples():
    return load("samples").Columns([3, 5, 4, 2]).learn, 0.5, X, Y


def script():
    return load("script").learn, X, Y[:, :1]


def widened():
    return load("widened").Widened([3, 4, 2]).learn, X, Y


def vector():
    return load("vector").Regression(3, 4).learn, X, Y[:, 0]


SEEN = {  # the program: does it stand in columns, its activations, its loss, and rate times scale
    tables: (True, "tanh sigmoid", "binary_cross_entropy_from_probabilities", 0.8),
    blocks: (False, "relu relu softmax", "cross_entropy_from_probabilities", 0.1),
    loops: (True, "sigmoid sigmoid", "half_sum_of_squares", 0.5),
    samples: (True, "sigmoid sigmoid sigmoid", "half_sum_of_squares", 0.5 / 6),
    script: (False, "sigmoid sigmoid", "half_sum_of_squares", 1.0),
    vector: (False, "leaky_relu by 0.17 linear", "half_sum_of_squares", 0.1),
    widened: (False, "tanh tanh", "mse", 0.05),
}


@pytest.mark.parametrize("program", SEEN, ids=lambda one: one.__name__)
def test_a_network_is_read_off_its_numbers(program):
    columns, activations, _, _ = SEEN[program]
    call, *args = program()
    seen = network(probe(call, args))
    assert seen is not None
    assert seen.columns is columns
    assert " ".join(layer.activation for layer in seen.layers) == activations
    assert all((layer.ones == "last") == (program is widened) for layer in seen.layers)


@pytest.mark.parametrize("program", SEEN, ids=lambda one: one.__name__)
def test_its_first_update_is_the_derived_gradient(program):
    _, _, loss, scale = SEEN[program]
    call, *args = program()
    found = probe(call, args)
    seen = network(found)
    assert seen is not None
    derived = model(seen, loss, found.X, found.Y, found.parameters)
    values = derived.values(found.X, found.Y, found.parameters)
    moved = first_updates(found.run, found.parameters)
    assert set(derived.paths.values()) == set(moved)
    for name, path in derived.paths.items():
        gradient = values[f"d{name}"].reshape(moved[path].shape)  # a bias may be a row or a column
        np.testing.assert_allclose(moved[path], scale * gradient, rtol=1e-7, atol=1e-12)


def test_a_gradient_with_weight_decay_is_no_update():
    table = {"W": RANDOM.normal(size=(3, 2))}

    def step(X, Y, rate=0.05, decay=0.1):
        gradients = {}
        gradients["W"] = X.T @ (X @ table["W"] - Y) + decay * table["W"]
        table["W"] -= rate * gradients["W"]

    found = probe(step, [X, Y])
    W = found.parameters["table['W']"]
    moved = first_updates(found.run, found.parameters)["table['W']"]
    wanted = 0.05 * (found.X.T @ (found.X @ W - found.Y) + 0.1 * W)
    np.testing.assert_allclose(moved, wanted, rtol=1e-12)


def test_a_relu_is_told_by_the_run_in_which_it_cut_something_off():
    W, V, b = RANDOM.normal(size=(2, 1)), RANDOM.normal(size=(1, 2)), np.ones(2)

    def step(X, Y):
        H = np.where(X @ W < 0, 0.0, X @ W)
        D = H @ V + b - Y
        G = H.T @ D
        W[...] -= 0.1 * X.T @ (D @ V.T * (H > 0))
        V[...] -= 0.1 * G
        b[...] -= 0.1 * D[0]

    x, y = X[:1, :2], Y[:1]  # one sample, one unit: in half of all runs it is above zero
    runs = [probe(step, [x, y], seed) for seed in range(6)]
    signs = [bool(np.all(one.X @ one.parameters["W"] > 0)) for one in runs]
    apart = [runs[signs.index(True)], runs[signs.index(False)]]
    for pair in (apart, apart[::-1]):
        found = networks(pair)
        assert [layer.activation for layer in found[0].layers] == ["relu", "linear"]
