"""Columns by name and by number, and what an array becomes."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError, UnknownName
from backpass.nn.tables.table import LONG, Table, from_array, number

TABLE = Table("a.csv", ("age", "2", "sex"), np.zeros((2, 3)), named=True, lines=(2, 4))


@pytest.mark.parametrize(
    ("wanted", "place"), [("age", 0), ("2", 1), ("3", 2), ("-1", 2), ("-3", 0)]
)
def test_a_column_is_found_by_its_name_and_then_by_its_number(wanted: str, place: int):
    assert TABLE.find(wanted) == place


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("Age", r"a\.csv has no column 'Age'; did you mean age\?$"),
        ("price", r"a\.csv has no column 'price'; there are age, 2, sex$"),
        ("0", "has no column 0; its 3 columns count from 1, or from -1 for the last"),
        ("4", "has no column 4"),
        ("-4", "has no column -4"),
    ],
)
def test_a_column_that_is_not_there(wanted: str, said: str):
    with pytest.raises(UnknownName, match=said):
        TABLE.find(wanted)
    with pytest.raises(UnknownName, match="its 2 columns have no names: give a number from 1 to 2"):
        from_array("a.npy", np.zeros((3, 2))).find("age")


def test_a_cell_has_a_place_in_the_words_of_its_file():
    assert TABLE.column(2).place(1) == "line 4, column 'sex'"
    assert from_array("a.npy", np.zeros((3, 2))).column(1).place(0) == "row 1, column 2"


def test_a_cell_is_quoted_and_cut():
    table = from_array("a.npy", np.array([["x" * 100, "y"]]))
    assert table.column(1).cell(0) == "'y'"
    assert len(table.column(0).cell(0)) == LONG + 2
    assert from_array("a.npy", np.array([[np.inf]])).column(0).cell(0) == "inf"


def test_pictures_are_laid_out_as_rows():
    pictures = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    table = from_array("train", pictures)
    assert table.picture == (2, 3)
    assert table.numbers.dtype == np.uint8
    np.testing.assert_array_equal(table.numbers[1], range(6, 12))
    assert from_array("y", np.arange(3)).names == ("1",)


def test_text_in_arrays_is_kept_where_it_is_no_number():
    table = from_array("a.npy", np.array([["1", "a"], ["2.5", "3"]]))
    assert table.numbers[:, 0].tolist() == [1, 2.5]
    assert dict(table.texts) == {1: ("a", "3")}


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array(3.0), "is no array of samples"),
        (np.zeros(2, [("a", float)]), "is no array of samples"),
        (np.zeros((0, 3)), r"is empty: its shape is \(0, 3\)"),
        (np.zeros((3, 0)), "is empty"),
        (np.zeros(3, complex), "holds complex128; give real numbers"),
        (np.zeros(3, "datetime64[s]"), "holds datetime64"),
    ],
)
def test_what_is_no_table(array: np.ndarray, said: str):
    with pytest.raises(BackpassError, match=said):
        from_array("a.npy", array)


def test_numbers_are_what_every_program_reads():
    assert [number(cell) for cell in ("1", " -2.5e3 ", ".5", "+7", "inf")] == [
        1, -2500, 0.5, 7, np.inf,
    ]  # fmt: skip
    assert all(np.isnan(number(cell)) for cell in ("", "x", "1_0", "nan", "٣", "1 2"))
