"""A formula as MathML, which browsers set without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import assert_never

from backpass.reading import boxes as box
from backpass.reading.boxes import Box
from backpass.reading.presentation import Shown
from backpass.reading.typeset import PLAIN, Type, typeset


def mathml(node: Shown, type: Type = PLAIN) -> str:
    """The formula inside a sentence."""
    return f"<math>{_spell(typeset(node, type))}</math>"


def displayed(left: Shown, sign: str, right: Shown, type: Type = PLAIN) -> tuple[str, str]:
    """An equation on a line of its own: its left side, and its sign with the right side.

    The right side is cut before its outermost signs, so that a narrow page may break it there.
    """
    start = box.row(box.Sign(sign), box.Row(()))
    first, *more = _pieces(typeset(right, type))
    cut = [box.row(start, first), *more]
    return _display(typeset(left, type)), " ".join(map(_display, cut))


def _display(one: Box) -> str:
    return f'<math displaystyle="true">{_spell(one)}</math>'


def _pieces(one: Box) -> Iterator[Box]:
    """A row cut before each sign that stands between two parts."""
    parts = one.parts if isinstance(one, box.Row) else (one,)
    start = 0
    for place, part in enumerate(parts):
        if isinstance(part, box.Sign) and not part.alone:
            yield box.Row(parts[start:place])
            start = place
    yield box.Row(parts[start:])


def _spell(one: Box) -> str:
    match one:
        case box.Letter(text=text) | box.Word(text=text):
            return f"<mi>{escape(text)}</mi>"
        case box.Operator(text=text):
            return f"<mi>{escape(text)}</mi>"
        case box.Digits(text=text):
            return f"<mn>{escape(text)}</mn>"
        case box.Sign(text=text, alone=alone):
            return _sign(text, alone)
        case box.Times(wide=wide):
            return '<mspace width="0.22em"/>' if wide else '<mspace width="0.12em"/>'
        case box.Quantity(name=name, box=inside):
            return f'<mrow data-name="{escape(name)}">{_spell(inside)}</mrow>'
        case box.Row(parts=parts):
            return f"<mrow>{_all(parts)}</mrow>"
        case box.Low(base=base, index=index):
            return f"<msub>{_spell(base)}{_spell(index)}</msub>"
        case box.High(base=base, power=power):
            return _high(base, _spell(power))
        case box.Primed(base=base, count=count):
            return _high(base, f"<mo>{'′' * count}</mo>")
        case box.Barred(base=base):
            return f'<mover accent="true">{_spell(base)}<mo stretchy="false">¯</mo></mover>'
        case box.Bold(base=base):
            return f'<mrow class="bold">{_spell(base)}</mrow>'
        case box.Fraction(above=above, below=below, small=small):
            style = ' displaystyle="false"' if small else ""
            return f"<mfrac{style}>{_spell(above)}{_spell(below)}</mfrac>"
        case box.Radical(inside=inside):
            return f"<msqrt>{_spell(inside)}</msqrt>"
        case box.Fenced(left=left, inside=inside, right=right, tall=tall):
            stretch = "true" if tall else "false"
            start = f'<mo form="prefix" stretchy="{stretch}">{escape(left)}</mo>'
            end = f'<mo form="postfix" stretchy="{stretch}">{escape(right)}</mo>'
            return f"<mrow>{start}{_spell(inside)}{end}</mrow>"
        case box.Sum(over=over):
            return _sum(over)
        case box.Grid(parts=parts, beside=beside):
            return _grid(parts, beside)
        case _:
            assert_never(one)


def _all(parts: tuple[Box, ...]) -> str:
    return "".join(map(_spell, parts))


def _sign(text: str, alone: bool) -> str:
    if text == ", ":
        return '<mo separator="true">,</mo>'
    if text == "−" and alone:
        return '<mo form="prefix">−</mo>'
    if alone:
        return f'<mo lspace="0" rspace="0">{escape(text)}</mo>'
    return f'<mo form="infix">{escape(text)}</mo>'


def _high(base: Box, power: str) -> str:
    """What has an index and a power carries both at its end."""
    name = ""
    if isinstance(base, box.Quantity):
        name, base = f' data-name="{escape(base.name)}"', base.box
    if isinstance(base, box.Low):
        return f"<msubsup{name}>{_spell(base.base)}{_spell(base.index)}{power}</msubsup>"
    return f"<msup{name}>{_spell(base)}{power}</msup>"


def _sum(over: tuple[Box, ...]) -> str:
    sign = '<mo movablelimits="true">∑</mo>'
    if not over:
        return sign
    parts = [_spell(one) for one in over]
    comma = '<mo lspace="0" rspace="0">,</mo>'
    return f"<munder>{sign}<mrow>{comma.join(parts)}</mrow></munder>"


def _grid(parts: tuple[Box, ...], beside: bool) -> str:
    cells = [f"<mtd>{_spell(part)}</mtd>" for part in parts]
    rows = ["".join(cells)] if beside else cells
    table = "".join(f"<mtr>{one}</mtr>" for one in rows)
    return f"<mrow><mo>[</mo><mtable>{table}</mtable><mo>]</mo></mrow>"
