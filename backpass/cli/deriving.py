"""`demo` and `derive`: the backward pass of a forward pass."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from backpass.cli.asked import PATH, forward_pass, shapes_of
from backpass.cli.group import FAILED, main
from backpass.terminal.help import (
    DERIVE_EXAMPLES,
    STATUSES,
)

LAYOUTS = "mixed", "numerator", "denominator"
STYLES = "unrolled", "loop", "recursive"


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
        d = derivation(forward_pass(forward), shapes_of(shapes), wrt, functions)
        asked["check"] = d.check() if asked["check"] else None
    if asked["html"]:
        write_page(d, asked["html"], fold=not asked["unfold"])
    if as_json:
        show_json(answers_json(d, asked))
    else:
        print_answers(d, asked)
    if asked["check"] is not None and not asked["check"]:
        sys.exit(FAILED)
