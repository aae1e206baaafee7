r"""A formula as LaTeX, for KaTeX, MathJax and TeX alike; vectors are columns, samples may be rows.

A gradient is written $\frac{\partial L}{\partial W_1}$, or $\bar W_1$ where that is asked for.
"""

from __future__ import annotations

from typing import assert_never

from backpass.reading import boxes as box
from backpass.reading import symbols
from backpass.reading.boxes import Box
from backpass.reading.plain import greek
from backpass.reading.presentation import Shown
from backpass.reading.typeset import PLAIN, TIGHT, Type, typeset


def latex(node: Shown, type: Type = PLAIN) -> str:
    """The formula, to stand between dollars."""
    return _spell(typeset(node, type))


def symbol(name: str) -> str:
    r"""A name in mathematics: `W_out` is `W_{\mathrm{out}}`."""
    return _spell(symbols.symbol(name))


def _spell(one: Box) -> str:
    match one:
        case box.Letter(text=text):
            return SIGNS.get(text) or (rf"\{greek(text)}" if greek(text) else text)
        case box.Word(text=text):
            return rf"\mathrm{{{_escaped(text)}}}"
        case box.Operator(text=text):
            return rf"\{text}" if text in TIGHT else rf"\operatorname{{{_escaped(text)}}}"
        case box.Digits(text=text):
            return text
        case box.Sign(text=text, alone=alone):
            sign = SIGNS.get(text, text)
            return sign if alone else f" {sign} "
        case box.Times(wide=wide):
            return r" \, " if wide else " "
        case box.Plain(text=text):
            return rf"\text{{{_escaped(text)}}}"
        case box.Quantity(box=inside):
            return _spell(inside)
        case box.Row(parts=parts):
            return _row(parts)
        case box.Low(base=base, index=index):
            return _spell(base) + _script("_", index)
        case box.High(base=base, power=power):
            return _spell(base) + _script("^", power)
        case box.Primed(base=base, count=count):
            return _spell(base) + "'" * count
        case box.Barred(base=base):
            return rf"\bar{{{_spell(base)}}}"
        case box.Bold(base=base):
            return rf"\mathbf{{{_spell(base)}}}"
        case box.Fraction(above=above, below=below, small=small):
            name = "tfrac" if small else "frac"
            return rf"\{name}{{{_spell(above)}}}{{{_spell(below)}}}"
        case box.Radical(inside=inside):
            return rf"\sqrt{{{_spell(inside)}}}"
        case box.Fenced(left=left, inside=inside, right=right, tall=tall):
            if tall or left == "|":  # which opens and closes alike
                return rf"\left{left}{_spell(inside)}\right{right}"
            return left + _spell(inside) + right
        case box.Sum(over=over):
            return rf"\sum_{{{','.join(map(_spell, over))}}} " if over else r"\sum "
        case box.Grid(parts=parts, beside=beside):
            inside = (" & " if beside else r" \\ ").join(map(_spell, parts))
            return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}"
        case _:
            assert_never(one)


SIGNS = {
    "−": "-",
    "⊙": r"\odot",
    "⊗": r"\otimes",
    "·": r"\cdot",
    "≠": r"\ne",
    "≤": r"\le",
    "≥": r"\ge",
    "⊤": r"\top",
    "∂": r"\partial ",
    "∇": r"\nabla ",
}


def _row(parts: tuple[Box, ...]) -> str:
    return "".join(map(_spell, parts))


def _script(mark: str, inside: Box) -> str:
    """A subscript or superscript, in braces where it needs them."""
    text = _spell(inside)
    bare = len(text) == 1 or isinstance(inside, box.Letter)
    return mark + (text if bare else f"{{{text}}}")


def _escaped(text: str) -> str:
    """Letters that TeX can set in roman; an underscore is a character there."""
    return "".join(rf"\{greek(c)} " if greek(c) else r"\_" if c == "_" else c for c in text)
