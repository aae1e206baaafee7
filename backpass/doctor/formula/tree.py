"""A formula as a tree without places, so that equal parts are equal; and back as a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, assert_never

from backpass.forward import syntax
from backpass.forward.syntax import Option
from backpass.reading.presentation import VULGAR

MATRIX = ("", "@", "·")  # products whose inner sizes meet
ENTRYWISE = ("⊙", "*", "×")
PRODUCTS = (*MATRIX, *ENTRYWISE, "⊗", "/")


@dataclass(frozen=True, slots=True)
class Name:
    """A quantity of the derivation, or one that a statement named."""

    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Row:
    """Numbers between commas, as in (1, 1, 1)ᵀ."""

    values: tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Two parts and the sign between them; "" is the matrix product written as nothing."""

    sign: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Minus:
    """Minus a part."""

    operand: Tree


@dataclass(frozen=True, slots=True)
class Raised:
    """A power."""

    base: Tree
    exponent: Tree


@dataclass(frozen=True, slots=True)
class Turned:
    """A transpose."""

    operand: Tree


@dataclass(frozen=True, slots=True)
class Called:
    """A function of its arguments."""

    function: str
    arguments: tuple[Tree, ...]
    options: tuple[tuple[str, Option], ...] = ()


Tree: TypeAlias = Name | Number | Row | Joined | Minus | Raised | Turned | Called


def tree(node: syntax.Expression, known: Mapping[str, Tree]) -> Tree:
    """What was parsed, with the names in `known` replaced by what they stand for."""

    def of(part: syntax.Expression) -> Tree:
        return tree(part, known)

    match node:
        case syntax.Number(value=value):
            return Number(value)
        case syntax.Name(text=text):
            return known.get(text, Name(text))
        case syntax.Chain(first=first, rest=rest):
            left = of(first)
            for sign, operand in rest:
                left = Joined(sign, left, of(operand))
            return left
        case syntax.Negative(operand=operand):
            return Minus(of(operand))
        case syntax.Power(base=base, exponent=exponent):
            return Raised(of(base), of(exponent))
        case syntax.Transpose(operand=operand):
            return turned(of(operand))
        case syntax.Call(function=function, arguments=arguments, options=options):
            parts = tuple(map(of, arguments))
            signs = {"dot": "·", "matmul": "@", "outer": "⊗"}
            if function in signs and len(parts) == 2:
                return Joined(signs[function], *parts)
            return Called(function, parts, options)
        case syntax.Listing(items=items):
            values = [part.value for part in map(of, items) if isinstance(part, Number)]
            return Row(tuple(values))
        case _:
            assert_never(node)


def turned(node: Tree) -> Tree:
    """The transpose; of a transpose, what was transposed."""
    return node.operand if isinstance(node, Turned) else Turned(node)


def times(sign: str, left: Tree, right: Tree) -> Tree:
    """A product; entry by entry, a ⊙ (b ⊙ c) is a ⊙ b ⊙ c."""
    if sign in ENTRYWISE and isinstance(right, Joined) and right.sign in ENTRYWISE:
        return Joined(sign, times(sign, left, right.left), right.right)
    return Joined(sign, left, right)


def parts(node: Tree) -> tuple[Tree, ...]:
    """What a node is made of, from left to right."""
    match node:
        case Name() | Number() | Row():
            return ()
        case Joined(left=left, right=right):
            return left, right
        case Minus(operand=operand) | Turned(operand=operand):
            return (operand,)
        case Raised(base=base, exponent=exponent):
            return base, exponent
        case Called(arguments=arguments):
            return arguments
        case _:
            assert_never(node)


def rebuilt(node: Tree, new: tuple[Tree, ...]) -> Tree:
    """The same node of other parts."""
    match node:
        case Name() | Number() | Row():
            return node
        case Joined(sign=sign):
            return Joined(sign, *new)
        case Minus():
            return Minus(*new)
        case Turned():
            return turned(*new)
        case Raised():
            return Raised(*new)
        case Called(function=function, options=options):
            return Called(function, new, options)
        case _:
            assert_never(node)


def walk(node: Tree) -> Iterator[Tree]:
    """Every part, inner ones first, from left to right."""
    for part in parts(node):
        yield from walk(part)
    yield node


def names(node: Tree) -> set[str]:
    """The quantities that a formula reads."""
    return {part.text for part in walk(node) if isinstance(part, Name)}


# ── as text ──────────────────────────────────────────────────────────────────────────────────

SUM, PRODUCT, POWER, ATOM = range(4)


@dataclass(frozen=True, slots=True)
class Hand:
    """How somebody writes: `A.T @ B * c`, or `Aᵀ B ⊙ c`."""

    code: bool

    @property
    def matrix(self) -> str:
        return "@" if self.code else ""

    @property
    def entrywise(self) -> str:
        return "*" if self.code else "⊙"


def hand(text: str) -> Hand:
    """The hand of a text."""
    return Hand(any(sign in text for sign in ("@", ".T", "*")) and "⊙" not in text)


def written(node: Tree, style: Hand) -> str:
    """The formula on one line, bracketed where products of two kinds meet."""
    return _written(node, style)[0]


def _written(node: Tree, style: Hand) -> tuple[str, int]:
    def held(part: Tree, least: int) -> str:
        text, binds = _written(part, style)
        return text if binds >= least else f"({text})"

    match node:
        case Name(text=text):
            return text, ATOM
        case Number(value=value):
            return _number(value, style), ATOM
        case Row(values=values):
            return f"({', '.join(_number(value, style) for value in values)})", ATOM
        case Joined(sign=("+" | "-") as sign, left=left, right=right):
            shown = "-" if style.code and sign == "-" else "−" if sign == "-" else sign
            return f"{held(left, SUM)} {shown} {held(right, PRODUCT)}", SUM
        case Joined(sign="⊙", left=left, right=right) if style.code:
            return _product("*", left, right, style)
        case Joined(sign="", left=left, right=right) if style.code:
            number = isinstance(left, Number) or isinstance(right, Number)
            return _product("*" if number else "@", left, right, style)
        case Joined(sign=sign) if sign not in PRODUCTS:
            return f"[{held(node.left, SUM)} {sign} {held(node.right, SUM)}]", ATOM
        case Joined(sign=sign, left=left, right=right):
            return _product(sign, left, right, style)
        case Minus(operand=operand):
            return f"{'-' if style.code else '−'}{held(operand, PRODUCT)}", SUM
        case Raised(base=base, exponent=Number(value=2)) if not style.code:
            return f"{held(base, ATOM)}²", POWER
        case Raised(base=base, exponent=exponent):
            return f"{held(base, ATOM)}**{held(exponent, ATOM)}", POWER
        case Turned(operand=operand):
            return f"{held(operand, ATOM)}{'.T' if style.code else 'ᵀ'}", ATOM
        case Called(function="sum", arguments=(only,), options=()) if not style.code:
            return f"Σ {held(only, PRODUCT)}", SUM
        case Called(function=function, arguments=arguments, options=options):
            if not style.code and function in ("sigmoid", "sigmoid′"):
                function = function.replace("sigmoid", "σ")
            inside = [_written(part, style)[0] for part in arguments]
            inside += [f"{key}={value}" for key, value in options]
            return f"{function}({', '.join(inside)})", ATOM
        case _:
            assert_never(node)


def _product(sign: str, left: Tree, right: Tree, style: Hand) -> tuple[str, int]:
    texts: list[str] = []
    for place, part in enumerate((left, right)):
        text, binds = _written(part, style)
        inner = part.sign if isinstance(part, Joined) else None
        chained = place == 0 and (inner is None or _kind(inner) == _kind(sign))
        loose = binds < PRODUCT or (binds == PRODUCT and not chained)
        texts.append(f"({text})" if loose else text)
    between = f" {sign} " if sign else " "
    return between.join(texts), PRODUCT


def _kind(sign: str) -> str:
    return "matrix" if sign in MATRIX else "entrywise" if sign in (*ENTRYWISE, "/") else sign


def _number(value: float, style: Hand) -> str:
    if isinstance(value, int):
        return str(value)
    exact = Fraction(value).limit_denominator(1000)
    if float(exact) == value:
        return VULGAR.get(exact, f"({exact})") if not style.code else f"{value:g}"
    return f"{value:g}"
