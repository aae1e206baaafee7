"""Pieces of NumPy source: expressions that know how tightly they bind and what they hold.

The user's dtype is kept by construction. Python numbers adapt to the arrays that they meet, but
an integer array would turn float32 into float64, so whatever is not real is cast before it meets
one; booleans may meet a real array as they are, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from backpass.language.expr import Label
from backpass.language.program import Array
from backpass.language.shapes import Size
from backpass.running.numpy.functions import SPELLINGS

# How tightly an expression binds. Python has one level for @, * and /; readers deserve brackets.
COMPARISON, SUM, MATMUL, PRODUCT, SIGN, POWER, ATOM = range(7)

Holds = Literal["number", "bool", "int", "real"]  # a Python number, or entries of this kind


@dataclass(frozen=True, slots=True)
class Code:
    """An expression.

    `shared` says that its memory may belong to another array; `terms` are those of a sum, with
    their signs, where a long line may be broken.
    """

    text: str
    level: int = ATOM
    holds: Holds = "real"
    shared: bool = False
    terms: tuple[str, ...] = ()

    def at(self, level: int) -> str:
        """The text, in brackets if it binds less tightly than this."""
        return self.text if self.level >= level else f"({self.text})"

    def view(self, text: str) -> Code:
        """The same entries seen otherwise, in memory that is no more shared than before."""
        return Code(text, holds=self.holds, shared=self.shared)


@dataclass(slots=True)
class Asked:
    """What the expressions of one function turned out to need above them."""

    sizes: set[str] = field(default_factory=set[str])
    functions: dict[str, None] = field(default_factory=dict[str, None])
    dtype: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """What one needs in order to write expressions: the arrays, and identifiers for all names.

    `loops` are the labels that a Python loop runs over, and its variables. `casting` is off
    inside indices and comparisons, where integers stay what they are. A sum that is wider than
    `width` goes over several lines.
    """

    arrays: Mapping[str, Array]
    names: Mapping[str, str]
    size_names: Mapping[str, str]
    loops: Mapping[Label, Code] = field(default_factory=dict[Label, Code])
    asked: Asked = field(default_factory=Asked)
    casting: bool = True
    width: int = 80

    def plain(self) -> Desk:
        """The same desk for integers: nothing is cast."""
        return replace(self, casting=False)

    def array(self, name: str) -> Code:
        """An array by its name in the program."""
        return Code(self.names[name], holds=self.arrays[name].kind, shared=True)

    def dtype(self) -> str:
        """The dtype of the real arrays."""
        self.asked.dtype = True
        return "dtype"

    def size(self, size: Size) -> Code:
        """A size as an expression, `n * k + 1`."""
        terms, signs = list[Code](), list[bool]()
        for monomial, count in sorted(size.terms, key=lambda part: (part[1] < 0, part[0] == ())):
            factors = [number(Fraction(abs(count)))] if abs(count) != 1 or not monomial else []
            for name, power in monomial:
                self.asked.sizes.add(name)
                factors += [Code(self.size_names[name], holds="number")] * power
            terms.append(product(factors, self))
            signs.append(count < 0)
        return total(terms, self, signs) if terms else number(Fraction(0))

    def shape(self, sizes: Iterable[Size]) -> str:
        """A shape as an expression, `(n, k)`."""
        parts = [self.size(size).text for size in sizes]
        return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"


def number(value: Fraction) -> Code:
    """A Python number: 2, 0.5, 1 / 3."""
    if value < 0:
        return Code(f"-{number(-value).at(PRODUCT)}", SIGN, "number")
    if value.denominator == 1:
        return Code(str(value.numerator), holds="number")
    if Fraction(repr(float(value))) == value or value.denominator > 999:
        return Code(repr(float(value)), holds="number")
    return Code(f"{value.numerator} / {value.denominator}", MATMUL, "number")


def cast(code: Code, desk: Desk) -> Code:
    """Entries made real (or whole, where nothing is cast), so that they can be computed with."""
    if code.holds in ("number", "real") or (code.holds == "int" and not desk.casting):
        return code
    if not desk.casting:
        return Code(f"{code.at(ATOM)}.astype(int)", holds="int")
    return Code(f"{code.at(ATOM)}.astype({desk.dtype()})")


def _meeting(codes: Sequence[Code], desk: Desk) -> list[Code]:
    """Operands of a sum or product, cast unless they are booleans that meet a real array."""
    met: list[Code] = []
    for place, code in enumerate(codes):
        beside = met[-1:] if place else codes[1:2]
        real = any(other.holds == "real" for other in (*met, *beside))
        met.append(code if code.holds == "bool" and real and desk.casting else cast(code, desk))
    return met


def _together(codes: Sequence[Code]) -> Holds:
    kinds = {code.holds for code in codes}
    return next(kind for kind in ("real", "int", "bool", "number") if kind in kinds)


def total(codes: Sequence[Code], desk: Desk, signs: Sequence[bool] = ()) -> Code:
    """Operands added, or taken away where `signs` says so."""
    minus = signs or [False] * len(codes)
    if len(codes) == 1:
        return negative(codes[0], desk) if minus[0] else codes[0]
    codes = _meeting(codes, desk)
    first, *rest = codes
    texts = [negative(first, desk).text if minus[0] else first.at(SUM)]
    for code, taken in zip(rest, minus[1:], strict=True):
        turned = code.text.startswith("-") and code.level in (SIGN, PRODUCT)
        word = code.text[1:] if turned else code.at(MATMUL)
        texts.append(f"- {word}" if taken != turned else f"+ {word}")
    return Code(" ".join(texts), SUM, _together(codes), terms=tuple(texts))


def product(codes: Sequence[Code], desk: Desk) -> Code:
    """Operands multiplied entry by entry, booleans last: they may stay what they are there."""
    if not codes:
        return number(Fraction(1))
    if not all(code.holds == "bool" for code in codes):
        codes = sorted(codes, key=lambda code: code.holds == "bool")
        codes = _meeting(codes, desk)
    first, *rest = codes
    if not rest:
        return first
    text = " * ".join([first.at(PRODUCT), *(code.at(SIGN) for code in rest)])
    return Code(text, PRODUCT, _together(codes))


def quotient(above: Code, below: Code, desk: Desk) -> Code:
    """One over the other, entry by entry."""
    above, below = cast(above, desk), cast(below, desk)
    holds: Holds = "number" if above.holds == below.holds == "number" else "real"
    return Code(f"{above.at(PRODUCT)} / {below.at(POWER)}", PRODUCT, holds)


def negative(code: Code, desk: Desk) -> Code:
    """The other sign."""
    code = cast(code, desk)
    if code.level == MATMUL or code.text.startswith("-"):
        return Code(f"-({code.text})", SIGN, code.holds)
    return Code(f"-{code.at(PRODUCT)}", min(code.level, SIGN), code.holds)


def power(base: Code, exponent: Code, desk: Desk) -> Code:
    """A power; NumPy's own is slow for cubes and fourths, so these are products of squares."""
    base, exponent = cast(base, desk), cast(exponent, desk)
    if exponent.text == "0.5" and base.holds != "number":
        return Code(f"np.sqrt({base.text})")
    if base.holds == "real" and base.text.isidentifier() and exponent.text in ("3", "4"):
        square = f"{base.text}**2"
        text = f"{base.text} * {square}" if exponent.text == "3" else f"{square} * {square}"
        return Code(text, PRODUCT)
    close = base.text.isidentifier() and exponent.level == ATOM
    sign = "**" if close else " ** "
    return Code(f"{base.at(ATOM)}{sign}{exponent.at(SIGN)}", POWER, _together([base, exponent]))


def compare(left: Code, relation: str, right: Code) -> Code:
    """Booleans; 1 or 0 where two numbers are compared."""
    text = f"{left.at(SUM)} {relation} {right.at(SUM)}"
    if left.holds == right.holds == "number":
        return Code(f"int({text})", holds="number")
    return Code(text, COMPARISON, "bool")


def matmul(left: Code, right: Code, desk: Desk) -> Code:
    """A matrix product; products run from left to right, so only the right one needs brackets."""
    left, right = cast(left, desk), cast(right, desk)
    if left.level != MATMUL:
        left = Code(left.at(POWER), POWER)
    return Code(f"{left.text} @ {right.at(POWER)}", MATMUL)


def apply(name: str, args: Sequence[Code], desk: Desk) -> Code:
    """A function of numbers, applied entry by entry."""
    condition = [args[0]] if name == "where" else []  # np.where takes booleans as they are
    cast_args = [*condition, *(cast(arg, desk) for arg in args[len(condition) :])]
    text = function(name, [arg.text for arg in cast_args], desk).text
    kinds = {arg.holds for arg in cast_args}
    if kinds == {"number"}:
        # NumPy answers with a float64, which would not adapt to float32 as Python's float does
        return Code(f"float({text})", holds="number")
    if "real" not in kinds and desk.casting:
        return Code(f"{text}.astype({desk.dtype()})")
    return Code(text)


def function(name: str, args: Sequence[str], desk: Desk, axis: str = "") -> Code:
    """A call as NumPy spells it, or of an argument of the emitted function."""
    desk.asked.functions[name] = None
    spelling = SPELLINGS.get(name)
    if spelling is None:
        return Code(f"{desk.names[name]}({', '.join(args)})")
    text = spelling.expression.format(*args)
    if axis and spelling.axis:
        text = f"{text[:-1]}, axis={axis})"
    return Code(text, holds="int" if spelling.places else "real")


def add_up(code: Code, axes: Sequence[int] | None, desk: Desk, *, keep: bool = False) -> Code:
    """Σ along axes, or over everything."""
    code = cast(code, desk)
    options: list[str] = []
    if axes is not None:
        options.append(f"axis={axes[0] if len(axes) == 1 else tuple(axes)}")
    if keep:
        options.append("keepdims=True")
    if code.text.isidentifier():
        return Code(f"{code.text}.sum({', '.join(options)})", holds=code.holds)
    return Code(f"np.sum({', '.join([code.text, *options])})", holds=code.holds)
