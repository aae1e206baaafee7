"""A listing that was read back, as a page: pointing at a quantity shows where else it is made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from backpass.doctor.listing import Note, Noted, shapes_of
from backpass.reading.page import page, stylesheet

NAME = re.compile(r"\b(?:d?[A-Za-z]\d+|[XyL])\b′?")


def listing_page(title: str, summary: Sequence[str], listing: Sequence[Noted]) -> str:
    """A document that opens from disk."""
    return page(title, f"<h1>{escape(title)}</h1>\n{_body(summary, listing)}")


def listing_fragment(summary: Sequence[str], listing: Sequence[Noted]) -> str:
    """The listing for a notebook, which has no frame of ours."""
    rules = f"<style>\n{stylesheet()}</style>\n"
    return f'<div class="backpass">\n{rules}{_body(summary, listing)}</div>\n'


def _body(summary: Sequence[str], listing: Sequence[Noted]) -> str:
    told = "".join(f"<p>{escape(text)}</p>\n" for text in summary)
    parts = [
        f"<h2>{escape(Path(file).name)}</h2>\n{''.join(_tables(lines))}"
        for file, lines in groupby(listing, key=lambda line: line.file)
    ]
    return told + "".join(parts)


def _tables(lines: Iterable[Noted]) -> Iterator[str]:
    """A table for each run of lines without a gap."""
    for _, run in groupby(enumerate(lines), key=lambda one: one[1].number - one[0]):
        rows = "".join(_row(line) for _, line in run)
        yield f'<div class="wide"><table class="listing">\n{rows}</table></div>\n'


def _row(line: Noted) -> str:
    source = f'<th scope="row">{line.number}</th><td><code>{escape(line.source)}</code>'
    below = "".join(_below(line))
    indent = len(line.source) - len(line.source.lstrip())
    told = f'<div class="read" style="margin-left: {min(indent, 16) * 0.51:g}rem">{below}</div>'
    told = told if below else ""
    return f"<tr>{source}{told}</td></tr>\n"


def _below(line: Noted) -> Iterator[str]:
    for note in line.notes:
        if note.result:
            yield f'<p class="made">→ {_names(note)} {_shapes(note)}</p>'
    parts = [_part(note) for note in line.notes if not note.result]
    if parts:
        yield f'<p class="parts">{" ".join(parts)}</p>'
    for text in line.unread:
        yield f'<p class="unread">not read: <code>{escape(text)}</code></p>'
    for reason in line.reasons:
        yield f'<p class="why">{escape(reason)}</p>'


def _part(note: Note) -> str:
    names = _names(note)
    if note.formulas == (note.text,):
        return f"<span><code>{names}</code> {_shapes(note)}</span>"
    return f"<span><code>{escape(note.text)}</code>: {names} {_shapes(note)}</span>"


def _shapes(note: Note) -> str:
    return f'<span class="shapes">{escape(shapes_of(note))}</span>' if any(note.shapes) else ""


def _names(note: Note) -> str:
    return ", ".join(
        NAME.sub(lambda found: f'<b data-name="{found[0]}">{found[0]}</b>', escape(formula))
        for formula in note.formulas
    )
