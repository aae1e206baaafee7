"""What each correct program ought to do, from finite differences of its stated loss alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

Arrays = list[np.ndarray]


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky": lambda z: np.where(z > 0, z, 0.1 * z),
    "softplus": lambda z: np.log1p(np.exp(z)),
    "softmax": softmax,
}
SQUARES = {
    "half_sum": lambda a, y: 0.5 * np.sum((a - y) ** 2),
    "half_mean": lambda a, y: 0.5 * np.sum((a - y) ** 2) / len(y),
    "sum": lambda a, y: np.sum((a - y) ** 2),
    "mean": lambda a, y: np.sum((a - y) ** 2) / len(y),
    "mse": lambda a, y: np.mean((a - y) ** 2),
    "half_mse": lambda a, y: 0.5 * np.mean((a - y) ** 2),
}
ENTROPIES = {
    "ce_sum": lambda a, y: -np.sum(y * np.log(a)),
    "ce_mean": lambda a, y: -np.sum(y * np.log(a)) / len(y),
    "bce_sum": lambda a, y: -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)),
    "bce_mean": lambda a, y: -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / len(y),
    "bce_mse": lambda a, y: -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)),
}
LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {**SQUARES, **ENTROPIES}


@dataclass(frozen=True, slots=True)
class Stated:
    """A network of dense layers and the rule by which a program says that it trains them."""

    activations: tuple[str, ...]
    loss: str
    turned: bool  # weights are out×in
    bias: str  # separate, first, last or none
    rate: float
    decay: float = 0.0
    rule: str = "descent"
    batch: int = 0  # 0: all samples at once
    epochs: int = 1
    masks: tuple[np.ndarray, ...] = ()  # what hidden activations are multiplied with, as drawn
    past: str = (
        ""  # of a recurrent layer, whether outputs are made at "every" step or at the "last"
    )
    parts: tuple[str, ...] = ()  # of Wx, Wh, b, Wy, c: what its parameters are

    def value(self, parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> float:
        """The loss, with samples in rows and a weight's bias behind it."""
        if self.past:
            return float(LOSSES[self.loss](self.unrolled(parameters, X), Y))
        rest = iter(parameters)
        A = X
        penalty = 0.0
        for name, mask in zip_longest(self.activations, self.masks):
            W = next(rest)
            penalty += 0.5 * self.decay * np.sum(W**2)
            W = W.T if self.turned else W
            if self.bias in ("first", "last"):
                ones = np.ones((len(A), 1))
                A = np.hstack([ones, A] if self.bias == "first" else [A, ones])
            Z = A @ W
            if self.bias == "separate":
                Z = Z + np.ravel(next(rest))
            A = ACTIVATIONS[name](Z) if mask is None else ACTIVATIONS[name](Z) * mask
        return float(LOSSES[self.loss](A, Y) + penalty)

    def unrolled(self, parameters: Arrays, X: np.ndarray) -> np.ndarray:
        """The outputs of a recurrent layer, a row for each step and sequence of X."""
        held = dict(zip(self.parts, parameters, strict=True))
        held = {name: w.T if self.turned and name[0] == "W" else w for name, w in held.items()}
        b, c = np.ravel(held.get("b", 0.0)), np.ravel(held.get("c", 0.0))
        hidden, output = (ACTIVATIONS[name] for name in self.activations)
        h = np.zeros((X.shape[1], len(held["Wh"])))
        states: Arrays = []
        for step in X:
            h = hidden(step @ held["Wx"] + h @ held["Wh"] + b)
            states.append(h)
        used = np.concatenate(states if self.past == "every" else states[-1:])
        return output(used @ held["Wy"] + c)

    def slopes(self, parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> Arrays:
        """Central differences, entry by entry."""
        found: Arrays = []
        for array in parameters:
            slope = np.zeros_like(array)
            for at in np.ndindex(array.shape):
                kept = array[at]
                array[at] = kept + 1e-5
                above = self.value(parameters, X, Y)
                array[at] = kept - 1e-5
                below = self.value(parameters, X, Y)
                array[at] = kept
                slope[at] = (above - below) / 2e-5
            found.append(slope)
        return found

    def trained(self, parameters: Sequence[np.ndarray], X: np.ndarray, Y: np.ndarray) -> Arrays:
        """What the parameters should be after one call of the program."""
        now = [np.array(p, float) for p in parameters]
        size = self.batch or max(len(X), len(Y))
        for _ in range(self.epochs):
            for start in range(0, len(X), size):
                slopes = self.slopes(now, X[start : start + size], Y[start : start + size])
                if self.rule == "adam":  # the first step of Adam, from moments of nothing
                    slopes = [g / (np.abs(g) + 1e-8) for g in slopes]
                now = [p - self.rate * g for p, g in zip(now, slopes, strict=True)]
        return now
