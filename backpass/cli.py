"""The verbs: what `backpass` does when it is called by name.

Nothing but click is imported before a verb is chosen. Answers go to standard output, and one
sentence about what went wrong to standard error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from backpass._version import __version__
from backpass.language.errors import BackpassError
from backpass.terminal.help import (
    ANNOTATE_EXAMPLES,
    DERIVE_EXAMPLES,
    DOCTOR_EXAMPLES,
    EXAMPLES,
    PREDICT_EXAMPLES,
    STATUSES,
    TRAIN_EXAMPLES,
)
from backpass.terminal.verbs import Verbs

FAILED = 1
LAYOUTS = "mixed", "numerator", "denominator"
STYLES = "unrolled", "loop", "recursive"
BIASES = "separate", "augmented", "none"
PATH = click.Path(path_type=Path)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__)
def main() -> None:
    """Write the forward pass. Read the backward pass."""


@main.command(epilog=STATUSES)
@click.option("--output", metavar="PATH", help="Of the report.  [default: report.html]")
@click.option("--json", "as_json", is_flag=True, help="Print the results alone, as JSON.")
def demo(output: str | None, as_json: bool) -> None:
    """Derive, check and train a network that reads handwritten digits; write a report."""
    from rich.console import Console

    from backpass.terminal.demo import run
    from backpass.terminal.streams import show_json

    result = run(Console(highlight=False, quiet=as_json), output, progress=not as_json)
    if as_json:
        show_json(result.to_json())
    if not result.check:
        sys.exit(FAILED)


@main.command(epilog=DERIVE_EXAMPLES + STATUSES)
@click.argument("forward")
@click.option(
    "--shapes", required=True, metavar="TEXT", help='"X: n k, w: (), y: n int<m", or JSON.'
)
@click.option("--wrt", metavar="NAMES", help="Differentiate by these, not by every real input.")
@click.option("--functions", metavar="TEXT", help='Stay symbols: "g: elementwise, C: scalar".')
@click.option("--unfold", is_flag=True, help="Equal layers one by one, not as one general layer.")
@click.option("--index", is_flag=True, help="The program in index notation.")
@click.option("--latex", is_flag=True, help="The derivation in LaTeX.")
@click.option("--markdown", is_flag=True, help="The derivation in Markdown.")
@click.option("--code", is_flag=True, help="The program as NumPy source.")
@click.option(
    "--style",
    metavar="STYLE",
    type=click.Choice(STYLES),
    help=f"Of the code: {', '.join(STYLES)}.",
)
@click.option(
    "--html", type=PATH, metavar="FILE", help="The derivation as a page, written to FILE."
)
@click.option("--why", metavar="NAME", help="One line of the derivation at length.")
@click.option("--chain", metavar="NAME", help="The chain of Jacobians that ends at an input.")
@click.option(
    "--layout",
    metavar="LAYOUT",
    type=click.Choice(LAYOUTS),
    help=f"Of the chain: {', '.join(LAYOUTS)}.",
)
@click.option("--check", is_flag=True, help="Compare the gradients with central differences.")
@click.option("--json", "as_json", is_flag=True, help="All that is asked for, as JSON.")
def derive(
    forward: str,
    shapes: str,
    wrt: str | None,
    functions: str | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Derive the backward pass of FORWARD and print it.

    FORWARD is a formula of one or more statements, or a function in a file. The options below
    it ask for other readings; several may be asked for at once.
    """
    if asked["layout"] and not asked["chain"]:
        raise click.UsageError("--layout is of the chain: add --chain NAME")
    if asked["style"] and not asked["code"]:
        raise click.UsageError("--style is of the code: add --code")
    from backpass.derive import derive as derivation
    from backpass.terminal.answers import answers_json, print_answers, write_page
    from backpass.terminal.streams import show_json

    with redirect_stdout(sys.stderr):  # what a user's file prints is no answer
        d = derivation(_forward(forward), _shapes(shapes), wrt, functions)
        asked["check"] = d.check() if asked["check"] else None
    if asked["html"]:
        write_page(d, asked["html"], fold=not asked["unfold"])
    if as_json:
        show_json(answers_json(d, asked))
    else:
        print_answers(d, asked)
    if asked["check"] is not None and not asked["check"]:
        sys.exit(FAILED)


def _trains(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what of a file trains, and on what."""
    told = 'Its samples and targets: "X, Y", "6x3 6x2", xy.npz.'
    command = click.option("--data", metavar="TEXT", help=told)(command)
    command = click.option("--call", metavar="NAME", help="How it trains: net.fit_partial.")(
        command
    )
    return click.option("--make", metavar="TEXT", help="What trains: Network([3, 4, 2]).")(command)


@main.command(epilog=ANNOTATE_EXAMPLES + STATUSES)
@click.argument("file", type=PATH)
@_trains
@click.option("--html", metavar="FILE", type=PATH, help="The listing as a page, not as text.")
@click.option("--json", "as_json", is_flag=True, help="The listing as JSON.")
def annotate(
    file: Path,
    make: str | None,
    call: str | None,
    data: str | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Read the training code in FILE back, each line with what it is in the derivation.

    What trains is looked for, unless it is said.
    """
    from backpass.terminal.examining import annotate_file
    from backpass.terminal.streams import show, show_json

    with redirect_stdout(sys.stderr):
        found = annotate_file(file, make, call, data)
    if html is not None:
        found.write(html)
    elif as_json:
        show_json(found.to_json())
    else:
        show(found.lines(), sys.stdout)


@main.command(epilog=DOCTOR_EXAMPLES + STATUSES)
@click.argument("file", required=False, type=PATH)
@_trains
@click.option("--lr", metavar="RATE", type=float, help="The learning rate, if the code hides it.")
@click.option("--formula", metavar="TEXT", help="For a gradient, as you have it, not a FILE.")
@click.option("--of", "forward", metavar="FORWARD", help="Of the formula, as derive takes it.")
@click.option("--shapes", metavar="TEXT", help="Of the arguments of FORWARD.")
@click.option("--wrt", metavar="NAME", help="Whose gradient the formula is to be.")
@click.option("--called", metavar="TEXT", help='What else quantities are called: "A[-1]: A2".')
@click.option("--functions", metavar="TEXT", help='Stay symbols: "g: elementwise, C: scalar".')
@click.option("--json", "as_json", is_flag=True, help="The verdict as JSON.")
def doctor(
    file: Path | None,
    make: str | None,
    call: str | None,
    data: str | None,
    lr: float | None,
    formula: str | None,
    forward: str | None,
    shapes: str | None,
    wrt: str | None,
    called: str | None,
    functions: str | None,
    as_json: bool,
) -> None:
    """Hold training code, or a formula, to the derived gradient, and name the mistake.

    What FILE trains with is looked for, unless it is said. A formula may speak of inputs, forward
    lines and gradients (dz3), and be several statements.
    """
    from backpass.terminal.streams import show, show_json

    if (file is None) == (formula is None):
        raise BackpassError("give a FILE that trains, or --formula with --of")
    with redirect_stdout(sys.stderr):
        if file is not None:
            from backpass.terminal.examining import examine_file

            report = examine_file(file, make, call, data, lr)
            lines = report.lines()
        else:
            from backpass.doctor.formula.report import report_lines
            from backpass.terminal.formulas import formula_report

            d = (_forward(forward), _shapes(shapes)) if forward and shapes else None
            report = formula_report(formula or "", forward, d, wrt, called, functions)
            lines = report_lines(report)
    if as_json:
        show_json(report.to_json())
    else:
        show(lines, sys.stdout)
    if not report:
        sys.exit(FAILED)


@main.command(epilog=TRAIN_EXAMPLES + STATUSES)
@click.argument("data", type=PATH)
@click.option("--target", metavar="COLUMN", help="What is to be learnt: a name or a number.")
@click.option("--labels", type=PATH, metavar="FILE", help="The target, in a file of its own.")
@click.option(
    "--task", metavar="TASK", help="classification or regression.  [default: as the target]"
)
@click.option("--ignore", metavar="COLUMN", multiple=True, help="Do not learn from it.")
@click.option("--one-hot", metavar="COLUMN", multiple=True, help="An input for each of its values.")
@click.option("--header/--no-header", default=None, help="Whether line 1 names the columns.")
@click.option(
    "--scale",
    "scaling",
    metavar="HOW",
    help="each, all or none.  [default: each; all for pictures]",
)
@click.option(
    "--held-out",
    metavar="SHARE",
    type=float,
    default=0.25,
    show_default=True,
    help="Of the samples, to judge it by.",
)
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
@click.option("--derivation/--no-derivation", default=True, help="Print both passes, or do not.")
@click.option("--json", "as_json", is_flag=True, help="Print the results alone, as JSON.")
def train(
    data: Path,
    target: str | None,
    labels: Path | None,
    header: bool | None,
    output: Path,
    report: Path | None,
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

    from backpass.nn.recipe import Recipe
    from backpass.terminal.streams import show_json
    from backpass.terminal.training import Files
    from backpass.terminal.training import train as run

    recipe = Recipe(layers=_layers(layers), bias=None if bias == "none" else bias, **given)
    console = Console(highlight=False, quiet=as_json)
    files = Files(data, output, labels, report)
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


def _layers(text: str) -> list[int]:
    """Units of hidden layers, from `64,32`; `none` where there are no hidden layers."""
    if text.strip() == "none":
        return []
    try:
        return [int(one) for one in text.split(",")]
    except ValueError:
        message = f"--layers {text!r} is no list of units; write 64,32, or none"
        raise BackpassError(message) from None


def _forward(text: str) -> Any:
    """A formula as it is, and `model.py::loss` as the function."""
    if re.fullmatch(r".+(::\w*|\.py)", text.strip(), re.DOTALL):
        from backpass.terminal.model_file import load_function

        return load_function(text.strip())
    return text


def _shapes(text: str) -> Any:
    """Shapes as a text, or as JSON where arguments are nests: `{"params": {"W": ["k j"]}}`."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        message = f"these shapes are no JSON: {error.msg} at character {error.pos + 1}"
        raise BackpassError(message, line=text) from None
