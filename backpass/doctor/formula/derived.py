"""The derived gradient as formulas: one link for each backward step, with its reason."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backpass.doctor.formula.points import Ground
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    Called,
    Joined,
    Name,
    Tree,
    names,
    parts,
    rebuilt,
    tree,
)
from backpass.doctor.formula.values import Values, same
from backpass.forward.statements import parse
from backpass.language.errors import BackpassError
from backpass.language.expr import Read
from backpass.language.program import Step
from backpass.reading.dims import dims
from backpass.reading.equations import equations
from backpass.reading.matrix import matrix
from backpass.reading.plain import Pen, plain
from backpass.reading.reason import reason
from backpass.reading.words import say, translate

PEN = Pen("math")


@dataclass(frozen=True, slots=True)
class Link:
    """A backward step: `da2 = W3ᵀ dz3`; `formula` is None where only index notation says it."""

    name: str
    formula: Tree | None
    shapes: str
    reason: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one link does to the gradient that comes to it: join a factor, or sum over an axis."""

    link: Link
    sign: str
    before: bool  # the factor stands left of the gradient
    factor: Tree | None
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """From a first quantity, the error, turn by turn to the gradient that is asked for."""

    start: Tree  # the formula of the first link
    first: Link
    turns: tuple[Turn, ...]

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(dict.fromkeys((self.first, *(turn.link for turn in self.turns))))


class Derived:
    """The backward pass in formulas that can be computed with."""

    def __init__(self, ground: Ground, values: Values) -> None:
        self.ground = ground
        self.values = values
        self.links = {name: self._link(step) for name, step in ground.backward.items()}

    def _link(self, step: Step) -> Link:
        passes = self.ground.passes
        shapes = translate(dims(matrix(step, passes.arrays), step.target, passes.dialect), PEN)
        why = say(reason(passes, step), Pen("code" if self.values.style.code else "math"))
        formula = self._formula(step)
        found = None if formula is None else self.values.quantity(formula)
        if found is None or not same(found.value, self.values.point.arrays[step.name]):
            formula = None
        return Link(step.name, formula, shapes, why)

    def _formula(self, step: Step) -> Tree | None:
        """What is printed for a step, read as a formula; a sum over one axis is told by hand."""
        if (summed := _summed(step)) is not None:
            return summed
        shown = equations(self.ground.passes, step)
        if len(shown) != 1 or shown[0].adds:
            return None
        width = str(step.target.shape[-1]) if step.target.shape else ""
        text = plain(shown[0].right, PEN)
        text = re.sub(r"onehot\((\w+)\)", rf"one_hot(\1, {width})", text)
        known = self.values.point
        try:
            (statement,) = parse(text, known.functions.known, known.names)
        except (BackpassError, ValueError):
            return None
        found = tree(statement.body, {})
        return self._signed(found) if names(found) <= {*known.names} else None

    def _signed(self, node: Tree) -> Tree:
        """In code, a product with a number is `*`, and never `@`."""
        node = rebuilt(node, tuple(self._signed(part) for part in parts(node)))
        if self.values.style.code and isinstance(node, Joined) and node.sign in MATRIX:
            sides = (self.values.quantity(node.left), self.values.quantity(node.right))
            if any(side is not None and not side.rank for side in sides):
                return Joined("*", node.left, node.right)
        return node

    def whole(self, name: str, stop: frozenset[str] = frozenset()) -> Tree:
        """A gradient in quantities of the forward pass alone, as far as formulas reach."""
        link = self.links.get(name)
        if link is None or link.formula is None or name in stop:
            return Name(name)
        return self._opened(link.formula, stop)

    def _opened(self, node: Tree, stop: frozenset[str]) -> Tree:
        if isinstance(node, Name):
            return self.whole(node.text, stop)
        return rebuilt(node, tuple(self._opened(part, stop) for part in parts(node)))

    def way(self, name: str) -> Way | None:
        """The one way from the loss to a gradient; None where several ways are added."""
        turns: list[Turn] = []
        seen: set[str] = set()
        while True:
            link = self.links.get(name)
            if link is None or name in seen:
                return None
            seen.add(name)
            if link.formula is None:
                return Way(Name(name), link, tuple(reversed(turns)))
            behind = [one for one in sorted(names(link.formula)) if one in self.links]
            found = _turns(link, link.formula, behind[0]) if len(behind) == 1 else None
            if found is None:
                return Way(link.formula, link, tuple(reversed(turns)))
            turns += reversed(found)
            name = behind[0]


def _turns(link: Link, node: Tree, name: str) -> list[Turn] | None:
    """How a formula is made of the gradient `name`, from the inside out."""
    match node:
        case Name(text=text):
            return [] if text == name else None
        case Joined(sign=sign, left=left, right=right) if sign in (*MATRIX, *ENTRYWISE, "⊗"):
            before = name not in names(left)
            inner, factor = (right, left) if before else (left, right)
            found = _turns(link, inner, name) if name not in names(factor) else None
            return None if found is None else [*found, Turn(link, sign, before, factor)]
        case Called(function="sum", arguments=(inner,), options=(("axis", int(axis)),)):
            found = _turns(link, inner, name)
            return None if found is None else [*found, Turn(link, "sum", False, None, axis)]
        case _:
            return None


def _summed(step: Step) -> Tree | None:
    """`sum(dZ, axis=0)` for a step that only adds up one axis of a matrix."""
    if len(step.writes) != 1:
        return None
    (write,) = step.writes
    term = write.term
    if not isinstance(term, Read) or len(term.index) != 2 or len(write.left) != 1:
        return None
    kept = [place for place, part in enumerate(term.index) if part == write.left[0]]
    if len(kept) != 1 or {*term.index} != {*write.labels}:
        return None
    return Called("sum", (Name(term.name),), (("axis", 1 - kept[0]),))
