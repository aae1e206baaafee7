"""The forward pass of a network as anybody would write it, one line for each thing that happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backpass.nn.layers import ACTIVATIONS, Dense
from backpass.nn.losses import Loss

WEIGHT = "weight"  # what each sample counts is called


def forward_pass(
    layers: Sequence[Dense], loss: Loss, *, augmented: bool, weighted: bool
) -> Callable[..., Any]:
    """A function of X, y, W and what else is given: b, and a weight for each sample.

    It is recorded, so what it stores under a number gets that number in its name.
    """
    activations = [ACTIVATIONS[layer.activation] for layer in layers]

    def forward(X: Any, y: Any, W: Any, b: Any = None, weight: Any = None) -> Any:
        Z, A, B = [], [X], []
        for layer, activation in enumerate(activations):
            if augmented:
                B.append(np.column_stack([A[-1], np.ones(len(X))]))  # a 1 for the bias row of W
                Z.append(B[-1] @ W[layer])
            elif b is None:
                Z.append(A[-1] @ W[layer])
            else:
                Z.append(A[-1] @ W[layer] + b[layer])
            A.append(activation(Z[-1]))
        if weighted and loss.weighted is not None:
            return loss.weighted(A[-1], y, weight)
        return loss.function(A[-1], y)

    return forward
