"""What the doctor says: a verdict for the whole, one for each tensor, and what was found."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from backpass.doctor.catalogue import KEY, alike, numbered
from backpass.reading.lines import filled

Verdict = Literal[
    "correct",
    "correct up to a scale",
    "correct for another loss",
    "correct in the other layout",
    "bug",
    "unknown",
]
WIDTH = 80


@dataclass(frozen=True, slots=True)
class Tensor:
    """One trained array: `scale` is what its update is times the gradient, None if it is none."""

    name: str  # W1
    path: str  # self.W[0]
    shape: tuple[int, ...]
    verdict: Verdict
    scale: float | None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know: a mistake, or where code and its loss disagree.

    `bug` is the number in the catalogue of known mistakes, None for what is not in it; `also`
    are those that would make the same numbers on this network.
    """

    bug: int | None
    name: str
    tensor: str
    line: int | None
    source: str
    explanation: str
    fix: str
    accuses: bool = True
    tensors: tuple[str, ...] = ()
    also: tuple[int, ...] = ()
    file: str = ""
    repaired: str = ""  # the line as it should be, in the user's own names
    recheck: str = ""  # what came out with it


@dataclass(frozen=True, slots=True)
class Report:
    """A verdict on somebody's gradients; print it to read it."""

    verdict: Verdict
    tensors: tuple[Tensor, ...]
    findings: tuple[Finding, ...]
    subject: str  # what was examined
    network: str
    loss: str
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The same as plain data: numbers, texts, lists and dicts."""
        return json.loads(json.dumps(asdict(self)))

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def _lines(report: Report) -> Iterator[str]:
    yield from filled(f"{report.subject}: {report.verdict}")
    yield ""
    for sentence in (report.network, report.loss):
        if sentence:
            yield from filled(sentence, "  ")
    if report.tensors:
        yield ""
        yield from _table(report.tensors)
    for number, finding in enumerate(report.findings, 1):
        yield ""
        yield from _finding(finding, number if len(report.findings) > 1 else None, report)
    refers = any(one.accuses and one.bug is not None for one in report.findings)
    for note in (*report.notes, *([KEY] if refers else [])):
        yield ""
        yield from filled(note, "  ")


def _table(tensors: tuple[Tensor, ...]) -> Iterator[str]:
    names = max(len(one.name) for one in tensors)
    paths = max(len(one.path) for one in tensors)
    shapes = max(len(_shape(one.shape)) for one in tensors)
    for one in tensors:
        scale = _scaled(one)
        yield (
            f"  {_MARKS[one.verdict]} {one.name:<{names}}  {one.path:<{paths}}  "
            f"{_shape(one.shape):<{shapes}}  {one.verdict}{scale}"
        )


_MARKS: dict[Verdict, str] = {
    "correct": "✓",
    "correct up to a scale": "✓",
    "correct for another loss": "✓",
    "correct in the other layout": "✓",
    "bug": "✗",
    "unknown": "?",
}


def _scaled(one: Tensor) -> str:
    if one.scale is None or one.verdict == "unknown":
        return ""
    if one.rate is None:
        return ""
    return f", {one.rate * one.scale:.4g} × gradient"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "number"


def _finding(one: Finding, number: int | None, report: Report) -> Iterator[str]:
    head = "" if number is None else f"{number}. "
    title = numbered(one.name, one.bug if one.accuses else None)
    tensors = one.tensors or (one.tensor,)
    all_ = len(tensors) == len(report.tensors) > 1
    where = [f"line {one.line}"] if one.line else []
    where += ["all updates"] if all_ else [", ".join(tensors)] if any(tensors) else []
    yield from filled(f"{head}{', '.join(where)}: {title}" if where else f"{head}{title}", "  ")
    if one.source:
        yield f"      {textwrap.shorten(one.source, WIDTH - 6, placeholder=' …')}"
    yield from filled(one.explanation, "    ")
    if one.fix:
        yield from filled(f"should be: {one.fix}" if one.accuses else one.fix, "    ")
    if one.repaired:
        yield "    repaired:"
        for place, line in enumerate(textwrap.wrap(one.repaired, WIDTH - 8)):
            yield f"{' ' * (8 if place else 6)}{line}"
    if one.recheck:
        yield from filled(one.recheck, "    ")
    if one.also:
        yield from filled(alike(one.also), "    ")
