"""Columns become inputs, the same at training and ever after."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError, ShapeError, UnknownName
from backpass.nn.features import (
    Feature,
    cells,
    choose_features,
    counts_rows,
    encode,
    in_order,
    measure,
    places,
    short,
)
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.table import Table, from_array

TEXT = "age,city,height,y\n30,Rome,1.5,a\n20,Oslo,1.8,b\n40,Rome,1.7,a\n"


def table(text: str = TEXT, header: bool | None = None) -> Table:
    return read_delimited("data.csv", text.encode(), header)


def test_a_column_of_text_has_an_input_for_each_value():
    features = choose_features(table(), 3, one_hot=["city"])
    assert features == (
        Feature("age", 0),
        Feature("city", 1, ("Oslo", "Rome")),
        Feature("height", 2),
    )
    X = encode(table(), features, [0, 1, 2])
    np.testing.assert_array_equal(X, [[30, 0, 1, 1.5], [20, 1, 0, 1.8], [40, 0, 1, 1.7]])
    scale = measure(X, features, "each")
    np.testing.assert_allclose(scale.apply(X).mean(axis=0), [0, 1 / 3, 2 / 3, 0], atol=1e-6)
    np.testing.assert_allclose(scale.apply(X).std(axis=0)[[0, 3]], 1, rtol=1e-6)


def test_numbers_may_be_values_too():
    values = choose_features(table("k,y\n10,a\n9,b\n10.0,c\n"), 1, one_hot=["k"])[0].values
    assert values == ("9", "10")


def test_columns_are_ignored_by_name_and_number():
    features = choose_features(table(), 3, ignore=["city", "1"])
    assert [one.name for one in features] == ["height"]
    with pytest.raises(BackpassError, match="has no column left to learn from"):
        choose_features(table(), 3, ignore=["1", "2", "3"])
    with pytest.raises(UnknownName, match="did you mean city"):
        choose_features(table(), 3, ignore=["cty"])


def test_text_that_nobody_spread_is_refused():
    features = choose_features(table(), 3)
    with pytest.raises(BackpassError, match=r"column 'city' holds text \('Rome' in line 2\)"):
        encode(table(), features, [0, 1, 2])


def test_names_that_do_not_repeat_tell_nothing():
    rows = "".join(f"name{number},{number}\n" for number in range(30))
    with pytest.raises(BackpassError, match="column 'name' has 30 different values in 30 rows"):
        choose_features(table(f"name,y\n{rows}"), 1, one_hot=["name"])


@pytest.mark.parametrize(("start", "counts"), [(0, True), (1, True), (2, False)])
def test_a_nameless_column_that_counts_the_rows_is_left_out(start: int, counts: bool):
    rows = "".join(f"{start + number},{number % 2},{number}\n" for number in range(5))
    found = table(f",a,y\n{rows}")
    assert counts_rows(found) == counts
    assert len(choose_features(found, 2)) == 2 - counts
    assert not counts_rows(table(f"id,a,y\n{rows}"))
    assert not counts_rows(table(rows))


def test_columns_are_found_by_name_in_any_order():
    features = choose_features(table(), 3, ignore=["city"])
    other = table("height,sex,age\n1.6,f,50\n")
    assert places(other, features, True, 4) == [2, 0]
    with pytest.raises(UnknownName, match=r"lacks column 'age' of the 2 .*mean Age"):
        places(table("height,Age\n1.6,50\n"), features, True, 4)
    with pytest.raises(UnknownName, match="lacks column 'age' and 1 more of the 2"):
        places(table("a,b\n1.6,50\n"), features, True, 4)


def test_columns_without_names_are_found_in_order():
    features = (Feature("1", 0), Feature("3", 2))
    for width, found in ((2, [0, 1]), (4, [0, 2])):
        assert places(from_array("a.npy", np.zeros((1, width))), features, False, 4) == found
        assert places(from_array("a.npy", np.zeros((1, width))), features, True, 4) == found
    with pytest.raises(ShapeError, match=r"a\.npy has 3 columns and the model takes 2"):
        places(from_array("a.npy", np.zeros((1, 3))), features, False, 4)


def test_a_new_value_is_refused_with_its_line():
    features = (Feature("city", 1, ("Oslo", "Rome")),)
    with pytest.raises(UnknownName, match="line 3, column 'city' is 'Roma', a value that the mod"):
        encode(table(TEXT.replace("Oslo", "Roma")), features, [1])
    with pytest.raises(BackpassError, match="line 3, column 'city' is empty"):
        encode(table(TEXT.replace("Oslo", "")), features, [1])


def test_what_does_not_vary_becomes_zero():
    X = np.column_stack([np.full(10, 0.1), np.arange(10.0), np.full(10, -3e9)])
    features = tuple(Feature(name, place) for place, name in enumerate("abc"))
    scaled = measure(X, features, "each").apply(X)
    np.testing.assert_allclose(scaled[:, [0, 2]], 0, atol=1e-6)
    assert np.isfinite(scaled).all()


def test_scaling_by_all_and_by_nothing():
    X = np.array([[0, 255], [0, 0]], np.uint8)
    features = (Feature("1", 0), Feature("2", 1))
    scaled = measure(X, features, "all").apply(X)
    assert scaled.mean() == pytest.approx(0)
    assert scaled.std() == pytest.approx(1)
    np.testing.assert_array_equal(measure(X, features, "none").apply(X), X)
    with pytest.raises(UnknownName, match="there is no scaling 'eech'; did you mean each"):
        measure(X, features, "eech")


def test_numbers_that_overflow_are_refused_by_name():
    X = np.array([[1, 1e300], [2, -1e300]])
    with pytest.raises(BackpassError, match="column 'b' are too large to be scaled"):
        measure(X, (Feature("a", 0), Feature("b", 1)), "each")


def test_cells_are_said_in_short():
    assert [short(number) for number in (3.0, -0.5, 1e20, 1e-3)] == ["3", "-0.5", "1e+20", "0.001"]
    assert in_order(["b", "10", "9", "a", "9"]) == ("9", "10", "a", "b")
    with pytest.raises(BackpassError, match="row 2, column 1 is nan"):
        cells(from_array("a.npy", np.array([1, np.nan])).column(0))
