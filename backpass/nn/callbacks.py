"""Looking on while a network is trained, and ending it in time.

A callback is a function of the history and the network, called after every epoch:

    def good_enough(history, net):
        return "good enough" if history.loss[-1] < 0.1 else None

    net.fit(X, y, callbacks=[good_enough])

What it returns, if anything, is the reason to end the training there. An object may have any of
three methods instead: `begin(net)` before the first epoch, `epoch(history, net)` as above, and
`end(history, net)` after the last, even after an error. The network's weights are those of the
moment; whoever keeps them takes copies.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.nn.history import CURVES, RISES, History
from backpass.nn.layers import is_count
from backpass.nn.run import Patience, Run
from backpass.nn.schedules import is_number

METHODS = {"begin": ("net",), "epoch": ("history", "net"), "end": ("history", "net")}


@dataclass(frozen=True)
class EarlyStopping:
    """End the training once a curve has not become better for `patience` epochs.

    `monitor` names a curve of the History: "loss", "accuracy", "val_loss", "val_accuracy" or
    "val_r2"; by default "val_loss", and "loss" without validation. Better is lower, or higher for
    accuracy and R², than ever before by more than `tol`. `restore` puts the weights of the best
    epoch back at the end, whatever ended it.
    """

    patience: int = 10
    tol: float = 0.0
    monitor: str | None = None
    restore: bool = True

    def __post_init__(self) -> None:
        if not is_count(self.patience):
            raise BackpassError(
                f"patience={self.patience!r:.40} is not valid; give a whole number from 1 on"
            )
        if not (is_number(self.tol) and 0 <= self.tol < math.inf):
            raise BackpassError(f"tol={self.tol!r:.40} is not valid; give a number from 0 on")
        if self.monitor is not None and self.monitor not in CURVES:
            hint = choices(self.monitor, CURVES, "there are")
            raise UnknownName(f"there is no curve {self.monitor!r}{hint}")

    def watched(self, history: History) -> str:
        """The name of the curve; BackpassError for one that this training does not have."""
        return monitored(history, self.monitor or ("val_loss" if history.val_loss else "loss"))

    def epoch(self, run: Run) -> str | None:
        """Look at the epoch that is done, remember it if it is the best, and say when to end."""
        name = self.watched(run.history)
        if better(run.stopping, run.history.curves[name][-1], run.epoch, self.tol, name in RISES):
            run.keep_best()
        if run.stopping.waited < self.patience:
            return None
        return (
            f"{name} was best in epoch {run.stopping.epoch}, {run.stopping.best:.4g}, and "
            f"{self.patience} {'epoch' if self.patience == 1 else 'epochs'} since were no better"
        )

    def end(self, run: Run) -> None:
        """Put the best weights back, if they are not those of the last epoch."""
        if self.restore and run.best and run.stopping.epoch != run.epoch:
            run.arrays = {name: values.copy() for name, values in run.best.items()}
            run.history.restored = run.stopping.epoch


def monitored(history: History, name: str) -> str:
    """A curve that this training draws; BackpassError, with those that there are."""
    if name not in history.curves:
        known = ", ".join(history.curves)
        raise BackpassError(
            f"monitor={name!r} is no curve of this training; there are {known}"
            + ("" if history.val_loss else ", and more with validation=0.2")
        )
    return name


def better(patience: Patience, value: float, epoch: int, tol: float, rises: bool) -> bool:
    """Whether a number is better than ever; epochs that are not by more than `tol` are counted."""
    if math.isnan(value):
        patience.waited += 1
        return False
    gained = math.inf if patience.best is None else (value - patience.best) * (1 if rises else -1)
    patience.waited = 0 if gained > tol else patience.waited + 1
    if gained > 0:
        patience.best, patience.epoch = value, epoch
    return gained > 0


def called(callbacks: Sequence[Any], net: Any) -> Callable[[History], str | None]:
    """All callbacks of an epoch as one; the first reason to end counts, and all are asked."""
    asked = [getattr(one, "epoch", None) or (one if callable(one) else None) for one in callbacks]

    def epoch(history: History) -> str | None:
        reasons = [one(history, net) for one in asked if one is not None]
        return next((str(reason) for reason in reasons if reason), None)

    return epoch


def begin(callbacks: Sequence[Any]) -> list[Callable[[Any], None]]:
    """What is called with the network before the first epoch."""
    return [one.begin for one in callbacks if callable(getattr(one, "begin", None))]


def end(callbacks: Sequence[Any]) -> list[Callable[[History, Any], None]]:
    """What is called with the history and the network after the last."""
    return [one.end for one in callbacks if callable(getattr(one, "end", None))]


def refuse_no_callback(callbacks: Any) -> None:
    """Raise BackpassError for what is no callback, or does not take what it will be given."""
    if not isinstance(callbacks, Sequence):
        raise BackpassError(f"callbacks={callbacks!r:.60} is no list of them; give [callback]")
    for one in callbacks:
        if isinstance(one, type):
            raise BackpassError(f"{one.__name__} is a class; give one of it, {one.__name__}()")
        methods = {name: getattr(one, name, None) for name in METHODS}
        found = {name: method for name, method in methods.items() if callable(method)}
        if "epoch" not in found and callable(one):
            found["epoch"] = one
        if not found:
            raise BackpassError(
                f"{one!r:.60} is no callback; give a function of the history and the network, or "
                "an object with begin, epoch or end"
            )
        for name, function in found.items():
            _refuse_misfit(function, METHODS[name])


def _refuse_misfit(function: Callable[..., Any], given: tuple[str, ...]) -> None:
    try:
        wanted = signature(function)
    except (TypeError, ValueError):  # written in C, and says nothing of what it takes
        return
    try:
        wanted.bind(*given)
    except TypeError as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise BackpassError(
            f"the callback {name}{wanted} is called as {name}({', '.join(given)}); let it take that"
        ) from error
