"""The options that say what the samples are, and which of them judge."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from backpass.cli.asked import PATH

OPTIONS = (
    click.argument("data", type=PATH),
    click.option("--target", metavar="COLUMN", help="What is to be learnt: a name or a number."),
    click.option("--labels", type=PATH, metavar="FILE", help="The target, in a file of its own."),
    click.option(
        "--task", metavar="TASK", help="classification or regression.  [default: as the target]"
    ),
    click.option("--ignore", metavar="COLUMN", multiple=True, help="Do not learn from it."),
    click.option(
        "--one-hot", metavar="COLUMN", multiple=True, help="An input for each of its values."
    ),
    click.option("--header/--no-header", default=None, help="Whether line 1 names the columns."),
    click.option(
        "--scale",
        "scaling",
        metavar="HOW",
        help="each, all or none.  [default: each; all for pictures]",
    ),
    click.option(
        "--held-out",
        metavar="SHARE",
        type=float,
        default=0.25,
        show_default=True,
        help="Of the samples, to judge by.",
    ),
)


def data(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command on the table in DATA."""
    return reduce(lambda one, option: option(one), reversed(OPTIONS), command)
