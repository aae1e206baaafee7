"""What happened while a network was trained: a table and a curve, in the terminal or drawn."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from backpass.nn.files import write_whole
from backpass.reading.plural import many

BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN = 10  # epochs in the table
WIDTH = 40  # characters of the curve
WIDE = 100  # a curve that falls so far is a corner and a flat line, unless in logarithms
CURVES = "loss", "accuracy", "val_loss", "val_accuracy", "val_r2"
RISES = frozenset(("accuracy", "val_accuracy", "val_r2"))  # better is higher
HELD_OUT = "val_"  # before a curve's name


@dataclass
class History:
    """The numbers of every epoch; printing it gives a table, `plot()` a figure.

    `loss` and `accuracy` are those of the batches as they were met, before each update. `loss` is
    the mean over samples, or the total of an epoch for a loss that sums. `accuracy` is empty where
    the targets are no classes. `val_loss` and `val_accuracy`, or `val_r2` for numbers, are of
    samples that were held out, after the epoch; `rate` is the learning rate of its last step.

    `stopped` says why training broke off, if it did, and `ended` why it was ended early; then
    `restored` may be the epoch whose weights were put back. `backend` is what ran it, and
    `compiling` how many of the `seconds` made its machine code, or fetched it.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str | None = None
    backend: str = ""
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    val_r2: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)
    ended: str | None = None
    restored: int | None = None
    compiling: float = 0.0

    def __len__(self) -> int:
        return len(self.loss)

    def __str__(self) -> str:
        columns = self.curves | ({"rate": self.rate} if len(set(self.rate)) > 1 else {})
        widths = {name: max(8 if name in RISES else 10, len(name)) for name in columns}
        lines = [f"{'epoch':>6}" + "".join(f"  {name:>{widths[name]}}" for name in columns)]
        for epoch in shown(len(self)):
            cells = (
                f"  {values[epoch]:>{widths[name]}{_format(name)}}"
                for name, values in columns.items()
            )
            lines.append(f"{epoch + 1:>6}" + "".join(cells))
        if len(self) > 1:
            lines.append(f"  loss  {curve(self.loss)}")
        made = f" and {self.compiling:.2f} s for machine code" if self.compiling else ""
        took = self.seconds - self.compiling
        lines.append(f"{many(len(self), 'epoch')} in {took:.2f} s{made}")
        if self.ended:
            back = f"; the weights are those of epoch {self.restored}" if self.restored else ""
            lines.append(self.ended + back)
        if self.stopped:
            lines.append(self.stopped)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return asdict(self)

    @property
    def curves(self) -> dict[str, list[float]]:
        """What was measured in every epoch, by name."""
        return {name: values for name in CURVES if (values := getattr(self, name))}

    def line(self, epoch: int) -> str:
        """One epoch, from 1, as a line of JSON; what is not finite is null."""
        curves = self.curves | ({"rate": self.rate} if self.rate else {})
        found = {name: values[epoch - 1] for name, values in curves.items()}
        told = {name: one if math.isfinite(one) else None for name, one in found.items()}
        return json.dumps({"epoch": epoch, **told})

    def lines(self) -> Iterator[str]:
        """All epochs as lines of JSON."""
        return (self.line(epoch) for epoch in range(1, len(self) + 1))

    def write(self, path: str | Path) -> None:
        """Write a line of JSON for every epoch; BackpassError where that cannot be."""
        write_whole(path, "".join(f"{line}\n" for line in self.lines()))

    @property
    def pictures(self) -> dict[str, tuple[str, ...]]:
        """The curves that belong in one picture, by its name: those of held-out samples beside."""
        names = dict.fromkeys(name.removeprefix(HELD_OUT) for name in self.curves)
        return {
            name: tuple(one for one in (name, HELD_OUT + name) if one in self.curves)
            for name in names
        }

    def plot(self, *names: str) -> Any:
        """A matplotlib figure of these pictures, "loss" or "accuracy"; of all without a name."""
        from matplotlib.figure import Figure  # takes a second to import, and only this needs it

        names = names or tuple(self.pictures)
        figure = Figure(figsize=(5 * len(names), 3.5), layout="constrained")
        for place, name in enumerate(names, 1):
            axes = figure.add_subplot(1, len(names), place)
            for one in self.pictures[name]:
                values = self.curves[one]
                marker = "." if len(values) < 3 else ""
                axes.plot(range(1, len(values) + 1), values, marker=marker, label=one)
            if len(self.pictures[name]) > 1:
                axes.legend(frameon=False)
            axes.locator_params("x", integer=True)  # there is no epoch 2.5
            values = [value for one in self.pictures[name] for value in self.curves[one]]
            drawn = [value for value in values if math.isfinite(value)]
            if drawn and min(drawn) > 0 and max(drawn) > WIDE * min(drawn):
                axes.set_yscale("log")
            axes.set_xlabel("epoch")
            axes.set_ylabel(name)
            axes.spines[["top", "right"]].set_visible(False)
        return figure


def restored_history(found: dict[str, Any]) -> History:
    """The history that `to_json` described."""
    known = {one.name for one in fields(History)}
    return History(**{name: value for name, value in found.items() if name in known})


def shown(count: int) -> list[int]:
    """The epochs that a table shows: all of a few, else the first, the last and some between."""
    if count <= SHOWN:
        return list(range(count))
    return [round(place * (count - 1) / (SHOWN - 1)) for place in range(SHOWN)]


def curve(values: list[float], width: int = WIDTH) -> str:
    """A line of blocks as high as the values; × where one is not finite."""
    step = max(1, math.ceil(len(values) / width))
    picked = values[::step]
    finite = [value for value in picked if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(
        BLOCKS[round((value - low) * scale)] if math.isfinite(value) else "×" for value in picked
    )


def _format(name: str) -> str:
    return ".1%" if name.endswith("accuracy") else ".4g"
