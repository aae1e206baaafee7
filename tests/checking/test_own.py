"""The user's own forward pass on plain arrays."""

import numpy as np
import pytest

from backpass.checking.own import arrays_in, own_function
from backpass.forward.arguments import declare

W, X = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.0])


def g(x):
    raise AssertionError("g was only declared")


def test_a_function_gets_its_nests():
    def loss(params, X):
        return np.sum(params["W"][0] @ X + params["b"])

    arguments = declare({"params": {"W": ["m k"], "b": "m"}, "X": "k"}, None)
    own = own_function(loss, arguments)
    assert own({"W1": W, "b": np.ones(2), "X": X}, {}) == pytest.approx(np.sum(W @ X) + 2)


def test_a_formula_is_read_without_being_recorded():
    arguments = declare("W: m k, x: k", None)
    own = own_function("z = W x; L = ½ Σ z²", arguments)
    assert own({"W": W, "x": X}, {}) == pytest.approx(0.5 * np.sum((W @ X) ** 2))


def test_sizes_in_a_formula_are_read_off_the_arrays():
    arguments = declare("W: m k+1, x: m", None)
    assert own_function("L = Σ W / (m k)", arguments)({"W": W, "x": X}, {}) == 5


def test_declared_functions_get_their_bodies():
    arguments = declare("x: k", None)
    assert own_function("L = sum(g(x))", arguments)({"x": X}, {"g": np.square}) == 1.25

    def loss(x):
        return np.sum(g(x))

    assert own_function(loss, arguments)({"x": X}, {"g": np.square}) == 1.25


def test_the_arrays_of_a_nest_come_in_order():
    assert list(arrays_in({"a": [1, (2, 3)], "b": 4})) == [1, 2, 3, 4]
