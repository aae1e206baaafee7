"""Formula text, read over the quantities of a derivation: its statements as one tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.tree import (
    Called,
    Hand,
    Name,
    Tree,
    hand,
    names,
    tree,
    walk,
    written,
)
from backpass.doctor.formula.values import KNOWN, SPELLED, Values, equal, same
from backpass.forward.statements import parse
from backpass.forward.syntax import walk as parsed_parts
from backpass.forward.tokens import refusal
from backpass.language.errors import UnknownName, choices

MOST = 150  # parts of one formula
_DELTA = re.compile(r"(?:δ|delta)_?(\d*)")


@dataclass(frozen=True, eq=False)
class Read:
    """A formula that was read: its tree, its text, and values at each point."""

    node: Tree
    text: str
    target: str | None
    style: Hand
    values: tuple[Values, ...]
    notes: tuple[str, ...]
    statements: tuple[tuple[str, Tree], ...]  # what earlier statements named


def read(text: str, ground: Ground, called: Mapping[str, str]) -> Read:
    """Read one or more statements; `called` says what else quantities are called.

    Raises NotationError for what cannot be read and UnknownName for a quantity that is none.
    """
    text = translated(text, called)
    style = hand(text)
    points = [replace(point, arrays=dict(point.arrays)) for point in ground.points]
    values = tuple(Values(point, style) for point in points)
    known: dict[str, Tree] = {}
    notes: list[str] = []
    named: list[tuple[str, Tree]] = []
    given = [*points[0].arrays, *points[0].sizes]
    statements = parse(text, KNOWN, given)
    node: Tree = Name("")
    for statement in statements:
        if sum(1 for _ in parsed_parts(statement.body)) > MOST:
            message = f"a formula has at most {MOST} parts; give some of them names"
            raise refusal(message, text, statement.start, statement.start + 1)
        if statement.updates:
            message = "an update is no formula for a derivative; leave `W <-` out"
            raise refusal(message, text, statement.start, statement.end)
        node = tree(statement.body, known)
        _known_names(node, text, values, notes)
        _from_outputs(node, values, ground, notes)
        if statement is not statements[-1] and statement.target is not None:
            known[statement.target] = _kept(statement.target, node, points, values)
            named.append((statement.target, node))
    last = statements[-1]
    body = text[last.start : last.end]
    if last.target is not None:
        body = re.split(r"=|<-|←", body, maxsplit=1)[1]
    body = " ".join(body.split())
    if any(name in known and known[name] != Name(name) for name in known):
        body = written(node, style)
    return Read(node, body, last.target, style, values, tuple(notes), tuple(named))


def translated(text: str, called: Mapping[str, str]) -> str:
    """A text in which what somebody's code calls a quantity has its name."""
    for own, name in called.items():
        text = re.sub(rf"(?<![\w.]){re.escape(own)}(?![\w])", name, text)
    return text


def _known_names(node: Tree, text: str, values: tuple[Values, ...], notes: list[str]) -> None:
    """Every name a quantity; δ2, if nobody named it, is the gradient at z2."""
    point = values[0].point
    given = {*point.arrays, *point.sizes}
    for name in sorted(names(node) - given):
        delta = _DELTA.fullmatch(name)
        meant = [f"d{z}{delta[1]}" for z in "zZ"] if delta else []
        found = next((one for one in meant if one in given), None)
        if found is None:
            known = [one for one in point.arrays if not one.startswith("∇")]
            raise UnknownName(f"{name} is not known{choices(name, known, 'known are')}", line=text)
        note = f"{name} is read as {found} = ∂L/∂{found[1:]}."
        if note not in notes:
            notes.append(note)
        for each in values:
            each.read_as[Name(name)] = Name(found)


def _from_outputs(node: Tree, values: tuple[Values, ...], ground: Ground, notes: list[str]) -> None:
    """`sigmoid_derivative(A1)`: by name it takes z, but people's code often gives it the output."""
    for part in walk(node):
        if not (isinstance(part, Called) and part.function in SPELLED):
            continue
        prime = SPELLED[part.function]
        at = values[0].quantity(part.arguments[0])
        for step in ground.passes.forward.arrays:
            made = values[0].quantity(Called(prime.rstrip("′"), (Name(step),)))
            if at is None or not at.rank or not equal(at, made):
                continue
            slope = Called(prime, (Name(step),))
            for each in values:
                each.read_as[part] = slope
            shown, style = written(part, values[0].style), values[0].style
            meant = written(slope, style)
            notes.append(f"{shown} is read as {meant}, told from the output, as code does.")


def _kept(target: str, node: Tree, points: list[Point], values: tuple[Values, ...]) -> Tree:
    """A statement that is right keeps its name; one that is not is written into what uses it."""
    for name in list(points[0].arrays):
        found = [one.quantity(node) for one in values]
        if any(one is None or one.row for one in found):
            return node
        right = all(
            one is not None and same(one.value, point.arrays[name])
            for one, point in zip(found, points, strict=True)
        )
        if right:
            for point, one in zip(points, found, strict=True):
                assert one is not None
                assert isinstance(point.arrays, dict)
                point.arrays.setdefault(target, np.asarray(one.value, float))
            return Name(target) if target != name else Name(name)
    return node
