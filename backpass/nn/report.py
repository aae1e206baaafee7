"""A trained network as one page: its passes, how it learnt, its weights, and what it gets wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.checking.report import Check, power
from backpass.language.errors import ShapeError
from backpass.nn.exam import Exam
from backpass.nn.files import write_whole
from backpass.nn.history import History
from backpass.nn.judge import mistakes
from backpass.nn.network import Network
from backpass.nn.pictures import drawing, ink, scatter, signed, strength
from backpass.reading.html import derivation_html, type_of, words_html
from backpass.reading.page import page
from backpass.reading.presentation import Name

Array = NDArray[Any]

MARK = '<meta name="generator" content="backpass">'
UNITS = 64  # of the first layer, drawn
MISREAD = 12  # samples, shown
CLASSES = 20  # in a table of who was taken for whom; beyond it the most frequent mistakes


@dataclass(frozen=True)
class Report:
    """Everything that the page says.

    `exam` is what came out on the held-out samples. `pictures` are these samples as (n, height,
    width) ink between 0 and 1, where they are pictures: then weights and mistakes are drawn.
    `classes` are the names of the classes, which are numbered without. `check` says whether the
    gradient is right.
    """

    title: str
    net: Network
    history: History
    exam: Exam
    about: str = ""
    check: Check | None = None
    pictures: Array | None = None
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.pictures is None:
            return
        wanted = (len(self.exam), self.net.architecture.inputs)
        found = self.pictures.shape
        if len(found) != 3 or (found[0], found[1] * found[2]) != wanted:
            raise ShapeError(
                f"pictures are {'×'.join(map(str, found))}; give (n, height, width) for "
                f"{wanted[0]} samples with {wanted[1]} inputs"
            )

    def called(self, number: int) -> str:
        """The name of a class."""
        return str(self.classes[number]) if self.classes else str(number)


def write_report(path: str | Path, report: Report) -> None:
    """Write the page, a single file that loads nothing; whole, or not at all.

    Raises BackpassError where it cannot be written.
    """
    write_whole(path, report_html(report))


def is_report(path: str | Path) -> bool:
    """Whether a file is such a page, so that a new one may take its place."""
    with Path(path).open("rb") as file:
        return MARK.encode() in file.read(1000)


def report_html(report: Report) -> str:
    """The page as text."""
    parts = (_head, _passes, _training, _weights, _units, _answers)
    body = "".join(line + "\n" for part in parts for line in part(report))
    return page(report.title, body).replace("<head>", f"<head>\n{MARK}", 1)


def _head(report: Report) -> Iterator[str]:
    yield f"<header><h1>{escape(report.title)}</h1>"
    if report.about:
        yield f'<p class="lead">{escape(report.about)}</p>'
    facts = "".join(
        f"<div><dt>{escape(words)}</dt><dd>{escape(number)}</dd></div>"
        for number, words in _facts(report)
    )
    yield f'<dl class="facts">{facts}</dl></header>'


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    exam, history = report.exam, report.history
    if exam.actual is None:
        yield f"{exam.score:.3f}", f"R² on {_many(len(exam), 'held-out sample')}"
    else:
        yield f"{exam.score:.1%}", f"of {_many(len(exam), 'held-out sample')} read right"
        yield f"{len(exam.misread):,}", "misread"
    yield (
        f"{sum(one.size for one in report.net.weights.values()):,}",
        "weights, each with its slope",
    )
    yield f"{history.seconds:.2f} s", f"for {_many(len(history), 'epoch')} of training"


def _passes(report: Report) -> Iterator[str]:
    derivation = report.net.derivation()
    yield f'<p class="network">{escape(str(report.net))}</p>'
    yield derivation_html(derivation.passes)
    if report.check is not None:
        check = report.check
        verdict = (
            f"All {len(check.gradients)} gradients agree with central differences."
            if check
            else " ".join(f"{one}." for one in check.failures)
        )
        kind = "good" if check else "bad"
        yield f'<p class="{kind}">{escape(verdict)}</p>'


def _training(report: Report) -> Iterator[str]:
    history = report.history
    yield "<section><h2>Training</h2>"
    if history.stopped:
        yield f'<p class="bad">{escape(history.stopped)}</p>'
    if len(history):
        first, last = history.loss[0], history.loss[-1]
        yield (
            f"<p>In {_many(len(history), 'epoch')} the loss went from {first:.4g} to {last:.4g}. "
            "It is that of the batches as they were met, before each update.</p>"
        )
        yield '<div class="curves">'
        for name in history.curves:
            yield _figure(drawing(history.plot(name), f"{name} of every epoch"), f"{name} by epoch")
        yield "</div>"
    yield "</section>"


# ── weights ──────────────────────────────────────────────────────────────────────────────────


def _weights(report: Report) -> Iterator[str]:
    net, exam = report.net, report.exam
    type = type_of(net.derivation().passes)
    agreements = {one.name: one for one in (report.check.gradients if report.check else ())}
    heads = ["weight", "its values", "its gradient", "norm", "norm of the gradient"]
    heads += ["agrees with differences to"] if agreements else []
    yield "<section><h2>Every weight, and its gradient beside it</h2>"
    yield (
        f"<p>The gradient is that of the loss on the {len(exam)} held-out samples, "
        f"{exam.loss:.4g}, after training. Blue is above zero, orange below; in each picture the "
        "largest magnitudes are opaque.</p>"
    )
    yield '<div class="wide"><table class="weights">'
    yield _heads(heads)
    for name, values in net.weights.items():
        gradient = exam.gradients[name]
        shape = "×".join(map(str, values.shape))
        cells = [
            f'<th scope="row">{words_html((Name(name),), type)} <small>{shape}</small></th>',
            *(f"<td>{_heat(one, f'{what} of {name}')}</td>"
              for one, what in ((values, "values"), (gradient, "gradient"))),
            *(f'<td class="number">{np.linalg.norm(one):.3g}</td>' for one in (values, gradient)),
        ]  # fmt: skip
        if agreements:
            one = agreements.get(f"d{name}")
            cells.append(f'<td class="number">{power(one.error) if one else ""}</td>')
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</table></div></section>"


def _units(report: Report) -> Iterator[str]:
    """The units of the first layer, as they look at a picture."""
    if report.pictures is None:
        return
    net = report.net
    sides = report.pictures.shape[1:]
    values, slopes = (
        _per_unit(net, one) for one in (net.weights["W1"], report.exam.gradients["W1"])
    )
    order, said = _order(net)
    limits = strength(values[order]), strength(slopes[order])
    yield "<section><h2>What the first layer looks for</h2>"
    yield (
        f"<p>{said} On the left of each pair its weights, laid out as the pixels that they weigh: "
        "ink on blue speaks for the unit, ink on orange against it. On the right the gradient of "
        "the same weights: a step of training goes against it.</p>"
    )
    yield '<div class="units">'
    one_layer = len(net.architecture.layers) == 1 and report.exam.actual is not None
    for unit in order.tolist():
        name = report.called(unit) if one_layer else str(unit)
        pair = "".join(
            _image(signed(one[unit].reshape(sides), limit), f"{what} of unit {name}")
            for one, limit, what in zip(
                (values, slopes), limits, ("weights", "gradient"), strict=True
            )
        )
        yield f"<figure>{pair}<figcaption>{escape(name)}</figcaption></figure>"
    yield "</div></section>"


def _per_unit(net: Network, W: Array) -> Array:
    """A row of incoming weights for each unit, the bias left out."""
    plan = net.architecture
    return (W.T if plan.convention == "rows" else W)[:, : plan.inputs]


def _order(net: Network) -> tuple[NDArray[np.int64], str]:
    """The units to draw, and why these in this order."""
    units = net.architecture.layers[0].units
    if len(net.architecture.layers) == 1:
        return np.arange(min(units, UNITS)), "Each unit is an output."
    rows = net.architecture.convention == "rows"
    outgoing = net.weights["W2"] if rows else net.weights["W2"].T
    heard = np.linalg.norm(outgoing[:units], axis=1)
    which = "units" if units <= UNITS else f"{UNITS} of {units} units"
    said = f"The {which} of the first layer, the ones that the next layer heeds most first."
    return np.argsort(-heard, kind="stable")[:UNITS], said


# ── answers ──────────────────────────────────────────────────────────────────────────────────


def _answers(report: Report) -> Iterator[str]:
    exam = report.exam
    table = exam.confusion
    if table is None:
        figure = scatter(exam.targets, exam.outputs)
        yield "<section><h2>What it answers</h2>"
        yield _figure(drawing(figure, "outputs beside targets"), "outputs beside targets")
        yield "</section>"
        return
    yield "<section><h2>What it misreads</h2>"
    if not exam.misread:
        yield f"<p>None of the {len(exam)} held-out samples.</p>"
    if len(table) <= CLASSES:
        yield from _confusion(report, table)
    elif exam.misread:
        yield from _frequent(report, table)
    if exam.misread:
        yield from _pictured(report)
    yield "</section>"


def _confusion(report: Report, table: Array) -> Iterator[str]:
    names = [escape(report.called(number)) for number in range(len(table))]
    yield "<p>A row for what a sample is, a column for what it was taken for.</p>"
    yield '<div class="wide"><table class="confusion">'
    yield _heads(["", *names])
    for actual, (name, row) in enumerate(zip(names, table.tolist(), strict=True)):
        kinds = ("right" if taken == actual else "wrong" for taken in range(len(row)))
        cells = "".join(
            f'<td class="{kind}">{count}</td>' if count else "<td></td>"
            for kind, count in zip(kinds, row, strict=True)
        )
        yield f'<tr><th scope="row">{name}</th>{cells}</tr>'
    yield "</table></div>"


def _frequent(report: Report, table: Array) -> Iterator[str]:
    yield "<p>The most frequent mistakes:</p><ul>"
    for actual, taken, count in mistakes(table)[:CLASSES]:
        was, read = (escape(report.called(one)) for one in (actual, taken))
        yield f"<li>{count} × {was}, taken for {read}</li>"
    yield "</ul>"


def _pictured(report: Report) -> Iterator[str]:
    exam = report.exam
    some = exam.misread[:MISREAD]
    surest = ", the surest mistakes first" if exam.certainty is not None else ""
    if len(some) < len(exam.misread):
        yield f"<p>{len(some)} of the {len(exam.misread)}{surest}:</p>"
    yield '<div class="mistakes">'
    for place in some:
        assert exam.actual is not None
        assert exam.taken is not None
        actual, taken = (report.called(int(one[place])) for one in (exam.actual, exam.taken))
        sure = f"{exam.certainty[place]:.0%} sure" if exam.certainty is not None else ""
        what = f"sample {place}"
        shown = what if report.pictures is None else _image(
            ink(report.pictures[place]), f"{what}, {actual} taken for {taken}", "ink"
        )  # fmt: skip
        said = " ".join(filter(None, (f"<b>{escape(actual)}</b>, read as <b>{escape(taken)}</b>",)))
        yield f"<figure>{shown}<figcaption>{said}<br><small>{sure}</small></figcaption></figure>"
    yield "</div>"


# ── pieces ───────────────────────────────────────────────────────────────────────────────────


def _heads(words: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{word}</th>' for word in words)
    return f"<thead><tr>{cells}</tr></thead>"


def _heat(values: Array, alt: str) -> str:
    return _image(signed(values, strength(values)), alt)


def _image(data: str, alt: str, kind: str = "signed") -> str:
    return f'<img class="{kind}" src="{data}" alt="{escape(alt)}">'


def _figure(inside: str, caption: str) -> str:
    return f"<figure>{inside}<figcaption>{escape(caption)}</figcaption></figure>"


def _many(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
