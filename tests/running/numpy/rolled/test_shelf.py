"""Arrays that are told apart by a number, wherever it stands."""

from backpass.running.numpy.rolled.shelf import leaves_of, shelves


def found(arguments, word):
    """The shelves on which an array lies, by path."""
    return {one.path: one for one in shelves(arguments) if word in one.numbers}


def test_arguments_with_numbers_become_a_list():
    arguments = {name: name for name in ("X", "W2", "W3", "b2", "W5")}
    shelf = found(arguments, "W2")[(None,)]
    assert shelf.numbers == {"W2": 0, "W3": 1}
    assert (shelf.stem, shelf.kind, shelf.length) == ("W", "arguments", 2)
    assert found(arguments, "X") == {}
    assert found(arguments, "W5")[(None,)].numbers == {"W5": 0}  # W4 is missing in between


def test_places_of_lists_and_what_lies_below():
    arguments = {"net": {"W": ["W1", "W2"], "layers": [("V1", "c1"), ("V2", "c2")]}}
    shelf = found(arguments, "W1")["net", "W", None]
    assert shelf.above == ("net", "W")
    assert (shelf.at("W", "l"), shelf.element("W", "W1"), shelf.element("W", "W2")) == (
        "W[l]",
        "W[0]",
        "W[-1]",
    )
    across = found(arguments, "c1")["net", "layers", None, 1]
    assert across.numbers == {"c1": 0, "c2": 1}
    assert across.at("layers", "l + 1") == "layers[l + 1][1]"
    within = found(arguments, "c1")["net", "layers", 0, None]
    assert within.numbers == {"V1": 0, "c1": 1}


def test_keys_that_end_in_a_number():
    arguments = {"p": {"W1": "W1", "b1": "b1", "W2": "W2", "b2": "b2"}, "q": {1: "x", 2: "y"}}
    shelf = found(arguments, "W2")["p", None]
    assert shelf.numbers == {"W1": 1, "W2": 2}
    assert shelf.at("p", "l") == 'p[f"W{l}"]'
    assert shelf.element("p", "W2") == 'p["W2"]'
    numbered = found(arguments, "x")["q", None]
    assert (numbered.at("q", "l"), numbered.element("q", "y")) == ("q[l]", "q[2]")


def test_the_last_of_a_list_is_not_the_last_number_when_others_lie_behind():
    shelf = found({"W": ["W1", "W2", {"V": "V"}]}, "W1")["W", None]
    assert shelf.element("W", "W2") == "W[1]"


def test_leaves_come_in_order_with_their_paths():
    arguments = {"X": "X", "p": {"a": ["a1", ("a2",)]}}
    assert [(leaf.word, leaf.path) for leaf in leaves_of(arguments)] == [
        ("X", ("X",)),
        ("a1", ("p", "a", 0)),
        ("a2", ("p", "a", 1, 0)),
    ]
