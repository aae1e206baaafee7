"""Lines of at most 80 columns, in pieces that know which part they play."""

from __future__ import annotations

import re
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
FORMULA = re.compile(r"\([^()\s]+ [−+*/@⊙·-] [^()\s]+\)")  # (1 − a), which no line ends within
KEPT = "\N{NO-BREAK SPACE}"


def joined(lines: Iterable[Line]) -> str:
    """The lines as plain text."""
    return "\n".join("".join(span.text for span in line) for line in lines)


def wrapped(text: str, indent: int, role: Role) -> list[Line]:
    """Words on as many indented lines as they need; none for no words."""
    return [(Span(line, role),) for line in filled(text, " " * indent)]


def filled(text: str, indent: str = "") -> list[str]:
    """Indented lines of words, in which a formula such as (1 − a) stays in one piece."""
    lines = textwrap.wrap(
        FORMULA.sub(lambda found: found[0].replace(" ", KEPT), text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [line.replace(KEPT, " ") for line in lines]
