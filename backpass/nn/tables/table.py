"""What every data file becomes: samples as rows, and columns that can be asked for by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError, UnknownName, nearest

Array = NDArray[Any]
FEW = 12  # names that a sentence lists
LONG = 30  # characters of a cell that a sentence quotes


@dataclass(frozen=True, slots=True)
class Column:
    """A value for each sample: numbers, and the cells as they stand where one is no number."""

    name: str
    said: str  # in a sentence: column 'age', or column 3
    numbers: Array  # NaN where the cell is no number
    texts: Sequence[str] | None
    lines: Sequence[int] | None  # of the file, for each sample

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> str:
        """Where a cell stands, in the words of its file: lines of a text, rows of an array."""
        return f"{_where(self.lines, row)}, {self.said}"

    def cell(self, row: int) -> str:
        """A cell as a sentence quotes it: as it stands, unless it is long."""
        if self.texts is None:
            return str(self.numbers[row])
        text = self.texts[row]
        return repr(text if len(text) <= LONG else f"{text[: LONG - 1]}…")


@dataclass(frozen=True, slots=True)
class Table:
    """The samples of a file as rows, and names for its columns.

    `texts` holds the cells of every column that has a cell which is no number. Columns without
    names of their own are called 1, 2 and so on. `picture` is the shape of a sample that was more
    than a row of numbers.
    """

    source: str
    names: tuple[str, ...]
    numbers: Array  # samples × columns
    named: bool = False
    texts: Mapping[int, Sequence[str]] = field(default_factory=dict)
    lines: Sequence[int] | None = None
    picture: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def column(self, place: int) -> Column:
        """The column at a place, from 0."""
        numbers, texts = self.numbers[:, place], self.texts.get(place)
        name = self.names[place]
        said = f"column {name!r}" if self.named else f"column {name}"
        return Column(name, said, numbers, texts, self.lines)

    def sample(self, row: int) -> str:
        """What a sample is called: the line, or the row, that it stands in."""
        return _where(self.lines, row)

    def find(self, wanted: str) -> int:
        """The place of a column by its name, or else by its number, from 1 or from -1 backwards.

        Raises UnknownName, with the nearest name, where there is none.
        """
        if wanted in self.names:
            return self.names.index(wanted)
        count = len(self.names)
        try:
            number = int(wanted)
        except ValueError:
            pass
        else:
            if 1 <= abs(number) <= count:
                return number - 1 if number > 0 else count + number
            raise UnknownName(
                f"{self.source} has no column {number}; its {count} columns count from 1, or from "
                "-1 for the last"
            )
        raise UnknownName(
            f"{self.source} has no column {wanted!r}"
            + (nearest(wanted, self.names) or f"; {self.columns_said()}")
        )

    def columns_said(self) -> str:
        """Which columns there are, in a clause."""
        count = len(self.names)
        if not self.named:
            return f"its {count} columns have no names: give a number from 1 to {count}"
        more = f" and {count - FEW} more" if count > FEW else ""
        return f"there are {', '.join(self.names[:FEW])}{more}"


def _where(lines: Sequence[int] | None, row: int) -> str:
    return f"row {row + 1}" if lines is None else f"line {lines[row]}"


def numbered(count: int) -> tuple[str, ...]:
    """The names of columns that have none."""
    return tuple(str(number) for number in range(1, count + 1))


def from_array(source: str, values: Array) -> Table:
    """An array whose first axis counts the samples; pictures are laid out as rows.

    A vector is a table of one column. Raises BackpassError for what holds no numbers and no text.
    """
    if values.ndim == 0 or values.dtype.names:
        raise BackpassError(f"{source} is no array of samples; give one whose first axis is theirs")
    if values.size == 0:
        raise BackpassError(f"{source} is empty: its shape is {values.shape}")
    rows = values.reshape(len(values), -1)
    names = numbered(rows.shape[1])
    picture = values.shape[1:] if values.ndim > 2 else None
    if values.dtype.kind in "fiub":
        return Table(source, names, rows, picture=picture)
    if values.dtype.kind not in "US":
        raise BackpassError(f"{source} holds {values.dtype}; give real numbers, or text for labels")
    cells = [tuple(str(cell) for cell in column) for column in rows.astype(str).T]
    numbers = np.array([[number(cell) for cell in column] for column in cells]).T
    texts = {
        place: column for place, column in enumerate(cells) if np.isnan(numbers[:, place]).any()
    }
    return Table(source, names, numbers, texts=texts)


def number(cell: str) -> float:
    """What a cell says as a number; NaN where it says none.

    Only what every program reads alike is a number: Python's 1_000 and digits of other scripts
    are text.
    """
    try:
        return float(cell) if cell.isascii() and "_" not in cell else float("nan")
    except ValueError:
        return float("nan")
