"""`backpass sweep`: networks that differ, their curves in one picture, and which did best."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from backpass.language.errors import BackpassError
from backpass.nn.files import check_writable, write_whole
from backpass.nn.history import curve
from backpass.nn.recipe import Recipe, prepare
from backpass.nn.sweep import SEED, Sweep, Trial, plain, sweep
from backpass.nn.tables.data_file import Data, read_data
from backpass.nn.target import amount
from backpass.reading.lines import WIDTH, Line, Span
from backpass.reading.plural import many
from backpass.terminal.page import Page

SHOWN = 20  # rows of the table
FORMATS = ".png", ".svg", ".pdf"


@dataclass(frozen=True)
class Swept:
    """What came out, and where its picture is."""

    sweep: Sweep
    picture: Path

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {**self.sweep.to_json(), "picture": str(self.picture)}


def run(
    console: Console,
    source: tuple[Path, str | None, Path | None, bool | None],
    recipe: Recipe,
    varied: Mapping[str, Sequence[Any]],
    picture: Path,
) -> Swept:
    """Train them all, show who did best, draw the curves; `read_data` takes what `source` holds."""
    path, target, labels, header = source
    if picture.suffix.lower() not in FORMATS:
        raise BackpassError(f"{picture} is to be a picture; name it .png, .svg or .pdf")
    if picture.resolve() == path.resolve():
        raise BackpassError(f"{picture} holds the data; write to another file")
    check_writable(picture)
    data = read_data(path, target, labels, header)
    page = Page(console)
    page.heading(path.name)
    page.words(_plan(data, recipe, varied))
    count = math.prod(map(len, varied.values()))
    with page.progress(count) as tell:
        found = sweep(data, recipe, varied, lambda trial: tell(_said(trial, varied)))
    page.heading("What came out, the best first")
    page.write(_table(found))
    write_whole(picture, _drawn(found, picture.suffix[1:].lower()))
    page.words(f"All curves are in {picture}.")
    best = found.ranked[0][0]
    if best.broke:
        page.words(f"Every network broke; the first: {best.history.stopped}", "bad")
    else:
        page.heading("What to try next")
        page.write([(Span(_command(source, recipe, best), "name"),)])
    return Swept(found, picture)


def _plan(data: Data, recipe: Recipe, varied: Mapping[str, Sequence[Any]]) -> str:
    """What will be trained, in a sentence."""
    job = prepare(data, recipe)
    count = math.prod(map(len, varied.values()))
    options = "; ".join(
        f"{name} {' '.join(str(plain(one)) for one in values)}" for name, values in varied.items()
    )
    held = (
        f"judged by {many(job.held_out, 'held-out sample')}" if job.held_out else "nothing held out"
    )
    return f"{many(count, 'network')}, {held}: {options}."


def _said(trial: Trial, varied: Mapping[str, Sequence[Any]]) -> str:
    chosen = " ".join(str(plain(trial.chosen[name])) for name in varied)
    return f"{chosen}  {_score(trial)}"


def _score(trial: Trial) -> str:
    found = trial.verdict
    if found is None:
        return "broke"
    return f"{found.score:.1%}" if found.error is None else amount(found.error)


def _table(found: Sweep) -> list[Line]:
    """A row for what differs, with its score, and the curve of its loss."""
    names = [name for name in found.varied if name != SEED]
    judged = next((one.verdict for one in found.trials if one.verdict is not None), None)
    score = "error" if judged is not None and judged.error is not None else "right"
    heads = [*names, score, "last loss"]
    seeds = len(found.varied.get(SEED, (0,)))
    rows = []
    for group in found.ranked[:SHOWN]:
        trial = group[len(group) // 2]
        cells = [str(plain(trial.chosen[name])) for name in names]
        score = _score(trial)
        if seeds > 1:
            score += f" ({_score(group[-1])} to {_score(group[0])})"
        loss = f"{trial.history.loss[-1]:.3g}" if trial.history.loss else "–"
        rows.append((trial, [*cells, score, loss]))
    widths = [max(map(len, column)) for column in zip(heads, *(r for _, r in rows), strict=True)]
    room = max(0, min(24, WIDTH - 4 - sum(widths) - 2 * len(widths)))

    def row(cells: Sequence[str]) -> str:
        return "".join(f"{one:>{width}}  " for one, width in zip(cells, widths, strict=True))

    lines: list[Line] = [(Span(f"    {row(heads)}".rstrip(), "shape"),)]
    for place, (trial, cells) in enumerate(rows):
        drawn = curve(trial.history.loss, room) if room and trial.history.loss else ""
        role = "bad" if trial.broke else "good" if place == 0 else "words"
        lines.append((Span(f"    {row(cells)}", role), Span(drawn, "words")))
    if len(found.ranked) > SHOWN:
        lines.append((Span(f"    and {len(found.ranked) - SHOWN} more", "shape"),))
    if seeds > 1:
        text = f"    The middle one of {seeds} seeds, in brackets the worst and the best."
        lines.append((Span(text, "reason"),))
    return lines


def _drawn(found: Sweep, kind: str) -> bytes:
    """The figure as a file holds it."""
    import io

    to = io.BytesIO()
    found.plot().savefig(to, format=kind, dpi=150)
    return to.getvalue()


def _command(
    source: tuple[Path, str | None, Path | None, bool | None],
    recipe: Recipe,
    best: Trial,
) -> str:
    """How to train the best of them and keep it."""
    path, target, labels, header = source
    words = ["backpass", "train", str(path)]
    words += ["--target", target] if target else []
    words += ["--labels", str(labels)] if labels else []
    words += [] if header is None else ["--header" if header else "--no-header"]
    usual = Recipe()
    for name in ("task", "loss", "epochs", "held_out"):
        if (value := getattr(recipe, name)) != getattr(usual, name):
            words += [_option(name), str(plain(value))]
    words += ["--scale", recipe.scaling] if recipe.scaling else []
    for name in ("ignore", "one_hot"):
        for value in getattr(recipe, name):
            words += [_option(name), value]
    for name, value in best.chosen.items():
        words += [_option(name), str(plain(value))]
    return shlex.join(words)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
