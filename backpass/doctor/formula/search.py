"""The smallest changes that make a formula right, tried one after the other, then two at once.

A part that is a quantity of the derivation already is left as it is; a change is kept only if the
whole formula then equals the gradient, exactly and at both points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    Called,
    Hand,
    Joined,
    Minus,
    Name,
    Number,
    Row,
    Tree,
    Turned,
    parts,
    rebuilt,
    times,
    turned,
)

SINGLE, PAIRS = 1_500, 6_000  # candidates that are tried at most


@dataclass(frozen=True, slots=True)
class Stock:
    """What may be put in: factors of the derivation, and quantities in place of others."""

    factors: tuple[tuple[Tree, str], ...]  # a factor and the gradient that needs it
    neighbours: Callable[[str], Sequence[str]]
    places: tuple[str, ...]  # where slopes may be taken
    slopes: Mapping[str, str]  # functions that are slopes, and of what
    right: Callable[[Tree], bool]  # whether a part is known to be right as it stands


Candidate = tuple[Tree, tuple[Edit, ...]]


def single(node: Tree, stock: Stock, style: Hand) -> list[Candidate]:
    """The formula with one change, in the order in which they are to be believed."""
    found = changed(node, stock, style, at_root=True)
    once = [(new, (edit,)) for new, edit in islice(found, SINGLE)]
    return [*once, (Minus(node), (Edit("sign", node, Minus(node)),))]


def double(once: list[Candidate], stock: Stock, style: Hand) -> Iterator[Candidate]:
    """The formula with two changes, from those with one."""
    seen = {new for new, _ in once}
    tried = 0
    for first, edits in once:
        for new, edit in changed(first, stock, style, at_root=True):
            if new in seen:
                continue
            seen.add(new)
            tried += 1
            if tried > PAIRS:
                return
            yield new, (*edits, edit)


def changed(
    node: Tree, stock: Stock, style: Hand, *, at_root: bool = False
) -> Iterator[tuple[Tree, Edit]]:
    """Every formula that is one change away."""
    yield from _here(node, stock, style, at_root)
    if stock.right(node):
        return
    inside = parts(node)
    for place, part in enumerate(inside):
        for new, edit in changed(part, stock, style):
            yield rebuilt(node, (*inside[:place], new, *inside[place + 1 :])), edit


def _here(node: Tree, stock: Stock, style: Hand, at_root: bool) -> Iterator[tuple[Tree, Edit]]:
    if isinstance(node, Number):
        return
    yield turned(node), Edit("turned", node, turned(node))
    if at_root:
        for axis in (0, 1):
            whole = Called("sum", (node,), (("axis", axis),))
            yield whole, Edit("sum", node, whole)
    if not isinstance(node, Turned):
        yield from _inserted(node, stock, style)
    match node:
        case Joined(sign=sign, left=left, right=right) if sign in (*MATRIX, *ENTRYWISE, "⊗"):
            yield from _product(node, sign, left, right, style)
        case Joined(sign=("+" | "-") as sign, left=left, right=right):
            if sign == "-":
                yield Joined("-", right, left), Edit("sign", node, Joined("-", right, left))
            other = Joined("-" if sign == "+" else "+", left, right)
            yield other, Edit("sign", node, other)
        case Joined(sign="/", left=left, right=right):
            yield left, Edit("dropped", Joined("/", Number(1), right), None)
        case Minus(operand=operand):
            yield operand, Edit("sign", node, operand)
        case Called(function="sum" | "mean", arguments=(only,)):
            yield only, Edit("sum", node, only)
            for axis in (0, 1):
                along = Called("sum", (only,), (("axis", axis),))
                yield along, Edit("sum", node, along)
        case Called(function=function, arguments=(only,)) if function in stock.slopes:
            for place in stock.places:
                new = Called(function, (Name(place),))
                if new != node:
                    yield new, Edit("replaced", node, new)
            for other in stock.slopes:
                if other != function:
                    new = Called(other, (only,))
                    yield new, Edit("replaced", node, new)
        case Name(text=text):
            for other in stock.neighbours(text):
                yield Name(other), Edit("replaced", node, Name(other))
        case Row() | Turned(operand=Row()):
            for factor, about in stock.factors:
                yield factor, Edit("replaced", node, factor, about)
        case _:
            pass


def _product(
    node: Tree, sign: str, left: Tree, right: Tree, style: Hand
) -> Iterator[tuple[Tree, Edit]]:
    if sign in ENTRYWISE:
        new = Joined(style.matrix, left, right)
        yield new, Edit("sign of product", right, right, how=style.matrix)
        flipped = Joined(style.matrix, right, left)
        yield flipped, Edit("order", node, flipped, how="swapped")
    else:
        new = Joined(style.entrywise, left, right)
        yield new, Edit("sign of product", right, right, how=style.entrywise)
        swapped = Joined(sign, right, left)
        yield swapped, Edit("order", node, swapped, how="swapped")
        both = Joined(sign, turned(right), left)
        yield both, Edit("order", right, turned(right), how="in front")
        other = Joined(sign, right, turned(left))
        yield other, Edit("order", left, turned(left), how="moved")
    yield left, Edit("dropped", right, None)
    yield right, Edit("dropped", left, None)


def _inserted(node: Tree, stock: Stock, style: Hand) -> Iterator[tuple[Tree, Edit]]:
    for factor, about in stock.factors:
        added = Edit("missing", None, factor, about, style.entrywise)
        yield times(style.entrywise, node, factor), added
        added = Edit("missing", None, factor, about, style.matrix)
        yield Joined(style.matrix, node, factor), added
        yield Joined(style.matrix, factor, node), added
