"""What a compiled program is made of: single loop nests, matrix products, and loops around both.

A program is first cut into statements, each a perfect nest of its own, in an order that may be
run as it stands. An array may be assigned again here: `W` after its update is `W` still.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from backpass.language.expr import (
    ONE,
    ZERO,
    Apply,
    Function,
    Label,
    Read,
    Term,
    labels,
    reads,
    substitute,
)
from backpass.language.program import Array
from backpass.language.shapes import Size

Operation = Literal["=", "+", "max", "min"]
LOWEST, HIGHEST = Apply(Function("lowest"), ()), Apply(Function("highest"), ())  # of all numbers
STARTS: dict[Operation, Term] = {"+": ZERO, "max": LOWEST, "min": HIGHEST}
Labels = tuple[Label, ...]
Access = tuple[Read, bool]  # what is touched, and whether it is written


@dataclass(frozen=True, slots=True)
class Statement:
    """A loop nest: for every value of every label, `target[left]` is set, or gathers the term.

    `fresh` says that the nest begins by setting its target, which has the labels of the left as
    axes, to `start`.
    """

    target: str
    left: tuple[Term, ...]
    term: Term
    labels: Labels
    operation: Operation = "="
    fresh: bool = False
    start: Term = ZERO

    @property
    def summed(self) -> Labels:
        """The labels that are not on the left."""
        kept = labels(*self.left)
        return tuple(label for label in self.labels if label not in kept)

    def accesses(self) -> Iterator[Access]:
        """Everything that is read or written, what a sum goes on from included."""
        yield Read(self.target, self.left), True
        for read in reads(*self.left, self.term):
            yield read, False

    def relabel(self, new: dict[Label, Label]) -> Statement:
        """The same nest with other loop variables."""
        return replace(
            self,
            left=tuple(substitute(part, new) for part in self.left),
            term=substitute(self.term, new),
            labels=tuple(new.get(label, label) for label in self.labels),
        )


@dataclass(frozen=True, slots=True)
class Product:
    """`target = beta * target + alpha * Σ a * b`: a matrix product.

    `rows` are the labels of a and the target, `columns` those of b and the target, `summed` those
    of a and b; several that lie side by side count as one. `batch` leads all three.
    """

    target: str
    left: Labels
    a: Read
    b: Read
    rows: Labels
    columns: Labels
    summed: Labels
    batch: Labels = ()
    alpha: Term = ONE
    beta: Term = ZERO

    def accesses(self) -> Iterator[Access]:
        """Everything that is read or written."""
        yield Read(self.target, self.left), True
        for read in reads(self.alpha, self.beta, self.a, self.b):
            yield read, False


@dataclass(slots=True)
class Loop:
    """A loop around others; what stands in `before` is done once, ahead of it."""

    label: Label
    body: list[Item]
    before: list[Item] = field(default_factory=list["Item"])

    def accesses(self) -> Iterator[Access]:
        """Everything that is read or written inside, and before."""
        for item in (*self.before, *self.body):
            yield from item.accesses()


@dataclass(frozen=True, slots=True)
class Check:
    """The place where a step ends that has come to a loss that is not finite."""

    loss: str

    def accesses(self) -> Iterator[Access]:
        """It reads the loss."""
        yield Read(self.loss, ()), False


Item = Loop | Statement | Product | Check


@dataclass(frozen=True)
class Cut:
    """A program cut into statements, and `arrays`, which are all that they touch.

    `kept` are those that live beyond a step, and `results` numbers that a step tells.
    """

    statements: tuple[Statement | Product | Check, ...]
    arrays: dict[str, Array]
    kept: frozenset[str]
    results: frozenset[str]
    samples: Size | None


def names(items: Iterable[Item], *, written: bool | None = None) -> set[str]:
    """The arrays that are touched; only those written, or read, where `written` says so."""
    return {
        read.name
        for item in items
        for read, writes in item.accesses()
        if written is None or written == writes
    }
