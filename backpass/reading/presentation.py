"""What a formula looks like, before it is ink: the few shapes that every writer can draw.

Index terms and matrix trees both become these nodes; text, LaTeX and HTML each draw them once.
Nothing here knows brackets: they are the writer's, from its table of precedence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal, cast

Dialect = Literal["code", "math"]
Join = Literal["matrix", "entrywise", "scaling", "outer"]


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an array, a label or a size."""

    name: str


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number that is not negative; a minus belongs to the `Signed` around it."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an array, or a part of it: `A[n,j]`, `P[ids]`, `s[:, None]`."""

    name: Shown
    index: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A slice inside an `Entry`; `start` and `stop` are None where the axis ends."""

    start: Shown | None = None
    stop: Shown | None = None
    step: int = 1


@dataclass(frozen=True, slots=True)
class Signed:
    """Terms added, each with its sign; a lone term with a minus is a negation."""

    terms: tuple[tuple[Literal[1, -1], Shown], ...]


@dataclass(frozen=True, slots=True)
class Multiplied:
    """Factors joined by one kind of product."""

    join: Join
    factors: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Over:
    """A quotient."""

    above: Shown
    below: Shown


@dataclass(frozen=True, slots=True)
class Derivative:
    """How much one quantity moves with another, ∂z/∂W."""

    of: Shown
    by: Shown


@dataclass(frozen=True, slots=True)
class Equal:
    """Two sides of an equation."""

    left: Shown
    right: Shown


@dataclass(frozen=True, slots=True)
class Raised:
    """A power."""

    base: Shown
    exponent: Shown


@dataclass(frozen=True, slots=True)
class Root:
    """A square root."""

    value: Shown


@dataclass(frozen=True, slots=True)
class Magnitude:
    """The absolute value, |x|."""

    value: Shown


@dataclass(frozen=True, slots=True)
class Transposed:
    """`A.T` or Aᵀ; `stack` when only the last two of more axes change places."""

    value: Shown
    stack: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """An array copied along the axes that it does not have; `kept` marks those that it has."""

    value: Shown
    kept: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """Σ over labels; over everything when none is named."""

    over: tuple[str, ...]
    value: Shown


@dataclass(frozen=True, slots=True)
class Of:
    """A function of its arguments, `sigmoid(Z1)`; `along` is what it runs over."""

    function: str
    args: tuple[Shown, ...]
    along: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Indicator:
    """1 where the relation holds and 0 elsewhere, `[k = y[n]]`."""

    relation: str
    left: Shown
    right: Shown


@dataclass(frozen=True, slots=True)
class Blocks:
    """Arrays side by side, `[X | 1]`, or one above the other, `[A; B]`."""

    parts: tuple[Shown, ...]
    beside: bool


Shown = (
    Name
    | Numeral
    | Entry
    | Range
    | Signed
    | Multiplied
    | Over
    | Derivative
    | Equal
    | Raised
    | Root
    | Magnitude
    | Transposed
    | Copied
    | Summed
    | Of
    | Indicator
    | Blocks
)

ZERO, ONE, TWO = Numeral(Fraction(0)), Numeral(Fraction(1)), Numeral(Fraction(2))


def substitute(node: Shown, change: Callable[[Shown], Shown | None]) -> Shown:
    """Replace nodes from the outside in; where `change` answers None, look below."""
    new = change(node)
    if new is not None:
        return new
    parts = {one.name: _inside(getattr(node, one.name), change) for one in fields(node)}
    return replace(node, **parts)


def _inside(value: Any, change: Callable[[Shown], Shown | None]) -> Any:
    if isinstance(value, tuple):
        return tuple(_inside(part, change) for part in cast("tuple[Any, ...]", value))
    return substitute(value, change) if isinstance(value, Shown) else value


def whole(slope: Shown) -> Shown:
    """A slope entry by entry as one of whole arrays: `a[i] · (1 − a[i])` is a ⊙ (1 − a)."""

    def change(node: Shown) -> Shown | None:
        match node:
            case Entry(name=name):
                return name
            case Multiplied(join="scaling", factors=factors):
                arrays = [substitute(factor, change) for factor in factors]
                numbers = [part for part in arrays if isinstance(part, Numeral)]
                rest = [part for part in arrays if not isinstance(part, Numeral)]
                return multiplied("scaling", *numbers, multiplied("entrywise", *rest))
            case _:
                return None

    return substitute(slope, change)


def signed(value: Shown) -> tuple[Literal[1, -1], Shown]:
    """A node as sign and size: `−x` is (−1, x)."""
    if isinstance(value, Signed) and len(value.terms) == 1:
        return value.terms[0]
    return 1, value


def negated(value: Shown) -> Shown:
    """The node with the other sign."""
    sign, size = signed(value)
    return size if sign < 0 else Signed(((-1, size),))


def total(*terms: Shown) -> Shown:
    """Terms added, their signs drawn out: `a + (−b)` is `a − b`."""
    if len(terms) == 1:
        return terms[0]
    return Signed(tuple(signed(term) for term in terms))


def multiplied(join: Join, *factors: Shown) -> Shown:
    """Factors multiplied; factors that are products of the same kind are laid flat."""
    flat: list[Shown] = []
    for factor in factors:
        if isinstance(factor, Multiplied) and factor.join == join != "matrix":
            flat.extend(factor.factors)
        else:
            flat.append(factor)
    return flat[0] if len(flat) == 1 else Multiplied(join, tuple(flat))


def scaled(coefficient: Fraction, value: Shown) -> Shown:
    """A number times a node, as people write it: `½ x`, `0.1 x`, `2 x / 3`, `−x`."""
    if coefficient < 0:
        return negated(scaled(-coefficient, value))
    if coefficient == 1:
        return value
    above = value
    if isinstance(value, Over):
        return Over(scaled(coefficient, value.above), value.below)
    if short(coefficient):
        return multiplied("scaling", Numeral(coefficient), value)
    if coefficient.numerator != 1:
        above = multiplied("scaling", Numeral(Fraction(coefficient.numerator)), value)
    return Over(above, Numeral(Fraction(coefficient.denominator)))


def leading(value: Shown) -> tuple[Fraction, Shown]:
    """The number that leads a product, and the rest of it."""
    if isinstance(value, Numeral):
        return value.value, ONE
    if isinstance(value, Multiplied) and isinstance(value.factors[0], Numeral):
        return value.factors[0].value, multiplied(value.join, *value.factors[1:])
    return Fraction(1), value


VULGAR = {Fraction(1, 2): "½", Fraction(1, 4): "¼", Fraction(3, 4): "¾"}
PI = Fraction("3.141592653589793")


def short(value: Fraction) -> bool:
    """Whether a number is written in one piece: ½, 2 and 0.1, but not 1/3."""
    return value in VULGAR or decimal(value) is not None


LONGEST = 20  # letters of a fraction; what comes of √2 is shown as the number that runs


def decimal(value: Fraction) -> str | None:
    """The number as a decimal when that is how people would write it: 1/10 is 0.1, 1/64 is not."""
    if value.denominator == 1:
        return power_of_ten(value.numerator) or str(value.numerator)
    text = repr(float(value)).replace("e-0", "e-")
    if len(str(value)) > LONGEST:  # no quotient that anybody could read
        return text
    return text if Fraction(text) == value and len(text) <= len(str(value)) else None


def power_of_ten(value: int) -> str | None:
    """Whole numbers too long to count the zeros of, such as 1e9."""
    digits = str(value)
    zeros = len(digits) - len(digits.rstrip("0"))
    return f"{digits[:-zeros]}e{zeros}" if zeros >= 6 else None
