"""Sizes that change from layer to layer, as one table."""

from backpass.language.shapes import size
from backpass.running.numpy.rolled.widths import Widths, plus, table_of


def shapes(*texts, first=0):
    return {layer: tuple(map(size, text.split())) for layer, text in enumerate(texts, first)}


A = shapes("n j", "n k", "n m")
W = shapes("i j", "j k", "k m")
AUGMENTED = shapes("n i+1", "n j+1", "n k+1")


def table(*arrays, base=0, variable="l"):
    return Widths(table_of(arrays), "d", variable, base)


def test_a_number_with_its_sign():
    assert [plus("l", number) for number in (0, 1, -2)] == ["l", "l + 1", "l - 2"]


def test_the_first_changing_axis_begins_the_table():
    widths = table(A, W)
    assert [str(widths.table[at]) for at in sorted(widths.table)] == ["i", "j", "k", "m"]
    assert widths.shape(A) == "(n, d[l + 1])"
    assert widths.shape(W) == "(d[l], d[l + 1])"
    assert widths.shape(shapes("n i", "n j", "n k")) == "(n, d[l])"


def test_a_layer_may_be_numbered_from_one_and_otherwise_called():
    widths = table(A, W, base=1, variable="l_")
    assert widths.shape(W) == "(d[l_ - 1], d[l_])"


def test_sizes_with_one_more():
    widths = table(AUGMENTED, A)
    assert [str(widths.table[at]) for at in sorted(widths.table)] == ["i", "j", "k", "m"]
    assert widths.shape(AUGMENTED) == "(n, d[l] + 1)"


def test_a_line_of_one_layer_alone():
    widths = table(A, W)
    assert widths.shape(shapes("n j", first=1)) == "(n, d[l])"
    assert widths.shape(shapes("n p", first=1)) == "(n, p)"


def test_sizes_that_do_not_fit_are_listed():
    widths = table(A)
    assert widths.shape(shapes("n k", "n j", "n j")) == "(n, k), (n, j)"
    assert widths.shape(shapes("n", "n", "n")) == "(n,)"
    assert widths.shape(shapes("", "", "")) == ""


def test_without_changing_sizes_there_is_no_table():
    assert table(shapes("n k", "n k")).table == {}
    assert table(shapes("n 4", "n 4")).shape(shapes("n 4", "n 4")) == "(n, 4)"
