"""What is recognised of a network with a past that is none of those that are read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe
from backpass.doctor.recurrent.layouts import inputs, layouts
from backpass.doctor.recurrent.seen import steps

READ = (
    "One recurrent layer, h_t = f(x_t Wx + h_{t−1} Wh + b), with outputs that are made of its "
    "states, is what is read; several such layers, and gates as LSTM and GRU have them, are not."
)


def beyond(one: Probe) -> str:
    """A sentence on layers that take a state from step to step, "" where none was seen."""
    if not 1 <= one.X.ndim <= 3:
        return ""
    numbers = Numbers(one)
    for layout in layouts(one.X):
        for arrays, *_ in steps(layout, one, numbers):
            paths = arrays["Wx"].path, arrays["Wh"].path
            return (
                f"A recurrent layer was recognised, in which {paths[1]} takes each state to the "
                f"next and {paths[0]} takes the inputs in, but not what is made of its states. "
                f"{READ}"
            )
    gates = max((list(_gates(layout, one, numbers)) for layout in layouts(one.X)), key=len)
    if len(gates) < 2:
        return ""
    return (
        f"What {', '.join(gates)} make of the first step goes through sigmoids: gates were "
        f"recognised, and no more. {READ}"
    )


def _gates(layout: str, one: Probe, numbers: Numbers) -> Iterator[str]:
    """Weights whose sums at the first step, with no state yet, go through a sigmoid."""
    biases = [np.ravel(value) for value in one.parameters.values() if np.squeeze(value).ndim == 1]
    for path, held in one.parameters.items():
        for W in (held, held.T) if held.ndim == 2 else ():
            if any(numbers.has(gate) for gate in _opened(layout, one, W, biases)):
                yield path
                break


def _opened(
    layout: str, one: Probe, W: np.ndarray, biases: list[np.ndarray]
) -> Iterator[np.ndarray]:
    rows, width = W.shape
    for start in {0, width}:  # where a state stands before the inputs, or after them, in one array
        for units in {rows, rows - width}:
            x = inputs(layout, one.X, units) if 0 < units <= rows - start else None
            if x is None:
                continue
            for b in (np.zeros(width), *(b for b in biases if b.size == width)):
                yield np.asarray(FUNCTIONS["sigmoid"](x[0] @ W[start : start + units] + b), float)
