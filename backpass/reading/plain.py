"""A formula as a line of plain text, in Unicode or ASCII; brackets stand where a reader needs them.

A table of precedence decides, and one rule on top of it: `@`, `⊙` and `·` never mix without
brackets, because nobody remembers which of them binds tighter.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import Literal, assert_never

from backpass.reading.presentation import (
    PI,
    VULGAR,
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


@dataclass(frozen=True, slots=True)
class Pen:
    """How to write: `A.T @ B` (code) or `Aᵀ B` (math), in Unicode or in ASCII alone."""

    dialect: Dialect = "code"
    ascii: bool = False


class Bind(IntEnum):
    """How tightly the outermost operation of a text holds together."""

    SUM = 0
    SIGMA = 1
    PRODUCT = 2
    POWER = 3
    ATOM = 4


UNICODE = Pen()


def plain(node: Shown, pen: Pen = UNICODE) -> str:
    """The formula in one line."""
    return _write(node, pen)[0]


def _write(node: Shown, pen: Pen) -> tuple[str, Bind]:
    match node:
        case Name(name=name):
            return spell(name, pen), Bind.ATOM
        case Numeral(value=value):
            return _numeral(value, pen)
        case Entry(name=name, index=index):
            inside = ",".join(tight(part, pen) for part in index)
            return f"{_hold(name, Bind.ATOM, pen)}[{inside}]", Bind.ATOM
        case Range(start=start, stop=stop, step=step):
            ends = ":".join("" if end is None else tight(end, pen) for end in (start, stop))
            return ends + (f":{step}" if step != 1 else ""), Bind.ATOM
        case Signed(terms=terms):
            return _signed(terms, pen), Bind.SUM
        case Multiplied(join=join, factors=factors):
            return _multiplied(join, factors, pen)
        case Over(above=above, below=below):
            return _over(above, below, pen), Bind.PRODUCT
        case Derivative(of=of, by=by):
            letter = "d" if pen.ascii else "∂"
            above, below = (_hold(part, Bind.ATOM, pen) for part in (of, by))
            return f"{letter}{above}/{letter}{below}", Bind.PRODUCT
        case Equal(left=left, right=right):
            return f"{plain(left, pen)} = {plain(right, pen)}", Bind.SUM
        case Raised(base=base, exponent=exponent):
            return _raised(base, exponent, pen), Bind.POWER
        case Root(value=value):
            if pen.ascii:
                return f"sqrt({plain(value, pen)})", Bind.ATOM
            return f"√{_hold(value, Bind.ATOM, pen)}", Bind.POWER
        case Magnitude(value=value):
            return f"|{plain(value, pen)}|", Bind.ATOM
        case Transposed(value=value, stack=stack):
            mark = ".mT" if stack else ".T" if pen.ascii or pen.dialect == "code" else "ᵀ"
            return _hold(value, Bind.ATOM, pen) + mark, Bind.ATOM
        case Copied(value=value, kept=kept):
            return _copied(value, kept, pen)
        case Summed(over=over, value=value):
            return f"{_sigma(over, pen)} {_hold(value, Bind.SIGMA, pen)}", Bind.SIGMA
        case Of(function=function, args=args, along=along):
            inside = ", ".join(plain(arg, pen) for arg in args)
            inside += f" over {', '.join(spell(label, pen) for label in along)}" if along else ""
            return f"{_function(function, pen)}({inside})", Bind.ATOM
        case Indicator(relation=relation, left=left, right=right):
            sign = relation if pen.ascii else RELATIONS[relation]
            return f"[{plain(left, pen)} {sign} {plain(right, pen)}]", Bind.ATOM
        case Blocks(parts=parts, beside=beside):
            between = " | " if beside else "; "
            return f"[{between.join(plain(part, pen) for part in parts)}]", Bind.ATOM
        case _:
            assert_never(node)


RELATIONS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}


def _hold(node: Shown, least: Bind, pen: Pen) -> str:
    """The text of a part, in brackets unless it binds at least as tightly as its place asks."""
    text, bind = _write(node, pen)
    return text if bind >= least else f"({text})"


def _signed(terms: tuple[tuple[Literal[1, -1], Shown], ...], pen: Pen) -> str:
    minus = "-" if pen.ascii else "−"
    text = ""
    for sign, term in terms:
        body = _hold(term, Bind.SIGMA, pen)
        if text:
            text += f" {minus if sign < 0 else '+'} {body}"
        else:
            text = f"{minus}{body}" if sign < 0 else body
    return text


def _multiplied(join: Join, factors: tuple[Shown, ...], pen: Pen) -> tuple[str, Bind]:
    if join == "outer" and (pen.dialect == "code" or pen.ascii):
        return f"outer({', '.join(plain(factor, pen) for factor in factors)})", Bind.ATOM
    last = len(factors) - 1
    texts = [
        _factor(factor, join, pen, first=place == 0, last=place == last)
        for place, factor in enumerate(factors)
    ]
    signs = _signs(join, factors, texts, pen)
    return texts[0] + "".join(map("".join, zip(signs, texts[1:], strict=True))), Bind.PRODUCT


def _factor(node: Shown, join: Join, pen: Pen, *, first: bool, last: bool) -> str:
    text, bind = _write(node, pen)
    match node:
        case Multiplied(join=inner):
            # the number of `2 A ⊙ B` scales it whichever way it is read
            scale = isinstance(node.factors[0], Numeral) and len(node.factors) == 2
            fits = bind == Bind.ATOM or (
                first and (inner == join or (inner == "scaling" and scale))
            )
        case Over():
            fits = last and join == "scaling"
        case Derivative():
            fits = join == "scaling"
        case Summed():
            fits = last and join == "scaling"
        case _:
            fits = bind >= Bind.POWER
    return text if fits else f"({text})"


def _signs(join: Join, factors: tuple[Shown, ...], texts: list[str], pen: Pen) -> list[str]:
    """What stands between the factors: numbers lead without a sign, `½ x`."""
    gaps = len(factors) - 1
    match join:
        case "matrix":
            return [" @ " if pen.ascii or pen.dialect == "code" else " "] * gaps
        case "entrywise":
            return [" * " if pen.ascii else " ⊙ "] * gaps
        case "outer":
            return [" ⊗ "] * gaps
        case "scaling":
            if pen.ascii:
                return [" * "] * gaps
            number = isinstance(factors[0], Numeral)
            entries = any(isinstance(factor, (Entry, Derivative)) for factor in factors)
            loud = pen.dialect == "code" or entries
            if loud or any(text[0] == "(" for text in texts[1 + number :]):
                first = " · " if texts[1][0].isdigit() else " "
                return [first] * number + [" · "] * (gaps - number)
            return [" "] * gaps
        case _:
            assert_never(join)


def _over(above: Shown, below: Shown, pen: Pen) -> str:
    scaling = isinstance(above, Multiplied) and above.join == "scaling"
    # a Σ may stand bare: what it is divided by does not depend on the label that is summed
    over = _hold(above, Bind.SIGMA if scaling or isinstance(above, Summed) else Bind.POWER, pen)
    return f"{over} / {_hold(below, Bind.POWER, pen)}"


def _raised(base: Shown, exponent: Shown, pen: Pen) -> str:
    text = _hold(base, Bind.ATOM, pen)
    small = isinstance(exponent, Numeral) and exponent.value.denominator == 1
    if small and not pen.ascii:
        return text + tight(exponent, pen).translate(SUPERSCRIPT)
    mark = "**" if pen.ascii else "^"
    return text + mark + _hold(exponent, Bind.ATOM, pen)


def _copied(value: Shown, kept: tuple[bool, ...], pen: Pen) -> tuple[str, Bind]:
    """In code, NumPy copies along the first axes by itself; in mathematics a vector is a column."""
    if pen.dialect == "math" and len(kept) == 2:
        return _write(value if kept[0] else Transposed(value), pen)
    if not any(kept[: kept.index(True)]) and all(kept[kept.index(True) :]):
        return _write(value, pen)
    inside = ", ".join(":" if keep else "None" for keep in kept)
    return f"{_hold(value, Bind.ATOM, pen)}[{inside}]", Bind.ATOM


SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
SUBSCRIPT = dict(
    zip("0123456789aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)
)


def _sigma(over: tuple[str, ...], pen: Pen) -> str:
    if pen.ascii:
        return "_".join(["Sum", *(spell(label, pen) for label in over)])
    small = [label.rstrip("′") for label in over]
    if all(label in SUBSCRIPT for label in small):
        marks = (label[len(short) :] for label, short in zip(over, small, strict=True))
        return "Σ" + "".join(SUBSCRIPT[one] + mark for one, mark in zip(small, marks, strict=True))
    return f"Σ_{over[0]}" if len(over) == 1 else f"Σ_({', '.join(over)})"


def _numeral(value: Fraction, pen: Pen) -> tuple[str, Bind]:
    if value in VULGAR:
        return str(float(value)) if pen.ascii else VULGAR[value], Bind.ATOM
    if value == PI:
        return "pi" if pen.ascii else "π", Bind.ATOM
    text = decimal(value)
    return (text, Bind.ATOM) if text else (str(value), Bind.PRODUCT)


def tight(node: Shown, pen: Pen) -> str:
    """The formula without spaces, as it stands inside an index: `2p+u`, `i+1`, `:`."""
    match node:
        case Signed(terms=terms):
            return "".join(
                ("-" if pen.ascii else "−") * (sign < 0) + tight(term, pen)
                if place == 0 or sign < 0
                else "+" + tight(term, pen)
                for place, (sign, term) in enumerate(terms)
            )
        case Multiplied(join="scaling", factors=(Numeral(value=value), Name(name=name))):
            times = "*" if pen.ascii else ""
            return f"{value}{times}{spell(name, pen)}"
        case Multiplied(join="scaling", factors=factors):
            join = "*" if pen.ascii else "·"
            return join.join(_hold(factor, Bind.POWER, pen) for factor in factors)
        case _:
            return plain(node, pen)


def _function(name: str, pen: Pen) -> str:
    if name == "sigmoid" and pen.dialect == "math" and not pen.ascii:
        return "σ"
    return spell(name, pen)


# the layer of a name such as Aₗ₋₁
LOW = re.compile("[ₗ₀-₉₊₋]+")
LOWERED = str.maketrans("ₗ₊₋₀₁₂₃₄₅₆₇₈₉", "l+-0123456789")
WORDS = {"′": "'", "∇": "grad_", "∂": "d", "²": "2", "³": "3", "✓": "+", "✗": "x"}


def spell(name: str, pen: Pen = UNICODE) -> str:
    """A name in the letters that the pen has: δ2 is `delta2` in ASCII."""
    if not pen.ascii or name.isascii():
        return name
    name = LOW.sub(lambda found: f"[{found[0].translate(LOWERED)}]", name)
    return "".join(_ascii(letter) for letter in name)


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    if letter in WORDS:
        return WORDS[letter]
    known = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    if known:
        return known
    return greek(letter) or f"u{ord(letter):x}"


def greek(letter: str) -> str | None:
    """What a Greek letter is called: delta, Omega; None for any other."""
    words = unicodedata.name(letter, "").split()
    if words[:1] != ["GREEK"] or words[2:3] != ["LETTER"]:
        return None
    word = words[4 if words[3] == "FINAL" else 3].replace("LAMDA", "LAMBDA")
    return word.lower() if words[1] == "SMALL" else word.capitalize()
