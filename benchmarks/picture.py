"""Learning rates and initialisers in one picture, docs/seeds.svg."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from backpass.nn.init import INITIALISERS
from benchmarks.seeds import read_digits_network

RATES = (0.01, 0.03, 0.1, 0.3, 1, 3)
Shares = Mapping[str, Sequence[float]]  # by initialiser, one for each rate


@cache  # the page asks for the figures, and then for the picture
def compare(epochs: int) -> Shares:
    """The held-out share that `bp.Network` reads, by initialiser and rate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a loss that does not fall, as some do
        return {
            init: [read_digits_network(epochs, rate, init=init)[1] for rate in RATES]
            for init in INITIALISERS
        }


def draw(shares: Shares, rates: Sequence[float], epochs: int, path: Path) -> None:
    """A cell for each network, dark where it reads well, with the share in figures."""
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(list(shares.values()), cmap="GnBu", vmin=0, vmax=1.15, aspect="auto")
    for row, values in enumerate(shares.values()):
        for column, share in enumerate(values):
            ink = "white" if share > 0.8 else "#1f2937"
            axes.text(column, row, f"{share:.1%}", ha="center", va="center", color=ink, fontsize=10)
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set_xlabel("learning rate")
    axes.set_title(
        f"share of 450 held-out digits read after {epochs} epochs", fontsize=11, loc="left"
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    with mpl.rc_context({"svg.hashsalt": "backpass", "svg.fonttype": "path"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
