"""Code that was edited, run again: how far its updates are from the derived gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import meant
from backpass.doctor.bank import Family
from backpass.doctor.infer import Layer
from backpass.doctor.passes import Pass
from backpass.doctor.probe import Where
from backpass.doctor.repair.exchange import exchanged
from backpass.doctor.right import gradients
from backpass.doctor.watched import watched

Array = NDArray[np.float64]
EXACT = 1e-7


@dataclass(frozen=True)
class Subject:
    """What was examined, to be called again."""

    call: Callable[..., Any]
    args: Sequence[Any]
    x: Where
    y: Where
    gradients: bool

    def again(
        self, file: str, source: str, family: Family, layers: Sequence[Layer]
    ) -> float | None:
        """The relative distance of all updates from one multiple of the gradient, with this source.

        The gradient is that of the family's losses, for a network of these layers: what its author
        computes going forward is what they want, so an edit keeps it, unless it is what is wrong.
        None when the source does not run, or when its updates are no such thing.
        """
        wanted = _kinds(layers, wanted=True)
        try:
            with exchanged([self.call, *self.args], file, source):
                ways = watched(self.call, self.args, self.x, self.y, gradients=self.gradients)
                for way in ways:
                    seen = way.networks()
                    if not seen or _kinds(seen[0].layers, wanted=False) != wanted:
                        continue
                    for passes in way.passes(seen):
                        found = distance(passes, family)
                        if found is not None and found < EXACT:
                            return found
        except Exception:  # whatever an edit may lead to, it is not the one that was looked for
            return None
        return None


def _kinds(layers: Sequence[Layer], *, wanted: bool) -> list[tuple[str, str | None, str]]:
    """Each layer's arrays and its activation; `wanted` is what it should be where it is wrong."""
    return [
        (one.weight, one.bias, meant(one.activation) if wanted else one.activation)
        for one in layers
    ]


def distance(passes: Sequence[Pass], family: Family) -> float | None:
    """How far the updates of all runs are from one positive multiple of their gradients."""
    pairs: list[tuple[Array, Array]] = []
    for run in passes:
        if run.y.shape != run.A[-1].shape:
            return None
        right = gradients(run, family)
        pairs += [(run.moved[tensor], right[tensor]) for tensor in run.moved]
    if any(moved.shape != wanted.shape for moved, wanted in pairs):
        return None
    seen = np.concatenate([moved.ravel() for moved, _ in pairs])
    made = np.concatenate([wanted.ravel() for _, wanted in pairs])
    length = float(made @ made)
    scale = float(seen @ made) / length if length else 0.0
    if not np.isfinite(scale) or scale <= 0:
        return None
    return max(
        float(np.linalg.norm(moved - scale * wanted) / (scale * np.linalg.norm(wanted) or 1.0))
        for moved, wanted in pairs
    )
