"""What a formula is made of on paper: letters, signs, fractions, what stands low and what high.

LaTeX and MathML both spell these boxes, so that a formula looks the same in either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of mathematics, Greek ones among them."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """A name of several letters, upright."""

    text: str


@dataclass(frozen=True, slots=True)
class Operator:
    """The name of a function, such as exp."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    """A number in digits."""

    text: str


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands between parts, or with `alone` before or inside one: `−x`, `1:5`."""

    text: str
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """A product without a sign; `wide` where letters would run together."""

    wide: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A word of the language that the formula stands in."""

    text: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """What stands for a name, whichever way it is set."""

    name: str
    box: Box


@dataclass(frozen=True, slots=True)
class Row:
    """Boxes side by side."""

    parts: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Low:
    """A box with an index."""

    base: Box
    index: Box


@dataclass(frozen=True, slots=True)
class High:
    """A box with a power, or with the sign of a transpose."""

    base: Box
    power: Box


@dataclass(frozen=True, slots=True)
class Primed:
    """A box with primes behind it."""

    base: Box
    count: int


@dataclass(frozen=True, slots=True)
class Barred:
    """A box below a bar."""

    base: Box


@dataclass(frozen=True, slots=True)
class Bold:
    """A box in bold, as the ones of a vector of ones."""

    base: Box


@dataclass(frozen=True, slots=True)
class Fraction:
    """A quotient; a `small` one is a number."""

    above: Box
    below: Box
    small: bool = False


@dataclass(frozen=True, slots=True)
class Radical:
    """A square root."""

    inside: Box


@dataclass(frozen=True, slots=True)
class Fenced:
    """A box in brackets, which are `tall` if it is."""

    left: str
    inside: Box
    right: str
    tall: bool


@dataclass(frozen=True, slots=True)
class Sum:
    """Σ with what is summed over; nothing for everything."""

    over: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Arrays side by side in brackets, or one above the other."""

    parts: tuple[Box, ...]
    beside: bool


Box = (
    Letter
    | Word
    | Operator
    | Digits
    | Sign
    | Times
    | Plain
    | Quantity
    | Row
    | Low
    | High
    | Primed
    | Barred
    | Bold
    | Fraction
    | Radical
    | Fenced
    | Sum
    | Grid
)


def boxes(box: Box) -> Iterator[Box]:
    """The box and all boxes in it, from left to right."""
    yield box
    for one in fields(box):
        value: Any = getattr(box, one.name)
        for part in cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(part, Box):
                yield from boxes(part)


def fenced(inside: Box, left: str = "(", right: str = ")") -> Fenced:
    """A box in brackets as tall as it is."""
    tall = any(
        isinstance(box, (Sum, Grid))
        or (isinstance(box, Fraction) and not box.small)
        or (isinstance(box, Fenced) and box.tall)
        for box in boxes(inside)
    )
    return Fenced(left, inside, right, tall)


def row(*parts: Box) -> Box:
    """Boxes side by side; one alone is itself."""
    return parts[0] if len(parts) == 1 else Row(parts)
