"""The verbs: what `backpass` does when it is called by name.

Nothing but click is imported before a verb is chosen. Answers go to standard output, and one
sentence about what went wrong to standard error.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import redirect_stdout
from typing import Any

import click

from backpass._version import __version__
from backpass.language.errors import BackpassError

FAILED, REFUSED = 1, 2
LAYOUTS = "mixed", "numerator", "denominator"
STYLES = "unrolled", "loop", "recursive"

# After \b, click leaves lines as they are. ASCII, since help must appear wherever it is asked for.
EXAMPLES = """\b
Examples:
  backpass demo
  backpass derive "L = sum((X W - Y)**2)" --shapes "X: n k, W: k m, Y: n m"
"""
DERIVE_EXAMPLES = """\b
Examples:
  backpass derive "L = sum((X W - Y)**2)" --shapes "X: n k, W: k m, Y: n m"
  backpass derive "z = W x + b; L = sum((sigmoid(z) - y)**2) / 2" \\
      --shapes "W: m k, x: k, b: m, y: m" --wrt "W b" --why W
  backpass derive model.py::loss --shapes "X: n k, Y: n m, W: k m" --check
"""
STATUSES = """
Exit status: 0; 1 when a check fails; 2 when the question has no answer.
"""


class Verbs(click.Group):
    """Verbs whose errors, when they are ours, are said in one sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BackpassError as error:
            from backpass.terminal.streams import show_error

            show_error(error)
            ctx.exit(REFUSED)


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
    from backpass.terminal.answers import answers_json, print_answers
    from backpass.terminal.streams import show_json

    with redirect_stdout(sys.stderr):  # what a user's file prints is no answer
        d = derivation(_forward(forward), _shapes(shapes), wrt, functions)
        asked["check"] = d.check() if asked["check"] else None
    if as_json:
        show_json(answers_json(d, asked))
    else:
        print_answers(d, asked)
    if asked["check"] is not None and not asked["check"]:
        sys.exit(FAILED)


def _forward(text: str) -> Any:
    """A formula as it is, and `model.py::loss` as the function."""
    if re.fullmatch(r".+::\w*", text.strip(), re.DOTALL):
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
