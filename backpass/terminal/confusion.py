"""Who was taken for whom, as a table of at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from backpass.nn.judge import mistakes
from backpass.reading.lines import WIDTH, Line, Role, Span
from backpass.reading.plural import many

SHOWN = 10  # mistakes of a table that is too wide


def confusion_lines(table: NDArray[Any], names: Sequence[str] = ()) -> list[Line]:
    """A row for what samples are, a column for what they were taken for.

    `table` is that of an `Exam`; classes are numbered without `names`. A table that is too wide
    becomes a list of its most frequent mistakes.
    """
    called = [str(name) for name in names] or [str(number) for number in range(len(table))]
    counts = table.tolist()
    first = max(map(len, called))
    width = 2 + max(first, *(len(str(one)) for row in counts for one in row))
    if 4 + first + len(called) * width + len("   right") > WIDTH:
        return _list(table, called)
    heads = "".join(f"{name:>{width}}" for name in called)
    lines: list[Line] = [(Span(f"{'':{4 + first}}{heads}   right", "shape"),)]
    for actual, row in enumerate(counts):
        cells = [
            Span(f"{count or '·':>{width}}", _role(count, actual == taken))
            for taken, count in enumerate(row)
        ]
        share = f"{row[actual] / sum(row):8.0%}" if sum(row) else f"{'–':>8}"
        name = Span(f"    {called[actual]:>{first}}", "name")
        lines.append((name, *cells, Span(share, "shape")))
    return lines


def _role(count: int, right: bool) -> Role:
    return "shape" if not count else "good" if right else "bad"


def _list(table: NDArray[Any], called: Sequence[str]) -> list[Line]:
    found = mistakes(table)
    lines: list[Line] = [
        (
            Span(f"    {count:>4} × ", "bad"),
            Span(f"{called[actual]}, taken for {called[taken]}", "words"),
        )
        for actual, taken, count in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        rest = sum(count for *_, count in found[SHOWN:])
        lines.append(
            (Span(f"    and {rest} more, of {many(len(found) - SHOWN, 'kind')}", "reason"),)
        )
    return lines
