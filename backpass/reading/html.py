"""A derivation as HTML: a fragment for any page, and words with formulas in them.

The markup says what things are; `page` has the stylesheet, which wants everything inside an
element of class `backpass`. Every text that a user wrote is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from backpass.reading.mathml import displayed, mathml
from backpass.reading.matrix import matrix
from backpass.reading.passes import Passes
from backpass.reading.presentation import Name
from backpass.reading.reason import reason
from backpass.reading.spelling import spell_size
from backpass.reading.typeset import Type
from backpass.reading.why import explain, sentence
from backpass.reading.words import Words


def derivation_html(passes: Passes, *, fold: bool = True, level: int = 2) -> str:
    """The forward and the backward table, each below a heading of this level."""
    return forward_html(passes, fold=fold, level=level) + backward_html(
        passes, fold=fold, level=level
    )


def forward_html(passes: Passes, *, fold: bool = True, level: int = 2) -> str:
    """The forward pass: each line of the user's source, and below it the steps that it makes."""
    parts = folded(passes)[0] if fold else passes.forward.steps
    return _table("Forward pass", "forward", _bodies(passes, parts, _sourced), level)


def backward_html(passes: Passes, *, fold: bool = True, level: int = 2) -> str:
    """The backward pass: each step with its reason, which opens to the account of `d.why`."""
    parts = folded(passes)[1] if fold else passes.backward
    return _table("Backward pass", "backward", _bodies(passes, parts, _reasoned), level)


def type_of(passes: Passes) -> Type:
    """How this derivation's names are set."""
    return Type(passes.loss, passes.gradients, "fraction", passes.dialect)


def words_html(sentence: Words, type: Type) -> str:
    """A sentence, its formulas typeset."""
    return "".join(
        escape(part) if isinstance(part, str) else mathml(part, type) for part in sentence
    )


def explanation_html(passes: Passes, blocks: Explanation) -> str:
    """An account such as `d.why` gives."""
    type = type_of(passes)
    return "".join(_block(block, type) for block in blocks)


# ── tables ───────────────────────────────────────────────────────────────────────────────────

Rows = Callable[[Passes, Step, Step | None], str]  # of a step that follows another


def _table(title: str, name: str, bodies: Iterable[str], level: int) -> str:
    heads = "".join(f'<th scope="col">{one}</th>' for one in ("quantity", "formula", "shapes"))
    return (
        f'<section class="pass {name}">\n<h{level}>{title}</h{level}>\n<table class="steps">\n'
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
    """`for l = 1, …, 99, where A₀ = X`."""
    l, first, last = Name("l"), f"{layers.first:,}", f"{layers.last:,}"
    equal = [show.Equal(Name(name), Name(of)) for name, of in filter(None, [layers.start])]
    equal += [show.Equal(Name(name), spell_size(value)) for name, value in layers.sizes]
    where = f", where {', '.join(map(mathml, equal))}" if equal else ""
    return f"for {mathml(l)} = {first} … {last}{where}"


def _sourced(passes: Passes, step: Step, before: Step | None) -> str:
    """A forward step, below the line of the user's source if that is a new one."""
    line = step.line
    new = line is not None and (before is None or before.line != line)
    return (_source(line) if line is not None and new else "") + "".join(_rows(passes, step))


def _source(line: Line) -> str:
    """A line of the user's, and where it stands."""
    if not line.text:
        return ""
    file = "" if line.file == "formula" else f"{PurePath(line.file).name}:{line.number}"
    place = f"<small>{escape(file)}</small>" if file else ""
    code = f"<code>{escape(line.text.strip())}</code>"
    return f'<tr class="source"><td colspan="3">{code}{place}</td></tr>'


def _reasoned(passes: Passes, step: Step, before: Step | None) -> str:
    """A backward step, and below it its reason, which opens to the whole account."""
    type = type_of(passes)
    short = words_html(sentence(reason(passes, step)), type)
    long = explanation_html(passes, explain(passes, step.name)[1:])  # without the line itself
    told = f"<details><summary>{short}</summary>{long}</details>"
    return (
        "".join(_rows(passes, step))
        + f'<tr class="reason"><td></td><td colspan="2">{told}</td></tr>'
    )


def _rows(passes: Passes, step: Step) -> Iterator[str]:
    """A step as one row, or as one for each loop nest where matrix notation fails."""
    type = type_of(passes)
    shape = escape(dims(matrix(step, passes.arrays), step.target, passes.dialect))
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
            return f"<h4>{words_html(title, type)}</h4>"
        case Paragraph(sentences=sentences):
            return f"<p>{' '.join(words_html(one, type) for one in sentences)}</p>"
        case Display(lines=lines):
            rows = [
                f"<li>{words_html(left, type)}"
                + (f" <small>{words_html(right, type)}</small>" if right else "")
                + "</li>"
                for left, right in lines
            ]
            return f'<ul class="formulas">{"".join(rows)}</ul>'
        case _:
            assert_never(block)
