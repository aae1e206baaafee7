"""Text with a sample on each line, between commas, semicolons or tabs, with a header or not."""

from __future__ import annotations

import csv
import io
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from backpass.language.errors import BackpassError
from backpass.nn.tables.table import Table, number, numbered

SEPARATORS = "\t;,"  # commas last: they stand in numbers and in prose
LOOKED_AT = 20  # lines, to find the separator and the header
MISSING = {"", "?", "na", "n/a", "nan", "null"}  # as people write it
TRUTHS = {"true": 1.0, "false": 0.0}  # in any case, as Python, R and JSON write them

Row = tuple[int, list[str]]  # the line of the file on which it ends, and its cells


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def read_delimited(source: str, content: bytes, header: bool | None = None) -> Table:
    """The table that a text holds; `header` says whether its first line names the columns.

    Without `header` the first line is taken for names when none of its cells is a number, or when
    one is text above nothing but numbers. Empty lines are left out. Raises BackpassError, with the
    line, for what is no table.
    """
    text = _tabbed(_decoded(source, content))
    separator = _separator(text)
    some = [cells for _, cells in islice(_rows(source, text, separator), LOOKED_AT)]
    if not some:
        raise BackpassError(f"{source} is empty; give a line for each sample")
    header = _has_header(some) if header is None else header
    width = len(some[0])
    names = _names(source, some[0]) if header else numbered(width)
    table = _filled(source, text, separator, names, header)
    if not len(table):
        raise BackpassError(f"{source} has a header and no line below it; give a line a sample")
    return table


def _decoded(source: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BackpassError(
            f"line {line} of {source} is no UTF-8 text; save the file as UTF-8 (CSV), or give an "
            "NPY, NPZ or IDX file"
        ) from None


def _tabbed(text: str) -> str:
    """The text, with tabs where spaces alone stand between cells, as `np.savetxt` writes them.

    Several words on a line may be one cell. They are several where all lines have as many, and
    two of them are numbers on every line but the first.
    """
    lines = list(io.StringIO(text, newline=None))
    some = [line.split() for line in lines[:LOOKED_AT] if line.strip()]
    if any(sign in line for sign in (*SEPARATORS, '"') for line in lines[:LOOKED_AT]):
        return text
    if len({len(cells) for cells in some}) != 1 or any(
        sum(not np.isnan(number(cell)) for cell in cells) < 2 for cells in some[1:] or some
    ):
        return text
    return "\n".join("\t".join(line.split()) for line in lines)


def _separator(text: str) -> str:
    """What cuts the first lines into equally many cells, more than one."""
    for separator in SEPARATORS:
        rows = islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), LOOKED_AT)
        try:
            counts = {len(cells) for cells in rows if cells}
        except csv.Error:
            continue
        if len(counts) == 1 and counts != {1}:
            return separator
    first = text.lstrip().partition("\n")[0]
    return max(reversed(SEPARATORS), key=first.count)


def _rows(source: str, text: str, separator: str) -> Iterator[Row]:
    """Lines that hold something; spreadsheets end in lines of separators alone."""
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield reader.line_num, cells
    except csv.Error as error:
        raise BackpassError(
            f"line {reader.line_num} of {source} cannot be read ({error}); is a quote left open?"
        ) from None


def _has_header(rows: Sequence[list[str]]) -> bool:
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    if all(np.isnan(number(cell)) for cell in first):
        return not all(is_missing(cell) or cell.strip().lower() in TRUTHS for cell in first)
    return any(
        np.isnan(number(cell))
        and not is_missing(cell)
        and bool(below)
        and not any(np.isnan(number(row[place])) for row in below)
        for place, cell in enumerate(first)
    )


def _names(source: str, cells: Sequence[str]) -> tuple[str, ...]:
    """The names of a header; a column without one is called by its number."""
    names = [" ".join(cell.split()) for cell in cells]  # a name is one line
    for name, count in Counter(names).items():
        if name and count > 1:
            places = [str(place) for place, one in enumerate(names, 1) if one == name]
            raise BackpassError(
                f"the header of {source} names {count} columns {name!r} ({', '.join(places)}); "
                "rename all but one"
            )
    return tuple(name or str(place) for place, name in enumerate(names, 1))


def _filled(source: str, text: str, separator: str, names: Sequence[str], header: bool) -> Table:
    """All cells; those of a column that turns out to hold text are fetched in a second walk."""
    lines, numbers, textual = array("q"), array("d"), set[int]()
    for line, cells in islice(_rows(source, text, separator), int(header), None):
        if len(cells) != len(names):
            first = "the header" if header else "the first line"
            raise BackpassError(
                f"line {line} of {source} has {len(cells)} cells and {first} {len(names)}; "
                "give every line as many"
            )
        lines.append(line)
        numbers.extend(_numbers(cells, textual))
    table = np.frombuffer(numbers).reshape(len(lines), len(names)) if lines else np.empty((0, 0))
    columns: dict[int, list[str]] = {place: [] for place in sorted(textual)}
    if columns:
        for _, cells in islice(_rows(source, text, separator), int(header), None):
            for place, column in columns.items():
                column.append(cells[place].strip())
    return Table(source, tuple(names), table, header, columns, lines)


def _numbers(cells: Sequence[str], textual: set[int]) -> list[float]:
    """The cells as numbers; the places of those that are none are added to `textual`."""
    if not textual:
        try:
            found = list(map(float, cells))
        except ValueError:
            pass
        else:
            joined = "".join(cells)
            if joined.isascii() and "_" not in joined and not any(x != x for x in found):
                return found
    found = [number(cell) for cell in cells]
    textual.update(place for place, value in enumerate(found) if value != value)
    return found
