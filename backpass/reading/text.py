"""A derivation as text: formulas in one column, shapes in the next, reasons below.

80 columns, whatever the terminal; Unicode, or ASCII where a stream cannot do better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backpass.language.program import Step
from backpass.reading.breaking import broken
from backpass.reading.dims import dims
from backpass.reading.equations import Equation, equations
from backpass.reading.lines import WIDTH, Line, Span, joined, wrapped
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.plain import Pen, plain, spell
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


def derivation_text(passes: Passes, *, ascii: bool = False) -> str:
    """The forward and the backward pass, as `print(d)` shows them."""
    return joined(derivation_lines(passes, ascii=ascii))


def derivation_lines(passes: Passes, *, ascii: bool = False) -> list[Line]:
    """The same, in pieces that know what they are."""
    pen = Pen(passes.dialect, ascii)
    forward = [row for step in passes.forward.steps for row in rows(passes, step, pen)]
    backward = [
        row for step in passes.backward for row in rows(passes, step, pen, reason(passes, step))
    ]
    column = _column([*forward, *backward])
    return [
        (Span("forward", "heading"),),
        *_section(forward, column),
        (Span("backward", "heading"),),
        *_section(backward, column),
    ]


def rows(passes: Passes, step: Step, pen: Pen, why: Words = ()) -> list[Row]:
    """A step as one row, or as one for each loop nest where matrix notation fails."""
    shape = translate(dims(matrix(step, passes.arrays), step.target, pen.dialect), pen)
    found = equations(passes, step)
    return [
        Row(
            plain(one.left, pen),
            "+=" if one.adds else "=",
            plain(one.right, pen) + _ends(one, pen),
            shape if one is found[0] else "",
            say(why, pen) if one is found[-1] else "",
        )
        for one in found
    ]


def _ends(equation: Equation, pen: Pen) -> str:
    """`for i < 5`, where a loop is shorter than the axis that it walks along."""
    short = [f"{spell(label.name, pen)} < {label.size}" for label in equation.short]
    return f"  for {', '.join(short)}" if short else ""


# ── layout ───────────────────────────────────────────────────────────────────────────────────


def _column(rows: Iterable[Row]) -> int:
    """Where shapes stand: behind the longest formula that leaves them room."""
    ends = [2 + len(f"{row.left} {row.sign} {row.right}") + 2 for row in rows]
    return max([COLUMN, *(end for end in ends if end <= LONGEST)])


def _section(rows: Sequence[Row], column: int) -> list[Line]:
    width = max((len(row.left) for row in rows if row.sign == "="), default=0)
    return [line for row in rows for line in _lines(row, width, column)]


def _lines(row: Row, width: int, column: int) -> list[Line]:
    name = f"  {row.left:{width}}"
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
