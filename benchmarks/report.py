"""The table: what was wanted, and what came out, losses included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import rich.table
from rich import box
from rich.console import Console

from benchmarks import page
from benchmarks.clock import Race, Time, middle


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement, in words; `kept` says whether what was wanted came out."""

    what: str
    ours: str
    theirs: str
    ratio: str = ""
    wanted: str = ""
    kept: bool | None = None


def compared(what: str, found: Race, wanted: float | None = None) -> Row:
    """A race; `wanted` is how many times as long as ours theirs should take."""
    ratio = median(found.ratios)
    shown = f"{times(ratio)} ({between(found.ratios, ratio < 1)})"
    ours, theirs = _time(middle(found.ours)), _time(middle(found.theirs))
    if wanted is None:
        return Row(what, ours, theirs, shown)
    return Row(what, ours, theirs, shown, goal(wanted), ratio >= wanted)


def goal(wanted: float) -> str:
    """What is wanted, in words."""
    if wanted < 1:
        return f"at most {1 / wanted:g}× slower"
    return "as fast" if wanted == 1 else f"{wanted:g}× faster"


def times(ratio: float) -> str:
    """`2.5× faster`, or `1.3× slower`."""
    return f"{ratio:.2f}× faster" if ratio >= 1 else f"{1 / ratio:.2f}× slower"


def between(ratios: Sequence[float], slower: bool) -> str:
    """The quartiles, told the same way."""
    low, _, high = quantiles(
        [1 / one if slower else one for one in ratios], n=4, method="inclusive"
    )
    return f"{low:.2f} to {high:.2f}"


def _time(time: Time) -> str:
    return f"{seconds(time.cpu)} ({seconds(time.wall)})"


def seconds(value: float) -> str:
    """Seconds in the unit that people would use."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-6:.3g} µs"


def megabytes(count: int) -> str:
    """Bytes as people count them."""
    return f"{count / 1e6:.1f} MB"


MARKS = {None: "", True: " ✓", False: " ✗ missed"}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a title; `sides` are the heads of ours and theirs."""

    title: str
    sides: tuple[str, str]
    rows: list[Row]

    @property
    def heads(self) -> tuple[str, ...]:
        return ("", *self.sides, "backpass is", "wanted")

    @property
    def cells(self) -> list[tuple[str, ...]]:
        """The text of every row, below the heads."""
        return [
            (one.what, one.ours, one.theirs, one.ratio, one.wanted + MARKS[one.kept])
            for one in self.rows
        ]


def show(table: Table) -> None:
    """Print one table."""
    shown = rich.table.Table(
        title=table.title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
    )
    for place, head in enumerate(table.heads):
        shown.add_column(head, justify="right" if 0 < place < 4 else "left", no_wrap=True)
    for cells in table.cells:
        shown.add_row(*cells)
    Console(width=140, highlight=False, markup=False).print(shown)


def markdown(table: Table) -> str:
    """The same for a page; a column that says nothing is left out."""
    columns = list(zip(table.heads, *table.cells, strict=True))
    heads, *cells = zip(*(one for one in columns if any(one[1:])), strict=True)
    return page.table(heads, cells)
