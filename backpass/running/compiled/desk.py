"""Where statements are collected while a program is cut: their arrays, and names for new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backpass.language.expr import ZERO, Label, Read, Term, labels, multiply, size_term
from backpass.language.program import Array, Kind, fresh
from backpass.running.compiled.nest import STARTS, Check, Labels, Operation, Product, Statement


class Desk:
    """Statements in order, and every array that they touch.

    What is computed on the way to two steps, such as the exponentials of a softmax and of a loss,
    is made once: `made` remembers it by what it is.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays = dict(arrays)
        self.statements: list[Statement | Product | Check] = []
        self.made: dict[tuple[object, ...], Read] = {}

    def array(self, name: str, axes: Labels, kind: Kind = "real") -> Read:
        """A new array with these axes, called `name` if that is free."""
        name = fresh(name, self.arrays)
        self.arrays[name] = Array(name, tuple(label.size for label in axes), kind)
        return Read(name, axes)

    def add(
        self,
        target: Read,
        term: Term,
        loops: Labels,
        operation: Operation = "=",
        start: Term | None = None,
        *,
        fresh: bool = True,
    ) -> Read:
        """A loop nest that makes, or goes on making, `target`."""
        idle = [one for one in loops if one not in labels(*target.index, term)]
        if idle and operation == "+":  # the same addition again and again
            term = multiply(*(size_term(label.size) for label in idle), term)
        loops = tuple(label for label in loops if label not in idle)
        gathers = operation != "=" and fresh
        start = STARTS.get(operation, ZERO) if start is None else start
        self.statements.append(
            Statement(target.name, target.index, term, loops, operation, gathers, start)
        )
        return target

    def once(
        self,
        key: tuple[object, ...],
        name: str,
        axes: Labels,
        term: Term,
        loops: Labels,
        operation: Operation = "=",
        start: Term | None = None,
        kind: Kind = "real",
    ) -> Read:
        """An array that is made here unless it has been made before, read along `axes`."""
        if key not in self.made:
            target = self.array(name, axes, kind)
            self.made[key] = self.add(target, term, loops, operation, start)
        return Read(self.made[key].name, axes)


def without(loops: Labels, *gone: Label) -> Labels:
    """The labels but for some."""
    return tuple(label for label in loops if label not in gone)


def along(read: Read, new: Mapping[Label, Term]) -> Read:
    """The same array at other places."""
    index = [new.get(part, part) if isinstance(part, Label) else part for part in read.index]
    return replace(read, index=tuple(index))
