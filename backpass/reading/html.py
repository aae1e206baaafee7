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

from backpass.language.program import Step
from backpass.reading import presentation as show
from backpass.reading.dims import dims, shape_text
from backpass.reading.equations import ends, equations
from backpass.reading.explanation import Block, Display, Explanation, Heading, Paragraph
from backpass.reading.fold import Layers, folded
from backpass.reading.mathml import displayed, line, mathml, member
from backpass.reading.matrix import matrix
from backpass.reading.page import page, stylesheet
from backpass.reading.passes import Passes, origins
from backpass.reading.plain import plain
from backpass.reading.presentation import Shown
from backpass.reading.reason import reason
from backpass.reading.runs import Run, runs
from backpass.reading.saved import saved
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
    # a forward pass may hold a backward pass, whose derivatives these are
    found = ((step.name, next(origins(step), None)) for step in passes.forward.steps)
    differentials = {name: origin.read.name for name, origin in found if origin is not None}
    return Type(
        passes.loss, gradients, "fraction", passes.dialect, numerators, differentials, marked=True
    )


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


# ── whole pages ──────────────────────────────────────────────────────────────────────────────


def derivation_page(passes: Passes, code: str, *, fold: bool = True) -> str:
    """A page: what is given and wanted, both passes, what must be kept, and the source to run."""
    layers = [part for part in folded(passes)[0] if isinstance(part, Layers)] if fold else []
    body = [
        _title(passes, "The gradient", [_wanted(passes, one) for one in runs(passes.wrt, layers)]),
        derivation_html(passes, fold=fold),
        _more("What must be kept from the forward pass", str(saved(passes))),
        _more("The same as a NumPy program", code, _called(passes)),
    ]
    return page(f"The gradient of {passes.loss}", "".join(body))


def derivatives_page(passes: Passes, wanted: Iterable[str], code: str) -> str:
    """A page for derivatives of any number of axes: Jacobians, Hessians and their products."""
    type = type_of(passes)
    names = [words_html((show.Name(one),), type) for one in wanted]
    body = [
        _title(passes, "Derivatives", names),
        derivation_html(passes, why=False),
        _more("The same as a NumPy program", code),
    ]
    return page(f"Derivatives of {passes.loss}", "".join(body))


AT_LENGTH = 16  # accounts of more lines than these would swell a notebook


def styled_html(passes: Passes, *, why: bool = True) -> str:
    """Both passes with their styles, to stand in a notebook."""
    lines = sum(1 if isinstance(part, Step) else len(part.steps) for part in folded(passes)[1])
    body = derivation_html(passes, why=why and lines <= AT_LENGTH)
    return f'<div class="backpass">\n<style>\n{stylesheet()}</style>\n{body}</div>\n'


def _more(title: str, text: str, told: str = "") -> str:
    """Text as it stands, below a line that opens it."""
    pre = f'<pre tabindex="0">{escape(text.rstrip())}</pre>'
    return f'<details class="more"><summary>{title}</summary>{told}{pre}</details>\n'


def _called(passes: Passes) -> str:
    """What programs call a gradient."""
    name = passes.adjoints[passes.wrt[0]]
    gradient = words_html((show.Name(name),), type_of(passes))
    return f"<p>It writes <code>{escape(name)}</code> for {gradient}.</p>"


def _title(passes: Passes, what: str, wanted: Sequence[str]) -> str:
    """`The gradient of L`, and below it what is given and what is wanted."""
    layers = [part for part in folded(passes)[0] if isinstance(part, Layers)]
    inputs = [_input(passes, one) for one in runs([a.name for a in passes.forward.inputs], layers)]
    loss = words_html((show.Name(passes.loss),), type_of(passes))
    told = f"Given {_and(inputs)}; wanted {_and(wanted)}."
    return f"<h1>{what} of {loss}</h1>\n<p>{told}</p>\n"


def _input(passes: Passes, one: str | Run) -> str:
    """`W ∈ ℝ^(k×m)`, or that of every layer."""
    inside, name = (passes, one) if isinstance(one, str) else (one.layers.passes, one.name)
    array = inside.arrays[name]
    space = {"real": "ℝ", "int": "ℤ", "bool": "𝔹"}[array.kind]
    shape = shape_text(array.shape) if array.shape else ""
    return member(show.Name(name), space, shape, type_of(inside)) + _span(one)


def _wanted(passes: Passes, one: str | Run) -> str:
    """`∂L/∂W`, or that of every layer."""
    inside, name = (passes, one) if isinstance(one, str) else (one.layers.passes, one.name)
    return words_html((show.Name(inside.adjoints[name]),), type_of(inside)) + _span(one)


def _span(one: str | Run) -> str:
    return "" if isinstance(one, str) else f" for {line('l')} = {one.first} … {one.last}"


def _and(items: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


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
    old = None if before is None else before.line
    above = "" if step.line == old else _source(step)
    return above + "".join(_rows(passes, step))


def _source(step: Step) -> str:
    """A line of the user's, and where it stands; the backward pass in a forward pass has none."""
    told, place, line = "", "", step.line
    if line is not None and line.text:
        told = f"<code>{escape(line.text.strip())}</code>"
        place = "" if line.file == "formula" else f"{PurePath(line.file).name}:{line.number}"
    elif any(origins(step)):
        told = "its backward pass, which is differentiated again"
    row = f'<tr class="source"><td colspan="3">{told} <small>{escape(place)}</small></td></tr>'
    return row if told else ""


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
        head = f'<th scope="row" aria-label="{escape(plain(one.left))}">{left}</th>'
        yield f'<tr class="step">{head}{formula}{shapes}</tr>'
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
    return f"<li><span>{words_html(formula, type, display=True)}</span>{said}</li>"
