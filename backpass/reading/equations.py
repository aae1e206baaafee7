"""A step as equations: one in matrix notation, or one for each loop nest where that fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backpass.language.expr import Label, fresh
from backpass.language.program import Step, Write, bare, relabel
from backpass.reading import presentation as show
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Shown
from backpass.reading.spelling import spell_entry, spell_tree, spell_write
from backpass.reading.words import Words, words


@dataclass(frozen=True, slots=True)
class Equation:
    """`left = right`, or `left += right` where it fills only a part, or meets entries again.

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
    return entries(step)


def entries(step: Step, labels: Mapping[Label, Label] = {}) -> list[Equation]:
    """The step by entries, some of its labels renamed; nothing for a call.

    Nests that fill the same entries, all of them, are added in one line.
    """
    writes = [relabel(write, widened(write, labels)) for write in step.writes]
    nests = [_nest(step, write) for write in writes]
    same = len({write.left for write in writes}) == 1 and bare(writes[0].left) is not None
    if same and not any(nest.short for nest in nests):
        return [Equation(nests[0].left, show.total(*(nest.right for nest in nests)))]
    return nests


def widened(write: Write, new: Mapping[Label, Label]) -> dict[Label, Label]:
    """A renaming of all labels of a nest: those that keep their name may not meet a given one."""
    taken = {label.name for label in new.values()}
    full = {label: new[label] for label in write.labels if label in new}
    for label in write.labels:
        if label not in full:
            full[label] = Label(fresh(label.name, taken), label.size)
            taken.add(full[label].name)
    return full


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


def as_words(equation: Equation) -> Words:
    """An equation inside an explanation."""
    if not equation.adds:
        return (show.Equal(equation.left, equation.right),)
    return words("{left} += {right}" + ends(equation), left=equation.left, right=equation.right)


def ends(equation: Equation) -> str:
    """` for i < 5`, where a loop is shorter than the axis that it walks along."""
    bounds = [
        name if (name := label.name) == str(label.size) else f"{name} < {label.size}"
        for label in equation.short
    ]
    return f" for {', '.join(bounds)}" if bounds else ""
