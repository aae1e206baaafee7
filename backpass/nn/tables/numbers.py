"""Cells that must be numbers: the array that they make, or a sentence about the first other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn.tables.delimited import is_missing
from backpass.nn.tables.table import Column, Table

DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+")


def numbers_of(table: Table, places: Sequence[int]) -> NDArray[Any]:
    """These columns as samples × columns.

    Raises BackpassError, with the place, for text, for missing values, for NaN and infinities.
    """
    for place in places:
        if place in table.texts:
            refuse(table.column(place))
    whole = list(places) == list(range(len(table.names)))
    found = table.numbers if whole else table.numbers[:, list(places)]
    if found.dtype.kind == "f":
        wrong = np.argwhere(~np.isfinite(found))
        if len(wrong):
            row, place = wrong[0].tolist()
            refuse(table.column(places[place]), row)
    return found


def numbers_of_column(column: Column) -> NDArray[np.float64]:
    """The numbers of one column, held to the same."""
    if column.texts is not None:
        refuse(column)
    wrong = np.flatnonzero(~np.isfinite(column.numbers))
    if wrong.size:
        refuse(column, int(wrong[0]))
    return column.numbers.astype(np.float64)


def refuse(column: Column, row: int | None = None) -> NoReturn:
    """Say what stands in a column, or in one of its rows, in the place of a number."""
    texts = column.texts
    if row is None:
        wrong = np.flatnonzero(np.isnan(column.numbers)).tolist()
        words = [one for one in wrong if texts is not None and not is_missing(texts[one])]
        mostly = 2 * len(words) > len(column)
        row = words[0] if mostly else wrong[0]
    else:
        mostly = False
    cell, where = column.cell(row), column.place(row)
    text = texts[row] if texts is not None else cell
    if DECIMAL_COMMA.fullmatch(text):
        raise BackpassError(f"{where} is {cell}, which is no number; write decimals with a point")
    if mostly:
        raise BackpassError(
            f"{column.said} holds text ({cell} in {where.partition(',')[0]}); leave it out with "
            "--ignore, or give each of its values an input of its own with --one-hot"
        )
    if text == "":
        raise BackpassError(f"{where} is empty; fill it in, or leave its row out")
    if is_missing(text):
        raise BackpassError(f"{where} is {cell}, a missing value; fill it in, or leave its row out")
    none = ", which is no number" if texts is not None else ""
    raise BackpassError(f"{where} is {cell}{none}; correct it, or leave its row out")
