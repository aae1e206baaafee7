"""Arguments taken apart and put together; gradients laid beside them."""

from collections import namedtuple

import numpy as np
import pytest

from backpass.checking.calls import call, given, gradients, watched
from backpass.language.errors import DerivationError, UnknownName

W, B, X = np.ones((3, 2)), np.zeros(2), np.ones((4, 3), dtype=np.float32)
LABELS = np.array([0, 1, 1, 0])


def test_arguments_are_called_as_the_function_calls_them():
    def f(W, b, X):
        return W, b, X

    assert list(given(f, (W, B, X)).values) == ["W", "b", "X"]
    assert list(given(lambda *weights: weights, (W, B)).values) == ["weight1", "weight2"]
    assert list(given(max, (W, B)).values) == ["x1", "x2"]


def test_leaves_of_nests_have_names_of_their_own():
    def f(params, Ws, net):
        return params, Ws, net

    args = ({"W": [W, W], "b": B}, [W, B], {"W1": W})
    assert list(given(f, args).values) == ["W1", "W2", "b", "W1_2", "W2_2", "W1_3"]


def test_real_numbers_are_cast_and_integers_stay():
    values = given(lambda X, w, y, n: 0, (X, 0.5, LABELS, 3)).values
    assert [value.dtype.kind for value in values.values()] == ["f", "f", "i", "i"]
    assert values["X"].dtype == np.float64


def test_a_call_puts_everything_back_where_it_was():
    Pair = namedtuple("Pair", "W b")
    args = (Pair(W, B), {"deep": [X, (0.5, W)]}, "mean", None, [1.0, 2.0])

    def f(pair, nest, how, nothing, numbers):
        assert isinstance(pair, Pair)
        assert isinstance(nest["deep"][1], tuple)
        assert (how, nothing, list(numbers)) == ("mean", None, [1.0, 2.0])
        return pair.W @ pair.b + nest["deep"][1][0]

    arguments = given(f, args)
    assert np.array_equal(call(f, "f", arguments, arguments.values), np.full(3, 0.5))


def test_a_function_that_changes_its_arguments_is_noticed_and_yours_stay():
    mine = np.ones(3)

    def f(w, v):
        w *= 2
        return w @ v

    arguments = given(f, (mine, mine))
    result, changed = watched(f, "f", arguments, arguments.values)
    assert (result, changed) == (6, ["w"])
    assert np.array_equal(mine, np.ones(3))
    assert np.array_equal(arguments.values["w"], np.ones(3))


def test_a_function_that_fails_is_quoted():
    def f(w):
        return w @ np.ones(7)

    arguments = given(f, (W,))
    with pytest.raises(DerivationError, match="f raises ValueError: matmul") as caught:
        call(f, "f", arguments, arguments.values)
    assert caught.value.line == "return w @ np.ones(7)"
    assert caught.value.where.startswith("test_calls.py:")


def paired(result, *args, f=lambda W, b, y: 0):
    return {name: g.shape for name, g in gradients(result, given(f, args)).items()}


ALL = {"W": (3, 2), "b": (2,)}


@pytest.mark.parametrize(
    "result",
    [
        [W, B],
        (W, B, None),
        [W, B.tolist(), None],
        {"W": W, "b": B},
        {0: W, 1: B},
        {"W": W, 1: B, "y": None},
    ],
    ids=["real ones", "all with None", "lists of numbers", "names", "positions", "both"],
)
def test_gradients_come_by_position_or_by_name(result):
    assert paired(result, W, B, LABELS) == ALL


def test_some_may_be_left_out():
    assert paired({"b": B}, W, B, LABELS) == {"b": (2,)}
    assert paired([None, B], W, B, LABELS) == {"b": (2,)}


def test_one_array_needs_no_list():
    assert paired(W, W, LABELS, f=lambda W, y: 0) == {"W": (3, 2)}
    assert paired(0.5, 0.5, f=lambda w: 0) == {"w": ()}


def test_gradients_are_nested_like_the_arguments():
    nest = {"W": [W, W], "b": B}
    three = {"W1": (3, 2), "W2": (3, 2), "b": (2,)}

    def f(params, X):
        return params, X

    for result in ([nest, None], {"params": nest}, nest, [nest, X]):
        found = paired(result, nest, X, f=f)
        assert {name: found[name] for name in three} == three
    assert paired([{"b": B}, None], nest, X, f=f) == {"b": (2,)}
    assert paired([W, B], [W, B], X, f=f) == {"param1": (3, 2), "param2": (2,)}


def test_a_wrong_number_of_gradients_is_said():
    message = "g returned 1 gradient for 3 arguments, W, b, y; return one for each, None for one"
    with pytest.raises(DerivationError, match=message):
        paired([W], W, B, LABELS)
    with pytest.raises(DerivationError, match="g returned 4 gradients"):
        paired([W, W, W, W], W, B, LABELS)


def test_what_is_no_gradient_is_refused():
    with pytest.raises(DerivationError):
        paired(["W", "b"], W, B, LABELS)
    with pytest.raises(DerivationError):
        paired(None, W, B, LABELS)


def test_a_gradient_of_nothing_known_is_refused_with_the_nearest_name():
    message = "g returned a gradient for w, which is no argument; did you mean W"
    with pytest.raises(UnknownName, match=message):
        paired({"w": W}, W, B, LABELS)
