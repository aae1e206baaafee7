"""What stands above and around the steps."""

import pytest

from backpass.language.errors import ShapeError
from backpass.language.program import Array
from backpass.language.shapes import size
from backpass.running.numpy import frame


def array(name, *shape):
    return Array(name, tuple(map(size, shape)))


def test_definitions_stand_below_what_they_need():
    imports, *definitions = frame.above(["cross_entropy_of_weights", "sigmoid", "exp"])
    assert imports == "import numpy as np"
    heads = [text.splitlines()[0] for text in definitions]
    needed = ["def log_softmax(z, axis):", "def cross_entropy_of_weights(z, t):"]
    assert heads == [*needed, "def sigmoid(z):"]


def test_no_line_of_a_definition_is_too_long():
    spelled = [one.define for one in frame.SPELLINGS.values()]
    assert max(len(line) for text in spelled for line in text.splitlines()) <= frame.WIDTH


def test_a_shape_stays_on_the_line_of_its_name():
    lines = frame.docstring("Return L.", [f"W{l} (rows{l}, columns{l})" for l in range(9)])
    assert lines[0] == '"""Return L.'
    assert lines[-1] == '"""'
    assert max(map(len, lines)) <= frame.WIDTH - 4
    assert all(line.count("(") == line.count(")") for line in lines)
    assert not any(line.endswith(tuple("0123456789")) for line in lines)


def test_sizes_are_read_off_the_first_input_that_has_them():
    inputs = [array("X", "n", "k"), array("W", "k", "n", "j")]
    words, of = {"X": "X", "W": "W[0]"}, {name: name for name in "nkj"}
    assert frame.size_lines(inputs, "nkj", words, of) == ["n, k = X.shape", "j = W[0].shape[2]"]
    with pytest.raises(ShapeError, match="the size m is not known here"):
        frame.size_lines(inputs, "m", words, of)


def test_what_stands_beside_a_known_size_is_worked_out():
    inputs = [array("X", "n*k", "n"), array("W", "b+1", "2*c-1"), array("Q", "s**2")]
    words, of = {"X": "X", "W": "W", "Q": "Q"}, {name: name for name in "nkbcs"}
    assert frame.size_lines(inputs, "nkbcs", words, of) == [
        "n = X.shape[1]",
        "k = X.shape[0] // n",
        "b = W.shape[0] - 1",
        "c = (W.shape[1] + 1) // 2",
        "s = round(Q.shape[0] ** 0.5)",
    ]
    assert frame.size_lines(inputs, "k", words, of) == ["k = X.shape[0] // X.shape[1]"]


def test_the_dtype_is_that_of_all_real_arrays():
    assert frame.dtype_line([]) == "dtype = np.float64"
    assert frame.dtype_line(["X"]) == "dtype = X.dtype"
    assert frame.dtype_line(["*W"]) == "dtype = np.result_type(*W)"
    assert frame.dtype_line(["X", "*W"]) == "dtype = np.result_type(X, *W)"


def test_keys_are_literals_whatever_they_are():
    nest = {1: "a", 'say "W"': ["b"], (0, "x"): ("c",)}
    text = frame.nest_text(nest, {"a": "da", "b": "db", "c": "dc"})
    assert text == '{1: da, "say \\"W\\"": [db], (0, \'x\'): (dc,)}'
    assert list(frame.leaves(nest)) == ["a", "b", "c"]


def test_long_lists_are_shortened():
    assert frame.shortened(list("abcdef")) == list("abcdef")
    assert frame.shortened(list("abcdefg")) == ["a", "b", "...", "g"]
