"""An explanation: headings, paragraphs and displayed formulas, whatever they are written with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from backpass.reading.breaking import broken
from backpass.reading.lines import EMPTY, WIDTH, Line, Span, joined, wrapped
from backpass.reading.plain import Pen
from backpass.reading.presentation import Dialect, Shown
from backpass.reading.words import Words, say


@dataclass(frozen=True, slots=True)
class Heading:
    """What the following blocks speak of."""

    title: Words


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences that run on."""

    sentences: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """Lines of their own: a formula, and behind it shapes or a remark, perhaps empty.

    `dialect` is that of lines which a program says, where all around them is mathematics.
    """

    lines: tuple[tuple[Words, Words], ...]
    dialect: Dialect | None = None


Block = Heading | Paragraph | Display
Explanation = tuple[Block, ...]


def paragraph(*sentences: Words) -> Paragraph:
    """Sentences of one thought; empty ones are left out."""
    return Paragraph(tuple(sentence for sentence in sentences if sentence))


def formula(shown: Shown, remark: Words = ()) -> Display:
    """One formula on a line of its own."""
    return Display((((shown,), remark),))


def explanation_text(blocks: Explanation, pen: Pen) -> str:
    """The explanation in 80 columns: displays indented, sentences wrapped."""
    return joined(explanation_lines(blocks, pen))


def explanation_lines(blocks: Explanation, pen: Pen) -> list[Line]:
    """The same, in pieces that know what they are."""
    lines: list[Line] = []
    after_display = False
    for block in blocks:
        if isinstance(block, Paragraph) and not block.sentences:
            continue
        match block:
            case Heading(title=title):
                lines += ([EMPTY] if lines else []) + wrapped(say(title, pen), 0, "heading")
            case Paragraph(sentences=sentences):
                if after_display:
                    lines.append(EMPTY)
                text = " ".join(say(sentence, pen) for sentence in sentences)
                lines += wrapped(text, 2, "words")
            case Display(lines=rows, dialect=dialect):
                own = replace(pen, dialect=dialect or pen.dialect)
                lines += _rows([(say(left, own), say(right, own)) for left, right in rows])
            case _:
                assert_never(block)
        after_display = isinstance(block, Display)
    return lines


def _rows(rows: list[tuple[str, str]]) -> list[Line]:
    """Formulas, and what is said of each in a column behind them where that fits."""
    ends = [len(left) for left, right in rows if right and len(left) <= 40]
    column = 4 + max(ends, default=0) + 3
    lines: list[Line] = []
    for left, right in rows:
        formula = "    " + left
        if right and len(formula) < column and column + len(right) <= WIDTH:
            lines.append((Span(f"{formula:{column}}", "formula"), Span(right, "reason")))
        else:
            lines += [(Span(line, "formula"),) for line in broken("    ", left, 8)]
            lines += wrapped(right, 8, "reason")
    return lines
