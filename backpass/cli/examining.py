"""`annotate` and `doctor`: people's own code and formulas."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from backpass.cli.asked import PATH, forward_pass, shapes_of
from backpass.cli.group import FAILED, main
from backpass.language.errors import BackpassError
from backpass.terminal.help import (
    ANNOTATE_EXAMPLES,
    DOCTOR_EXAMPLES,
    STATUSES,
)


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
@click.option("--output", metavar="FILE", type=PATH, help="A copy of FILE with it as comments.")
@click.option("--json", "as_json", is_flag=True, help="The listing as JSON.")
def annotate(
    file: Path,
    make: str | None,
    call: str | None,
    data: str | None,
    html: Path | None,
    output: Path | None,
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
    if output is not None:
        found.write_copy(output, file)
    if html is not None or output is not None:
        return
    if as_json:
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

    What FILE trains with is looked for, unless it is said; an autograd.Function or a custom_vjp in
    it is held to its own forward, and --data are its inputs. A formula may speak of inputs, forward
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

            d = (forward_pass(forward), shapes_of(shapes)) if forward and shapes else None
            report = formula_report(formula or "", forward, d, wrt, called, functions)
            lines = report_lines(report)
    if as_json:
        show_json(report.to_json())
    else:
        show(lines, sys.stdout)
    if not report:
        sys.exit(FAILED)
