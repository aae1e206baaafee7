"""The main job, in a few seconds: derive, check and train a network that reads digits."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from time import perf_counter
from typing import Any

from rich.console import Console

import backpass as bp
from backpass.checking.report import check_lines
from backpass.language.errors import BackpassError
from backpass.nn.data import load_digits, split
from backpass.nn.exam import Exam, examine
from backpass.nn.files import check_writable
from backpass.nn.report import Report, is_report, write_report
from backpass.reading.lines import WIDTH, Line, Span
from backpass.terminal.confusion import confusion_lines
from backpass.terminal.page import Page

# ── what is shown is what runs ───────────────────────────────────────────────────────────────

HIDDEN, RATE, EPOCHS, BATCH = 40, 0.5, 30, 8

NETWORK = f"""\
net = bp.Network([bp.Dense({HIDDEN}, "tanh"), bp.Dense(10)], inputs=64,
                 loss="cross_entropy", optimizer=bp.SGD({RATE}))
d = net.derivation()
print(d)"""

TRAINING = f"""\
history = net.fit(X, y, epochs={EPOCHS}, batch_size={BATCH}, backend="compiled")
print(history)"""


def network() -> bp.Network:
    """The network of the first lines."""
    layers = [bp.Dense(HIDDEN, "tanh"), bp.Dense(10)]
    return bp.Network(layers, inputs=64, loss="cross_entropy", optimizer=bp.SGD(RATE))


# ── the show ─────────────────────────────────────────────────────────────────────────────────

TITLE = "A network that reads handwriting"
REPORT = "report.html"
MISREAD = 7  # pictures that fit side by side
EXAMPLE, CALCULUS = "examples/digits.py", "backpass/calculus/"  # not there once it is installed


@dataclass(frozen=True)
class Result:
    """What the demo found out."""

    exam: Exam  # on the pictures that were held out
    check: bp.Check
    seconds: dict[str, float]
    report: str

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "accuracy": self.exam.score,
            "held_out": len(self.exam),
            "confusion": self.exam.to_json()["confusion"],
            "check": self.check.to_json(),
            "seconds": self.seconds,
            "report": self.report,
        }


def run(console: Console, output: str | None = None, *, progress: bool = True) -> Result:
    """Do the whole job, show it, and write the report to `output`.

    Raises BackpassError at once where it cannot be written, and where nobody chose its name and
    another file has it.
    """
    report = output or REPORT
    check_writable(report)
    if output is None and Path(report).exists() and not is_report(report):
        raise BackpassError(
            f"{report} is there already, and no report of backpass; choose another name with "
            "--output"
        )
    page = Page(console)
    seconds: dict[str, float] = {}
    images, digits = load_digits()
    (X, y), (X_held, y_held) = split(images, digits)

    page.heading(TITLE)
    page.pictures([images[digits == digit][0] for digit in (1, 7, 9, 7)])
    page.words(
        f"{len(digits):,} digits like these, 8×8 pixels each. A network with {HIDDEN} hidden units "
        f"learns to read them from {len(y):,}; the other {len(y_held)} are held out, to see "
        "whether it can. Its forward pass is four lines; the backward pass below them was derived "
        "from these, and is what trains it:"
    )
    page.code(NETWORK)
    with _timed(seconds, "derived"):
        net = network()
        d = net.derivation()
    page.derivation(d)

    page.heading("Is it right?")
    page.code("print(d.check())")
    with _timed(seconds, "checked"):
        check = d.check()
    page.write(check_lines(check))

    page.heading("Does it learn?")
    page.code(TRAINING)
    if progress and console.is_terminal:
        console.print()  # the bar comes next
    with _timed(seconds, "trained"):
        history = net.fit(
            X, y, epochs=EPOCHS, batch_size=BATCH, backend="compiled", progress=progress
        )
    page.write([(Span(line, "formula"),) for line in str(history).split("\n")])
    page.words("Machine code is made once for a network like this, and kept for the next time.")

    page.heading("Can it read what it has never seen?")
    exam = examine(net, X_held, y_held)
    page.words(f"{exam.score:.1%} of the {len(exam)} that were held out.", "good")
    assert exam.confusion is not None
    page.words("A row for what each is, a column for what it was taken for:")
    page.write(confusion_lines(exam.confusion))
    page.words(_misread(exam))
    assert exam.actual is not None
    assert exam.taken is not None
    some = exam.misread[:MISREAD]
    captions = [f"{exam.taken[i]}, not {exam.actual[i]}" for i in some]
    page.pictures(X_held[some], captions)

    about = (
        f"{len(digits):,} handwritten digits, 8×8 pixels each: {len(y):,} to learn from, and "
        f"{len(y_held)} held out to see whether it can read."
    )
    pictures = X_held.reshape(-1, 8, 8)
    with _timed(seconds, "reported"):
        write_report(report, Report(TITLE, net, history, exam, about, check, pictures))

    page.heading("What to try next")
    page.write(_next(report))
    took = ", ".join(f"{done} in {time:.2f} s" for done, time in seconds.items())
    page.words(f"{took.capitalize()}.", "reason")
    return Result(exam, check, seconds, report)


def _misread(exam: Exam) -> str:
    count = len(exam.misread)
    if not count:
        return "It misread none of them."
    if count == 1:
        return "It misread one of them:"
    which = f"; these {MISREAD} with the most confidence" if count > MISREAD else ""
    return f"It misread {count} of them{which}:"


def _next(report: str) -> list[Line]:
    """Where to go from here, under names that work where this was typed."""
    called = sys.argv[0] if Path(sys.argv[0]).name == "backpass" else ""
    command = called if called and not which("backpass") else "backpass"
    ways = {
        report: "all of this as a page, to look at and to send",
        'print(d.why("W1"))': "why a line of the derivation is as it is",
        EXAMPLE: "a forward pass of your own, in forty lines",
        f"{command} train --help": "train such a network on a table of yours",
        f"{command} derive --help": "derive a formula, or a function of yours",
        CALCULUS: "the whole calculus, to read",
        "help(bp.derive)": "the same in Python",
    }
    elsewhere = () if Path(EXAMPLE).exists() else (EXAMPLE, CALCULUS)
    for way in elsewhere or ("help(bp.derive)",):
        del ways[way]
    lines: list[Line] = []
    width = max(len(way) for way in ways if len(way) < WIDTH // 2)
    for way, why in ways.items():
        long = len(way) > width  # the path of a report may be anything
        lines += [(Span(way, "name"),)] if long else []
        lines.append((Span(f"{'' if long else way:{width}}  ", "name"), Span(why, "words")))
    return lines


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[name] = perf_counter() - start
