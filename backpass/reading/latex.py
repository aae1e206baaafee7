r"""A formula as LaTeX, for KaTeX, MathJax and TeX alike; vectors are columns, samples may be rows.

A gradient is written $\frac{\partial L}{\partial W_1}$, or $\bar W_1$ where that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, assert_never

from backpass.reading.plain import LOW, LOWERED, Bind, greek
from backpass.reading.presentation import (
    PI,
    Blocks,
    Copied,
    Derivative,
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

Gradients = Literal["fraction", "bar"]


@dataclass(frozen=True, slots=True)
class Type:
    """How gradients are set: the loss, the names that are gradients, and of what."""

    loss: str = "L"
    gradients: Mapping[str, str] = field(default_factory=dict[str, str])
    style: Gradients = "fraction"


PLAIN = Type()


def latex(node: Shown, type: Type = PLAIN) -> str:
    """The formula, to stand between dollars."""
    return _set(node, type)[0]


def _set(node: Shown, type: Type) -> tuple[str, Bind]:
    match node:
        case Name(name=name):
            return _name(name, type)
        case Numeral(value=value):
            return _numeral(value)
        case Entry(name=name, index=index):
            return _entry(name, index, type)
        case Range(start=start, stop=stop, step=step):
            ends = ":".join("" if end is None else latex(end, type) for end in (start, stop))
            return ends + (f":{step}" if step != 1 else ""), Bind.ATOM
        case Signed(terms=terms):
            return _signed(terms, type), Bind.SUM
        case Multiplied(join=join, factors=factors):
            return _multiplied(join, factors, type), Bind.PRODUCT
        case Over(above=above, below=below):
            return rf"\frac{{{latex(above, type)}}}{{{latex(below, type)}}}", Bind.PRODUCT
        case Derivative(of=of, by=by):
            return (
                rf"\frac{{\partial {latex(of, type)}}}{{\partial {latex(by, type)}}}",
                Bind.PRODUCT,
            )
        case Equal(left=left, right=right):
            return f"{latex(left, type)} = {latex(right, type)}", Bind.SUM
        case Raised(base=base, exponent=exponent):
            power = _low(latex(exponent, type), "^")
            return _hold(base, Bind.ATOM, type) + power, Bind.POWER
        case Root(value=value):
            return rf"\sqrt{{{latex(value, type)}}}", Bind.ATOM
        case Magnitude(value=value):
            return rf"\left|{latex(value, type)}\right|", Bind.ATOM
        case Transposed(value=value):
            return rf"{_hold(value, Bind.ATOM, type)}^\top", Bind.POWER
        case Copied(value=value, kept=kept):
            return _copied(value, kept, type)
        case Summed(over=over, value=value):
            return _sum(over, type) + _hold(value, Bind.SIGMA, type), Bind.SIGMA
        case Of(function=function, args=args, along=along):
            inside = ", ".join(latex(arg, type) for arg in args)
            below = f"_{{{','.join(map(symbol, along))}}}" if along else ""
            return _function(function) + below + _brackets(inside), Bind.ATOM
        case Indicator(relation=relation, left=left, right=right):
            inside = f"{latex(left, type)} {RELATIONS[relation]} {latex(right, type)}"
            return _brackets(inside, "[", "]"), Bind.ATOM
        case Blocks(parts=parts, beside=beside):
            between = " & " if beside else r" \\ "
            inside = between.join(_block(part, type) for part in parts)
            return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}", Bind.ATOM
        case _:
            assert_never(node)


RELATIONS = {"==": "=", "!=": r"\ne", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}


def _brackets(inside: str, left: str = "(", right: str = ")") -> str:
    """Brackets as tall as what they hold."""
    if re.search(r"\\(frac|sum|begin|left)", inside):
        return rf"\left{left}{inside}\right{right}"
    return left + inside + right


def _hold(node: Shown, least: Bind, type: Type) -> str:
    text, bind = _set(node, type)
    return text if bind >= least else _brackets(text)


# ── numbers and names ────────────────────────────────────────────────────────────────────────


def _numeral(value: Fraction) -> tuple[str, Bind]:
    if value == PI:
        return r"\pi", Bind.ATOM
    text = decimal(value) if value.denominator not in (2, 4) else None
    if text is None:
        return rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}", Bind.PRODUCT
    lead, e, exponent = text.partition("e")
    if not e:
        return text, Bind.ATOM
    power = f"10^{{{int(exponent)}}}"
    return (power, Bind.POWER) if lead == "1" else (rf"{lead} \cdot {power}", Bind.PRODUCT)


WORDS = {greek(chr(code)) for code in range(0x391, 0x3CA)} - {None}


def symbol(name: str) -> str:
    """A name in mathematics: `A1` is A_1, `delta` is δ, `W_out` has a subscript, k′ its prime."""
    found = LOW.search(name)
    if found and found.end() == len(name):
        return _letters(name[: found.start()]) + _low(found[0].translate(LOWERED))
    bare, primes = name.rstrip("′"), "'" * (len(name) - len(name.rstrip("′")))
    if bare.startswith("∇"):
        return rf"\nabla {symbol(bare[1:])}{primes}"
    base, low = _parts(bare)
    return _letters(base) + _low(low) + primes


def _low(text: str, mark: str = "_") -> str:
    """A subscript, or with ^ a superscript, in braces where it needs them."""
    if not text:
        return ""
    return mark + (text if len(text) == 1 else f"{{{text}}}")


def _parts(name: str) -> tuple[str, str]:
    """A name cut into its letters and its subscript."""
    found = re.fullmatch(r"([^\W\d_]+?)_?(\d+)", name)
    if found:
        return found[1], found[2]
    base, _, low = name.partition("_")
    if base and low:
        return base, low if low.isdigit() or len(low) == 1 else rf"\mathrm{{{_escaped(low)}}}"
    return name, ""


def _letters(text: str) -> str:
    if len(text) == 1:
        return rf"\{greek(text)}" if greek(text) else text
    if text in WORDS:
        return rf"\{text}"
    return rf"\mathrm{{{_escaped(text)}}}"


def _escaped(text: str) -> str:
    """Letters that TeX can set in roman; an underscore is a character there."""
    return "".join(rf"\{greek(c)} " if greek(c) else r"\_" if c == "_" else c for c in text)


def _name(name: str, type: Type) -> tuple[str, Bind]:
    if name not in type.gradients:
        return symbol(name), Bind.ATOM
    of = type.gradients[name]
    if type.style == "bar":
        return _bar(of), Bind.ATOM
    return rf"\frac{{\partial {symbol(type.loss)}}}{{\partial {symbol(of)}}}", Bind.PRODUCT


def _bar(name: str) -> str:
    base, low = _parts(name)
    return rf"\bar{{{_letters(base)}}}{_low(low)}"


def _entry(name: Shown, index: tuple[Shown, ...], type: Type) -> tuple[str, Bind]:
    """`A_{1,nj}`; an entry of a gradient is the derivative by one entry."""
    parts = [latex(part, type) for part in index]
    short = all(isinstance(part, Name) and len(part.name) == 1 for part in index)
    low = "".join(parts) if short else ", ".join(parts)
    if not isinstance(name, Name):
        return _brackets(latex(name, type), "[", "]") + _low(low), Bind.ATOM
    if name.name not in type.gradients:
        return _indexed(*_parts(name.name), low), Bind.ATOM
    of = type.gradients[name.name]
    if type.style == "bar":
        base, number = _parts(of)
        return rf"\bar{{{_letters(base)}}}{_low(_joined(number, low))}", Bind.ATOM
    below = _indexed(*_parts(of), low)
    return rf"\frac{{\partial {symbol(type.loss)}}}{{\partial {below}}}", Bind.PRODUCT


def _indexed(base: str, number: str, low: str) -> str:
    return _letters(base) + _low(_joined(number, low))


def _joined(number: str, low: str) -> str:
    return f"{number},{low}" if number else low


FUNCTIONS = {
    "sigmoid": r"\sigma",
    "relu": r"\operatorname{ReLU}",
    **{name: rf"\{name}" for name in ("exp", "log", "sin", "cos", "tanh")},
}


def _function(name: str) -> str:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if len(name.rstrip("′″").removeprefix("∇")) == 1:
        return symbol(name.replace("″", "′′"))
    return rf"\operatorname{{{_escaped(name.replace('′', ''))}}}" + "'" * name.count("′")


# ── sums and products ────────────────────────────────────────────────────────────────────────


def _signed(terms: tuple[tuple[Literal[1, -1], Shown], ...], type: Type) -> str:
    text = ""
    for sign, term in terms:
        body = _hold(term, Bind.SIGMA, type)
        if text:
            text += f" {'-' if sign < 0 else '+'} {body}"
        else:
            text = f"-{body}" if sign < 0 else body
    return text


def _sum(over: tuple[str, ...], type: Type) -> str:
    return rf"\sum_{{{','.join(map(symbol, over))}}} " if over else r"\sum "


SIGNS: Mapping[Join, str] = {
    "matrix": " ",
    "entrywise": r" \odot ",
    "outer": r" \otimes ",
    "scaling": " ",
}


def _multiplied(join: Join, factors: tuple[Shown, ...], type: Type) -> str:
    texts = [
        _factor(factor, join, type, first=place == 0, last=place == len(factors) - 1)
        for place, factor in enumerate(factors)
    ]
    text = texts[0]
    for factor in texts[1:]:
        words = re.search(r"\\(mathrm|operatorname|frac)", texts[0] + factor)
        digits = join == "scaling" and factor[0].isdigit()
        sign = r" \cdot " if digits else r" \, " if words and SIGNS[join] == " " else SIGNS[join]
        text += sign + factor
    return text


def _factor(node: Shown, join: Join, type: Type, *, first: bool, last: bool) -> str:
    text, bind = _set(node, type)
    match node:
        case Multiplied(join=inner):
            fits = first and (inner == join or inner == "scaling")
        case Over() | Derivative() | Name() | Numeral() | Entry():
            fits = True  # a fraction bar holds together by itself
        case Summed():
            fits = last and join == "scaling"
        case Copied():
            fits = join == "matrix"
        case _:
            fits = bind >= Bind.POWER
    return text if fits else _brackets(text)


def _copied(value: Shown, kept: tuple[bool, ...], type: Type) -> tuple[str, Bind]:
    """A vector copied to every row or column is its product with a vector of ones."""
    if len(kept) != 2:
        return _set(value, type)
    if kept[0]:
        column = latex(value, type)
        if not isinstance(value, (Name, Over)):  # a fraction bar holds together by itself
            column = _hold(value, Bind.POWER, type)
        return rf"{column} \, \mathbf{{1}}^\top", Bind.PRODUCT
    return rf"\mathbf{{1}} \, {_hold(value, Bind.ATOM, type)}^\top", Bind.PRODUCT


def _block(node: Shown, type: Type) -> str:
    text = latex(node, type)
    return rf"\mathbf{{{text}}}" if isinstance(node, Numeral) else text
