"""What is said about a formula: a verdict, the formula product by product, the way to the right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from backpass.doctor.report import Verdict
from backpass.reading.breaking import broken
from backpass.reading.lines import EMPTY, WIDTH, Line, Span, joined, wrapped

COLUMN = 36  # where shapes stand


@dataclass(frozen=True, slots=True)
class Product:
    """A part of a formula: its shapes, which quantity it is, and why it has no value if so."""

    text: str
    shapes: str
    means: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What to change, and why; `before` and `after` are texts, empty where nothing stands."""

    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class FormulaReport:
    """A verdict on a formula for a gradient; print it to read it."""

    verdict: Verdict
    wrt: str
    formula: str
    explanation: tuple[str, ...]
    products: tuple[Product, ...]
    changes: tuple[Change, ...] = ()
    repaired: str = ""
    steps: tuple[Product, ...] = ()  # the repaired formula, product by product
    of: str = "L"  # what is differentiated
    derived: str = ""
    derived_shape: str = ""
    derivation: tuple[tuple[Product, str], ...] = ()  # each derived step with its reason
    index: str = ""  # in index notation, where there is no formula

    def __bool__(self) -> bool:
        """Whether the formula is right, perhaps up to a scale, or for another loss or layout."""
        return self.verdict.startswith("correct")

    def to_json(self) -> dict[str, Any]:
        """The same as plain data: texts, lists and dicts."""
        return json.loads(json.dumps(asdict(self)))

    def __str__(self) -> str:
        return joined(report_lines(self))


def report_lines(report: FormulaReport) -> list[Line]:
    """The report at 80 columns, in pieces that know what they are."""
    good = bool(report)
    role = "good" if good else "bad"
    mark = "✓" if good else "✗" if report.verdict == "bug" else "?"
    name = f"∂{report.of}/∂{report.wrt}"
    lines: list[Line] = []
    for part in report.formula.split("; "):  # an algorithm has several statements
        lines += _formula(f"{name} = " if report.wrt else "", part, 4, "formula")
    lines += [(Span(f"{mark} {report.verdict}", role),)]
    for sentence in report.explanation:
        lines += wrapped(sentence, 2, "words")
    if report.products:
        lines += [
            EMPTY,
            (
                Span(
                    "as written, product by product" if report.wrt else "statement by statement",
                    "heading",
                ),
            ),
        ]
        lines += _table(report.products)
    if report.changes:
        lines += [EMPTY, (Span("what to change", "heading"),)]
        for number, change in enumerate(report.changes, 1):
            lines += _change(number, change)
    if report.repaired:
        lines += [EMPTY, (Span("repaired", "heading"),)]
        if report.wrt:
            lines += _formula("  − ", report.formula, 6, "bad")
            lines += _formula("  + ", report.repaired, 6, "good")
        lines += _table(report.steps)
    if report.derived:
        lines += [
            EMPTY,
            (Span("the derived gradient" if report.derivation else "as derived", "heading"),),
        ]
        lines += _formula(f"  {name} = ", report.derived, 6, "formula")
        for step, reason in report.derivation:
            lines += _table((step,))
            lines += wrapped(reason, 8, "reason")
    if report.index:
        lines += [EMPTY, (Span("as derived", "heading"),)]
        lines += _formula("  ", report.index, 6, "formula")
    return lines


def _formula(head: str, text: str, indent: int, role: Any) -> list[Line]:
    return [(Span(line, role),) for line in broken(head, text, indent)]


def _table(rows: tuple[Product, ...]) -> Iterator[Line]:
    for row in rows:
        if COLUMN + len(row.shapes) > WIDTH:
            yield (Span(f"    {row.text}", "formula"),)
            yield from wrapped(row.shapes.replace(")(", ") ("), 8, "shape")
            continue
        *above, last = broken("    ", row.text, 8)
        yield from ((Span(line, "formula"),) for line in above)
        means = f" = {row.means}" if row.means else ""
        column = max(COLUMN, len(last) + 2)
        if column + len(row.shapes) + len(means) > WIDTH and row.shapes:
            yield (Span(last, "formula"),)
            last, column = "", COLUMN
        line: Line = (Span(last, "formula"), Span(" " * (column - len(last)), "words"))
        line = (*line, Span(row.shapes, "shape"), Span(means, "good"))
        yield line if row.shapes or means else (Span(last, "formula"),)
        yield from wrapped(f"✗ {row.trouble}" if row.trouble else "", 8, "bad")


def _change(number: int, change: Change) -> list[Line]:
    match change.before, change.after:
        case "", after:
            text = f"missing: {after}"
        case before, "":
            text = f"too much: {before}"
        case before, after:
            text = f"{before}  →  {after}"
    lines = _formula(f"  {number}. ", text, 7, "formula")
    return [*lines, *wrapped(change.reason, 7, "reason")]
