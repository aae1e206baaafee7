"""What was asked of a derivation: printed, or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from backpass.checking.report import check_lines
from backpass.derive import Derivation
from backpass.language.errors import BackpassError
from backpass.language.notation import format_step
from backpass.language.program import Step
from backpass.nn.files import write_whole
from backpass.reading.document import derivation_latex, derivation_markdown
from backpass.reading.explanation import explanation_lines
from backpass.reading.html import derivation_page
from backpass.reading.layout import chain_blocks
from backpass.reading.lines import EMPTY, Line, Span, joined
from backpass.reading.plain import Pen
from backpass.reading.reason import reason
from backpass.reading.text import derivation_lines, rows
from backpass.reading.why import explain
from backpass.terminal.streams import ascii_only, show

Asked = Mapping[str, Any]  # by the name of a reading: whether, or of what; `check` holds a Check

TEXTS: dict[str, Callable[[Derivation, Asked], str]] = {
    "index": lambda d, asked: d.index(),
    "latex": lambda d, asked: derivation_latex(d.passes, fold=not asked["unfold"]),
    "markdown": lambda d, asked: derivation_markdown(d.passes, fold=not asked["unfold"]),
    "code": lambda d, asked: d.code("numpy", asked["style"] or "unrolled"),
}


def print_answers(d: Derivation, asked: Asked) -> None:
    """Print the readings that were asked for, or else the derivation itself."""
    ascii = ascii_only(sys.stdout.encoding)
    found = [lines for _, lines in readings(d, asked, ascii)]
    if not found:
        found = [derivation_lines(d.passes, ascii=ascii, fold=not asked["unfold"])]
    for place, lines in enumerate(found):
        show([EMPTY, *lines] if place else lines, sys.stdout)


def answers_json(d: Derivation, asked: Asked) -> dict[str, Any]:
    """The steps of both passes, and the readings that were asked for as texts."""
    found: dict[str, Any] = {
        "loss": d.loss,
        "gradients": dict(d.gradients),
        "forward": [_step(d, step) for step in d.forward.steps],
        "backward": [_step(d, step) for step in d.backward],
        **{name: joined(lines) for name, lines in readings(d, asked)},
    }
    if asked["check"] is not None:
        found["check"] = asked["check"].to_json()
    return found


def write_page(d: Derivation, path: Path, *, fold: bool = True) -> None:
    """Write the derivation as a page. Raises BackpassError for a name that says another thing."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise BackpassError(f"{path} is to be a page, so let its name end in .html")
    write_whole(path, derivation_page(d.passes, d.code(), fold=fold))


def readings(d: Derivation, asked: Asked, ascii: bool = False) -> Iterator[tuple[str, list[Line]]]:
    """What was asked for, each with its name."""
    pen = Pen(d.passes.dialect, ascii)
    for name, text in TEXTS.items():
        if asked[name]:
            yield name, [(Span(line, "formula"),) for line in text(d, asked).splitlines()]
    if asked["html"]:
        file = Span(str(asked["html"]), "name")
        yield "html", [(file, Span(": the derivation as a page", "words"))]
    if asked["why"]:
        yield "why", explanation_lines(explain(d.passes, asked["why"]), pen)
    if asked["chain"]:
        blocks = chain_blocks(d.passes, asked["chain"], asked["layout"] or "mixed")
        yield "chain", explanation_lines(blocks, Pen("math", ascii))
    if asked["check"] is not None:
        yield "check", check_lines(asked["check"])


def _step(d: Derivation, step: Step) -> dict[str, Any]:
    why = reason(d.passes, step) if step in d.backward else ()
    shown = rows(d.passes, step, Pen(d.passes.dialect), why)
    return {
        "name": step.name,
        "lines": [f"{row.left} {row.sign} {row.right}" for row in shown],
        "index": format_step(step, d.passes.arrays),
        "shape": [str(axis) for axis in step.target.shape],
        "shapes": shown[0].shape,
        "reason": shown[-1].reason,
    }
