"""A listing with what each line comes to below it, at 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backpass.reading.lines import EMPTY, WIDTH, Line, Span, wrapped

SAID = 4  # names of one place, before the rest is left to an ellipsis
SHAPES = 58  # the column of shapes
HARD = "\xa0"  # a space at which no line is broken


@dataclass(frozen=True, slots=True)
class Note:
    """A sub-expression of the user's, what it is at its visits, and its shapes there."""

    line: int
    column: int
    text: str
    formulas: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    result: bool  # the whole of what the line computes

    def to_json(self) -> dict[str, Any]:
        """The note as plain values."""
        return {
            "line": self.line,
            "column": self.column,
            "text": self.text,
            "is": list(self.formulas),
            "shapes": [list(shape) for shape in self.shapes],
        }


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the user's file, what its parts are, why, and what nothing was found for."""

    file: str
    number: int
    source: str
    notes: tuple[Note, ...] = ()
    reasons: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def listing_lines(summary: Sequence[str], listing: Sequence[Noted]) -> list[Line]:
    """The user's line, what comes out of it, and what goes in."""
    lines: list[Line] = [line for text in summary for line in wrapped(text, 0, "words")]
    file, before = "", 0
    for noted in listing:
        if noted.file != file:
            lines += [EMPTY, (Span(Path(noted.file).name, "heading"),)]
        if noted.file != file or noted.number != before + 1:
            lines.append(EMPTY)
        file, before = noted.file, noted.number
        lines += _source(noted)
        lines += _below(noted)
    return lines


def _source(noted: Noted) -> Iterator[Line]:
    """The user's line behind its number; one that is too long goes on below, further in."""
    indent = len(noted.source) - len(noted.source.lstrip())
    first, *rest = textwrap.wrap(
        noted.source, WIDTH - 6, subsequent_indent=" " * (min(indent, 24) + 4),
        break_long_words=False, break_on_hyphens=False,
    ) or [noted.source]  # fmt: skip
    yield Span(f"{noted.number:4}  ", "shape"), Span(first, "formula")
    for more in rest:
        yield Span(" " * 6, "shape"), Span(more, "formula")


def _below(noted: Noted) -> Iterator[Line]:
    margin = 6 + len(noted.source) - len(noted.source.lstrip()) + 2
    margin = min(margin, 24)
    results = [note for note in noted.notes if note.result]
    for note in results:
        left = " " * margin + f"→ {names_of(note)}"
        shapes = shapes_of(note)
        if len(left) + len(shapes) + 2 <= WIDTH:
            gap = max(2, SHAPES - len(left))
            gap = gap if len(left) + gap + len(shapes) <= WIDTH else 2
            yield Span(left, "good"), Span(" " * gap + shapes, "shape")
        else:
            yield from wrapped(left.strip(), margin, "good")
    parts = [told(note) for note in noted.notes if not note.result]
    room = WIDTH - margin
    whole = [part.replace(" ", HARD) if len(part) < room else part for part in parts]
    for line in wrapped("  ·  ".join(whole), margin, "name"):
        yield tuple(Span(span.text.replace(HARD, " "), span.role) for span in line)
    for text in noted.unread:
        yield from wrapped(f"not read: {text}", margin, "bad")
    for text in noted.reasons:
        yield from wrapped(text, margin, "reason")


def names_of(note: Note) -> str:
    """What a value was at its visits, the first few."""
    return ", ".join(note.formulas[:SAID]) + (", …" if len(note.formulas) > SAID else "")


def told(note: Note) -> str:
    """What a part of a line is; of one that is called so already, its shape alone."""
    if note.formulas == (note.text,):
        return with_shapes(note)
    return f"{note.text}: {with_shapes(note)}"


def with_shapes(note: Note) -> str:
    """What a value was at its visits, each with its shape; numbers have none."""
    if len(note.shapes) != len(note.formulas) or not any(note.shapes):
        return f"{names_of(note)} ({shapes_of(note)})" if any(note.shapes) else names_of(note)
    pairs = zip(note.formulas[:SAID], note.shapes, strict=False)
    each = ", ".join(f"{formula} ({'×'.join(map(str, shape))})" for formula, shape in pairs)
    return each + (", …" if len(note.formulas) > SAID else "")


def shapes_of(note: Note) -> str:
    """The shapes that a value had at its visits, each once."""
    shapes = dict.fromkeys("×".join(map(str, shape)) or "scalar" for shape in note.shapes[:SAID])
    return ", ".join(shapes)
