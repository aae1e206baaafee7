"""Ordered statements, run one after the other at a random point: what each comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.reading import RATES, known_names
from backpass.doctor.formula.spelling import Layers
from backpass.doctor.formula.tree import Hand, hand, names, tree
from backpass.doctor.formula.values import Failure, Values, ratio
from backpass.doctor.formula.verdict import gradient_of
from backpass.forward.quantity import Misfit
from backpass.forward.statements import parse
from backpass.forward.syntax import Statement

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that ran: what it came to, or why it did not."""

    statement: Statement
    value: Array | None
    moved: Array | None = None  # of an update: what it takes away
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """A statement that is held to a gradient: an update of W to dW, or what is named dW to it."""

    place: int
    of: str  # W
    gradient: str  # dW


@dataclass(frozen=True, eq=False)
class Ordered:
    """An algorithm; without updates, what it names like gradients are claims."""

    base: Ground
    text: str
    statements: tuple[Statement, ...] = ()
    style: Hand = field(default_factory=lambda: hand(""))
    notes: list[str] = field(default_factory=list[str])

    @classmethod
    def of(cls, text: str, base: Ground) -> Ordered:
        """Read an algorithm; raises an error of the family for a text that cannot be read."""
        statements = parse(text, base.functions.known, base.points[0].names)
        return cls(base, text, statements, hand(text))

    @property
    def updates(self) -> bool:
        """Whether anything is changed."""
        return any(one.updates for one in self.statements)

    @property
    def rate(self) -> str:
        read = {name for one in self.statements for name in names(tree(one.body, {}))}
        return next((rate for rate in RATES if rate in read), "η")

    def target(self, statement: Statement) -> str:
        """What a statement assigns, as the derivation calls it if it is an update."""
        name = statement.target or ""
        if statement.updates and name not in self.base.points[0].arrays:
            return Layers(self.base).meant(name) or name
        return name

    def goals(self) -> list[Goal]:
        """The statements that are held to a gradient, in order."""
        goals: list[Goal] = []
        for place, one in enumerate(self.statements):
            of = self.target(one) if one.updates else None
            if not self.updates:
                of = gradient_of(self.base, one.target)
            if of is not None and f"d{of}" in self.base.backward:
                goals.append(Goal(place, of, f"d{of}"))
        return goals

    def run(
        self, rate: float, *, held: bool = False, instead: Mapping[int, Array] | None = None
    ) -> list[Step]:
        """The statements in order; `held` keeps every weight as the forward pass had it."""
        point = self.base.points[0]
        arrays: dict[str, Array] = dict(point.arrays)
        arrays.update((name, np.asarray(rate)) for name in RATES if name not in arrays)
        lost: set[str] = set()
        steps: list[Step] = []
        for place, statement in enumerate(self.statements):
            target = self.target(statement)
            step = self._step(statement, target, arrays, lost)
            if instead is not None and place in instead:
                step = Step(statement, instead[place])
            steps.append(step)
            if statement.updates and (held or step.moved is None):
                continue
            if step.value is not None and target:
                arrays[target] = step.value
                lost.discard(target)
            elif target:
                lost.add(target)
        return steps

    def _step(
        self, statement: Statement, target: str, arrays: Mapping[str, Array], lost: set[str]
    ) -> Step:
        point = self.base.points[0]
        values = Values(Point(point.sizes, arrays, point.functions), self.style)
        node = tree(statement.body, {})
        if missing := names(node) & lost:
            return Step(statement, None, trouble=f"{min(missing)} has no value")
        known_names(node, Layers(self.base), values, self.notes, statement.text)
        found = values.of(node)
        if isinstance(found, Failure):
            return Step(statement, None, trouble=self._trouble(found))
        value = np.asarray(found.value, float)
        value = value.reshape(found.sizes) if found.row else value
        moved = None
        if statement.updates and target in point.arrays and arrays[target].shape == value.shape:
            moved = arrays[target] - value
        return Step(statement, value, moved)

    def _trouble(self, failure: Failure) -> str:
        letters = self.base.letters(self.base.points[0])
        error = failure.error
        if isinstance(error, Misfit):
            return error.sentence(lambda size: letters.get(size, str(size)))
        return error.message

    def times(self, goal: Goal, steps: Sequence[Step]) -> float | None:
        """What a goal's gradient comes to is times the derived one; None if it is no multiple."""
        step = steps[goal.place]
        found = step.moved if step.statement.updates else step.value
        return None if found is None else ratio(found, self.base.points[0].arrays[goal.gradient])
