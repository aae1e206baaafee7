"""`backpass train`: a table, the network that it gets, its training, and what it is worth."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from backpass.language.errors import BackpassError
from backpass.nn.exam import Exam, examine
from backpass.nn.files import check_writable
from backpass.nn.history import History, curve
from backpass.nn.model import load_model
from backpass.nn.optimizers import FullBatch
from backpass.nn.recipe import Job, Recipe, prepare
from backpass.nn.report import Report, write_report
from backpass.nn.tables.data_file import read_data
from backpass.nn.target import amount
from backpass.nn.verdict import Verdict, verdict
from backpass.reading.lines import Line, Span, wrapped
from backpass.terminal.confusion import confusion_lines
from backpass.terminal.page import Page


@dataclass(frozen=True)
class Files:
    """What is read and what is written."""

    data: Path
    output: Path
    labels: Path | None = None
    report: Path | None = None
    checkpoint: Path | None = None
    every: int = 1
    resume: bool = False
    log: Path | None = None

    def check(self) -> None:
        """Refuse, before any work, what cannot be written and what would be lost."""
        sources = {path.resolve() for path in (self.data, self.labels) if path is not None}
        written = {
            "model": self.output, "report": self.report, "checkpoint": self.checkpoint,
            "log": self.log,
        }  # fmt: skip
        taken: dict[Path, str] = {}
        for what, path in written.items():
            if path is None:
                continue
            place = path.resolve()
            if place in sources:
                raise BackpassError(f"{path} holds the data; write to another file")
            if place in taken:
                raise BackpassError(f"{path} cannot be both the {taken[place]} and the {what}")
            taken[place] = what
            check_writable(path)
        if self.resume and self.checkpoint is None:
            raise BackpassError("--resume needs the file to go on from; give --checkpoint FILE")
        if self.output.exists() and self.output.stat().st_size:
            try:
                load_model(self.output)
            except BackpassError:
                raise BackpassError(
                    f"{self.output} is there and is no model of a table; remove it, or give "
                    "another --output"
                ) from None


@dataclass(frozen=True)
class Trained:
    """What came out."""

    job: Job
    history: History
    exam: Exam
    verdict: Verdict
    files: Files
    warned: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        net = self.job.model.network
        return {
            "decided": list(self.job.decided),
            "task": self.job.model.target.task,
            "features": [one.name for one in self.job.model.features],
            "classes": list(self.job.model.target.classes),
            "network": str(net),
            "epochs": self.job.epochs,
            "batch_size": self.job.batch_size,
            "history": self.history.to_json(),
            "held_out": self.job.held_out,
            "exam": self.exam.to_json(),
            **self.verdict.to_json(),
            "warnings": list(self.warned),
            "output": str(self.files.output),
            "report": None if self.files.report is None else str(self.files.report),
        }


def train(
    console: Console,
    files: Files,
    target: str | None,
    header: bool | None,
    recipe: Recipe,
    derivation: bool = True,
) -> Trained:
    """Do the whole job, and show it."""
    page = Page(console)
    files.check()
    job = prepare(read_data(files.data, target, files.labels, header), recipe)
    net = job.model.network
    page.heading(files.data.name)
    page.write([line for one in _sentences(job) for line in wrapped(one, 0, "words")])

    page.heading("The network")
    steps = f"{job.epochs} {'epoch' if job.epochs == 1 else 'epochs'}"
    if not isinstance(net.optimizer, FullBatch):
        steps += f" in batches of {job.batch_size}"
    page.words(f"{net}; {steps}")
    if derivation:
        page.derivation(net.derivation())

    page.heading("Training")
    if console.is_terminal:
        console.print()  # above the bar, which is drawn on the error stream
    history, warned = _fitted(job, files, progress=not console.quiet)
    job.model.save(files.output)  # before anything else can go wrong
    page.write([(Span(f"loss  {curve(history.loss)}  in {history.seconds:.2f} s", "words"),)])
    if history.ended:
        back = f"; the weights are those of epoch {history.restored}" if history.restored else ""
        page.words(f"It ended early: {history.ended}{back}.")
    for sentence in warned:
        page.words(sentence, "bad")

    exam = examine(net, job.X_held, job.y_held)
    found = verdict(job, exam)
    page.heading("What it is worth")
    page.words(worth(job, exam, found), "good" if better(found) else "bad")
    if exam.confusion is not None:
        page.write(confusion_lines(exam.confusion, job.model.target.classes))

    if files.report is not None:
        write_report(
            files.report,
            Report(
                title=f"{job.model.target.name} of {files.data.name}",
                net=net,
                history=history,
                exam=exam,
                about=" ".join(_sentences(job)),
                check=net.derivation().check(times=1),
                pictures=job.pictures,
                classes=job.model.target.classes,
                samples=job.held,
                target=job.model.target,
            ),
        )
    kept = f"The model is kept in {files.output}"
    page.words(f"{kept}, the report in {files.report}." if files.report else f"{kept}.")
    page.heading("What to try next")
    page.write(_next(files))
    return Trained(job, history, exam, found, files, warned)


def _as_options(said: str) -> str:
    """What a sentence tells a Python program to do, for who types options."""
    return said.replace("resume=True", "--resume")


def _fitted(job: Job, files: Files, progress: bool) -> tuple[History, list[str]]:
    """The history and what was warned of; BackpassError where it broke or was broken off."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", RuntimeWarning)
        try:
            history = job.train(
                progress, checkpoint=files.checkpoint, every=files.every, resume=files.resume,
                log=files.log,
            )  # fmt: skip
        except KeyboardInterrupt as error:
            kept = "nothing is kept; --checkpoint FILE would keep it, for --resume to go on from"
            told = kept if files.checkpoint is None else "; ".join(error.__notes__)
            raise BackpassError(f"interrupted: {_as_options(told)}") from None
        except BackpassError as error:
            if files.checkpoint is None:
                raise
            raise BackpassError(_as_options(str(error))) from error
    if history.stopped:
        raise BackpassError(history.stopped)
    return history, [str(one.message) for one in caught if one.category is RuntimeWarning]


def worth(job: Job, exam: Exam, found: Verdict) -> str:
    """The score in words, and beside it what needs no features at all."""
    whose = "held-out" if job.held_out else "training"
    nothing = "" if better(found) else " What it has learnt does not help."
    samples = f"{len(exam):,} {whose} {'sample' if len(exam) == 1 else 'samples'}"
    if found.error is None:
        return (
            f"{found.score:.1%} of the {samples} are right. To say {found.always} every time, the "
            f"most frequent class, would be right for {found.baseline:.1%}.{nothing}"
        )
    return (
        f"It is off by {amount(found.error)} in the root mean square over the {samples}; to say "
        f"{found.always} every time, the mean, would be off by {amount(found.baseline)}. R² is "
        f"{found.score:.3f}.{nothing}"
    )


def better(found: Verdict) -> bool:
    """Whether the features were worth anything."""
    if found.error is None:
        return found.score > found.baseline
    return found.error < found.baseline


def _sentences(job: Job) -> list[str]:
    return [f"{one[0].upper()}{one[1:]}." for one in job.decided]


def _next(files: Files) -> list[Line]:
    """Where to go from here."""
    model = shlex.quote(str(files.output))
    ways = {f"backpass predict {model} new.csv": "what it says of others"}
    if files.report is None:
        ways["--report report.html"] = "all this as a page"
    ways["--layers 64,32 --activation relu"] = "another network"
    width = max(map(len, ways))
    return [(Span(f"{way:{width}}  ", "name"), Span(why, "words")) for way, why in ways.items()]
