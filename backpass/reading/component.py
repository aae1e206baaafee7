"""A gradient in one formula: with all its sums, or closed over whole arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backpass.language.expr import Label, Product, Read, Term, add, labels, multiply, substitute
from backpass.language.program import Step, Write, axis_labels, bare, relabel
from backpass.reading import presentation as show
from backpass.reading import tree
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Derivative, Equal, Name, Shown
from backpass.reading.spelling import spell_entry, spell_tree, spell_write


def component(passes: Passes, name: str) -> Shown | None:
    """One entry of the gradient of `name`, everything that flows in written out.

    `∂L/∂W1[i,j] = Σᵤ …`; factors stand in the order from the loss to the entry. None where a
    step on the way has no plain form.
    """
    step = passes.step(passes.adjoints[name])
    write = opened(passes, step)
    if write is None:
        return None
    write = _short(write)
    left = Derivative(Name(passes.loss), spell_entry(name, write.left))
    return Equal(left, as_derivatives(passes, spell_write(write)))


def _short(write: Write) -> Write:
    """Where labels have long names, i and j on the left and u, v … in the sums instead."""
    if all(len(label.name.rstrip("′")) == 1 for label in write.labels):
        return write
    left = [label for label in write.labels if label not in write.summed]
    letters = dict(zip(left, "ijklpq", strict=False)) | dict(
        zip(write.summed, "uvwmnrst", strict=False)
    )
    return relabel(write, {label: Label(letter, label.size) for label, letter in letters.items()})


def opened(passes: Passes, step: Step) -> Write | None:
    """The step as one loop nest in which what flows in is written out, as far as it can be."""
    write = _single(step)
    if write is None:
        return None
    factors = write.term.factors if isinstance(write.term, Product) else (write.term,)
    first: list[Term] = []
    rest: list[Term] = []
    loops = write.labels
    for factor in factors:
        inner = _inflow(passes, factor, loops)
        if inner is None:
            rest.append(factor)
        else:
            first.append(inner.term)
            loops += tuple(label for label in inner.labels if label not in loops)
    return Write(write.left, multiply(*first, *rest), loops)


def _inflow(passes: Passes, factor: Term, taken: tuple[Label, ...]) -> Write | None:
    """The nest behind a gradient that stands as a factor, over the labels that it is read at."""
    if not isinstance(factor, Read) or factor.name not in passes.gradients:
        return None
    write = opened(passes, passes.step(factor.name))
    if write is None:
        return None
    own = axis_labels((label.size for label in write.summed), [label.name for label in taken])
    write = relabel(write, dict(zip(write.summed, own, strict=True)))
    left = bare(write.left)
    assert left is not None
    term = substitute(write.term, dict(zip(left, factor.index, strict=True)))
    return Write(factor.index, term, (*labels(*factor.index), *own))


def _single(step: Step) -> Write | None:
    """A step as one nest over plain labels, its writes added where none of them sums."""
    if not step.writes or bare(step.writes[0].left) is None:
        return None
    first = step.writes[0]
    if len(step.writes) == 1:
        return first
    if any(write.summed or write.left != first.left for write in step.writes):
        return None
    return replace(first, term=add(*(write.term for write in step.writes)))


def as_derivatives(passes: Passes, shown: Shown) -> Shown:
    """Gradients that are left in a formula as derivatives: `dz2[i]` is ∂L/∂z2[i]."""

    def change(node: Shown) -> Shown | None:
        match node:
            case show.Entry(name=Name(name=name), index=index) if name in passes.gradients:
                of = show.Entry(Name(passes.gradients[name]), index)
                return Derivative(Name(passes.loss), of)
            case Name(name=name) if name in passes.gradients:
                return Derivative(Name(passes.loss), Name(passes.gradients[name]))
            case _:
                return None

    return show.substitute(shown, change)


def closed(passes: Passes, name: str) -> Shown | None:
    """The gradient of `name` over whole arrays, its intermediates put in: `(W2ᵀ (…)) ⊙ σ′(z1)`.

    None where a step on the way has no matrix form, or reads a backward line that is no gradient.
    """
    steps = {one: passes.step(one) for one in passes.gradients}
    right = _closed(passes, steps[passes.adjoints[name]], steps)
    if right is None or _reads_helper(passes, right):
        return None
    target = Derivative(Name(passes.loss), Name(name))
    return Equal(target, as_derivatives(passes, right))


def _reads_helper(passes: Passes, shown: Shown) -> bool:
    helpers = {step.name for step in passes.backward if step.name not in passes.gradients}
    found: list[Name] = []

    def note(node: Shown) -> None:
        if isinstance(node, Name) and node.name in helpers:
            found.append(node)

    show.substitute(shown, note)
    return bool(found)


def _closed(passes: Passes, step: Step, steps: Mapping[str, Step]) -> Shown | None:
    node = matrix(step, passes.arrays)
    if node is None:
        return None
    shown = spell_tree(node, "math")
    if isinstance(node, tree.Outer):
        shown = show.multiplied(
            "outer", *(spell_tree(side, "math") for side in (node.left, node.right))
        )

    def change(part: Shown) -> Shown | None:
        if not isinstance(part, Name) or part.name not in steps:
            return None
        step = steps[part.name]
        if isinstance(matrix(step, passes.arrays), tree.Spread):
            return part  # a copied row has a shape only where something tells how often
        return _closed(passes, step, steps)

    return show.substitute(shown, change)
