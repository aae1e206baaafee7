"""A step as equations: one in matrix notation, or one for each loop nest where that fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backpass.language.expr import ZERO, Label, Term, substitute
from backpass.language.expr import labels as labels_of
from backpass.language.program import Array, Step, Write, bare, fresh, relabel
from backpass.language.shapes import size
from backpass.reading import presentation as show
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Shown
from backpass.reading.spelling import spell_entry, spell_tree, spell_write
from backpass.reading.tree import Node, Spread, Stacked
from backpass.reading.words import Words, words

ONE = size(1)


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
        right = _raised(node) if passes.dialect == "code" else None
        return [Equation(show.Name(step.name), right or spell_tree(node, passes.dialect))]
    return entries(step)


def _raised(node: Node) -> Shown | None:
    """`x[None,:]` of a line that does nothing but add axes of length 1, as atleast_2d does."""
    if not isinstance(node, Spread) or node.keeps or any(axis.size != ONE for axis in node.along):
        return None
    whole, new = show.Range(), show.Name("None")
    index = tuple(whole if axis in node.value.axes else new for axis in node.axes)
    return show.Entry(spell_tree(node.value), index) if node.value.axes else None


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


def pieces(passes: Passes, step: Step) -> list[Equation]:
    """The step by entries; where nests fill each entry once, alone or end to end, none adds."""
    found = entries(step)
    node = matrix(step, passes.arrays)
    if isinstance(node, Stacked) or (node is not None and len(found) == 1):
        return [replace(one, adds=False) for one in found]
    return found


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
    alone = len(step.writes) == 1 and fills(write.left, step.target)
    short = tuple(
        part
        for part, axis in zip(write.left, step.target.shape, strict=True)
        if isinstance(part, Label) and part.size != axis
    )
    write = _without_single(write)
    left = spell_entry(step.name, write.left)
    return Equation(left, spell_write(write), not alone or bool(short), short)


def fills(left: Sequence[Term], target: Array) -> bool:
    """Whether a nest meets no entry twice: its left is labels, and 0 on axes of length 1."""
    parts = zip(left, target.shape, strict=True)
    plain = [part for part, axis in parts if not (part == ZERO and axis == ONE)]
    return all(isinstance(part, Label) for part in plain) and len({*plain}) == len(plain)


def _without_single(write: Write) -> Write:
    """An index such as k+i, where i takes the one value 0, is k."""
    moved = labels_of(*(part for part in write.left if not isinstance(part, Label)))
    new: dict[Label, Term] = {label: ZERO for label in moved if label.size == ONE}
    return replace(
        write,
        left=tuple(substitute(part, new) for part in write.left),
        term=substitute(write.term, new),
        labels=tuple(label for label in write.labels if label not in new),
    )


def as_words(equation: Equation) -> Words:
    """An equation inside an explanation."""
    if not equation.adds:
        whole = show.Equal(equation.left, equation.right)
        return words("{whole}" + ends(equation), whole=whole)
    return words("{left} += {right}" + ends(equation), left=equation.left, right=equation.right)


def ends(equation: Equation) -> str:
    """` for i < 5`, where a loop is shorter than the axis that it walks along."""
    bounds = [
        name if (name := label.name) == str(label.size) else f"{name} < {label.size}"
        for label in equation.short
    ]
    return f" for {', '.join(bounds)}" if bounds else ""
