"""What is said of printed numbers: beside each, what the right program gives, and the one found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from backpass.doctor.catalogue import KEY, alike, numbered
from backpass.doctor.report import Finding, Verdict
from backpass.reading.lines import EMPTY, Line, Role, Span, joined, wrapped
from backpass.reading.plural import many


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed number, with what correct backpropagation gives and what the program found does.

    Texts have as many digits as were printed; `found` is None when no program was found.
    """

    steps: int
    entry: str  # A2[0]
    printed: str
    correct: str
    found: str | None
    agrees: bool  # with correct backpropagation


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """Which program printed the numbers; print it to read it."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    numbers: tuple[Printed, ...]
    network: str
    tried: int  # programs, the right one included
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether the right program prints the numbers, perhaps up to a scale or another loss."""
        return self.verdict.startswith("correct")

    def to_json(self) -> dict[str, Any]:
        """The same as plain data: numbers, texts, lists and dicts."""
        return json.loads(json.dumps(asdict(self)))

    def __str__(self) -> str:
        return joined(report_lines(self))


def report_lines(report: PrintedReport) -> list[Line]:
    """The report at 80 columns, in pieces that know what they are."""
    role: Role = "bad" if report.verdict == "bug" else "good" if report else "words"
    lines: list[Line] = [(Span(f"the printed numbers: {report.verdict}", role),), EMPTY]
    lines += wrapped(report.network, 2, "words")
    lines += [EMPTY, *_table(report)]
    for one in report.findings:
        title = numbered(one.name, one.bug)
        lines += [EMPTY, *wrapped(f"{', '.join(one.tensors)}: {title}", 2, "words")]
        lines += wrapped(one.explanation, 4, "words")
        lines += wrapped(f"should be: {one.fix}", 4, "words") if one.fix else []
        if one.also:
            lines += wrapped(alike(one.also), 4, "words")
    refers = any(one.bug is not None for one in report.findings)
    for note in (*report.notes, *([KEY] if refers else [])):
        lines += [EMPTY, *wrapped(note, 2, "words")]
    return lines


def _table(report: PrintedReport) -> Iterator[Line]:
    has = any(one.found is not None for one in report.numbers)
    titles = ["printed", "correct", *(["this program"] if has else [])]
    names = max(len(one.entry) for one in report.numbers) + 2
    rows = [[one.printed, one.correct, *([one.found or ""] if has else [])]
            for one in report.numbers]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    yield (Span(" " * (names + 7) + _cells(titles, widths), "heading"),)
    steps = -1
    for one, row in zip(report.numbers, rows, strict=True):
        if one.steps != steps:
            steps = one.steps
            yield (Span(f"  {_after(steps)}", "words"),)
        role: Role = "good" if one.agrees else "bad"
        mark = "✓" if one.agrees else "✗"
        text = f"{one.entry:<{names}} {_cells(row, widths)}"
        yield (Span("    ", "words"), Span(mark, role), Span(f" {text}".rstrip(), "words"))


def _cells(texts: list[str], widths: list[int]) -> str:
    cells = zip(texts, widths, strict=True)
    return "  ".join(f"{text:>{width}}" for text, width in cells).rstrip()


def _after(steps: int) -> str:
    return f"after {many(steps, 'step')}" if steps else "before the first step"
