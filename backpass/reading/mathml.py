"""A formula as MathML, which browsers set without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import pairwise
from typing import assert_never

from backpass.reading import boxes as box
from backpass.reading import symbols
from backpass.reading.boxes import Box
from backpass.reading.presentation import Shown
from backpass.reading.typeset import PLAIN, Type, typeset


def mathml(node: Shown, type: Type = PLAIN, *, display: bool = False) -> str:
    """The formula inside a sentence, or as tall as on a line of its own."""
    return _math(typeset(node, type), display)


def displayed(left: Shown, sign: str, right: Shown, type: Type = PLAIN) -> tuple[str, str]:
    """An equation on a line of its own: its left side, and its sign with the right side.

    The right side is cut before its outermost signs, so that a narrow page may break it there.
    """
    whole = typeset(right, type)
    parts = whole.parts if isinstance(whole, box.Row) else (whole,)
    return mathml(left, type, display=True), _broken((box.Sign(sign), *parts), True)


def line(text: str) -> str:
    """Names, numbers and signs in a row, such as shapes; it may break before a sign."""
    return _broken(tuple(_flat(symbols.line(text))), False)


def member(name: Shown, space: str, shape: str, type: Type = PLAIN) -> str:
    """What space a quantity lives in, `W ∈ ℝ^(k×m)`."""
    letter = box.Letter(space)
    power = box.High(letter, symbols.line(shape)) if shape else letter
    return _math(box.row(typeset(name, type), box.Sign("∈"), power), False)


def _math(one: Box, display: bool) -> str:
    style = ' displaystyle="true"' if display else ""
    return f"<math{style}>{_inside(one)}</math>"


def _broken(parts: tuple[Box, ...], display: bool) -> str:
    """A row in pieces, each but the first with the sign that stands between two parts."""
    places = [n for n, part in enumerate(parts) if isinstance(part, box.Sign) and not part.alone]
    cuts = (0, *(place for place in places if place), len(parts))
    return "<wbr/>".join(_math(box.Row(parts[start:end]), display) for start, end in pairwise(cuts))


def _flat(one: Box) -> Iterator[Box]:
    """The parts of a row, and of the rows in it."""
    if isinstance(one, box.Row):
        for part in one.parts:
            yield from _flat(part)
    else:
        yield one


def _inside(one: Box) -> str:
    """The box where any number of parts may stand, rows within rows laid flat."""
    return "".join(map(_spell, _flat(one)))


def _spell(one: Box) -> str:
    match one:
        case box.Letter(text=text) | box.Word(text=text) | box.Operator(text=text):
            return f"<mi>{escape(text)}</mi>"
        case box.Digits(text=text):
            return f"<mn>{escape(text)}</mn>"
        case box.Sign(text=text, alone=alone):
            return _sign(text, alone)
        case box.Plain(text=text):
            return f"<mtext>{escape(text)}</mtext>"
        case box.Times(wide=wide):
            return f'<mspace width="{".24" if wide else ".17"}em"/>'
        case box.Quantity():
            return _scripts(one)
        case box.Row():
            return f"<mrow>{_inside(one)}</mrow>"
        case box.Low() | box.High():
            return _scripts(one)
        case box.Primed(base=base, count=count):  # a prime is raised by itself
            return f"<mrow>{_spell(base)}{_sign('′' * count, True)}</mrow>"
        case box.Barred(base=base):
            return f'<mover accent="true">{_spell(base)}<mo stretchy="false">¯</mo></mover>'
        case box.Bold(base=base):
            return f'<mrow class="bold">{_inside(base)}</mrow>'
        case box.Fraction(above=above, below=below, small=small):
            style = ' displaystyle="false"' if small else ""
            return f"<mfrac{style}>{_spell(above)}{_spell(below)}</mfrac>"
        case box.Radical(inside=inside):
            strut = '<mspace height=".72em" depth=".12em"/>'  # or the sign sinks below an x
            return f"<msqrt>{_inside(inside)}{strut}</msqrt>"
        case box.Fenced(left=left, inside=inside, right=right, tall=tall):
            stretch = "" if tall else ' stretchy="false"'
            start = f'<mo form="prefix"{stretch}>{left}</mo>'
            end = f'<mo form="postfix"{stretch}>{right}</mo>'
            return f"<mrow>{start}{_inside(inside)}{end}</mrow>"
        case box.Sum(over=over):
            return _sum(over)
        case box.Grid(parts=parts, beside=beside):
            cells = [f"<mtd>{_inside(part)}</mtd>" for part in parts]
            rows = ["".join(cells)] if beside else cells
            table = "".join(f"<mtr>{one}</mtr>" for one in rows)
            return f"<mrow><mo>[</mo><mtable>{table}</mtable><mo>]</mo></mrow>"
        case _:
            assert_never(one)


def _sign(text: str, alone: bool) -> str:
    if text == ", ":
        return '<mo separator="true">,</mo>'
    if text == "−" and alone:
        return '<mo form="prefix">−</mo>'
    if alone:
        return f'<mo lspace="0" rspace="0" stretchy="false">{escape(text)}</mo>'
    # a sign that starts a piece would lose its distances
    space = "." + ("28" if text in RELATIONS else "22") + "em"
    return f'<mo form="infix" lspace="{space}" rspace="{space}">{escape(text)}</mo>'


RELATIONS = {"∈", "=", "+=", "<", ">", "≤", "≥", "≠", "→"}


def _scripts(one: box.Quantity | box.Low | box.High) -> str:
    """A box with what stands low and high behind it; a name is marked with all of it."""
    high, low, mark = "", "", ""
    base: Box = one
    while True:
        match base:
            case box.Quantity(name=name, box=inside):
                mark, base = f' data-name="{escape(name)}"', inside
            case box.High(base=inside, power=power) if not high and not low:
                high, base = _spell(power), inside
            case box.Low(base=inside, index=index) if not low:
                low, base = _spell(index), inside
            case _:
                break
    name = f"m{'sub' * bool(low)}{'sup' * bool(high)}" if low or high else "mrow"
    return f"<{name}{mark}>{_spell(base)}{low}{high}</{name}>"


def _sum(over: tuple[Box, ...]) -> str:
    sign = '<mo movablelimits="true">∑</mo>'
    if not over:
        return sign
    comma = '<mo lspace="0" rspace="0">,</mo>'
    return f"<munder>{sign}<mrow>{comma.join(map(_spell, over))}</mrow></munder>"
