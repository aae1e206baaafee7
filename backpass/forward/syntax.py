"""The tree of a formula: what was written, with its place in the text, and no meaning yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, assert_never

Option: TypeAlias = int | bool | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where in the text something stands, brackets around it included."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Number(Span):
    """A literal, an `int` where it is written as one and a float holds it exactly."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Name(Span):
    """A quantity under its plain spelling."""

    text: str


@dataclass(frozen=True, slots=True)
class Chain(Span):
    """Operators that bind equally, from left to right; "" is the product written as nothing."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Negative(Span):
    """Minus an operand."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Power(Span):
    """`x**2`, `x^2` and `x²`."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Transpose(Span):
    """`Wᵀ`, `W^T` and `W.T`; of a stack of matrices only `.mT`, which turns each of them."""

    operand: Expression
    of_stack: bool


@dataclass(frozen=True, slots=True)
class Call(Span):
    """A known function of its arguments; Σ x, √x and the method x.sum() are calls too."""

    function: str
    arguments: tuple[Expression, ...]
    options: tuple[tuple[str, Option], ...] = ()


@dataclass(frozen=True, slots=True)
class Listing(Span):
    """Values between commas: a vector of numbers, or several quantities for one argument."""

    items: tuple[Expression, ...]


Expression: TypeAlias = Number | Name | Chain | Negative | Power | Transpose | Call | Listing


@dataclass(frozen=True, slots=True)
class Statement(Span):
    """One line of a formula: what it names or updates (`W <- …`), its text and its tree."""

    index: int
    target: str | None
    updates: bool
    text: str
    body: Expression


def children(node: Expression) -> tuple[Expression, ...]:
    """The parts of a node, from left to right."""
    match node:
        case Number() | Name():
            return ()
        case Chain():
            return (node.first, *(operand for _, operand in node.rest))
        case Negative() | Transpose():
            return (node.operand,)
        case Power():
            return (node.base, node.exponent)
        case Call():
            return node.arguments
        case Listing():
            return node.items
        case _:
            assert_never(node)


def walk(root: Expression) -> Iterator[tuple[Expression, int]]:
    """Every node with its depth, parents first, from left to right."""
    waiting = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in reversed(children(node)))
