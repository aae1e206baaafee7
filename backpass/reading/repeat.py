"""Whether two layers are the same: one loop nest after another, every number shifted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backpass.language.expr import (
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    children,
)
from backpass.language.program import Array, Call, Step, Write
from backpass.language.shapes import Size, size


def numbered(name: str) -> tuple[str, int] | None:
    """A name as its letters and the number at its end: dW12 is (dW, 12)."""
    found = re.fullmatch(r"(.*?\D)(\d+)", name)
    return (found[1], int(found[2])) if found else None


@dataclass(slots=True)
class Match:
    """How one layer becomes another: which size each size turns into, and which name stands in.

    `aliases` are names of the other layer that stand where a number would go on counting, as X
    does for A0; `moving` are the names that carry the number of their layer.
    """

    shift: int
    arrays: Mapping[str, Array]
    sizes: dict[Size, Size] = field(default_factory=dict[Size, Size])
    composite: list[tuple[Size, Size]] = field(default_factory=list[tuple[Size, Size]])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    moving: set[str] = field(default_factory=set[str])
    fixed: set[str] = field(default_factory=set[str])

    def steps(self, ours: Sequence[Step], theirs: Sequence[Step]) -> bool:
        """Whether every step of one layer is the step of the other."""
        return (
            len(ours) == len(theirs)
            and all(self.step(a, b) for a, b in zip(ours, theirs, strict=True))
            and not self.moving & self.fixed
            and all(substituted(a, self.sizes) == b for a, b in self.composite)
        )

    def step(self, a: Step, b: Step) -> bool:
        if a.target.kind != b.target.kind or not self.array(a.name, b.name):
            return False
        if isinstance(a.body, Call) or isinstance(b.body, Call):
            return (
                isinstance(a.body, Call) and isinstance(b.body, Call) and self.call(a.body, b.body)
            )
        return len(a.body) == len(b.body) and all(map(self.write, a.body, b.body))

    def call(self, a: Call, b: Call) -> bool:
        known: dict[Label, Label] = {}
        pairs = [*zip(a.left, b.left, strict=False), *zip(a.over, b.over, strict=False)]
        return (
            a.function.name == b.function.name
            and (len(a.args), len(a.left), len(a.over)) == (len(b.args), len(b.left), len(b.over))
            and all(self.term(one, other, known) for one, other in pairs)
            and all(self.term(one, other, known) for one, other in zip(a.args, b.args, strict=True))
        )

    def write(self, a: Write, b: Write) -> bool:
        known: dict[Label, Label] = {}
        return (
            len(a.labels) == len(b.labels)
            and all(
                self.term(one, other, known) for one, other in zip(a.labels, b.labels, strict=True)
            )
            and len(a.left) == len(b.left)
            and all(self.term(one, other, known) for one, other in zip(a.left, b.left, strict=True))
            and self.term(a.term, b.term, known)
            and len(set(known.values())) == len(known)
        )

    def term(self, a: Term, b: Term, known: dict[Label, Label]) -> bool:
        """Whether two terms are the same under one renaming of their labels."""
        below = children(a), children(b)
        return (
            self.head(a, b, known)
            and len(below[0]) == len(below[1])
            and all(self.term(one, other, known) for one, other in zip(*below, strict=True))
        )

    def head(self, a: Term, b: Term, known: dict[Label, Label]) -> bool:
        """Whether two terms are alike on the outside."""
        match a:
            case Label(size=one):
                return (
                    isinstance(b, Label) and known.setdefault(a, b) == b and self.size(one, b.size)
                )
            case Number():
                return a == b
            case SizeTerm(size=one):
                return isinstance(b, SizeTerm) and self.size(one, b.size)
            case Read(name=name):
                return isinstance(b, Read) and self.array(name, b.name)
            case Bracket(relation=relation):
                return isinstance(b, Bracket) and relation == b.relation
            case Apply(function=function):
                return isinstance(b, Apply) and function.name == b.function.name
            case Sum() | Product() | Power():
                return type(a) is type(b)

    def array(self, a: str, b: str) -> bool:
        """Whether a name is the other with its number shifted, the same, or stands for it."""
        shapes = self.arrays[a].shape, self.arrays[b].shape
        if len(shapes[0]) != len(shapes[1]) or not all(map(self.size, *shapes)):
            return False
        if a == b:
            self.fixed.add(a)
            return True
        parts = numbered(a)
        if parts is None:
            return False
        self.moving.add(a)
        expected = f"{parts[0]}{parts[1] + self.shift}"
        return b == expected or (
            expected not in self.arrays and self.aliases.setdefault(expected, b) == b
        )

    def size(self, a: Size, b: Size) -> bool:
        """Whether a size can turn into another: always into the same one."""
        if a.is_name or a.number is not None:
            return self.sizes.setdefault(a, b) == b
        self.composite.append((a, b))
        return True


def called(name: str) -> Size:
    """The size of this name, whatever its letters."""
    return Size([(((name, 1),), 1)])


def substituted(value: Size, sizes: Mapping[Size, Size]) -> Size:
    """A size with every name in it replaced."""
    if value in sizes:
        return sizes[value]
    total = Size()
    for monomial, count in value.terms:
        part = size(count)
        for name, power in monomial:
            for _ in range(power):
                part = part * sizes.get(called(name), called(name))
        total = total + part
    return total
