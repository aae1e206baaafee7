"""The first cell that is no number gets a sentence with its place and what to do."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.numbers import numbers_of, numbers_of_column
from backpass.nn.tables.table import from_array


def table(*cells: str):
    lines = "\n".join(f"{number};{cell}" for number, cell in enumerate(cells))
    return read_delimited("data.csv", f"n;a\n{lines}\n".encode())


def test_numbers_pass():
    found = numbers_of(table("1", "2"), [1, 0])
    np.testing.assert_array_equal(found, [[1, 0], [2, 1]])
    whole = from_array("a.npy", np.arange(6, dtype=np.uint8).reshape(2, 3))
    assert numbers_of(whole, [0, 1, 2]) is whole.numbers  # pictures by the million are not copied


def test_true_and_false_are_one_and_zero():
    found = numbers_of(table("True", "FALSE", "true"), [1, 0])
    np.testing.assert_array_equal(found, [[1, 0], [0, 1], [1, 2]])
    alone = read_delimited("data.csv", b"True;False\nFalse;True\n")
    np.testing.assert_array_equal(numbers_of(alone, [0, 1]), [[1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (("1", "", "3"), r"line 3, column 'a' is empty; fill it in, or leave its row or col"),
        (("1", "2", "NA"), r"line 4, column 'a' is 'NA', a missing value; fill it in"),
        (("1", "2", "nan"), r"line 4, column 'a' is 'nan', a missing value"),
        (("1", "2", "two"), r"line 4, column 'a' is 'two', which is no number; correct it"),
        (("1", "inf", "3"), r"line 3, column 'a' is inf; correct it"),
        (("1,5", "2,5"), r"line 2, column 'a' is '1,5', which is no number; write decimals with a"),
        (("", ""), r"line 2, column 'a' is empty, and one more of its cells is; fill it in"),
        (("1", "?", "", "NA", "2"), r"is '\?', a missing value, and 2 more of its cells are;"),
        (("True", "", "False"), r"line 3, column 'a' is empty; fill it in"),
        (("True", "no", "False"), r"column 'a' holds text \('True' in line 2\)"),
        (("", "red", "blue"), r"column 'a' holds text \('red' in line 3\)"),
        (("red", "blue", "7"), r"column 'a' holds text \('red' in line 2\); train without it, "
         "--ignore, or with an input for each of its values, --one-hot"),
    ],
)  # fmt: skip
def test_what_is_no_number(cells: tuple[str, ...], said: str):
    found = table(*cells)
    for read in (lambda: numbers_of(found, [0, 1]), lambda: numbers_of_column(found.column(1))):
        with pytest.raises(BackpassError, match=said):
            read()


def test_arrays_have_rows():
    wrong = np.zeros((3, 4))
    wrong[2, 1] = np.nan
    with pytest.raises(BackpassError, match="row 3, column 2 is nan, a missing value"):
        numbers_of(from_array("a.npy", wrong), [0, 1])
    assert numbers_of(from_array("a.npy", wrong), [0, 2]).shape == (3, 2)


def test_all_columns_of_text_are_named_at_once():
    text = "a,b,c,d\nx,1,p,\ny,2,q,7\n"
    found = read_delimited("data.csv", text.encode())
    said = r"column 'a' holds text \('x' in line 2\), and so does column 'c'; train without them"
    with pytest.raises(BackpassError, match=said):
        numbers_of(found, [3, 0, 1, 2])
    names = ",".join(f"c{number}" for number in range(20))
    found = read_delimited("data.csv", f"{names}\n{','.join('x' * 20)}\n".encode())
    with pytest.raises(BackpassError, match=r"so do column 'c1', .*column 'c12' and 7 more; train"):
        numbers_of(found, range(20))
