"""What the lines of the general layer are called."""

import numpy as np

import backpass as bp


def names(loss, shapes, wrt):
    """The names that the turns of a loop assign, in order."""
    text = bp.derive(loss, shapes, wrt=wrt).code("numpy", "loop")
    turns = [line.strip() for line in text.splitlines() if line.startswith(" " * 8)]
    found = (line.replace(".append(", " = ").split(" = ")[0] for line in turns)
    return [name.split("[")[0] for name in found if name.isidentifier() or "[" in name]


SHAPES = {"X": "n k", "Y": "n k", "W": ["k k"] * 3}


def test_a_name_loses_its_number_and_gradients_follow():
    def loss(X, Y, W):
        out = X
        for w in W:
            net = out @ w
            out = np.tanh(net)
        return np.sum((out - Y) ** 2)

    assert names(loss, SHAPES, "W") == ["net", "out", "dnet", "dW", "dout"]


def test_what_is_bound_twice_in_a_turn_is_z_before_its_activation():
    def loss(X, Y, W):
        A = X
        for w in W:
            A = A @ w
            A = np.tanh(A)
        return np.sum((A - Y) ** 2)

    assert names(loss, SHAPES, "W") == ["Z", "A", "dZ", "dW", "dA"]


def test_unless_something_is_called_so():
    def loss(X, Y, W):
        A = X
        for w in W:
            A = A * 2
            A = np.tanh(A @ w)
        return np.sum((A - Y) ** 2)

    assert names(loss, SHAPES, "W") == ["A1", "Z", "A", "dZ", "dW", "dA1", "dA"]


def test_two_names_that_only_numbers_tell_apart_keep_those_of_the_first_layer():
    def loss(X, Y, W):
        A = X
        for w in W:
            Z = A @ w
            Z = Z - np.mean(Z, axis=1, keepdims=True)
            A = np.tanh(Z)
        return np.sum((A - Y) ** 2)

    assert names(loss, SHAPES, "W") == ["Z1", "Z2", "A", "dZ2", "dZ1", "dW", "dA"]
