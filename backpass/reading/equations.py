"""A step as equations: one in matrix notation, or one for each loop nest where that fails."""

from __future__ import annotations

from dataclasses import dataclass

from backpass.language.expr import Label
from backpass.language.program import Step, Write, bare
from backpass.reading import presentation as show
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Shown
from backpass.reading.spelling import spell_entry, spell_tree, spell_write


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right`, or `left += right` where entries of the left are met more than once.

    `short` are loops that end before the axis that they walk along: `for i < 5`.
    """

    left: Shown
    right: Shown
    adds: bool = False
    short: tuple[Label, ...] = ()


def equations(passes: Passes, step: Step) -> list[Equation]:
    """The step, in as few lines as it can be said."""
    node = matrix(step, passes.arrays)
    if node is not None:
        return [Equation(show.Name(step.name), spell_tree(node, passes.dialect))]
    nests = [_nest(step, write) for write in step.writes]
    left = step.writes[0].left
    whole = bare(left) is not None and not any(nest.short for nest in nests)
    if whole and all(write.left == left for write in step.writes):
        return [Equation(nests[0].left, show.total(*(nest.right for nest in nests)))]
    return nests


def _nest(step: Step, write: Write) -> Equation:
    """A loop nest in index notation."""
    alone = len(step.writes) == 1 and bare(write.left) is not None
    short = tuple(
        part
        for part, axis in zip(write.left, step.target.shape, strict=True)
        if isinstance(part, Label) and part.size != axis
    )
    left = spell_entry(step.name, write.left)
    return Equation(left, spell_write(write), not alone or bool(short), short)
