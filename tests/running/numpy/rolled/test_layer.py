"""What a column of words is, layer by layer."""

from backpass.language.program import Array
from backpass.language.shapes import size
from backpass.running.numpy.rolled.layer import Columns, Counted, Extent, Given, Made, Same
from backpass.running.numpy.rolled.shelf import shelves

ARRAYS = {
    name: Array(name, tuple(map(size, shape)))
    for name, shape in {
        "X": "nj", "W1": "ij", "W2": "jk", "W3": "km", "c": "k", "A1": "nj", "A2": "nk", "A3": "nm",
        "B1": "n", "U": "n", "V": "n",
    }.items()
}  # fmt: skip


def columns(count=3):
    """Columns that know the results A1, A2, A3 of one line."""
    found = Columns(
        shelves({"W1": "W1", "W2": "W2", "W3": "W3", "c": "c", "U": "U", "V": "V"}),
        ARRAYS,
        {name: size(name) for name in "nijkm"},
        count,
        forward=1,
    )
    found.series.append(dict(enumerate(["A1", "A2", "A3"][:count])))
    found._places.update({word: (0, layer) for layer, word in found.series[0].items()})
    return found


def column(*words, first=0):
    return dict(enumerate(words, first))


def test_the_same_word_everywhere():
    assert columns().reference(column("c", "c", "c")) == Same("c")
    assert columns().reference(column("2", "2")) == Same("2")
    assert columns().reference(column("n", "n")) == Same("n")


def test_results_of_this_layer_and_of_the_one_before():
    assert columns().reference(column("A1", "A2", "A3")) == Made(0, 0)
    found = columns()
    assert found.reference(column("X", "A1", "A2")) == Made(0, -1)
    assert found.edges == {(0, -1): "X"}
    assert found.reference(column("c", "A1", "A2")) is None  # the edge is X already
    assert columns().reference(column("A1", "A3", "A2")) is None
    assert columns().reference(column("A1", "X", "A3")) is None
    assert columns().reference(column("A2", "A3", "X")) is None  # nothing follows the last
    assert columns().reference(column("2", "A1", "A2")) is None


def test_what_only_one_layer_reads():
    found = columns()
    assert found.reference(column("X", first=0)) == Same("X")
    found.edges[0, -1] = "X"
    assert found.reference(column("X", first=0)) == Made(0, -1)
    assert found.reference(column("W2", first=1)) == Given(0, 0)


def test_inputs_are_told_apart_by_their_number():
    assert columns().reference(column("W1", "W2", "W3")) == Given(0, 0)
    assert columns().reference(column("W2", "W3")) == Given(0, 1)
    assert columns().reference(column("W3", "W2", "W1")) is None
    found = columns()
    assert found.reference(column("U", "V")) is None
    assert found.apart == ("U", "V")


def test_sizes_are_those_of_what_lies_on_a_shelf():
    assert columns().reference(column("j", "k", "m")) == Extent(Given(0, 0), 1)
    assert columns().reference(column("i", "j", "k")) == Extent(Given(0, 0), 0)
    assert columns().reference(column("j", "k", first=1)) == Extent(Given(0, 0), 0)
    assert columns().reference(column("j", "n")) is None
    assert columns().reference(column("j", "X")) is None


def test_numbers_that_count_along():
    assert columns().reference(column("2", "3", "4")) == Counted(2)
    assert columns().reference(column("2", "4")) is None
