"""`sweep`: many networks on one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from backpass.cli.asked import PATH, hidden_layers
from backpass.cli.data import data as of_data
from backpass.cli.group import main
from backpass.language.errors import BackpassError
from backpass.terminal.help import STATUSES, SWEEP_EXAMPLES

Value = TypeVar("Value")


@main.command(epilog=SWEEP_EXAMPLES + STATUSES)
@of_data
@click.option("--loss", metavar="NAME", help="Or a formula.  [default: cross_entropy or mse]")
@click.option("--epochs", metavar="COUNT", type=int, help="[default: as many as the samples need]")
@click.option("--lr", metavar="RATES", help="Learning rates, such as 0.01,0.1,1.")
@click.option("--init", metavar="NAMES", help="Initialisers, such as glorot,he.")
@click.option("--activation", metavar="NAMES", help="Such as tanh,relu.")
@click.option(
    "--layers",
    metavar="UNITS",
    multiple=True,
    help="Hidden layers, such as 64,32, or none; once for each network.",
)
@click.option("--batch-size", metavar="COUNTS", help="Such as 8,32.")
@click.option("--optimizer", metavar="NAMES", help="Such as sgd,adam, each at its own rate.")
@click.option("--dropout", metavar="SHARES", help="Of hidden units, such as 0,0.2.")
@click.option("--l2", metavar="COSTS", help="Of half the squares of W, such as 0,1e-4.")
@click.option(
    "--seeds",
    metavar="COUNT",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Train each so often, judge by the middle.",
)
@click.option(
    "--picture",
    type=PATH,
    metavar="FILE",
    default="sweep.png",
    show_default=True,
    help="All curves: .png, .svg or .pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results alone, as JSON.")
def sweep(
    data: Path,
    target: str | None,
    labels: Path | None,
    header: bool | None,
    lr: str | None,
    init: str | None,
    activation: str | None,
    layers: tuple[str, ...],
    batch_size: str | None,
    optimizer: str | None,
    dropout: str | None,
    l2: str | None,
    seeds: int,
    picture: Path,
    as_json: bool,
    **given: Any,
) -> None:
    """Train a network on DATA for every combination of these options, and compare them.

    DATA is as `backpass train` takes it. The same samples are held out for all, and each network is
    judged by them. All curves of the loss go into one picture.
    """
    from rich.console import Console

    from backpass.nn.recipe import Recipe
    from backpass.terminal.streams import show_json
    from backpass.terminal.sweeping import run

    varied: dict[str, Any] = {
        "lr": _values("--lr", lr, float),
        "init": _values("--init", init, str),
        "activation": _values("--activation", activation, str),
        "layers": [tuple(hidden_layers(one)) for one in layers],
        "batch_size": _values("--batch-size", batch_size, int),
        "optimizer": _values("--optimizer", optimizer, str),
        "dropout": _values("--dropout", dropout, float),
        "l2": _values("--l2", l2, float),
        "seed": list(range(seeds)) if seeds > 1 else [],
    }
    varied = {name: values for name, values in varied.items() if values}
    if not varied:
        raise BackpassError("say what is to differ: --lr 0.01,0.1,1 or --init glorot,he")
    console = Console(highlight=False, quiet=as_json)
    found = run(console, (data, target, labels, header), Recipe(**given), varied, picture)
    if as_json:
        show_json(found.to_json())


def _values(option: str, text: str | None, kind: Callable[[str], Value]) -> list[Value]:
    """The values of an option, between commas, each once."""
    if text is None:
        return []
    try:
        return list(dict.fromkeys(kind(one.strip()) for one in text.split(",")))
    except ValueError:
        raise BackpassError(f"{option} {text!r} is no list of numbers; write 0.01,0.1") from None
