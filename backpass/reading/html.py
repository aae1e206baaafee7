"""A derivation as HTML: tables of steps for any page, and words with formulas in them.

The markup says what things are, and a stylesheet how they look: that of `page` wants everything
inside an element of class `backpass`. Every text that a user wrote is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from html import escape
from itertools import repeat
from pathlib import PurePath
from typing import assert_never

from backpass.language.program import Line, Step
from backpass.reading import presentation as show
from backpass.reading.dims import dims
from backpass.reading.equations import ends, equations
from backpass.reading.explanation import Block, Display, Explanation, Heading, Paragraph
from backpass.reading.fold import Layers, folded
from backpass.reading.mathml import displayed, line, mathml
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Shown
from backpass.reading.reason import reason
from backpass.reading.spelling import spell_size
from backpass.reading.typeset import Type
from backpass.reading.why import explain, sentence
from backpass.reading.words import Words


def derivation_html(passes: Passes, *, fold: bool = True, why: bool = True, level: int = 2) -> str:
    """The forward and the backward table, below headings of a level.

    Forward steps stand below the line of the user's source that makes them, backward steps above
    their reasons; with `why` a reason opens to the account that `d.why` gives.
    """
    above, below = folded(passes) if fold else (passes.forward.steps, passes.backward)
    forward = _bodies(passes, above, _sourced)
    backward = _bodies(passes, below, partial(_reasoned, why=why))
    return _table("Forward pass", forward, level) + _table("Backward pass", backward, level)


def type_of(passes: Passes) -> Type:
    """How this derivation's names are set."""
    gradients = passes.gradients
    # the derivatives of a whole array are called after it, ddw_dw
    numerators = {
        name: name[1:].removesuffix(f"_d{by}")
        for name, by in gradients.items()
        if name.endswith(f"_d{by}")
    }
    return Type(passes.loss, gradients, "fraction", passes.dialect, numerators, marked=True)


def words_html(sentence: Words, type: Type, *, display: bool = False) -> str:
    """A sentence, its formulas typeset, or as tall as on lines of their own."""
    told = "".join(_word(part, type, display) for part in sentence)
    return re.sub(r"(<math((?!</math>).)*</math>[.,;:)]+)", r'<span class="held">\1</span>', told)


def _word(part: str | Shown, type: Type, display: bool) -> str:
    if isinstance(part, str):
        # a transpose is set alike in all dialects
        return line("⊤") if part in (".T", ".mT", "ᵀ") else escape(part)
    if isinstance(part, show.Name) and not display:
        type = replace(type, style="slash")  # a fraction would be small between words
    return mathml(part, type, display=display)


def explanation_html(passes: Passes, blocks: Explanation) -> str:
    """An account such as `d.why` gives."""
    return "".join(_block(block, type_of(passes)) for block in blocks)


# ── tables ───────────────────────────────────────────────────────────────────────────────────

Rows = Callable[[Passes, Step, Step | None], str]  # of a step that follows another


def _table(title: str, bodies: Iterable[str], level: int) -> str:
    heads = "".join(f'<th scope="col">{one}</th>' for one in ("quantity", "formula", "shapes"))
    return (
        f'<section>\n<h{level}>{title}</h{level}>\n<table class="steps">\n'
        f"<thead><tr>{heads}</tr></thead>\n{''.join(bodies)}</table>\n</section>\n"
    )


def _bodies(passes: Passes, parts: Sequence[Step | Layers], rows: Rows) -> Iterator[str]:
    """Each step with what belongs to it; equal layers below the line that says which they are."""
    before: Step | None = None
    for part in parts:
        if isinstance(part, Step):
            yield f"<tbody>{rows(passes, part, before)}</tbody>\n"
            before = part
        else:
            inside = map(rows, repeat(part.passes), part.steps, (before, *part.steps))
            head = f'<tr><th class="layers" colspan="3" scope="rowgroup">{_head(part)}</th></tr>'
            yield f'<tbody class="folded">{head}{"".join(inside)}</tbody>\n'
            before = part.steps[-1]


def _head(layers: Layers) -> str:
    """`for l = 1 … 99, where A₀ = X`."""
    equal = [
        show.Equal(show.Name(name), show.Name(of)) for name, of in filter(None, [layers.start])
    ]
    equal += [show.Equal(show.Name(name), spell_size(value)) for name, value in layers.sizes]
    where = f", where {', '.join(map(mathml, equal))}" if equal else ""
    return f"for {line('l')} = {layers.first} … {layers.last}{where}"


def _sourced(passes: Passes, step: Step, before: Step | None) -> str:
    """A forward step, below the line of the user's source if that is a new one."""
    new = step.line is not None and (before is None or before.line != step.line)
    return (_source(step.line) if step.line and new else "") + "".join(_rows(passes, step))


def _source(line: Line) -> str:
    """A line of the user's, and where it stands."""
    if not line.text:
        return ""
    place = "" if line.file == "formula" else f"{PurePath(line.file).name}:{line.number}"
    code = f"<code>{escape(line.text.strip())}</code>"
    small = f" <small>{escape(place)}</small>" if place else ""
    return f'<tr class="source"><td colspan="3">{code}{small}</td></tr>'


def _reasoned(passes: Passes, step: Step, before: Step | None, *, why: bool) -> str:
    """A backward step, and below it its reason."""
    told = words_html(sentence(reason(passes, step)), type_of(passes))
    if why:
        account = explain(passes, step.name)[1:]  # the first block is the line itself
        told = f"<details><summary>{told}</summary>{explanation_html(passes, account)}</details>"
    reasons = f'<tr class="reason"><td></td><td colspan="2">{told}</td></tr>'
    return "".join(_rows(passes, step)) + reasons


def _rows(passes: Passes, step: Step) -> Iterator[str]:
    """A step as one row, or as one for each loop nest where matrix notation fails."""
    type = type_of(passes)
    shape = line(dims(matrix(step, passes.arrays), step.target, passes.dialect))
    for one in equations(passes, step):
        left, right = displayed(one.left, "+=" if one.adds else "=", one.right, type)
        formula = f'<td class="formula">{right}{escape(ends(one))}</td>'
        shapes = f'<td class="shape">{shape}</td>'
        yield f'<tr class="step"><th scope="row">{left}</th>{formula}{shapes}</tr>'
        shape = ""


# ── explanations ─────────────────────────────────────────────────────────────────────────────


def _block(block: Block, type: Type) -> str:
    match block:
        case Heading(title=title):
            return f"<p><strong>{words_html(title, type)}</strong></p>"
        case Paragraph(sentences=sentences):
            return f"<p>{' '.join(words_html(one, type) for one in sentences)}</p>"
        case Display(lines=lines):
            return f'<ul class="formulas">{"".join(_item(*one, type) for one in lines)}</ul>'
        case _:
            assert_never(block)


def _item(formula: Words, remark: Words, type: Type) -> str:
    """A formula on a line of its own, and what is said of it."""
    said = f" <small>{words_html(remark, type)}</small>" if remark else ""
    return f"<li>{words_html(formula, type, display=True)}{said}</li>"
