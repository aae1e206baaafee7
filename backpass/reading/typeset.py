"""A formula in boxes: what is set how, and where brackets stand.

What a fraction bar or a root holds together needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction as Ratio
from typing import Literal, assert_never

from backpass.reading.boxes import (
    Barred,
    Bold,
    Box,
    Digits,
    Fraction,
    Grid,
    High,
    Letter,
    Low,
    Operator,
    Primed,
    Quantity,
    Radical,
    Row,
    Sign,
    Sum,
    Times,
    Word,
    boxes,
    fenced,
    row,
)
from backpass.reading.plain import Bind
from backpass.reading.presentation import (
    PI,
    Blocks,
    Copied,
    Derivative,
    Dialect,
    Entry,
    Equal,
    Indicator,
    Join,
    Magnitude,
    Multiplied,
    Name,
    Numeral,
    Of,
    Over,
    Raised,
    Range,
    Root,
    Shown,
    Signed,
    Summed,
    Transposed,
    decimal,
)
from backpass.reading.symbols import COMMA, indexed, symbol

PAUSE = Sign(", ", alone=True)
PARTIAL = Letter("∂")
TRANSPOSE = Letter("⊤")
MINUS = Sign("−", alone=True)


Gradients = Literal["fraction", "slash", "bar"]


@dataclass(frozen=True, slots=True)
class Type:
    """How gradients are set: the loss, the names that are gradients, and of what.

    A gradient is ∂L/∂W, as a fraction or with a slash, or W̄; `numerators` are names of which
    not the loss is differentiated, and `differentials` names that stay dW. In the `code` dialect
    a vector is copied as NumPy copies it, in `math` by its product with a vector of ones. With
    `marked` every name is a `Quantity`.
    """

    loss: str = "L"
    gradients: Mapping[str, str] = field(default_factory=dict[str, str])
    style: Gradients = "fraction"
    dialect: Dialect = "math"
    numerators: Mapping[str, str] = field(default_factory=dict[str, str])
    differentials: Mapping[str, str] = field(default_factory=dict[str, str])
    marked: bool = False


PLAIN = Type()


def typeset(node: Shown, type: Type = PLAIN) -> Box:
    """The formula in boxes."""
    return _set(node, type)[0]


def _set(node: Shown, type: Type) -> tuple[Box, Bind]:
    match node:
        case Name(name=name):
            return _quantity(name, type)
        case Numeral(value=value):
            return _numeral(value)
        case Entry(name=name, index=index):
            return _entry(name, index, type)
        case Range(start=start, stop=stop, step=step):
            return _range(start, stop, step, type), Bind.ATOM
        case Signed(terms=terms):
            return _signed(terms, type), Bind.SUM
        case Multiplied(join=join, factors=factors):
            return _multiplied(join, factors, type), Bind.PRODUCT
        case Over(above=above, below=below):
            return Fraction(typeset(above, type), typeset(below, type)), Bind.PRODUCT
        case Derivative(of=of, by=by):
            return _derivative(typeset(of, type), typeset(by, type)), Bind.PRODUCT
        case Equal(left=left, right=right):
            return row(typeset(left, type), Sign("="), typeset(right, type)), Bind.SUM
        case Raised(base=base, exponent=exponent):
            return High(_hold(base, Bind.ATOM, type), typeset(exponent, type)), Bind.POWER
        case Root(value=value):
            return Radical(typeset(value, type)), Bind.ATOM
        case Magnitude(value=value):
            return fenced(typeset(value, type), "|", "|"), Bind.ATOM
        case Transposed(value=value):
            return High(_hold(value, Bind.ATOM, type), TRANSPOSE), Bind.POWER
        case Copied(value=value, kept=kept):
            return _copied(value, kept, type)
        case Summed(over=over, value=value):
            return row(Sum(tuple(map(symbol, over))), _hold(value, Bind.SIGMA, type)), Bind.SIGMA
        case Of(function=function, args=args, along=along):
            name = _function(function)
            if along:
                name = Low(name, _separated([symbol(label) for label in along], COMMA))
            inside = _separated([typeset(arg, type) for arg in args], PAUSE)
            return row(name, fenced(inside)), Bind.ATOM
        case Indicator(relation=relation, left=left, right=right):
            sign = Sign(RELATIONS[relation])
            return fenced(row(typeset(left, type), sign, typeset(right, type)), "[", "]"), Bind.ATOM
        case Blocks(parts=parts, beside=beside):
            return Grid(tuple(_block(part, type) for part in parts), beside), Bind.ATOM
        case _:
            assert_never(node)


RELATIONS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def _hold(node: Shown, least: Bind, type: Type) -> Box:
    """A part, in brackets unless it binds at least as tightly as its place asks."""
    box, bind = _set(node, type)
    return box if bind >= least else fenced(box)


def _separated(parts: list[Box], by: Sign) -> Box:
    found: list[Box] = []
    for part in parts:
        found += [by, part] if found else [part]
    return row(*found)


def _derivative(of: Box, by: Box) -> Fraction:
    return Fraction(row(PARTIAL, of), row(PARTIAL, by))


# ── numbers and names ────────────────────────────────────────────────────────────────────────


def _numeral(value: Ratio) -> tuple[Box, Bind]:
    if value == PI:
        return Letter("π"), Bind.ATOM
    text = decimal(value) if value.denominator not in (2, 4) else None
    if text is None:
        above, below = str(value.numerator), str(value.denominator)
        return Fraction(Digits(above), Digits(below), small=True), Bind.PRODUCT
    lead, e, exponent = text.partition("e")
    if not e:
        return Digits(text), Bind.ATOM
    size = Digits(exponent.lstrip("+-"))
    power = High(Digits("10"), row(MINUS, size) if exponent.startswith("-") else size)
    if lead == "1":
        return power, Bind.POWER
    return row(Digits(lead), Sign("·"), power), Bind.PRODUCT


def _quantity(name: str, type: Type, *index: Box) -> tuple[Box, Bind]:
    """A name, or with an index its entry; a gradient is set as what it is of."""
    box, bind = _letters(type.gradients.get(name, name), type, *index), Bind.ATOM
    if name in type.gradients:
        of = _letters(type.numerators.get(name, type.loss), type)
        box, bind = _gradient(of, box, type.style)
    return (Quantity(name, box) if type.marked else box), bind


def _letters(name: str, type: Type, *index: Box) -> Box:
    of = type.differentials.get(name)
    if of is not None:
        return row(Word("d"), _letters(of, type, *index))
    return indexed(name, *index) if index else symbol(name)


def _gradient(of: Box, by: Box, style: Gradients) -> tuple[Box, Bind]:
    match style:
        case "fraction":
            return _derivative(of, by), Bind.PRODUCT
        case "slash":
            return row(PARTIAL, of, Sign("/", alone=True), PARTIAL, by), Bind.PRODUCT
        case "bar":
            bar = Low(Barred(by.base), by.index) if isinstance(by, Low) else Barred(by)
            return bar, Bind.ATOM
        case _:
            assert_never(style)


def _entry(name: Shown, index: tuple[Shown, ...], type: Type) -> tuple[Box, Bind]:
    """`A_{1,nj}`, a part of an array as in `X[1:]`; an entry of a gradient is a derivative too."""
    parts = [typeset(part, type) for part in index]
    short = all(isinstance(part, Name) and len(part.name) == 1 for part in index)
    low = row(*parts) if short else _separated(parts, PAUSE)
    if any(isinstance(part, Range) for part in index):
        return row(_hold(name, Bind.ATOM, type), fenced(low, "[", "]")), Bind.ATOM
    if isinstance(name, Name):
        return _quantity(name.name, type, low)
    return Low(fenced(typeset(name, type), "[", "]"), low), Bind.ATOM


def _range(start: Shown | None, stop: Shown | None, step: int, type: Type) -> Box:
    colon = Sign(":", alone=True)
    parts: list[Box] = [] if start is None else [typeset(start, type)]
    parts.append(colon)
    parts += [] if stop is None else [typeset(stop, type)]
    parts += [colon, Digits(str(step))] if step != 1 else []
    return row(*parts)


FUNCTIONS = {"sigmoid": Letter("σ"), "relu": Operator("ReLU")}


def _function(name: str) -> Box:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    name = name.replace("″", "′′")
    if len(name.rstrip("′").removeprefix("∇")) == 1:
        return symbol(name)
    bare = name.replace("′", "")
    primes = len(name) - len(bare)
    return Primed(Operator(bare), primes) if primes else Operator(bare)


# ── sums and products ────────────────────────────────────────────────────────────────────────


def _signed(terms: tuple[tuple[Literal[1, -1], Shown], ...], type: Type) -> Box:
    found: list[Box] = []
    for sign, term in terms:
        if found:
            found.append(Sign("−" if sign < 0 else "+"))
        elif sign < 0:
            found.append(MINUS)
        found.append(_hold(term, Bind.SIGMA, type))
    return row(*found)


SIGNS: Mapping[Join, Box] = {
    "matrix": Times(),
    "entrywise": Sign("⊙"),
    "outer": Sign("⊗"),
    "scaling": Times(),
}


def _multiplied(join: Join, factors: tuple[Shown, ...], type: Type) -> Box:
    parts = [
        _factor(factor, join, type, first=place == 0, last=place == len(factors) - 1)
        for place, factor in enumerate(factors)
    ]
    found = parts[:1]
    for part in parts[1:]:
        sign = SIGNS[join]
        if join == "scaling" and _starts_with_digit(part):
            sign = Sign("·")
        elif isinstance(sign, Times):
            sign = Times(wide=_runs_together(parts[0]) or _runs_together(part))
        found += [sign, part]
    return row(*found)


def _starts_with_digit(box: Box) -> bool:
    first = next(one for one in boxes(box) if not isinstance(one, (Quantity, Row, Low, High)))
    return isinstance(first, Digits)


def _runs_together(box: Box) -> bool:
    """Whether a box needs space around it, as words and fraction bars do."""
    return any(
        isinstance(one, Word)
        or (isinstance(one, Operator) and one.text not in TIGHT)
        or (isinstance(one, Fraction) and not one.small)
        for one in boxes(box)
    )


TIGHT = {"exp", "log", "sin", "cos", "tanh"}  # the operators that TeX knows by name


def _factor(node: Shown, join: Join, type: Type, *, first: bool, last: bool) -> Box:
    box, bind = _set(node, type)
    match node:
        case Multiplied(join=inner):
            fits = first and (inner == join or inner == "scaling")
        case Over() | Derivative() | Name() | Numeral() | Entry():
            fits = True  # a fraction bar holds together by itself
        case Summed():
            fits = last and join == "scaling"
        case Copied():
            fits = join == "matrix" or bind >= Bind.POWER
        case _:
            fits = bind >= Bind.POWER
    return box if fits else fenced(box)


def _copied(value: Shown, kept: tuple[bool, ...], type: Type) -> tuple[Box, Bind]:
    """In mathematics, a vector copied to every row is the product of a vector of ones with it."""
    if type.dialect == "code":
        return _copied_in_code(value, kept, type)
    if len(kept) != 2:
        return _set(value, type)
    ones = Bold(Digits("1"))
    if kept[0]:
        # a fraction bar holds together by itself
        least = Bind.SUM if isinstance(value, (Name, Over)) else Bind.POWER
        column = _hold(value, least, type)
        return row(column, Times(wide=True), High(ones, TRANSPOSE)), Bind.PRODUCT
    turned = High(_hold(value, Bind.ATOM, type), TRANSPOSE)
    return row(ones, Times(wide=True), turned), Bind.PRODUCT


def _copied_in_code(value: Shown, kept: tuple[bool, ...], type: Type) -> tuple[Box, Bind]:
    """NumPy copies along the first axes by itself."""
    if not any(kept[: kept.index(True)]) and all(kept[kept.index(True) :]):
        return _set(value, type)
    marks: list[Box] = [Sign(":", alone=True) if keep else Operator("None") for keep in kept]
    inside = fenced(_separated(marks, PAUSE), "[", "]")
    return row(_hold(value, Bind.ATOM, type), inside), Bind.ATOM


def _block(node: Shown, type: Type) -> Box:
    box = typeset(node, type)
    return Bold(box) if isinstance(node, Numeral) else box
