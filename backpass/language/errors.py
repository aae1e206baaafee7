"""One family of errors; every message quotes what was written and says what to change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest the known word most like `word`, as a clause to append to a message."""
    lower = {name.lower(): name for name in known}  # w1 is W1 mistyped
    close = difflib.get_close_matches(word.lower(), list(lower), n=1, cutoff=0.6)
    return f"; did you mean {lower[close[0]]}?" if close else ""
