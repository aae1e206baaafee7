"""A long formula, broken before the operators that bind least."""

from __future__ import annotations

import re

from backpass.reading.lines import WIDTH

OPERATOR = re.compile(r" (?=(?:[+−⊙⊗@·/*|-]|Σ\S*) )|(?<=,) |(?<=[)ᵀ]) (?=\()")


def broken(start: str, formula: str, indent: int | None = None) -> list[str]:
    """A formula behind `start`, on one line or on several; what follows is indented below it."""
    lines: list[str] = []
    space = " " * min(len(start) if indent is None else indent, 16)
    while len(start) + len(formula) > WIDTH - 2:
        place = _place(formula, WIDTH - 2 - len(start))
        if place is None:
            break
        lines.append(start + formula[:place])
        start, formula = space, formula[place + 1 :]
    return [*lines, start + formula]


def _place(formula: str, room: int) -> int | None:
    """The last space before `room` that stands in the fewest brackets and before an operator."""
    depths: list[int] = []
    depth = 0
    for letter in formula:
        depth += (letter in "([") - (letter in ")]")
        depths.append(depth)
    places = [found.start() for found in OPERATOR.finditer(formula) if 0 < found.start() <= room]
    loose = [place for place in places if formula[place + 1] in "+−-" and depths[place] == 0]
    return min(loose or places, key=lambda place: (depths[place], -place), default=None)
