"""How sequences stand in the arrays that code is given: read as steps, sequences and units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Some = NDArray[Any]

_INDICES: dict[str, Callable[[Some], Some | None]] = {
    "one index a step": lambda X: X[:, None] if X.ndim == 1 else None,
    "indices, sequences as rows": lambda X: X.T if X.ndim == 2 else None,
    "indices, steps as rows": lambda X: X if X.ndim == 2 else None,
}
_NUMBERS: dict[str, Callable[[Some], Some | None]] = {
    "steps are rows": lambda X: X[:, None, :] if X.ndim == 2 else None,
    "steps are columns": lambda X: X.T[:, None, :] if X.ndim == 2 else None,
    "sequences of single numbers are rows": lambda X: X.T[:, :, None] if X.ndim == 2 else None,
    "single numbers": lambda X: X[:, None, None] if X.ndim == 1 else None,
    "sequences, then steps": lambda X: X.transpose(1, 0, 2) if X.ndim == 3 else None,
    "steps, then sequences": lambda X: X if X.ndim == 3 else None,
    "steps of columns": lambda X: X.transpose(0, 2, 1) if X.ndim == 3 else None,
    "columns, then steps": lambda X: X.transpose(2, 1, 0) if X.ndim == 3 else None,
}
_LAYOUTS = _INDICES | _NUMBERS


def layouts(X: Some) -> Iterator[str]:
    """The ways in which these inputs may stand."""
    known = _INDICES if is_indices(X) else _NUMBERS
    yield from (name for name, laid in known.items() if laid(X) is not None)


def is_indices(X: Some) -> bool:
    """Whether inputs are places of a 1 among zeros, one for each step."""
    return X.dtype.kind in "iu" and X.ndim <= 2 and X.min(initial=0) >= 0


def inputs(layout: str, X: Some, units: int) -> Array | None:
    """Inputs by step, sequence and unit; None where they are not so many units."""
    laid = _LAYOUTS[layout](X)
    if laid is None:
        return None
    if layout in _INDICES:
        return np.eye(units)[laid] if laid.max(initial=0) < units else None
    return np.asarray(laid, float) if laid.shape[2] == units else None


def targets(layout: str, Y: Some, shape: tuple[int, ...]) -> Array | None:
    """Targets by step, sequence and output; labels become rows with a single 1."""
    steps, sequences, width = shape
    rows = layout in (
        "sequences, then steps", "sequences of single numbers are rows",
        "indices, sequences as rows",
    )  # fmt: skip
    if Y.dtype.kind in "iu" and width > 1 and Y.size == steps * sequences:
        if Y.min(initial=0) < 0 or Y.max(initial=0) >= width:
            return None
        turned = Y.ndim == 2 and rows and Y.shape == (sequences, steps)
        return np.eye(width)[(Y.T if turned else Y).reshape(steps, sequences)]
    if Y.size != steps * sequences * width:
        return None
    Y = np.asarray(Y, float)
    if layout == "steps are columns" and Y.shape == (width, steps):
        return Y.T.reshape(shape)
    if layout == "steps of columns" and Y.shape == (steps, width, sequences):
        return Y.transpose(0, 2, 1)
    if layout == "columns, then steps" and Y.shape == (width, sequences, steps):
        return Y.transpose(2, 1, 0)
    if layout in ("steps of columns", "columns, then steps") and Y.shape == (width, sequences):
        return Y.T.reshape(shape)
    if rows and steps > 1:
        return Y.reshape(sequences, steps, width).transpose(1, 0, 2)
    return Y.reshape(shape)
