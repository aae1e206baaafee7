"""The table: what was wanted, and what came out, losses included."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from rich import box
from rich.console import Console
from rich.table import Table

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
    return Row(what, ours, theirs, shown, times(wanted), ratio >= wanted)


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


def show(title: str, theirs: str, rows: Iterable[Row]) -> None:
    """Print one table."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for name in ("backpass", theirs, "backpass is"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("wanted", no_wrap=True)
    for row in rows:
        mark = {None: "", True: " ✓", False: " ✗ missed"}[row.kept]
        table.add_row(row.what, row.ours, row.theirs, row.ratio, row.wanted + mark)
    Console(width=140, highlight=False, markup=False).print(table)
