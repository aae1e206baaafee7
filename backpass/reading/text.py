"""A derivation as text: formulas in one column, shapes in the next, reasons below.

80 columns, whatever the terminal; Unicode, or ASCII where a stream cannot do better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from backpass.language.program import Step
from backpass.reading.breaking import broken
from backpass.reading.dims import dims
from backpass.reading.equations import ends, equations
from backpass.reading.fold import Layers, folded
from backpass.reading.lines import WIDTH, Line, Span, joined, wrapped
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.plain import Pen, plain
from backpass.reading.reason import reason
from backpass.reading.words import Words, say, translate

COLUMN = 32  # where shapes stand while every formula is shorter
LONGEST = 48  # the rightmost column for shapes; behind a longer formula they go below it


@dataclass(frozen=True, slots=True)
class Row:
    """A formula with its shapes and, in a backward pass, its reason."""

    left: str
    sign: str  # = or +=
    right: str
    shape: str
    reason: str


def derivation_text(passes: Passes, *, ascii: bool = False, fold: bool = True) -> str:
    """The forward and the backward pass, as `print(d)` shows them; equal layers as one."""
    return joined(derivation_lines(passes, ascii=ascii, fold=fold))


def derivation_lines(passes: Passes, *, ascii: bool = False, fold: bool = True) -> list[Line]:
    """The same, in pieces that know what they are."""
    pen = Pen(passes.dialect, ascii)
    forward, backward = folded(passes) if fold else (passes.forward.steps, passes.backward)
    above = [row for part in forward for row in _part(passes, part, pen, reasons=False)]
    below = [row for part in backward for row in _part(passes, part, pen, reasons=True)]
    above, below = _aligned(above), _aligned(below)
    column = _column([row for row in (*above, *below) if isinstance(row, Row)])
    return [
        (Span("forward", "heading"),),
        *_section(above, column),
        (Span("backward", "heading"),),
        *_section(below, column),
    ]


def _part(passes: Passes, part: Step | Layers, pen: Pen, *, reasons: bool) -> list[Row | str]:
    """The rows of a step, or of equal layers below the line that says which they are."""
    if isinstance(part, Step):
        return [*rows(passes, part, pen, reason(passes, part) if reasons else ())]
    inside = [
        replace(row, left=f"  {row.left}")
        for step in part.steps
        for row in _part(part.passes, step, pen, reasons=reasons)
        if isinstance(row, Row)
    ]
    lines = [_headline(part)]
    if part.sizes and not reasons:  # the backward pass runs through the same layers
        names = f"{part.sizes[0][0]} … {part.sizes[-1][0]}"
        lines.append(f"  {names} = {', '.join(str(size) for _, size in part.sizes)}")
    return [*(translate(line, pen) for line in lines), *inside]


def _headline(layers: Layers) -> str:
    """`for l = 1 … 99, where A₀ is X:`."""
    start = f", where {layers.start[0]} is {layers.start[1]}" if layers.start else ""
    return f"for l = {layers.first} … {layers.last}{start}:"


def rows(passes: Passes, step: Step, pen: Pen, why: Words = ()) -> list[Row]:
    """A step as one row, or as one for each loop nest where matrix notation fails."""
    shape = translate(dims(matrix(step, passes.arrays), step.target, pen.dialect), pen)
    found = equations(passes, step)
    return [
        Row(
            plain(one.left, pen),
            "+=" if one.adds else "=",
            plain(one.right, pen) + translate(ends(one), pen),
            shape if one is found[0] else "",
            say(why, pen) if one is found[-1] else "",
        )
        for one in found
    ]


# ── layout ───────────────────────────────────────────────────────────────────────────────────


def _aligned(rows: Sequence[Row | str]) -> list[Row | str]:
    """Every name as wide as the widest that is assigned, so that the signs stand in a column."""
    lefts = [len(row.left) for row in rows if isinstance(row, Row) and row.sign == "="]
    width = max(lefts, default=0)
    return [
        replace(row, left=f"{row.left:{width}}") if isinstance(row, Row) else row for row in rows
    ]


def _column(rows: Iterable[Row]) -> int:
    """Where shapes stand: behind the longest formula that leaves them room."""
    ends = [2 + len(f"{row.left} {row.sign} {row.right}") + 2 for row in rows]
    return max([COLUMN, *(end for end in ends if end <= LONGEST)])


def _section(rows: Sequence[Row | str], column: int) -> list[Line]:
    lines: list[Line] = []
    for row in rows:
        if isinstance(row, Row):
            lines += _lines(row, column)
        else:
            lines += wrapped(row, 2, "heading")
    return lines


def _lines(row: Row, column: int) -> list[Line]:
    name = f"  {row.left}"
    first, *more = broken(f"{name} {row.sign} ", row.right)
    lines: list[Line] = [(Span(name, "name"), Span(first[len(name) :], "formula"))]
    lines += [(Span(text, "formula"),) for text in more]
    end = sum(len(span.text) for span in lines[-1])
    room = WIDTH - len(row.shape)
    if row.shape and end + 2 <= room:
        start = column if end + 2 <= column <= room else end + 2
        lines[-1] = (*lines[-1], Span(" " * (start - end) + row.shape, "shape"))
    elif row.shape:
        lines += wrapped(row.shape, min(column, max(8, room)), "shape")
    return lines + wrapped(row.reason, 8, "reason")
