"""Sentences with formulas in them, so that text, LaTeX and HTML can each draw the formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable

from backpass.language.expr import Label
from backpass.language.shapes import Size
from backpass.reading.plain import LOW, LOWERED, Pen, plain
from backpass.reading.presentation import Name, Shown
from backpass.reading.spelling import spell_size

Words = tuple[str | Shown, ...]
Value = str | int | Label | Size | Shown | Words


def words(template: str, **values: Value) -> Words:
    """A sentence whose `{name}` stand for formulas: a string is a name, a tuple more words."""
    parts: list[str | Shown] = []
    for text in re.split(r"(\{\w+\})", template):
        if not text.startswith("{"):
            parts.append(text)
            continue
        value = values[text[1:-1]]
        match value:
            case tuple():
                parts.extend(value)
            case str():
                parts.append(Name(value))
            case int():
                parts.append(str(value))
            case Label(name=name):
                parts.append(Name(name))
            case Size():
                parts.append(spell_size(value))
            case _:
                parts.append(value)
    return tuple(part for part in parts if part != "")


def listed(items: Iterable[Words], last: str = "and") -> Words:
    """`a`, `a and b`, `a, b and c`."""
    parts = list(items)
    result: list[str | Shown] = []
    for place, part in enumerate(parts):
        if place:
            result.append(f" {last} " if place == len(parts) - 1 else ", ")
        result.extend(part)
    return tuple(result)


NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def counted(number: int) -> str:
    """A small number as a word."""
    return NUMBERS[number] if number < len(NUMBERS) else str(number)


def often(number: int) -> str:
    """`once`, `twice`, `three times`."""
    return {1: "once", 2: "twice"}.get(number) or f"{counted(number)} times"


def say(sentence: Words, pen: Pen) -> str:
    """The sentence as text."""
    return "".join(
        translate(part, pen) if isinstance(part, str) else plain(part, pen) for part in sentence
    )


SIGNS = str.maketrans(
    {"×": "x", "→": "->", "⊙": "*", "·": "*", "−": "-", "½": "0.5", "Σ": "Sum", "∂": "d", "ᵀ": ".T",
     "²": "**2", "′": "'", "…": "...", "←": "<-", "≤": "<=", "≥": ">=", "≠": "!=", "⊗": "(x)",
     "—": "-", "ℝ": "R", "∇": "grad ", "⟨": "<", "⟩": ">"}
)  # fmt: skip


def translate(text: str, pen: Pen) -> str:
    """Words for the pen: in ASCII every sign becomes letters."""
    if not pen.ascii:
        return text
    text = LOW.sub(lambda found: f"[{found[0].translate(LOWERED)}]", text)
    return text.translate(SIGNS)
