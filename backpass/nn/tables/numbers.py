"""Cells that must be numbers: the array that they make, or a sentence about the first other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn.tables.delimited import TRUTHS, is_missing
from backpass.nn.tables.table import FEW, Column, Table

AGAIN = "correct it, or leave its row or column out"
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")


def numbers_of(table: Table, places: Sequence[int]) -> NDArray[Any]:
    """These columns as samples × columns; where True and False stand, they are 1 and 0.

    Raises BackpassError, with the place, for text, for missing values, for NaN and infinities.
    """
    columns = {place: counted(table.column(place)) for place in places if place in table.texts}
    gaps = [column for column in columns.values() if np.isnan(column.numbers).any()]
    if gaps:
        _refuse_words([column for column in gaps if holds_words(column)])
        refuse(gaps[0])
    whole = list(places) == list(range(len(table.names))) and not columns
    found = table.numbers if whole else table.numbers[:, list(places)]
    for place, column in columns.items():
        found[:, list(places).index(place)] = column.numbers
    if found.dtype.kind == "f":
        wrong = np.argwhere(~np.isfinite(found))
        if len(wrong):
            row, place = wrong[0].tolist()
            refuse(table.column(places[place]), row)
    return found


def counted(column: Column) -> Column:
    """The column with 1 for True and 0 for False, if nothing but these and gaps stand in it."""
    said = [text.lower() for text in column.texts or ()]
    if not all(text in TRUTHS or is_missing(text) for text in said):
        return column
    return replace(column, numbers=np.array([TRUTHS.get(text, np.nan) for text in said]))


def numbers_of_column(column: Column) -> NDArray[np.float64]:
    """The numbers of one column, held to the same."""
    column = column if column.texts is None else counted(column)
    if column.texts is not None and np.isnan(column.numbers).any():
        _refuse_words([column] if holds_words(column) else [])
        refuse(column)
    wrong = np.flatnonzero(~np.isfinite(column.numbers))
    if wrong.size:
        refuse(column, int(wrong[0]))
    return column.numbers.astype(np.float64)


def holds_words(column: Column) -> bool:
    """Whether most cells of a column are text: then it was never meant to be a number."""
    return 2 * len(_words(column)) > len(column)


def refuse(column: Column, row: int | None = None) -> NoReturn:
    """Say what stands in a column, or in one of its rows, in the place of a number."""
    texts = column.texts
    row = int(np.argmax(np.isnan(column.numbers))) if row is None else row
    cell, where = column.cell(row), column.place(row)
    text = texts[row] if texts is not None else cell
    if is_missing(text):
        gaps = sum(map(is_missing, texts or ())) - 1
        also = f", and {gaps} more of its cells are" if gaps > 1 else ""
        also = ", and one more of its cells is" if gaps == 1 else also
        what = f"{cell}, a missing value" if text else "empty"
        raise BackpassError(f"{where} is {what}{also}; fill it in, or leave its row or column out")
    none = ", which is no number" if texts is not None else ""
    how = "write decimals with a point" if DECIMAL_COMMA.fullmatch(text) else AGAIN
    raise BackpassError(f"{where} is {cell}{none}; {how}")


def _words(column: Column) -> list[int]:
    """The rows that hold text, and no gap and no number in another spelling."""
    texts = column.texts
    if texts is None:
        return []
    wrong = np.flatnonzero(np.isnan(column.numbers)).tolist()
    return [
        row
        for row in wrong
        if not is_missing(texts[row]) and not DECIMAL_COMMA.fullmatch(texts[row])
    ]


def _refuse_words(columns: Sequence[Column]) -> None:
    """Name all columns of text at once, so that one answer settles them."""
    if not columns:
        return
    first, *more = columns
    row = _words(first)[0]
    example = f"{first.said} holds text ({first.cell(row)} in {first.place(row).partition(',')[0]})"
    them, their, also = "it", "its", ""
    if more:
        them, their = "them", "their"
        also = f", and so {'does' if len(more) == 1 else 'do'} "
        also += ", ".join(one.said for one in more[:FEW])
        also += f" and {len(more) - FEW} more" if len(more) > FEW else ""
    raise BackpassError(
        f"{example}{also}; train without {them}, --ignore, or with an input for each of {their} "
        "values, --one-hot"
    )
