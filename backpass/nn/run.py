"""What a training has come to, all in one place, so that it can be kept and taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.nn.history import History, restored_history

Arrays = dict[str, NDArray[Any]]
BEST = "best/"  # before the names of the best weights, in a file


@dataclass
class Patience:
    """How long a measured number has not become better."""

    best: float | None = None
    epoch: int = 0  # that was the best, from 1
    waited: int = 0  # epochs since


@dataclass
class Run:
    """A training between two epochs.

    With this, the same data and the same options, a training goes on as if it had never stopped,
    bit for bit. `arrays` holds weights, the optimiser's state and running statistics; `random`
    the state of the generator that shuffles. `epoch` counts this training's epochs; `epochs` and
    `steps` all that the network has seen, earlier trainings included, which is where schedules
    and drawn masks go on. `slowed` is what an adaptive schedule has divided its rate by.
    """

    arrays: Arrays
    random: Mapping[str, Any]
    epoch: int = 0
    epochs: int = 0
    steps: int = 0
    stopping: Patience = field(default_factory=Patience)
    easing: Patience = field(default_factory=Patience)
    slowed: float = 1.0
    best: Arrays = field(default_factory=dict[str, NDArray[Any]])
    history: History = field(default_factory=History)

    def keep_best(self) -> None:
        """Remember the arrays as they are now."""
        self.best = {name: values.copy() for name, values in self.arrays.items()}

    def stored(self) -> tuple[Arrays, dict[str, Any]]:
        """Arrays and a description that JSON can hold; together they are the whole run."""
        best = {BEST + name: values for name, values in self.best.items()}
        about = {
            "random": self.random,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "steps": self.steps,
            "stopping": vars(self.stopping),
            "easing": vars(self.easing),
            "slowed": self.slowed,
            "history": self.history.to_json(),
        }
        return {**self.arrays, **best}, about


def restored_run(arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> Run:
    """The run that `stored` described; KeyError and TypeError for a description of another kind."""
    current = {name: np.array(one) for name, one in arrays.items() if not name.startswith(BEST)}
    best = {
        name.removeprefix(BEST): np.array(one)
        for name, one in arrays.items()
        if name.startswith(BEST)
    }
    return Run(
        current,
        about["random"],
        about["epoch"],
        about["epochs"],
        about["steps"],
        Patience(**about["stopping"]),
        Patience(**about["easing"]),
        about["slowed"],
        best,
        restored_history(about["history"]),
    )
