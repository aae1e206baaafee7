"""The recorded graph as patterns look at it: what is computed alike is found equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from backpass.calculus.op import OPS
from backpass.forward.witness import Value, World
from backpass.language.expr import Number, Term

Operand = int | Term
Ints = tuple[int, ...]
Found = tuple[str, tuple[Operand, ...], dict[str, object]]  # operation, operands, parameters


class Graph:
    """The graph so far, with a key for every value so that equal expressions are found equal."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self.worlds = worlds
        self.values: dict[int, Value] = {}
        self.same: dict[object, int] = {}  # what a value computes -> the first that computes it
        self.first: dict[int, int] = {}

    def enter(self, value: Value, patterns: Patterns) -> Value:
        """Take a value into the graph, as what it is recognised to be."""
        self._keep(value)
        while value.op is not None:
            for pattern in patterns.get(value.op.name, ()):
                found = pattern(self, value)
                if found is not None:
                    name, operands, params = found
                    value = replace(value, op=OPS[name], operands=operands, params=params)
                    self._keep(value)
                    break
            else:
                break
        return value

    def _keep(self, value: Value) -> None:
        self.values[value.index] = value
        if value.op is None:
            self.first[value.index] = value.index
            return
        operands = tuple(self.first[o] if isinstance(o, int) else o for o in value.operands)
        key = (value.op.name, operands, repr(value.params))
        self.first[value.index] = self.same.setdefault(key, value.index)

    def op(self, operand: Operand) -> str:
        if not isinstance(operand, int):
            return ""
        found = self.values[operand].op
        return found.name if found else ""

    def args(self, operand: Operand, name: str) -> tuple[Operand, ...] | None:
        """The operands of a value, if it is an operation of this name."""
        if isinstance(operand, int) and self.op(operand) == name:
            return self.values[operand].operands
        return None

    def pair(self, operand: Operand, name: str) -> list[tuple[Operand, Operand]]:
        """The two operands of a commuting operation, in both orders; none if it is another one."""
        args = self.args(operand, name)
        return [(args[0], args[1]), (args[1], args[0])] if args and len(args) == 2 else []

    def first_like(self, operand: Operand) -> Operand:
        """The first value that is computed like this one."""
        return self.first[operand] if isinstance(operand, int) else operand

    def equal(self, a: Operand, b: Operand) -> bool:
        """Whether two values are computed alike."""
        return self.first_like(a) == self.first_like(b)

    def axis(self, operand: Operand) -> Ints | None:
        """The axes that a reduction or a softmax runs over."""
        axis: Ints | None = (
            self.values[operand].params["axis"] if isinstance(operand, int) else None
        )
        return axis

    def shapes(self, operand: Operand) -> tuple[Ints, ...]:
        """The shape of a value in every run."""
        return self.values[operand].shapes if isinstance(operand, int) else ((),) * len(self.worlds)

    def rank(self, operand: Operand) -> int:
        """How many axes a value has."""
        return len(self.values[operand].shapes[0]) if isinstance(operand, int) else 0

    def bare(self, operand: Operand) -> Operand:
        """The value behind indexing and reshaping that only adds or drops axes of length 1."""
        while isinstance(operand, int) and self.op(operand) in ("getitem", "reshape"):
            value = self.values[operand]
            (source, *arrays) = value.operands
            if (
                arrays
                or not isinstance(source, int)
                or _solid(value) != _solid(self.values[source])
            ):
                break
            if any(item[0] == "slice" and item[3] != 1 for item in value.params.get("items", ())):
                break
            operand = source
        return operand

    def negated(self, operand: Operand) -> Operand | None:
        """x of −x and of −1·x."""
        if args := self.args(operand, "negative"):
            return args[0]
        for one, other in self.pair(operand, "multiply"):
            if is_number(one, -1):
                return other
        return None


def _solid(value: Value) -> list[list[int]]:
    """The axes that are longer than 1, in every run."""
    return [[axis for axis in shape if axis != 1] for shape in value.shapes]


def is_number(operand: Operand, value: Fraction | int) -> bool:
    """Whether an operand is this very number."""
    return isinstance(operand, Number) and operand.value == value


Pattern = Callable[[Graph, Value], Found | None]
Patterns = Mapping[str, tuple[Pattern, ...]]
