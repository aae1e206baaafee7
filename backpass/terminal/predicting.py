"""`backpass predict`: what a model says of a file, as CSV or JSON, and besides how it took it."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backpass.language.errors import BackpassError
from backpass.nn.features import cells, counts_rows
from backpass.nn.files import check_writable, write_whole
from backpass.nn.model import Answers, Model, load_model
from backpass.nn.recipe import few
from backpass.nn.tables.data_file import Data, read_data
from backpass.nn.tables.numbers import numbers_of_column
from backpass.nn.tables.table import Column
from backpass.nn.target import amount
from backpass.reading.lines import wrapped
from backpass.reading.plural import many
from backpass.terminal.streams import clean, show, show_json


@dataclass(frozen=True)
class Predicted:
    """Answers for every sample of a file, and sentences about how its columns were taken."""

    model: Model
    answers: Answers
    notes: Sequence[str]

    def to_csv(self) -> str:
        """A line for each sample, below a header."""
        target = self.model.target
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        shares = self.answers.probabilities
        names = [f"P({name})" for name in target.classes] if shares is not None else []
        writer.writerow([target.name, *names])
        said = self.answers.values
        rows = [f"{value:.6g}" for value in said] if not target.classes else said
        if shares is None:
            writer.writerows([row] for row in rows)
        else:
            for row, share in zip(rows, shares.tolist(), strict=True):
                writer.writerow([row, *(f"{one:.6f}" for one in share)])
        return text.getvalue()

    def to_json(self) -> dict[str, Any]:
        """The same by name."""
        target, shares = self.model.target, self.answers.probabilities
        values = self.answers.values
        found: dict[str, Any] = {
            "target": target.name,
            "predictions": values.tolist() if isinstance(values, np.ndarray) else list(values),
            "notes": list(self.notes),
        }
        if shares is not None:
            found["probabilities"] = [
                dict(zip(target.classes, row, strict=True)) for row in shares.tolist()
            ]
        return found


def predict(
    model_path: Path,
    data_path: Path,
    labels: Path | None,
    header: bool | None,
    probabilities: bool,
    output: Path | None,
) -> Predicted:
    """Ask a saved model about a file; `output` is looked at before, and written by nobody here."""
    if output is not None:
        sources = {path.resolve() for path in (model_path, data_path, labels) if path is not None}
        if output.resolve() in sources:
            raise BackpassError(f"{output} is read from; write to another file")
        check_writable(output)
    model = load_model(model_path)
    data = read_data(data_path, None, labels, header)
    answers = model.answers(data.table)
    if not probabilities:
        answers = Answers(answers.values, None)
    elif answers.probabilities is None:
        what = "numbers" if not model.target.classes else "what no probabilities can be read off"
        raise BackpassError(
            f"{model_path} answers with {what}, so there are no probabilities; leave "
            "--probabilities out"
        )
    return Predicted(model, answers, tuple(_notes(model, data, answers)))


def say(predicted: Predicted, output: Path | None, as_json: bool) -> None:
    """Write the answers, and on the error stream what is to be said about them."""
    for note in predicted.notes:
        show(wrapped(f"{note[0].upper()}{note[1:]}.", 0, "reason"), sys.stderr)
    if output is not None:
        write_whole(output, predicted.to_csv())
        show(wrapped(f"{output} has a line for each sample.", 0, "reason"), sys.stderr)
    if as_json:
        show_json(predicted.to_json())
    if as_json or output is not None:
        return
    text = predicted.to_csv()
    text = clean(text) if sys.stdout.isatty() else text
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())  # data are UTF-8, whatever the terminal speaks
    sys.stdout.buffer.flush()


def _notes(model: Model, data: Data, answers: Answers) -> Iterator[str]:
    table, goal = data.table, data.target
    used = set(model.places(table))
    more = [place for place in range(len(table.names)) if place not in used]
    if model.named and not table.named:
        yield f"the columns of {table.source} have no names: they are taken in order"
    if goal is None and table.named and model.target.name in [table.names[one] for one in more]:
        place = table.names.index(model.target.name)
        more.remove(place)
        goal = table.column(place)
    if counts_rows(table) and 0 in more:
        more.remove(0)
    if more:
        names = few([table.names[place] for place in more])
        yield f"not used: {'columns' if len(more) > 1 else 'column'} {names}"
    if goal is not None:
        yield from _score(model, goal, answers)


def _score(model: Model, goal: Column, answers: Answers) -> Iterator[str]:
    """How good the answers are, where the file knows better; nothing where it has gaps."""
    try:
        if model.target.classes:
            known = cells(goal)
            right = np.mean([a == b for a, b in zip(known, answers.values, strict=True)])
            samples = f"{many(len(goal), 'sample')} {'is' if len(goal) == 1 else 'are'}"
            yield f"{goal.said} is there too: {right:.1%} of {samples} right"
            yield from _unseen(model, goal, known)
        else:
            missed = numbers_of_column(goal) - np.asarray(answers.values)
            error = float(np.sqrt(np.mean(missed**2)))
            yield f"{goal.said} is there too: off by {amount(error)} in the root mean square"
    except BackpassError:
        return


def _unseen(model: Model, goal: Column, known: Sequence[str]) -> Iterator[str]:
    """The samples that no answer can be right for, as training never met their class."""
    new = [row for row, name in enumerate(known) if name not in model.target.classes]
    if new:
        their = "their classes" if len(new) > 1 else "its class"
        yield (
            f"{len(new):,} of them cannot be right, as {their} did not occur in training: "
            f"{few(list(dict.fromkeys(repr(known[row]) for row in new)))} (first in "
            f"{goal.place(new[0]).partition(',')[0]})"
        )
