"""`train` and `predict`: people's own tables."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from backpass.cli.asked import PATH, hidden_layers
from backpass.cli.data import data as of_data
from backpass.cli.group import main
from backpass.cli.learning import learning
from backpass.terminal.help import (
    PREDICT_EXAMPLES,
    STATUSES,
    TRAIN_EXAMPLES,
)

BIASES = "separate", "augmented", "none"


@main.command(epilog=TRAIN_EXAMPLES + STATUSES)
@of_data
@click.option(
    "--layers",
    metavar="UNITS",
    default="32",
    show_default=True,
    help="Of hidden layers, such as 64,32, or none.",
)
@click.option("--activation", metavar="NAME", default="tanh", show_default=True)
@click.option("--loss", metavar="NAME", help="Or a formula.  [default: cross_entropy or mse]")
@click.option(
    "--lr", metavar="RATE", type=float, help="How far a step goes.  [default: 0.1; of numbers 0.05]"
)
@learning
@click.option("--epochs", metavar="COUNT", type=int, help="[default: as many as the samples need]")
@click.option("--batch-size", metavar="COUNT", type=int, default=16, show_default=True)
@click.option("--init", metavar="NAME", default="glorot", show_default=True)
@click.option(
    "--bias",
    metavar="HOW",
    type=click.Choice(BIASES),
    default="separate",
    show_default=True,
    help="Or augmented, or none.",
)
@click.option(
    "--convention",
    metavar="HOW",
    default="rows",
    show_default=True,
    help="Or columns: X is turned.",
)
@click.option("--seed", metavar="NUMBER", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    default="model.safetensors",
    show_default=True,
    help="The trained model.",
)
@click.option("--report", type=PATH, metavar="FILE", help="All of it as a page, too.")
@click.option("--checkpoint", type=PATH, metavar="FILE", help="Keep the training there meanwhile.")
@click.option(
    "--every",
    metavar="COUNT",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Epochs from one checkpoint to the next.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, if it is there.")
@click.option("--log", type=PATH, metavar="FILE", help="A line of JSON for every epoch.")
@click.option("--derivation/--no-derivation", default=True, help="Print both passes, or do not.")
@click.option("--json", "as_json", is_flag=True, help="Print the results alone, as JSON.")
def train(
    data: Path,
    target: str | None,
    labels: Path | None,
    header: bool | None,
    output: Path,
    report: Path | None,
    checkpoint: Path | None,
    every: int,
    resume: bool,
    log: Path | None,
    derivation: bool,
    as_json: bool,
    layers: str,
    bias: Any,
    **given: Any,
) -> None:
    """Train a network on the table in DATA, and judge it by a part that it has not seen.

    DATA is a CSV, NPY, NPZ or IDX file, gzipped or not. Each sample is a row, and the target is a
    column: --target is its name or its number, from 1, or from -1 for the last. In an NPZ file it
    is the name of an array, y unless told otherwise. It may also stand in a file of its own:
    --labels.

    Text and a few whole numbers that recur are classes, every other target is a number. Means and
    deviations are those of the training part; the model keeps them, and the names of columns and
    classes.
    """
    from rich.console import Console

    from backpass.nn.learning import Learning
    from backpass.nn.recipe import Recipe
    from backpass.terminal.streams import show_json
    from backpass.terminal.training import Files
    from backpass.terminal.training import train as run

    how = Learning(**{one.name: given.pop(one.name) for one in fields(Learning)})
    given |= {"layers": hidden_layers(layers), "bias": None if bias == "none" else bias}
    recipe = Recipe(learning=how, **given)
    console = Console(highlight=False, quiet=as_json)
    files = Files(data, output, labels, report, checkpoint, every, resume, log)
    trained = run(console, files, target, header, recipe, derivation)
    if as_json:
        show_json(trained.to_json())


@main.command(epilog=PREDICT_EXAMPLES + STATUSES)
@click.argument("model", type=PATH)
@click.argument("data", type=PATH)
@click.option("--labels", type=PATH, metavar="FILE", help="The target, to be judged by.")
@click.option("--header/--no-header", default=None, help="Whether line 1 names the columns.")
@click.option("--probabilities", is_flag=True, help="Of every class, too.")
@click.option("--output", type=PATH, metavar="FILE", help="Write the CSV there.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, not as CSV.")
def predict(
    model: Path,
    data: Path,
    labels: Path | None,
    header: bool | None,
    probabilities: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Say what MODEL, a file of `backpass train`, makes of the samples in DATA.

    Columns are found by their names, in any order; others are left alone. Where there are no
    names, they are taken in their order. The answers are CSV, with a line for each sample.
    """
    from backpass.terminal.predicting import predict as run
    from backpass.terminal.predicting import say

    say(run(model, data, labels, header, probabilities, output), output, as_json)
