"""Arguments by their names, gradients on their shelves."""

from backpass.language.program import Array
from backpass.language.shapes import size
from backpass.running.numpy.entry import shapes
from backpass.running.numpy.rolled.setting import (
    Names,
    inputs,
    nested,
    on_lists,
    outputs,
)
from backpass.running.numpy.rolled.shelf import leaves_of, shelves


def on(arguments, *words):
    """By number, the shelf that each W1 shares with W2."""
    found = shelves(arguments)
    pairs = [{f"{word[:-1]}1", f"{word[:-1]}2"} for word in words]
    return dict(enumerate(next(s for s in found if pair <= s.numbers.keys()) for pair in pairs))


def result(arguments, *looped, without=()):
    """The text of all gradients, when those of `looped` and their shelves come from a loop."""
    used = on(arguments, *looped)
    given = inputs(arguments, (), used, Names(set()))
    leaves = [leaf.word for leaf in leaves_of(arguments) if leaf.word not in without]
    gradients = {word: f"d{word}" for word in leaves}
    made = [f"d{word}" for word in looped]
    put = outputs(arguments, gradients, given.kept.values(), made, Names({*given.signature}))
    texts = {gradient: gradient for gradient in gradients.values()} | put.texts
    return put.made, put.result(texts)


def test_names_are_given_out_once():
    names = Names({"l"})
    assert [names.new(name) for name in ("l", "W", "W", "lambda", "θ")] == [
        "l_",
        "W",
        "W_",
        "lambda_",
        "theta",
    ]


def test_arguments_of_their_own_become_a_list_in_the_place_of_the_first():
    arguments = {name: name for name in ("X", "W1", "b1", "W2", "b2", "Y")}
    used = list(on(arguments, "W1", "b1").values())
    assert nested(arguments, used) == {"X": "X", "W": ["W1", "W2"], "b": ["b1", "b2"], "Y": "Y"}
    assert on_lists(used[0], arguments).path == ("W", None)
    assert list(nested({**arguments, "W": "W"}, used)) == ["X", "Ws", "b", "Y", "W"]


def test_nests_are_unpacked_at_the_top():
    arguments = {"X": "X", "net": {"W": ["W1", "W2"], "c": "c"}}
    given = inputs(arguments, ["ones"], on(arguments, "W1"), Names({"c"}))
    assert given.signature == ("X", "net", "ones")
    assert given.unpacked == [("W", 'net["W"]'), ("c_", 'net["c"]')]
    assert given.texts == {"X": "X", "W1": "W[0]", "W2": "W[-1]", "c": "c_", "ones": "ones"}


def test_gradients_of_lists():
    arguments = {"X": "X", "W": ["W1", "W2"], "b": ("b1", "b2")}
    made, text = result(arguments, "W1", "b1")
    assert made == [("dW", "[None] * len(W)"), ("db", "[None] * len(b)")]
    assert text == '{"X": dX, "W": dW, "b": tuple(db)}'
    made, text = result(arguments, "W2", without=("X", "W1", "b1", "b2"))
    assert made == [("dW", "[None] * 1")]
    assert text == '{"W": dW}'


def test_gradients_of_dicts_keep_the_order_of_the_keys():
    arguments = {"p": {"W1": "W1", "b1": "b1", "W2": "W2", "b2": "b2", "V": "V"}}
    made, text = result(arguments, "W1", "b1")
    assert (made, text) == ([("dp", "dict.fromkeys(p)")], '{"p": dp}')
    made, _ = result(arguments, "W1", "b1", without=("V",))
    assert made == [("dp", "{}")]


def test_gradients_of_nests_are_put_together_again():
    pairs = {"P": [("W1", "b1"), ("W2", "b2")]}
    made, text = result(pairs, "W1", "b1")
    assert [name for name, _ in made] == ["dP_0", "dP_1"]
    assert text == '{"P": [(dP_0[l], dP_1[l]) for l in range(len(dP_0))]}'
    dicts = {"P": ({"W": "W1", "b": "b1"}, {"W": "W2", "b": "b2"})}
    _, text = result(dicts, "W1", "b1")
    assert text == '{"P": tuple({"W": dW[l], "b": db[l]} for l in range(len(dW)))}'
    unlike = {"P": [["W1"], ["W2", "b2"]]}
    _, text = result(unlike, "W1")
    assert text == '{"P": [[dP_0[0]], [dP_0[-1], db2]]}'
    named = {"P": {"layer1": {"W": "W1"}, "layer2": {"W": "W2"}}}
    _, text = result(named, "W1")
    assert text == '{"P": {"layer1": {"W": dW[0]}, "layer2": {"W": dW[-1]}}}'


def test_shapes_are_nested_like_the_argument():
    arrays = {
        "X": Array("X", (size("n"), size("k"))),
        "y": Array("y", (size("n"),), "int", size("k")),
        "s": Array("s", ()),
    }
    nest = {"a": ["X", "y"], 2: ("s",)}
    assert shapes(nest, arrays) == '{"a": [(n, k), (n,) of integers], 2: (a number)}'
    assert shapes(["X"] * 9, arrays) == "[(n, k), (n, k), ..., (n, k)]"
