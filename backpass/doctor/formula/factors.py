"""A product as the factors that it is made of, from left to right, whatever its brackets are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    Called,
    Joined,
    Minus,
    Number,
    Tree,
    turned,
)
from backpass.doctor.formula.tree import Turned as Transposed


@dataclass(frozen=True, slots=True)
class Factor:
    """A part of a product, and the sign that stands before it and behind it."""

    node: Tree
    before: str = ""
    behind: str = ""


def factors(node: Tree, whole: Callable[[Tree], bool]) -> list[Factor]:
    """The factors of a product; a part that is `whole` is one factor, however it is made."""
    if whole(node):
        return [Factor(node)]
    match node:
        case Joined(sign=sign, left=left, right=right) if sign in (*MATRIX, *ENTRYWISE, "⊗"):
            first, second = factors(left, whole), factors(right, whole)
            first[-1] = replace(first[-1], behind=sign)
            second[0] = replace(second[0], before=sign)
            return [*first, *second]
        case Joined(sign="/", left=left, right=right):
            return [*factors(left, whole), Factor(Joined("/", Number(1), right), "*")]
        case Minus(operand=operand):
            return [Factor(Number(-1), behind="*"), *factors(operand, whole)]
        case Transposed(operand=Joined(sign=sign, left=left, right=right)) if sign in MATRIX:
            return factors(Joined(sign, turned(right), turned(left)), whole)
        case Transposed(operand=Joined(sign=sign, left=left, right=right)) if sign in ENTRYWISE:
            return factors(Joined(sign, turned(left), turned(right)), whole)
        case Called(function="sum", arguments=(only,), options=options) if options:
            return factors(only, whole)
        case _:
            return [Factor(node)]
