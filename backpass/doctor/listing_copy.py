"""A copy of somebody's file with the readings in it as comments: it runs as the file does."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Iterator, Sequence

from backpass.doctor.listing import Noted, names_of, shapes_of, told

COLUMNS = 88
_CODING = re.compile(r"^[ \t\f]*#.*?coding[:=]")
_LAYOUT = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT)


def commented(source: str, summary: Sequence[str], listing: Sequence[Noted]) -> str:
    """The source with a comment above each statement that was read."""
    lines = source.splitlines(keepends=True)
    starts = _starts(source)
    said: dict[int, list[str]] = {}
    for noted in listing:
        start = max((one for one in starts if one <= noted.number), default=min(starts, default=1))
        said.setdefault(start, []).extend(_said(noted))
    made: list[str] = []
    head = _head(lines)
    for number, line in enumerate(lines, 1):
        if number == head + 1:
            made += [*_comments(summary, ""), "\n"]
        indent = line[: len(line) - len(line.lstrip())]
        made += _comments(dict.fromkeys(said.get(number, ())), indent)
        made.append(line)
    return "".join(made)


def _said(noted: Noted) -> Iterator[str]:
    for note in noted.notes:
        if note.result:
            yield f"→ {names_of(note)}   {shapes_of(note)}"
    for note in noted.notes:
        if not note.result and note.formulas != (note.text,):
            yield told(note)
    yield from noted.reasons
    for text in noted.unread:
        yield f"not read: {text}"


def _comments(texts: Sequence[str] | dict[str, None], indent: str) -> list[str]:
    return [
        f"{indent}{line}\n"
        for text in texts
        for line in textwrap.wrap(
            " ".join(text.split()) if "→" not in text else text,
            max(COLUMNS - len(indent), 40), initial_indent="# ", subsequent_indent="#   ",
            break_long_words=False, break_on_hyphens=False,
        )
    ]  # fmt: skip


def _head(lines: Sequence[str]) -> int:
    """Lines that must stay the first: what runs the file, and how its letters are coded."""
    count = 0
    for line in lines[:2]:
        if not (line.startswith("#!") or _CODING.match(line)):
            break
        count += 1
    return count


def _starts(source: str) -> list[int]:
    """The first line of each statement; between them a comment may stand in a text."""
    starts: list[int] = []
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NEWLINE:
            fresh = True
        elif fresh and token.type not in _LAYOUT:
            starts.append(token.start[0])
            fresh = False
    return starts
