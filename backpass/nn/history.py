"""What happened while a network was trained: a table and a curve, in the terminal or drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN = 10  # epochs in the table
WIDTH = 40  # characters of the curve


@dataclass
class History:
    """Loss and accuracy of every epoch; printing it gives a table, `plot()` a figure.

    Both are those of the batches as they were met, before each update. `loss` is the mean over
    samples, or the total of an epoch for a loss that sums. `accuracy` is empty where the targets
    are no classes. `stopped` says why training ended early, if it did, and `backend` what ran it.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str | None = None
    backend: str = ""

    def __len__(self) -> int:
        return len(self.loss)

    def __str__(self) -> str:
        heads = f"{'epoch':>6}  {'loss':>10}" + ("  accuracy" if self.accuracy else "")
        lines = [heads]
        for epoch in shown(len(self)):
            line = f"{epoch + 1:>6}  {self.loss[epoch]:>10.4g}"
            if self.accuracy:
                line += f"  {self.accuracy[epoch]:>8.1%}"
            lines.append(line)
        if len(self) > 1:
            lines.append(f"  loss  {curve(self.loss)}")
        lines.append(f"{_count(len(self), 'epoch')} in {self.seconds:.2f} s")
        if self.stopped:
            lines.append(self.stopped)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "seconds": self.seconds,
            "stopped": self.stopped,
            "backend": self.backend,
        }

    @property
    def curves(self) -> dict[str, list[float]]:
        """The loss, and the accuracy where there is one."""
        return {"loss": self.loss} | ({"accuracy": self.accuracy} if self.accuracy else {})

    def plot(self, *names: str) -> Any:
        """A matplotlib figure of these curves, of all of them without a name."""
        from matplotlib.figure import Figure  # takes a second to import, and only this needs it

        names = names or tuple(self.curves)
        figure = Figure(figsize=(5 * len(names), 3.5), layout="constrained")
        for place, name in enumerate(names, 1):
            values = self.curves[name]
            axes = figure.add_subplot(1, len(names), place)
            axes.plot(range(1, len(values) + 1), values, marker="." if len(values) < 3 else "")
            axes.set_xlabel("epoch")
            axes.set_ylabel(name)
            axes.spines[["top", "right"]].set_visible(False)
        return figure


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


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
