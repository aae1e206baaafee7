"""The options that say how to learn."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

OPTIONS = (
    click.option(
        "--optimizer",
        metavar="NAME",
        default="sgd",
        show_default=True,
        help="Or rmsprop, adagrad, adam, adamw, lbfgs, newtoncg.",
    ),
    click.option("--momentum", metavar="SHARE", type=float, default=0.0, help="Of sgd, say 0.9."),
    click.option("--nesterov", is_flag=True, help="Look ahead along the momentum."),
    click.option(
        "--schedule",
        metavar="NAME",
        default="constant",
        show_default=True,
        help="Of the rate: step, exponential, inverse-scaling, cosine, adaptive.",
    ),
    click.option(
        "--warm-up", metavar="EPOCHS", type=float, default=0.0, help="Let the rate rise first."
    ),
    click.option("--weight-decay", metavar="SHARE", type=float, help="Of adamw.  [default: 0.01]"),
    click.option(
        "--l1", metavar="COST", type=float, default=0.0, help="Of the sum of |W|, in the loss."
    ),
    click.option("--l2", metavar="COST", type=float, default=0.0, help="Of half the squares of W."),
    click.option("--clip-norm", metavar="SIZE", type=float, help="The largest gradient."),
    click.option(
        "--dropout", metavar="SHARE", type=float, default=0.0, help="Of hidden units, left out."
    ),
    click.option("--batch-norm", is_flag=True, help="Norm what hidden layers add up."),
    click.option(
        "--early-stopping",
        metavar="EPOCHS",
        type=int,
        help="End when a tenth, set apart, gets no better for so long; keep the best weights.",
    ),
    click.option(
        "--class-weight", metavar="balanced", help="Let all classes count alike, rare ones, too."
    ),
    click.option(
        "--backend",
        metavar="NAME",
        default="auto",
        show_default=True,
        help="What runs the steps: numpy, or compiled.",
    ),
)
Command = Callable[..., Any]


def learning(command: Command) -> Command:
    """A command with these options."""
    return reduce(lambda one, option: option(one), reversed(OPTIONS), command)
