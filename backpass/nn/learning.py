"""How to learn, said in words: from names and numbers to an optimiser and to layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.nn.layers import BatchNorm, Dense, Dropout, Layer, is_count
from backpass.nn.optim import Optimizer
from backpass.nn.optimizers import OPTIMIZERS, SGD, AdamW, FullBatch
from backpass.nn.schedules import (
    Adaptive,
    Cosine,
    ExponentialDecay,
    InverseScaling,
    Schedule,
    StepDecay,
    WarmUp,
)

BY_NAME = {name.lower(): kind for name, kind in OPTIMIZERS.items()}
SCHEDULES: dict[str, type[Schedule] | None] = {
    "constant": None,
    "step": StepDecay,
    "exponential": ExponentialDecay,
    "inverse-scaling": InverseScaling,
    "cosine": Cosine,
    "adaptive": Adaptive,
}


@dataclass(frozen=True)
class Learning:
    """What is chosen about learning; the optimiser's own numbers where nothing is said."""

    optimizer: str = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    schedule: str = "constant"
    warm_up: float = 0.0
    weight_decay: float | None = None
    clip_norm: float | None = None
    dropout: float = 0.0
    batch_norm: bool = False
    l1: float = 0.0
    l2: float = 0.0
    early_stopping: int | None = None
    class_weight: str | None = None
    backend: str = "auto"

    def __post_init__(self) -> None:
        for what, name, known in (
            ("optimizer", self.optimizer, BY_NAME),
            ("schedule", self.schedule, SCHEDULES),
        ):
            if name not in known:
                raise UnknownName(f"there is no {what} {name!r}{choices(name, known, 'there are')}")
        if self.momentum and self.kind is not SGD:
            raise BackpassError(f"{self.optimizer} has no momentum of its own; take sgd")
        if self.nesterov and not self.momentum:
            raise BackpassError("nesterov looks ahead along a momentum; give that, too, say 0.9")
        if not self.warm_up >= 0:
            raise BackpassError(f"warm_up={self.warm_up:g} is not valid; give epochs, from 0 on")
        if issubclass(self.kind, FullBatch) and (self.dropout or self.batch_norm):
            what = "dropout" if self.dropout else "batch_norm"
            raise BackpassError(f"{self.optimizer} takes all samples at once; leave out {what}")
        if self.weight_decay is not None and self.kind is not AdamW:
            raise BackpassError(
                f"{self.optimizer} has no weight decay; take adamw, or l2, which goes with all"
            )
        if self.early_stopping is not None and not is_count(self.early_stopping):
            raise BackpassError(
                f"early_stopping={self.early_stopping!r} is not valid; give epochs, from 1 on"
            )

    @property
    def kind(self) -> type[Optimizer]:
        """The class of the optimiser."""
        return BY_NAME[self.optimizer]

    def made(self, lr: float | None, usual: float) -> Optimizer:
        """The optimiser; without a rate, SGD takes the usual one and the others their own."""
        given: dict[str, Any] = {
            "momentum": self.momentum or None,
            "nesterov": self.nesterov or None,
            "weight_decay": self.weight_decay,
            "clip_norm": self.clip_norm,
        }
        given = {name: value for name, value in given.items() if value is not None}
        own = getattr(self.kind, "lr", None)
        if own is None:
            if lr is not None or self.schedule != "constant" or self.warm_up:
                raise BackpassError(f"{self.optimizer} finds its own steps and has no rate")
            return self.kind(**given)
        rate: Any = lr if lr is not None else usual if self.kind is SGD else own
        schedule = SCHEDULES[self.schedule]
        rate = rate if schedule is None else schedule(rate)
        given["lr"] = WarmUp(rate, self.warm_up) if self.warm_up else rate
        return self.kind(**given)

    def hidden(self, units: int, activation: str) -> list[Layer]:
        """A hidden layer, and what stands behind it."""
        layers: list[Layer] = [Dense(units, activation)]
        if self.batch_norm:
            layers = [Dense(units), BatchNorm(activation)]
        return [*layers, Dropout(self.dropout)] if self.dropout else layers
