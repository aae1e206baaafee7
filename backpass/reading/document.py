r"""A derivation as LaTeX and as a Markdown document with formulas between dollars."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from backpass.language.program import Array, Step
from backpass.language.shapes import Shape
from backpass.reading import presentation as show
from backpass.reading.equations import equations
from backpass.reading.explanation import Display, Explanation, Heading, Paragraph
from backpass.reading.fold import Layers, folded
from backpass.reading.latex import latex, symbol
from backpass.reading.passes import Passes
from backpass.reading.reason import reason
from backpass.reading.runs import Run, runs
from backpass.reading.spelling import spell_size
from backpass.reading.typeset import Gradients, Type
from backpass.reading.why import sentence
from backpass.reading.words import Words


def derivation_latex(
    passes: Passes, *, gradients: Gradients = "fraction", fold: bool = True
) -> str:
    r"""Both passes as one `aligned` display, each line with the space that it lives in.

    `gradients="bar"` writes $\bar W_1$ for $\partial L/\partial W_1$. Vectors are columns, and
    equal layers are written once.
    """
    passes = replace(passes, dialect="math")
    above, below = folded(passes) if fold else (passes.forward.steps, passes.backward)
    forward = [line for part in above for line in _part(passes, part, gradients)]
    backward = [line for part in below for line in _part(passes, part, gradients)]
    heads = r"&\textbf{forward}", r"&\textbf{backward}"
    rows = [heads[0], *forward, heads[1], *backward]
    return "\\begin{aligned}\n" + " \\\\\n".join(f"  {row}" for row in rows) + "\n\\end{aligned}"


def _part(passes: Passes, part: Step | Layers, gradients: Gradients) -> list[str]:
    """The lines of a step, or of equal layers below the line that says which they are."""
    if isinstance(part, Step):
        return _lines(passes, part, type_of(passes, gradients))
    inside = type_of(part.passes, gradients)
    return [
        rf"&\text{{{_headline(part)}}}",
        *(line for step in part.steps for line in _lines(part.passes, step, inside)),
    ]


def _headline(layers: Layers) -> str:
    """`for l = 1, …, 99, where A₀ = X`, to stand inside words."""
    equal = [rf"${symbol(name)} = {symbol(of)}$" for name, of in filter(None, [layers.start])]
    equal += [rf"${symbol(name)} = {latex(spell_size(value))}$" for name, value in layers.sizes]
    where = f", where {', '.join(equal)}" if equal else ""
    return rf"for $l = {layers.first}, \dots, {layers.last}${where}"


def type_of(passes: Passes, gradients: Gradients = "fraction") -> Type:
    """How this derivation's names are set."""
    return Type(passes.loss, passes.gradients, gradients)


def _lines(passes: Passes, step: Step, type: Type) -> list[str]:
    """A step as lines `name &= formula && space`."""
    lines: list[str] = []
    for one in equations(passes, step):
        sign = r"\mathrel{+}=" if one.adds else "="
        ends = [f"{symbol(label.name)} < {latex(spell_size(label.size))}" for label in one.short]
        bounds = rf" \quad ({', '.join(ends)})" if ends else ""
        space = f" && {_space(step.target)}" if not lines else ""
        right = latex(one.right, type)
        lines.append(f"{latex(one.left, type)} &{sign} {right}{bounds}{space}")
    return lines


def _space(array: Array) -> str:
    letter = {"real": "R", "int": "Z", "bool": "B"}[array.kind]
    return rf"\in \mathbb{{{letter}}}{_power(array.shape)}"


def _power(shape: Shape) -> str:
    if not shape:
        return ""
    shown = [spell_size(axis) for axis in shape]
    sums = [len(shape) > 1 and isinstance(one, show.Signed) for one in shown]
    sizes = [f"({latex(one)})" if sum else latex(one) for one, sum in zip(shown, sums, strict=True)]
    return "^{" + r" \times ".join(sizes) + "}"


# ── Markdown ─────────────────────────────────────────────────────────────────────────────────


def derivation_markdown(passes: Passes, *, fold: bool = True) -> str:
    """A document: what is given, the forward pass, and each backward line with its reason."""
    passes = replace(passes, dialect="math")
    above, below = folded(passes) if fold else (passes.forward.steps, passes.backward)
    layers = [part for part in above if isinstance(part, Layers)]
    inputs = [_input(passes, one) for one in runs([a.name for a in passes.forward.inputs], layers)]
    wanted = [_wanted(passes, one) for one in runs(passes.wrt, layers)]
    parts = [
        f"# The gradient of ${symbol(passes.loss)}$",
        f"Given {_and(inputs)}; wanted {_and(wanted)}.",
        "## Forward pass",
        _aligned(line for part in above for line in _part(passes, part, "fraction")),
        "## Backward pass",
    ]
    for part in below:
        if isinstance(part, Layers):
            parts.append(f"F{_headline(part)[1:]}:")
        inside, steps = (part.passes, part.steps) if isinstance(part, Layers) else (passes, (part,))
        for step in steps:
            parts.append(_aligned(_lines(inside, step, type_of(inside))))
            parts.append(markdown_words(sentence(reason(inside, step)), type_of(inside)))
    return "\n\n".join(parts) + "\n"


def _input(passes: Passes, one: str | Run) -> str:
    """`W ∈ ℝ^(k×m)`, or that of every layer."""
    if isinstance(one, str):
        return f"${symbol(one)} {_space(passes.arrays[one])}$"
    array = one.layers.passes.arrays[one.name]
    return f"${symbol(one.name)} {_space(array)}$ for {_span(one)}"


def _wanted(passes: Passes, one: str | Run) -> str:
    """`∂L/∂W`, or that of every layer."""
    if isinstance(one, str):
        return f"${latex(show.Name(passes.adjoints[one]), type_of(passes))}$"
    inside = one.layers.passes
    return f"${latex(show.Name(inside.adjoints[one.name]), type_of(inside))}$ for {_span(one)}"


def _span(one: Run) -> str:
    return rf"$l = {one.first}, \dots, {one.last}$"


def _and(items: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def _aligned(rows: Iterable[str]) -> str:
    body = " \\\\\n".join(rows)
    return f"$$\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n$$"


def markdown_words(sentence: Words, type: Type) -> str:
    """A sentence, its formulas between dollars."""
    return "".join(
        _escaped(part) if isinstance(part, str) else f"${latex(part, type)}$" for part in sentence
    )


def _escaped(text: str) -> str:
    """Plain words; what Markdown would take for its own gets a backslash."""
    return re.sub(r"([\\`*_\[\]<>#$|])", r"\\\1", text)


def explanation_markdown(passes: Passes, blocks: Explanation) -> str:
    """An account such as `d.why` gives, as Markdown."""
    type = type_of(passes)
    parts: list[str] = []
    for block in blocks:
        match block:
            case Heading(title=title):
                parts.append(f"### {markdown_words(title, type)}")
            case Paragraph(sentences=()):
                pass
            case Paragraph(sentences=sentences):
                parts.append(" ".join(markdown_words(one, type) for one in sentences))
            case Display(lines=rows):
                parts.append(_table(rows, type))
            case _:
                assert_never(block)
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[tuple[Words, Words]], type: Type) -> str:
    """Displayed formulas as a list, each with its remark behind it."""
    lines = [
        f"- {markdown_words(left, type)}" + (f" — {markdown_words(right, type)}" if right else "")
        for left, right in rows
    ]
    return "\n".join(lines)
