"""Data of other shapes than rows of numbers, seen as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.leading import leading_networks
from backpass.doctor.probe import Probe

Probes = Sequence[Probe]


def shaped(probes: Probes, gathered: Callable[[Probes], list[Probe]]) -> list[Probe]:
    """The runs with their samples and targets as rows; `gathered` puts their weights together.

    A sample may be a column or a picture of its own, whose numbers are one row here, if a layer
    takes them all: they may be a sequence. Numbers in a line are a sample, unless there are as many
    targets and no layer takes them all: then each is one.
    """
    flat = [replace(one, X=_rows(one.X), Y=_rows(one.Y)) for one in probes]
    found = gathered(flat)
    if np.ndim(probes[0].X) > 2 and not leading_networks(found):
        return gathered(probes)
    X, Y = np.asarray(flat[0].X), np.asarray(flat[0].Y)
    if X.ndim != 1 or X.shape != Y.shape or len(X) < 2 or leading_networks(found):
        return found
    column = gathered([replace(one, X=np.asarray(one.X)[:, None]) for one in flat])
    return column if leading_networks(column) else found


def _rows(given: NDArray[Any]) -> NDArray[Any]:
    value = np.asarray(given)
    return value.reshape(len(value), -1) if value.ndim > 2 and value.size else given
