"""The forward pass of a network as anybody would write it, one line for each thing that happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from backpass.nn.layers import ACTIVATIONS, BatchNorm, Dense, Dropout, Layer
from backpass.nn.losses import LOGITS, Loss

WEIGHT = "weight"  # what each sample counts is called
NORMS = "γ", "β"  # the scales and shifts behind a batch norm, which are trained
KEPT = "mean", "var"  # what it keeps of all batches, for predictions


def forward_pass(
    layers: Sequence[Layer], loss: Loss, *, augmented: bool, weighted: bool
) -> Callable[..., Any]:
    """A function of X, y, W and what else is given.

    That is: b; scales γ and shifts β of batch norms; a weight for each sample; masks M, without
    which nothing is dropped; mean and var, which stand for those of a batch; l1 and l2, what the
    sizes and the squares of the weights cost. It is recorded, so what it stores under a number
    gets that number in its name.
    """
    end = layers[-1]
    from_logits = LOGITS.get((loss.name, end.activation)) if isinstance(end, Dense) else None
    judging = from_logits or loss

    def judged(Z: Any, output: Any, y: Any, weight: Any) -> Any:
        seen = Z if from_logits else output
        if weighted and judging.weighted is not None:
            return judging.weighted(seen, y, weight)
        return judging.function(seen, y)

    def forward(
        X: Any, y: Any, W: Any, b: Any = None, γ: Any = None, β: Any = None, weight: Any = None,
        M: Any = None, mean: Any = None, var: Any = None, l1: Any = None, l2: Any = None,
    ) -> Any:  # fmt: skip
        B, Z, A, D, m, v, s, N, H = ({} for _ in range(9))
        place, last = 0, X
        for layer in layers:
            match layer:
                case Dense():
                    place += 1
                    if augmented:
                        B[place] = np.column_stack([last, np.ones(len(X))])  # a 1 for W's last row
                        Z[place] = B[place] @ W[place - 1]
                    elif b is None:
                        Z[place] = last @ W[place - 1]
                    else:
                        Z[place] = last @ W[place - 1] + b[place - 1]
                    A[place] = ACTIVATIONS[layer.activation](Z[place])
                    last = A[place]
                case BatchNorm():
                    here = str(place)
                    if mean is None:
                        m[place] = np.mean(last, axis=0)
                        v[place] = np.mean((last - m[place]) ** 2, axis=0)
                        s[place] = np.sqrt(v[place] + layer.eps)
                        N[place] = (last - m[place]) / s[place]
                    else:
                        N[place] = (last - mean[here]) / np.sqrt(var[here] + layer.eps)
                    H[place] = γ[here] * N[place] + β[here]
                    A[place] = ACTIVATIONS[layer.activation](H[place])
                    last = A[place]
                case Dropout():
                    if M is not None and place:
                        D[place] = last * M[str(place)]
                        last = D[place]
                    elif M is not None:
                        D0 = X * M["0"]
                        last = D0
        if l1 is None and l2 is None:
            return judged(Z[place], last, y, weight)
        data = judged(Z[place], last, y, weight)
        trained = [one[:-1] if augmented else one for one in W]  # biases cost nothing
        if l1 is not None:
            sizes = reduce(add, [np.sum(np.abs(one)) for one in trained])
            if l2 is None:
                return data + l1 * sizes
            data = data + l1 * sizes
        squares = reduce(add, [np.sum(one**2) for one in trained])
        return data + l2 / 2 * squares

    return forward


def placed(layers: Sequence[Layer]) -> Mapping[int, Sequence[Layer]]:
    """The layers that stand behind each dense one, by its number; 0 are those before the first."""
    found: dict[int, list[Layer]] = {0: []}
    for layer in layers:
        if isinstance(layer, Dense):
            found[len(found)] = []
        else:
            found[len(found) - 1].append(layer)
    return found
