"""One family of errors; every message quotes what was written and says what to change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from operator import index
from typing import SupportsIndex, cast

MANY = 10  # names that one sentence tells


class BackpassError(Exception):
    """The root of the family: one sentence, the line it speaks of, and where that line stands.

    `message` is the sentence; `line` is the user's own source or formula, quoted below it;
    `where` is a place such as ``model.py:12``.
    """

    def __init__(self, message: str, *, line: str | None = None, where: str | None = None) -> None:
        self.message = message
        self.line = line.strip() if line else None
        self.where = where
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        quote = f"\n    {self.line}" if self.line else ""
        return f"{place}{self.message}{quote}"


class NotationError(BackpassError):
    """A text in index notation, a formula or a list of shapes cannot be read."""


class ShapeError(BackpassError):
    """Two sizes that must agree do not."""


class UnknownName(BackpassError):
    """A variable, function or quantity that nobody has defined."""


class TraceError(BackpassError):
    """The forward pass does something whose meaning cannot be recorded."""


class NoRule(BackpassError):
    """An operation stands on the path to a gradient and has no derivative."""


class DerivationError(BackpassError):
    """The question itself has no answer: a loss that is not a scalar, a `wrt` without influence."""


def nearest(word: object, known: Iterable[str]) -> str:
    """Suggest the known word most like `word`, as a clause to append to a message."""
    lower = {name.lower(): name for name in known}  # w1 is W1 mistyped
    close = difflib.get_close_matches(str(word).lower(), list(lower), n=1, cutoff=0.6)
    return f"; did you mean {lower[close[0]]}?" if close else ""


def choices(word: object, known: Iterable[str], introduction: str) -> str:
    """Suggest the nearest known word, or else tell them all: `; the sizes are n, k, m`."""
    words = list(dict.fromkeys(known))
    shown = [*words[:MANY], "…", words[-1]] if len(words) > MANY + 2 else words
    return nearest(word, words) or (f"; {introduction} {', '.join(shown)}" if words else "")


def whole_number(what: str, value: object) -> int:
    """A whole number that was given, 0 or more; `what` is how it is called."""
    try:
        number = index(cast("SupportsIndex", value))
    except TypeError:
        number = -1
    if number < 0:
        raise DerivationError(f"{what} is a whole number, and cannot be {value!r:.40}")
    return number
