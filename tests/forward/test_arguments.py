"""Shapes are declared by text, by a nest or by examples, and calls are held to them."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

import numpy as np
import pytest

from backpass.forward.arguments import declare, flat, parameters, replace_leaves
from backpass.language.errors import (
    BackpassError,
    DerivationError,
    NotationError,
    UnknownName,
)
from backpass.language.notation_text import format_array


def shown(shapes, needed=None):
    arguments = declare(shapes, None if needed is None else dict.fromkeys(needed, True))
    return [format_array(leaf) for leaf in arguments.leaves]


def test_a_text_declares_arrays_of_every_kind():
    text = (
        "X: n k, w: (), V: 3 2; y: n int<m\nm: n k bool, z: 2*n k+1, c: () int<3, P: (n, k), Q: n×k"
    )
    assert shown(text) == [
        "X: n k", "w: ()", "V: 3 2", "y: n int<m", "m: n k bool", "z: 2*n k+1", "c: () int<3",
        "P: n k", "Q: n k",
    ]  # fmt: skip


def test_a_dict_is_shaped_like_the_arguments():
    assert shown({"X": "n k", "params": {"W": ["k j", "j m"], "b": ("j", "m")}}) == [
        "X: n k", "W1: k j", "W2: j m", "b1: j", "b2: m",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nest", "names"),
    [
        ({"layers": ["k j", "j m"]}, ["layer1", "layer2"]),
        ({"W": {1: "k j", 2: "j m"}}, ["W1", "W2"]),
        ({"layers": [{"W": "k j", "b": "j"}, {"W": "j m", "b": "m"}]}, ["W1", "b1", "W2", "b2"]),
        ({"p": {"layer1": {"W": "k j"}, "layer2": {"W": "j m"}}}, ["W1", "W2"]),
        ({"p": {"encoder": {"W": "k j"}, "decoder": {"W": "j m"}}}, ["encoder_W", "decoder_W"]),
        ({"W": "k j", "params": {"W": "k j", "b": "j"}}, ["W", "params_W", "b"]),
        ({"W1": "k j", "W": ["k j", "j m"]}, ["W1", "W_1", "W2"]),
        ({"x": [["n", "m"], ["k"]]}, ["x11", "x12", "x21"]),
    ],
)
def test_leaves_get_the_shortest_names_that_keep_them_apart(nest, names):
    assert [leaf.name for leaf in declare(nest, None).leaves] == names


def test_examples_declare_the_numbers_that_they_have():
    examples = {"X": np.ones((3, 2)), "y": np.array([0, 2]), "m": np.array([True]), "w": 2.5,
                "list": [[1.0, 2.0], [3.0, 4.0]], "p": [np.ones(2), np.ones(1)]}  # fmt: skip
    assert shown(examples) == [
        "X: 3 2", "y: 2 int<3", "m: 1 bool", "w: ()", "list1: 2", "list2: 2", "p1: 2", "p2: 1",
    ]  # fmt: skip
    assert shown(["n k", np.ones(2)], ["X", "v"]) == ["X: n k", "v: 2"]


def test_a_tuple_with_numbers_in_it_is_a_shape():
    shapes = {"X": np.ones((3, 2)).shape, "W": ("n", 2), "c": (), "p": [(2,), (4, "m")]}
    assert shown(shapes) == ["X: 3 2", "W: n 2", "c: ()", "p1: 2", "p2: 4 m"]
    assert shown([(3, 2), ("n", 3)], ["X", "W"]) == ["X: 3 2", "W: n 3"]
    assert shown("X: [n, k], W: (k, m)") == ["X: n k", "W: k m"]


@pytest.mark.parametrize(
    ("shapes", "kind", "sentence", "line"),
    [
        ("X n k", NotationError, 'a shape is declared like "X: n k"', "X n k"),
        ("2x: n", NotationError, 'a shape is declared like "X: n k"', "2x: n"),
        ("X: n, k", NotationError, '"k" stands alone; spaces are between sizes', "X: n, k"),
        ("X: n k, X: k", NotationError, "X has two shapes; keep one", "X: n k, X: k"),
        ("X:", NotationError, "X has no shape; a single number is ()", "X:"),
        ("X: -1 k", NotationError, "X: a size cannot be negative", "X: -1 k"),
        ("X: n 1.5", NotationError, "X: '1.5' is not a size; a size is a name", "X: n 1.5"),
        ("X: k-", NotationError, "X: 'k-' is not a size", "X: k-"),
        ("y: n int", NotationError, "y: say how large the integers may be, int<m", "y: n int"),
        ({"X": "n", "p": {"b": "k k-"}}, NotationError, "b: 'k-' is not a size", "k k-"),
        ({"X": [3, 2]}, NotationError, "X: [3, 2] may be a shape or numbers; write (3, 2)", None),
        ({"X": (3, -2)}, NotationError, "X: a size cannot be negative", "(3, -2)"),
        ({1: "n k"}, NotationError, '1 is no name of an argument; write {"X": "n k"}', None),
        ({"X": np.array([0, -2])}, DerivationError, "X holds -2: whole numbers are indices", None),
        ({"X": None}, DerivationError, "X is declared by None, which is no array", None),
        ({"X": {3}}, DerivationError, "X is declared by {3}, which is no array", None),
        (7, NotationError, 'shapes are a text such as "X: n k, W: k j", a dict by', None),
    ],
)
def test_a_declaration_that_cannot_be_read_is_quoted(shapes, kind, sentence, line):
    with pytest.raises(kind) as caught:
        declare(shapes, None)
    assert caught.value.message.startswith(sentence)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("shapes", "kind", "sentence"),
    [
        ("X: n k, V: k", UnknownName, "V has a shape and is no argument; the arguments are X, W1"),
        ("X: n k, w1: k", UnknownName, "w1 has a shape and is no argument; did you mean W1?"),
        ("X: n k", DerivationError, 'the argument W1 has no shape; add "W1: …"'),
        (["n k"], DerivationError, "1 shape was given for the arguments X, W1"),
    ],
)
def test_shapes_and_arguments_are_the_same_names(shapes, kind, sentence):
    with pytest.raises(kind) as caught:
        declare(shapes, {"X": True, "W1": True})
    assert caught.value.message == sentence


def test_arguments_with_a_default_may_have_a_shape():
    def loss(X, W, rate=0.1, *, v):
        return X

    needed = parameters(loss)
    assert needed == {"X": True, "W": True, "rate": False, "v": True}
    assert list(declare("v: n, W: k, X: n", needed).nests) == ["X", "W", "v"]
    assert list(declare("v: n, W: k, rate: (), X: n", needed).nests) == ["X", "W", "rate", "v"]
    assert parameters(partial(loss, W=1)) == {"X": True, "W": False, "rate": False, "v": True}
    with pytest.raises(DerivationError, match="give its arguments names"):
        parameters(lambda *X: X)
    with pytest.raises(DerivationError, match="take the method from an object, as in"):
        declare("X: n", {"self": True, "X": True})


ARGUMENTS = declare({"X": "n k", "params": {"W": ["k j", "j m"], "b": "m"}}, None)


def test_a_call_is_taken_apart_and_put_together():
    params = OrderedDict(b=3, W=(1, 2))
    assert ARGUMENTS.arrange((0, params), {}) == {"X": 0, "W1": 1, "W2": 2, "b": 3}
    assert ARGUMENTS.arrange((), {"params": params, "X": 0}) == ARGUMENTS.arrange((0, params), {})
    assert ARGUMENTS.gather({"W1": 1, "W2": 2, "b": 3}) == {"params": {"W": [1, 2], "b": 3}}
    assert ARGUMENTS.gather({"W2": 2, "X": 0}) == {"X": 0, "params": {"W": [2]}}
    nest = replace_leaves(ARGUMENTS.nests["params"], lambda leaf: leaf.name)
    assert nest == {"W": ["W1", "W2"], "b": "b"}
    assert [leaf.name for leaf in flat(ARGUMENTS.nests["params"])] == ["W1", "W2", "b"]


@pytest.mark.parametrize(
    ("values", "named", "sentence"),
    [
        ((1, 2, 3), {}, "3 arguments were given; there are 2: X, params"),
        ((1,), {}, "the argument params is missing; give X, params"),
        ((1, 2), {"X": 1}, "the argument X is given twice"),
        ((1,), {"parms": 1}, "there is no argument parms; did you mean params?"),
        ((1, 2), {}, "params must be a dict with the keys W, b"),
        ((1, {"W": [1, 2]}), {}, "params must be a dict with the keys W, b"),
        ((1, {"W": [1], "b": 2}), {}, "params['W'] must be a list of 2 parts"),
        ((1, {"W": np.ones(2), "b": 2}), {}, "params['W'] must be a list of 2 parts"),
    ],
)
def test_a_call_that_is_shaped_otherwise_is_refused(values, named, sentence):
    with pytest.raises(BackpassError) as caught:
        ARGUMENTS.arrange(values, named)
    assert caught.value.message == sentence
