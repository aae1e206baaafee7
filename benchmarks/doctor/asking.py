"""Put one program to `annotate` and to `doctor`, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import backpass as bp
from benchmarks.doctor import corpus
from benchmarks.doctor.marked import Variation


@dataclass(frozen=True, slots=True)
class Named:
    """One finding of a report."""

    number: int | None
    accuses: bool
    tensors: frozenset[str]
    line: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a program, or how the saying of it failed."""

    verdict: str
    findings: tuple[Named, ...] = ()
    share: float | None = None  # of the array sub-expressions that annotate names
    failure: str = ""
    unread: str = ""  # why annotate has no share
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """A program, and whether it is to be annotated too."""

    variation: Variation
    text: str
    annotate: bool


def asked(question: Question) -> Answer:
    """The answer, whatever happens."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        share, unread = read(question, Path(folder)) if question.annotate else (None, "")
        begun = time.perf_counter()
        try:
            loaded = corpus.load(question.variation, question.text, Path(folder), "examined")
            report = bp.doctor(loaded.call, *loaded.args)
        except Exception as error:
            return Answer("failed", share=share, failure=sentence(error), unread=unread)
        names = {one.path: one.name for one in report.tensors}
        findings = tuple(
            Named(
                one.bug,
                one.accuses,
                frozenset(names.get(path, path) for path in (one.tensor, *one.tensors) if path),
                one.line,
            )
            for one in report.findings
        )
        spent = time.perf_counter() - begun
        return Answer(report.verdict, findings, share, unread=unread, seconds=spent)


def read(question: Question, folder: Path) -> tuple[float | None, str]:
    """The share of named sub-expressions, or why there is none."""
    try:
        loaded = corpus.load(question.variation, question.text, folder, "annotated")
        return float(bp.annotate(loaded.call, *loaded.args).share), ""
    except Exception as error:
        return None, sentence(error)


def sentence(error: Exception) -> str:
    """The first line of an error, short enough for a table."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:160]
