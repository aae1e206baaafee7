"""Lines of source under one another: indented, commented, and none of them too long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from backpass.running.numpy.frame import WIDEST, WIDTH

STEP = "    "
OPERATORS = re.compile(r" (?=[+-] )")
COMMAS = re.compile(r", ")
SIGNS = re.compile(r" \+?= ")
PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line that may be broken, the comment beside it, and how deep it stands."""

    text: str
    note: str = ""
    depth: int = 0


def indented(rows: Iterable[Row]) -> list[Row]:
    """The rows one level deeper."""
    return [replace(row, depth=row.depth + 1) for row in rows]


def joined(pairs: Sequence[tuple[str, str]], limit: int = 70) -> list[Row]:
    """Assignments, several on a line where they are short: `dW, db = [], []`."""
    groups: list[list[tuple[str, str]]] = []
    for pair in pairs:
        if groups and len(_assignment([*groups[-1], pair])) <= limit:
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return [Row(_assignment(group)) for group in groups]


def _assignment(pairs: Sequence[tuple[str, str]]) -> str:
    left, right = (", ".join(side) for side in zip(*pairs, strict=True))
    return f"{left} = {right}"


def laid_out(rows: Iterable[Row]) -> str:
    """The text: comments below one another where rows stand at one depth."""
    lines: list[str] = []
    for depth, group in groupby(rows, lambda row: row.depth):
        block = list(group)
        room = WIDTH - depth * len(STEP)
        lengths = [len(row.text) for row in block if row.note and len(row.text) <= WIDEST]
        column = max(lengths, default=0)
        for row in block:
            lines += [STEP * depth + line if line else "" for line in _row(row, room, column)]
    return "\n".join(lines) + "\n"


def _row(row: Row, room: int, column: int) -> list[str]:
    note = f"# {row.note}"
    for start in (row.text.ljust(column), row.text):
        if row.note and len(start) + 2 + len(note) <= room:
            return [f"{start}  {note}"]
    lines = broken(row.text, room)
    return [note, *lines] if row.note else lines


def fitted(text: str, room: int) -> list[str]:
    """A line with its comment, which goes above it where there is no room for both."""
    if len(text) <= room:
        return [text]
    code, _, note = text.partition("  # ")
    margin = " " * (len(code) - len(code.lstrip()))
    lines = [f"# {note}"] if note else []
    lines += broken(code.strip(), room - len(margin))
    return [margin + line for line in lines]


def broken(text: str, room: int) -> list[str]:
    """A statement over as many lines as it takes: after brackets, before signs."""
    if len(text) <= room:
        return [text]
    assigned = (SIGNS.match(text, place) for place in _outside(text))
    head = re.match("return ", text) or next(filter(None, assigned), None)
    start = head.end() if head else 0
    terms = list(_split(text[start:], OPERATORS))
    if len(terms) > 1:
        return [f"{text[:start]}(", *_deeper(terms, room), ")"]
    opened = _widest_bracket(text)
    if opened is None:
        return [text]
    begin, end = opened
    inside = text[begin + 1 : end]
    parts = list(_split(inside, COMMAS))
    if len(parts) == 1:
        parts = list(_split(inside, OPERATORS))
        return [text[: begin + 1], *_deeper(parts, room), text[end:]]
    *others, last = _groups(parts, room - len(STEP) - 1)
    lines = [line for group in others for line in _deeper([group], room - 1, ",")]
    return [text[: begin + 1], *lines, *_deeper([last], room), text[end:]]


def _deeper(parts: Iterable[str], room: int, end: str = "") -> Iterator[str]:
    for part in parts:
        *lines, last = broken(part, room - len(STEP))
        yield from (STEP + line for line in [*lines, last + end])


def _groups(parts: Iterable[str], room: int) -> Iterator[str]:
    """Parts of a list, as many together as there is room for."""
    group = ""
    for part in parts:
        if group and len(group) + 2 + len(part) > room:
            yield group
            group = ""
        group = f"{group}, {part}" if group else part
    yield group


def _split(text: str, at: re.Pattern[str]) -> Iterator[str]:
    """The parts between separators that stand in no bracket and in no string."""
    begin = 0
    for place in _outside(text):
        found = at.match(text, place)
        if found and place > begin:
            yield text[begin:place]
            begin = found.end()
    yield text[begin:]


def _outside(text: str) -> Iterator[int]:
    depth, quote = 0, False
    for place, letter in enumerate(text):
        quote ^= letter == '"' and text[place - 1 : place] != "\\"
        if not quote:
            if letter in PAIRS.values():
                depth -= 1
            if depth == 0:
                yield place
            if letter in PAIRS:
                depth += 1


def _widest_bracket(text: str) -> tuple[int, int] | None:
    """The outermost bracket with most in it."""
    found: list[tuple[int, int]] = []
    outside = [place for place in _outside(text) if text[place] in "()[]{}"]
    for begin, end in zip(outside[::2], outside[1::2], strict=False):
        found.append((begin, end))
    return max(found, key=lambda pair: pair[1] - pair[0], default=None)
