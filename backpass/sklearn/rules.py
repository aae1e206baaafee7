"""scikit-learn's update rules, where they are not those of `backpass.nn.optim`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backpass.nn.optim import Optimizer


@dataclass(frozen=True)
class Heavy(Optimizer):
    """Momentum whose velocity holds the learning rate that it was gathered with."""

    lr: float
    momentum: float

    rules: ClassVar[tuple[str, ...]] = (
        "V′[k,j] = momentum * V[k,j] - lr * dW[k,j]",
        "W′[k,j] = W[k,j] + V′[k,j]",
    )


@dataclass(frozen=True)
class Ahead(Optimizer):
    """The same, and a step further along the new velocity (Nesterov, 1983)."""

    lr: float
    momentum: float

    rules: ClassVar[tuple[str, ...]] = (
        "V′[k,j] = momentum * V[k,j] - lr * dW[k,j]",
        "W′[k,j] = W[k,j] + momentum * V′[k,j] - lr * dW[k,j]",
    )


@dataclass(frozen=True)
class Adaptive(Optimizer):
    """Adam as section 2 of its paper has it at the end: the corrections stand in the rate.

    Kingma and Ba (2014): lr is alpha·√(1 − beta_2ᵗ)/(1 − beta_1ᵗ), given anew for every step.
    """

    lr: float
    beta_1: float
    beta_2: float
    epsilon: float

    rules: ClassVar[tuple[str, ...]] = (
        "M′[k,j] = beta_1 * M[k,j] + (1 - beta_1) * dW[k,j]",
        "S′[k,j] = beta_2 * S[k,j] + (1 - beta_2) * dW[k,j]**2",
        "W′[k,j] = W[k,j] - lr * M′[k,j] / (S′[k,j]**(1/2) + epsilon)",
    )
