"""The gradient that a backward pass should return: derived, or else by central differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import derive
from backpass.doctor.custom.pair import Pair
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]
ENTRIES = 20_000
STEP = 1e-5


def derived(
    pair: Pair, inputs: Sequence[Array], incoming: Sequence[Array]
) -> tuple[Array, ...] | None:
    """The gradients of ⟨outputs, incoming⟩, where the forward pass can be traced and read."""
    forward = pair.traced()
    if forward is None or len(incoming) != 1:
        return None

    def loss(x: Sequence[Any], G: Any) -> Any:
        return np.sum(forward(*x) * G)

    shapes = {"x": [_sizes(one) for one in inputs], "G": _sizes(incoming[0])}
    try:
        value, gradients = derive(loss, shapes, wrt="x")(list(inputs), incoming[0])
    except Exception:  # torch's and JAX's own functions take no stand-ins for arrays
        return None
    right = float(np.sum(pair.forward(inputs)[0] * incoming[0]))
    if not np.isclose(value, right, rtol=1e-9):
        return None
    return tuple(np.asarray(one, float) for one in gradients["x"])


def _sizes(array: Array) -> str:
    return " ".join(map(str, array.shape)) or "()"


def differences(
    pair: Pair, inputs: Sequence[Array], incoming: Sequence[Array]
) -> tuple[Array, ...]:
    """The same, entry by entry.

    Raises BackpassError for inputs of more entries than anybody would wait for.
    """
    count = sum(one.size for one in inputs)
    if count > ENTRIES:
        raise BackpassError(
            f"{pair.name} was given {count:,} numbers, which are too many to move one by one; "
            "give smaller inputs"
        )
    found: list[Array] = []
    for place, one in enumerate(inputs):
        gradient = np.zeros_like(one)
        for entry in np.ndindex(one.shape):
            step = STEP * max(1.0, abs(float(one[entry])))
            ends: list[float] = []
            for sign in (1, -1, 2, -2):
                moved = one.copy()
                moved[entry] += sign * step
                given = [*inputs[:place], moved, *inputs[place + 1 :]]
                outputs = pair.forward(given)
                ends.append(
                    sum(float(np.sum(o * g)) for o, g in zip(outputs, incoming, strict=True))
                )
            near, far = (ends[0] - ends[1]) / (2 * step), (ends[2] - ends[3]) / (4 * step)
            gradient[entry] = (4 * near - far) / 3
        found.append(gradient)
    return tuple(found)
