"""Which learning rate: let it grow from step to step, and see where the loss falls and breaks.

The range test of Smith, Cyclical Learning Rates for Training Neural Networks (2017), §3.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError
from backpass.nn import samples
from backpass.nn.backends import backend_for
from backpass.nn.history import curve
from backpass.nn.layers import is_count
from backpass.nn.optim import Optimizer
from backpass.nn.schedules import Place, is_number
from backpass.nn.step import stepping

Array = NDArray[Any]

KEPT = 0.9  # of the running mean that smooths the losses, at each step
BROKEN = 4.0  # times the lowest loss, where the test ends
BELOW = 10.0  # times below the rate where the loss is lowest lies what is suggested
WIDTH = 60


@dataclass(frozen=True)
class RangeTest:
    """Rates and the losses before the steps that they took; print it, or `plot()` it.

    `losses` are those of the batches, `smooth` their running mean. `suggested` is None where the
    loss never fell.
    """

    rates: Array
    losses: Array
    smooth: Array
    suggested: float | None

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss is lowest."""
        return float(self.rates[int(self.smooth.argmin())])

    def __str__(self) -> str:
        low, high = self.rates[0], self.rates[-1]
        lines = [
            f"rates from {low:.1g} to {high:.1g}, {len(self.rates)} steps",
            f"  loss  {curve(self.smooth.tolist(), WIDTH)}",
        ]
        if self.suggested is None:
            lines.append("the loss fell nowhere: look at the gradient, the data, or lower rates")
        else:
            lines.append(
                f"the loss is lowest at {self.lowest:.2g}; a tenth of that is a rate to begin "
                f"with: {self.suggested:.2g}"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """The numbers by name."""
        return {
            "rates": self.rates.tolist(),
            "losses": self.losses.tolist(),
            "smooth": self.smooth.tolist(),
            "suggested": self.suggested,
        }

    def plot(self) -> Any:
        """A matplotlib figure: the losses over the rates, and what is suggested."""
        from matplotlib.figure import Figure  # takes a second to import, and only this needs it

        figure = Figure(figsize=(6, 3.8), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(self.rates, self.losses, color="#1f77b4", alpha=0.3, linewidth=1)
        axes.plot(self.rates, self.smooth, color="#1f77b4")
        if self.suggested is not None:
            # where the loss breaks it shoots up, and what is to be read would lie flat below it
            first, low = float(self.smooth[0]), float(self.losses.min())
            axes.set_ylim(low - 0.1 * (first - low), first + (first - low))
            axes.axvline(self.suggested, color="#e08214", linestyle="--")
            axes.annotate(
                f"{self.suggested:.2g}", (self.suggested, 1), xycoords=("data", "axes fraction"),
                xytext=(4, -12), textcoords="offset points", color="#e08214",
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("loss of a batch")
        axes.spines[["top", "right"]].set_visible(False)
        return figure


def refuse(optimizer: Optimizer, low: float, high: float, steps: int, batch_size: int) -> None:
    """Raise BackpassError for rates, or counts, that cannot be meant."""
    if "lr" not in optimizer.numbers:
        raise BackpassError(f"{type(optimizer).__name__} has no learning rate lr to be tried")
    if not (is_number(low) and is_number(high) and 0 < low < high < math.inf):
        raise BackpassError(
            f"rates from {low!r:.40} to {high!r:.40} are no range; give 0 < low < high"
        )
    for name, value in (("steps", steps), ("batch_size", batch_size)):
        if not is_count(value) or (name == "steps" and value < 2):
            least = 2 if name == "steps" else 1
            raise BackpassError(
                f"{name}={value!r} is not valid; give a whole number from {least} on"
            )


def lr_range_test(
    net: Any,
    X: Any,
    y: Any,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 200,
    batch_size: int = 32,
) -> RangeTest:
    """Which learning rates a `bp.Network` could be trained with; nothing of it changes.

    From where it stands, `steps` steps are taken on samples in random order, the first at the rate
    `low`, each at one that is higher by the same factor, up to `high`; it ends where the loss
    breaks. Raises an error of the family `BackpassError` for rates and samples that do not fit.
    """
    refuse(net.optimizer, low, high, steps, batch_size)
    plan = net.architecture
    given = samples.inputs(X, plan, net.dtype)
    data = {"X": given.X, "y": samples.targets(y, given, plan, net.dtype)}
    count = given.X.shape[plan.axis]
    batch = min(batch_size, count)
    shares = plan.loss.targets == "classes" and data["y"].ndim > 1
    one = stepping(plan, net.derivation(shares), net.optimizer, None, data)
    rates = np.geomspace(low, high, steps)
    place = Place(net.epochs, 0, 1, steps, count, net.slowed)
    dtype = given.X.dtype
    numbers = {
        **{name: np.asarray(value, dtype) for name, value in plan.penalties.items()},
        **net.optimizer.values(place, dtype),
        "lr": rates.astype(dtype),
    }
    arrays = {name: one.copy() for name, one in {**net.weights, **net.state}.items()}
    random = np.random.default_rng(net.seed)
    walks = -(-steps * batch // count)
    order = np.concatenate([random.permutation(count) for _ in range(walks)])[: steps * batch]
    found = backend_for(one, "numpy").epoch(data, order, batch, arrays, numbers, seed=net.seed)
    losses = found.losses[np.isfinite(found.losses)].astype(np.float64)
    if not len(losses):
        raise BackpassError("the loss is no number before the first step; look at the data")
    smooth = _smoothed(losses)
    broken = smooth > smooth[0] + BROKEN * np.abs(np.minimum.accumulate(smooth))
    until = int(broken.argmax()) if broken.any() else len(smooth)
    rates, losses, smooth = rates[:until], losses[:until], smooth[:until]
    best = int(smooth.argmin())
    fell = best > 0 and smooth[best] < smooth[0]
    return RangeTest(rates, losses, smooth, float(f"{rates[best] / BELOW:.2g}") if fell else None)


def _smoothed(values: Array) -> Array:
    """The running mean, in which the first values do not count as zeros."""
    mean, found = 0.0, np.empty_like(values)
    for place, value in enumerate(values.tolist()):
        mean = KEPT * mean + (1 - KEPT) * value
        found[place] = mean / (1 - KEPT ** (place + 1))
    return found
