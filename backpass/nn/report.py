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
from backpass.nn.exam import Exam, input_gradients
from backpass.nn.files import write_whole
from backpass.nn.history import History
from backpass.nn.judge import mistakes
from backpass.nn.network import Network
from backpass.nn.pictures import drawing, ink, scatter, signed, strength
from backpass.nn.target import Target, amount
from backpass.reading.html import derivation_html, type_of, words_html
from backpass.reading.page import page
from backpass.reading.plural import many
from backpass.reading.presentation import Name

Array = NDArray[Any]

MARK = '<meta name="generator" content="backpass">'
SAMPLES = 10  # at the top, one of each class
UNITS = 64  # of the first layer, drawn
MISREAD = 12  # samples, shown
CLASSES = 20  # in a table of who was taken for whom; beyond it the most frequent mistakes


@dataclass(frozen=True)
class Report:
    """Everything that the page says.

    `exam` is what came out on the held-out samples. `pictures` are these samples as (n, height,
    width) ink between 0 and 1, where they are pictures: then weights and mistakes are drawn.
    `classes` are the names of the classes and `samples` those of the held-out samples, which are
    numbered without. `check` says whether the gradient is right. `target` tells what numbers were
    scaled by, so that answers can be drawn in their own unit.
    """

    title: str
    net: Network
    history: History
    exam: Exam
    about: str = ""
    check: Check | None = None
    pictures: Array | None = None
    classes: Sequence[str] = ()
    samples: Sequence[str] = ()
    target: Target | None = None

    def __post_init__(self) -> None:
        if self.pictures is None:
            return
        wanted = (len(self.exam), self.net.architecture.inputs)
        found = self.pictures.shape
        if len(found) != 3 or (found[0], found[1] * found[2]) != wanted:
            raise ShapeError(
                f"pictures are {'×'.join(map(str, found))}; give (n, height, width) for "
                f"{many(wanted[0], 'sample')} with {many(wanted[1], 'input')}"
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
    yield f"<header>\n<h1>{escape(report.title)}</h1>"
    if report.about:
        yield f'<p class="lead">{escape(report.about)}</p>'
    yield from _samples(report)
    facts = "".join(
        f"<div><dt>{escape(words)}</dt><dd>{escape(number)}</dd></div>"
        for number, words in _facts(report)
    )
    yield f'<dl class="facts">{facts}</dl>\n</header>'


def _samples(report: Report) -> Iterator[str]:
    """One picture of each class, where samples are pictures, and what it was taken for."""
    exam = report.exam
    if report.pictures is None or exam.actual is None or exam.taken is None:
        return
    _, first = np.unique(exam.actual, return_index=True)
    yield '<div class="pictures samples">'
    for place in first[:SAMPLES].tolist():
        taken = report.called(int(exam.taken[place]))
        picture = _image(ink(report.pictures[place]), f"sample {place}", "ink")
        yield f"<figure>{picture}<figcaption>{escape(taken)}</figcaption></figure>"
    yield "</div>"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    exam, history = report.exam, report.history
    if exam.actual is None:
        yield f"{exam.score:.3f}", f"R² on {many(len(exam), 'held-out sample')}"
    else:
        yield f"{exam.score:.1%}", f"of {many(len(exam), 'held-out sample')} right"
        yield f"{len(exam.misread):,}", "wrong"
    yield f"{sum(one.size for one in report.net.weights.values()):,}", "weights"
    took = history.seconds - history.compiling
    yield f"{took:.2f} s", f"for {many(len(history), 'epoch')} of training"


def _passes(report: Report) -> Iterator[str]:
    net, check = report.net, report.check
    derivation = net.derivation()
    yield f'<p class="network">{escape(str(net))}</p>'
    yield derivation_html(derivation.passes)
    if check is not None:
        yield _verdict(check)
    rules = "\n".join(net.optimizer.lines)
    yield "<h2>Update</h2>\n<p>All weights then take a step, here as it is for a matrix:</p>"
    yield f"<pre>{escape(rules)}</pre>"
    source = escape(derivation.code().rstrip())
    yield '<details class="more"><summary>Both passes as a NumPy program</summary>'
    yield f'<pre tabindex="0">{source}</pre></details>'


def _verdict(check: Check) -> str:
    if not check:
        return "".join(f'<p class="bad">{escape(one)}.</p>' for one in check.failures)
    apart = power(max(one.error for one in check.gradients))
    count = len(check.gradients)
    gradients = f"All {count} gradients agree" if count > 1 else "The gradient agrees"
    return (
        f'<p class="good">{gradients} with central differences, '
        f"to {apart} of their size or closer.</p>"
    )


def _training(report: Report) -> Iterator[str]:
    history = report.history
    yield "<section><h2>Training</h2>"
    if history.stopped:
        yield f'<p class="bad">{escape(history.stopped)}</p>'
    if len(history):
        first, last = history.loss[0], history.loss[-1]
        yield (
            f"<p>In {many(len(history), 'epoch')} the loss went from {first:.4g} to {last:.4g}. "
            f"It is that of the batches as they were met, before each update{_unit(report)}.</p>"
        )
        yield '<div class="curves">'
        for name in history.pictures:
            yield drawing(history.plot(name), f"the {name} of every epoch")
        yield "</div>"
    yield "</section>"


def _unit(report: Report) -> str:
    """In which unit a loss counts numbers that were scaled."""
    target = report.target
    if target is None or target.classes:
        return ""
    return f", of {escape(target.name)} in deviations of {amount(target.deviation)} from its mean"


# ── weights ──────────────────────────────────────────────────────────────────────────────────


def _weights(report: Report) -> Iterator[str]:
    net, exam = report.net, report.exam
    type = type_of(net.derivation().passes)
    yield "<section><h2>Every weight, and its gradient beside it</h2>"
    yield (
        f"<p>After training, on the {many(len(exam), 'held-out sample')}, where the loss is "
        f"{exam.loss:.4g}. Blue is above zero, orange below; the largest magnitudes of each "
        "picture are opaque.</p>"
    )
    yield '<div class="wide"><table class="rows">'
    yield _heads(["weight", "its values", "its gradient"])
    for name, values in net.weights.items():
        shape = "×".join(map(str, values.shape))
        cells = [
            f'<th scope="row">{words_html((Name(name),), type)}<br><small>{shape}</small></th>',
            f"<td>{_heat(values, f'values of {name}')}</td>",
            f"<td>{_heat(exam.gradients[name], f'gradient of {name}')}</td>",
        ]
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
    yield '<div class="pictures pairs">'
    one_layer = len(net.architecture.dense) == 1 and report.exam.actual is not None
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
    units = net.architecture.dense[0].units
    if len(net.architecture.dense) == 1:
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
        yield "<section><h2>What it answers</h2>"
        goal = report.target
        if goal is None or goal.classes:
            figure = scatter(exam.targets, exam.outputs)
        else:
            targets, outputs = (goal.numbers(one)[:, None] for one in (exam.targets, exam.outputs))
            figure = scatter(targets, outputs, goal.name)
        yield drawing(figure, "the output for each target")
        yield "</section>"
        return
    yield "<section><h2>What it gets wrong</h2>"
    if not exam.misread:
        yield f"<p>None of the {many(len(exam), 'held-out sample')}.</p>"
    if len(table) <= CLASSES:
        yield from _confusion(report, table)
    elif exam.misread:
        yield from _frequent(report, table)
    if exam.misread:
        yield from _mistakes(report)
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


def _mistakes(report: Report) -> Iterator[str]:
    """What was got wrong, one by one."""
    exam, pictures = report.exam, report.pictures
    some = exam.misread[:MISREAD]
    surest = ", the surest mistakes first" if exam.certainty is not None else ""
    which = "All" if len(some) == len(exam.misread) else f"{len(some)} of the {len(exam.misread)}"
    said = f"{which} that it got wrong{surest}."
    if pictures is None:
        yield f"<p>{said}</p>"
        yield '<table class="rows">'
        yield _heads(["held-out sample", "is", "taken for", *(["sure"] if surest else [])])
        for place in some:
            cells = "".join(f"<td>{escape(one)}</td>" for one in _mistake(report, place))
            name = escape(report.samples[place]) if report.samples else place
            yield f'<tr><th scope="row">{name}</th>{cells}</tr>'
        yield "</table>"
    else:
        yield (
            f"<p>{said} Beside each the gradient of the loss with respect to its pixels: with more "
            "ink on orange or less on blue, the loss would have been smaller.</p>"
        )
        slopes = input_gradients(report.net, exam, some).reshape(-1, *pictures.shape[1:])
        yield '<div class="pictures pairs large">'
        for place, slope in zip(some, slopes, strict=True):
            actual, taken, *sure = _mistake(report, place)
            pair = _image(ink(pictures[place]), f"sample {place}, a {actual}", "ink")
            pair += _image(signed(slope, strength(slope)), f"gradient of its pixels, {place}")
            words = f"<b>{escape(actual)}</b>, taken for <b>{escape(taken)}</b>"
            caption = "<br>".join([words, *(f"{one} sure" for one in sure)])
            yield f"<figure>{pair}<figcaption>{caption}</figcaption></figure>"
        yield "</div>"


def _mistake(report: Report, place: int) -> list[str]:
    """What a sample is, what it was taken for, and how sure the network was where that is known."""
    exam = report.exam
    assert exam.actual is not None
    assert exam.taken is not None
    names = [report.called(int(one[place])) for one in (exam.actual, exam.taken)]
    return names if exam.certainty is None else [*names, f"{exam.certainty[place]:.1%}"]


# ── pieces ───────────────────────────────────────────────────────────────────────────────────


def _heads(words: Iterable[str]) -> str:
    cells = "".join(f'<th scope="col">{word}</th>' for word in words)
    return f"<thead><tr>{cells}</tr></thead>"


def _heat(values: Array, alt: str) -> str:
    kind = "signed" if values.ndim > 1 else "signed flat"
    norm = f"<figcaption>norm {np.linalg.norm(values):.3g}</figcaption>"
    return f"<figure>{_image(signed(values, strength(values)), alt, kind)}{norm}</figure>"


def _image(data: str, alt: str, kind: str = "signed") -> str:
    return f'<img class="{kind}" src="{data}" alt="{escape(alt)}">'
