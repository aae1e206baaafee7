"""Text files as people have them: separators, headers, quotes, and what is wrong with a line."""

import numpy as np
import pytest

from backpass.language.errors import BackpassError
from backpass.nn.tables.delimited import read_delimited
from backpass.nn.tables.table import Table

NAMED = "height,weight,kind\n1.5,2,cat\n-3e1,.5,dog\n"


def read(text: str, header: bool | None = None) -> Table:
    return read_delimited("data.csv", text.encode(), header)


def same(left: Table, right: Table) -> bool:
    numbers = np.array_equal(left.numbers, right.numbers, equal_nan=True)
    return numbers and (left.names, left.named, left.texts) == (
        right.names,
        right.named,
        right.texts,
    )


def test_numbers_are_numbers_and_text_is_kept():
    table = read(NAMED)
    assert table.names == ("height", "weight", "kind")
    assert table.named
    np.testing.assert_array_equal(table.numbers[:, :2], [[1.5, 2], [-30, 0.5]])
    assert np.isnan(table.numbers[:, 2]).all()
    assert dict(table.texts) == {2: ["cat", "dog"]}
    assert list(table.lines or ()) == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        NAMED.replace(",", ";"),
        NAMED.replace(",", "\t"),
        NAMED.replace(",", ", ").replace("cat", "cat  "),
        NAMED.replace("\n", "\r\n"),
        "\ufeff" + NAMED,
        NAMED.removesuffix("\n"),
        '"height","weight","kind"\n"1.5","2","cat"\n"-3e1",".5","dog"\n',
        "\n" + NAMED.replace("\n-3e1", "\n\n-3e1") + ",,\n \n",
    ],
    ids=["semicolons", "tabs", "spaces", "CRLF", "BOM", "no last newline", "quotes", "empty lines"],
)
def test_all_these_are_the_same_table(text: str):
    assert same(read(text), read(NAMED))


@pytest.mark.parametrize(
    "text",
    [
        NAMED.replace(",", " "),
        NAMED.replace(",", "   ").replace("\n", "  \r\n"),
        "\n  " + NAMED.replace(",", " ").replace("\n", "\n\n   "),
    ],
    ids=["one", "many", "at both ends"],
)
def test_spaces_alone_may_stand_between_cells(text: str):
    assert same(read(text), read(NAMED))


@pytest.mark.parametrize("text", ["New York\nLos Angeles\n", "5 High Street\n7 High Street\n"])
def test_several_words_may_be_one_cell(text: str):
    assert read(text, header=False).texts == {0: text.splitlines()}


def test_quoted_cells_may_hold_separators_quotes_and_newlines():
    table = read('a;b\n1;"x;\n""y"""\n2;z\n')
    assert table.texts[1] == ['x;\n"y"', "z"]
    assert list(table.lines or ()) == [3, 4]


def test_a_name_is_one_line():
    assert read('"a\n  b",c\n1,2\n').names == ("a b", "c")


def test_semicolons_win_over_decimal_commas():
    assert read("1,5;2\n2,5;3\n").texts == {0: ["1,5", "2,5"]}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", False),
        ("label,0,1,2\n7,0,0,128\n3,0,9,0\n", True),  # pixels with numbers for names
        ("1,,x\n2,3,y\n", False),  # a gap is no name
        ("1,?,3\n2,3,4\n", False),
        ("colour,size\nred,big\nblue,small\n", True),
        ("nan,nan\n1,2\n", False),
    ],
)
def test_the_header_is_found(text: str, named: bool):
    table = read(text)
    assert table.named == named
    assert len(table) == text.count("\n") - named


def test_the_header_may_be_told():
    assert read("1,2\n3,4\n", header=True).names == ("1", "2")
    assert read("red,big\nblue,small\n", header=False).texts[0] == ["red", "blue"]


def test_text_that_comes_late_is_found_with_all_cells_of_its_column():
    rows = [f"{number},0" for number in range(500)]
    table = read("\n".join(["a,b", *rows, "x,1", "7.0,nan"]))
    assert table.texts[0][:2] == ["0", "1"]
    assert table.texts[0][-2:] == ["x", "7.0"]
    assert table.texts[1][-1] == "nan"
    assert table.numbers[-1, 0] == 7


@pytest.mark.parametrize("cell", ["1_000", "١٢", "0x10", "1,5", "½", "--1", "1e"])
def test_what_only_some_programs_read_is_text(cell: str):
    assert read(f"a;b\n1;{cell}\n").texts == {1: [cell]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "data.csv is empty"),
        ("\n  \n,,\n", "data.csv is empty"),
        ("a,b\n", "has a header and no line below it"),
        ("a,b\n1,2\n3\n", "line 3 of data.csv has 1 cells and the header 2"),
        ("1,2\n3,4\n\n5,6,7\n", "line 4 of data.csv has 3 cells and the first line 2"),
        ("a,b,a\n1,2,3\n", r"names 2 columns 'a' \(1, 3\); rename all but one"),
        ('a,b\n1,"x\n2,y\n', "line 3 of data.csv cannot be read .*is a quote left open"),
    ],
)
def test_what_is_no_table(text: str, said: str):
    with pytest.raises(BackpassError, match=said) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_what_is_no_text():
    with pytest.raises(BackpassError, match=r"line 2 of data.csv is no UTF-8 text; save the file"):
        read_delimited("data.csv", "a,b\ncafé,2\n".encode("latin-1"))


def test_ten_thousand_columns_are_many_and_no_trouble():
    names = ",".join(f"x{number}" for number in range(10_000))
    row = ",".join(["0.5"] * 10_000)
    table = read(f"{names}\n{row}\n{row}\n")
    assert table.numbers.shape == (2, 10_000)
    assert not table.texts
