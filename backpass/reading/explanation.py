"""An explanation: headings, paragraphs and displayed formulas, whatever they are written with."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import assert_never

from backpass.reading.plain import Pen
from backpass.reading.words import Words, say

WIDTH = 80


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
    """Lines of their own: a formula, and behind it shapes or a remark, perhaps empty."""

    lines: tuple[tuple[Words, Words], ...]


Block = Heading | Paragraph | Display
Explanation = tuple[Block, ...]


def paragraph(*sentences: Words) -> Paragraph:
    """Sentences of one thought; empty ones are left out."""
    return Paragraph(tuple(sentence for sentence in sentences if sentence))


def explanation_text(blocks: Explanation, pen: Pen) -> str:
    """The explanation in 80 columns: displays indented, sentences wrapped."""
    lines: list[str] = []
    after_display = False
    for block in blocks:
        match block:
            case Heading(title=title):
                lines += ([""] if lines else []) + wrapped(say(title, pen), 0)
            case Paragraph(sentences=sentences):
                if after_display and sentences:
                    lines.append("")
                lines += wrapped(" ".join(say(sentence, pen) for sentence in sentences), 2)
            case Display(lines=rows):
                lines += _rows([(say(left, pen), say(right, pen)) for left, right in rows])
            case _:
                assert_never(block)
        after_display = isinstance(block, Display)
    return "\n".join(lines)


def wrapped(text: str, indent: int) -> list[str]:
    """Words on as many indented lines as they need; none for no words."""
    space = " " * indent
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=space,
        subsequent_indent=space,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    """Formulas, and what is said of each in a column behind them where that fits."""
    ends = [len(left) for left, right in rows if right and len(left) <= 40]
    column = 4 + max(ends, default=0) + 3
    lines: list[str] = []
    for left, right in rows:
        if right and 4 + len(left) < column and column + len(right) <= WIDTH:
            lines.append(f"{'    ' + left:{column}}{right}")
        else:
            lines += [f"    {left}", *wrapped(right, 8)]
    return lines
