"""Formula text, read over the quantities of a derivation: its statements as one tree."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.spelling import Layers, Spelled
from backpass.doctor.formula.tree import (
    PRODUCTS,
    Called,
    Hand,
    Joined,
    Name,
    Tree,
    hand,
    names,
    tree,
    walk,
    written,
)
from backpass.doctor.formula.values import Values, equal, same
from backpass.forward.statements import parse
from backpass.forward.syntax import walk as parsed_parts
from backpass.forward.tokens import refusal
from backpass.language.errors import UnknownName, choices

MOST = 150  # parts of one formula
RATES = ("η", "eta", "lr", "α", "alpha", "rate", "learning_rate", "ε", "epsilon")


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


def read(spelled: Spelled, ground: Ground, at: int | None = None) -> Read:
    """Read one or more statements, the last of which is the formula.

    With `at`, an algorithm is read up to that statement: of an update, what it takes away, without
    its rate; the updates before it are left out. Raises NotationError for what cannot be read and
    UnknownName for a quantity that is none.
    """
    text = spelled.text
    style = hand(text)
    points = [replace(point, arrays=dict(point.arrays)) for point in ground.points]
    values = tuple(Values(point, style) for point in points)
    layers = Layers(ground)
    known: dict[str, Tree] = {}
    notes = list(spelled.notes)
    named: list[tuple[str, Tree]] = []
    statements = parse(text, ground.functions.known, points[0].names)
    statements = statements if at is None else statements[: at + 1]
    last = statements[-1]
    node: Tree = Name("")
    for statement in statements:
        if sum(1 for _ in parsed_parts(statement.body)) > MOST:
            message = f"a formula has at most {MOST} parts; give some of them names"
            raise refusal(message, text, statement.start, statement.start + 1)
        if statement.updates and at is None:
            message = "an update is no formula for a derivative; leave `W <-` out"
            raise refusal(message, text, statement.start, statement.end)
        if statement.updates and statement is not last:
            continue
        node = tree(statement.body, known)
        node = taken(node) if statement.updates else node
        for each in values:
            known_names(node, layers, each, notes, text)
        _from_outputs(node, values, ground, notes)
        if statement is not last and statement.target is not None:
            known[statement.target] = _kept(statement.target, node, points, values)
            named.append((statement.target, node))
    body = text[last.start : last.end]
    if last.target is not None:
        body = re.split(r"=|<-|←", body, maxsplit=1)[1]
    body = " ".join(body.split())
    if at is not None or any(known[name] != Name(name) for name in known):
        body = written(node, style)
    return Read(node, body, last.target, style, values, tuple(notes), tuple(named))


def taken(node: Tree) -> Tree:
    """Of W − η X or W + η X, the X."""
    if isinstance(node, Joined) and node.sign in ("+", "-"):
        return without_rate(node.right)
    return node


def without_rate(node: Tree) -> Tree:
    """A product without the learning rate among its factors."""
    if isinstance(node, Joined) and node.sign in PRODUCTS:
        left, right = without_rate(node.left), without_rate(node.right)
        if isinstance(left, Name) and left.text in RATES and node.sign != "/":
            return right
        if isinstance(right, Name) and right.text in RATES and node.sign != "/":
            return left
        return Joined(node.sign, left, right)
    return node


def known_names(node: Tree, layers: Layers, values: Values, notes: list[str], line: str) -> None:
    """Every name a quantity; δ2, if nobody named it, is the gradient at z2."""
    point = values.point
    for name in sorted(names(node) - {*point.names}):
        found = layers.meant(name)
        if found is None:
            known = [one for one in point.arrays if not one.startswith("∇")]
            raise UnknownName(f"{name} is not known{choices(name, known, 'known are')}", line=line)
        told = f" = ∂L/∂{found[1:]}" if found in layers.ground.backward else ""
        note = f"{name} is read as {found}{told}."
        if note not in notes:
            notes.append(note)
        values.read_as[Name(name)] = Name(found)


def _from_outputs(node: Tree, values: tuple[Values, ...], ground: Ground, notes: list[str]) -> None:
    """`sigmoid_derivative(A1)`: by name it takes z, but people's code often gives it the output."""
    spelled = ground.functions.spelled
    for part in walk(node):
        if not (isinstance(part, Called) and part.function in spelled):
            continue
        prime = spelled[part.function]
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
            if target in points[0].arrays:  # bound before, to another value: the derivation's name
                return Name(name)
            for point, one in zip(points, found, strict=True):
                assert one is not None
                assert isinstance(point.arrays, dict)
                point.arrays[target] = np.asarray(one.value, float)
            return Name(target)
    return node
