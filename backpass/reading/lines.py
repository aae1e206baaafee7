"""Lines of at most 80 columns, in pieces that know which part they play."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

WIDTH = 80

Role = Literal["heading", "name", "formula", "shape", "reason", "words", "good", "bad"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; the role is for whoever has colours."""

    text: str
    role: Role


Line = tuple[Span, ...]
EMPTY: Line = ()


def joined(lines: Iterable[Line]) -> str:
    """The lines as plain text."""
    return "\n".join("".join(span.text for span in line) for line in lines)


def wrapped(text: str, indent: int, role: Role) -> list[Line]:
    """Words on as many indented lines as they need; none for no words."""
    space = " " * indent
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=space,
        subsequent_indent=space,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [(Span(line, role),) for line in lines]
