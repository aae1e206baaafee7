"""A recurrent layer, told by its numbers: each step's sums have the state of the step before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.layers import as_matrix
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe
from backpass.doctor.recurrent.layouts import inputs, layouts, targets

Array = NDArray[np.float64]
BENDS = ("tanh", "sigmoid", "relu", "linear")
TENSORS = ("Wx", "Wh", "b", "Wy", "c")


@dataclass(frozen=True, slots=True)
class Held:
    """Where an array is; `turned` is a weight that is out×in where samples are rows."""

    path: str
    turned: bool = False

    def of(self, parameters: Mapping[str, NDArray[Any]]) -> Array:
        """The weight in×out, or the bias in one line."""
        value = np.asarray(parameters[self.path], float)
        return as_matrix(value.T if self.turned and value.ndim == 2 else value)


@dataclass(frozen=True, slots=True)
class Recurrent:
    """h_t = f(x_t Wx + h_{t−1} Wh + b), and outputs h_t Wy + c of every step or of the last.

    `layout` says how the inputs stand, as in `layouts`; `state` is where the first state is held.
    """

    layout: str
    arrays: tuple[tuple[str, Held], ...]  # by their names in TENSORS
    bend: str
    output: str
    every: bool
    state: str | None

    @property
    def paths(self) -> dict[str, str]:
        return {name: held.path for name, held in self.arrays}

    @property
    def turned(self) -> bool:
        """Whether weights are out×in: samples are columns in the code's products."""
        return all(held.turned for name, held in self.arrays if name.startswith("W"))


@dataclass(frozen=True, slots=True)
class Unrolled:
    """The forward pass of one run: lists by step, a row in each for every sequence."""

    seen: Recurrent
    x: list[Array]
    Z: list[Array]
    h: list[Array]  # one more: the first is the state before the first step
    out: list[Array]  # of every step, or of the last alone
    y: list[Array]
    weights: dict[str, Array]

    @property
    def steps(self) -> int:
        return len(self.x)

    @property
    def used(self) -> list[Array]:
        """The states that outputs are made of."""
        return self.h[1:] if self.seen.every else self.h[-1:]


def recurrent(probes: Sequence[Probe]) -> list[tuple[Recurrent, list[Unrolled]]]:
    """The recurrent layers that all runs have, each with its forward passes."""
    first = probes[0]
    square = [p for p in first.parameters.values() if p.ndim == 2 and p.shape[0] == p.shape[1]]
    if not square or not 1 <= np.ndim(first.X) <= 3:
        return []
    numbers = [Numbers(one) for one in probes]
    found: list[tuple[Recurrent, list[Unrolled]]] = []
    for seen in _seen(first, numbers[0]):
        runs = [unrolled(seen, one) for one in probes]
        made = [one is not None and _made(one, own) for one, own in zip(runs, numbers, strict=True)]
        if all(made):
            found.append((seen, [one for one in runs if one is not None]))
    return sorted(found, key=lambda one: -len(one[0].arrays))


def _made(one: Unrolled, numbers: Numbers) -> bool:
    """Whether the state of every step was among the numbers, and what is made of the last."""
    return all(map(numbers.has, one.h[1:])) and all(map(numbers.has, one.out))


# ── from one run ─────────────────────────────────────────────────────────────────────────────


def _seen(one: Probe, numbers: Numbers) -> Iterator[Recurrent]:
    for layout in layouts(one.X):
        for arrays, bend, state, h in steps(layout, one, numbers):
            yield from _outputs(layout, arrays, bend, state, h, one, numbers)


Arrays = dict[str, Held]


def steps(
    layout: str, one: Probe, numbers: Numbers
) -> Iterator[tuple[Arrays, str, str | None, Array]]:
    """Weights with which the first two steps were made, and the state after the last."""
    held = one.parameters
    for wh in _weights(held, None, None):
        Wh = wh.of(held)
        width = Wh.shape[1]
        if Wh.shape[0] != width:
            continue
        for wx in _weights(held, None, width):
            x = inputs(layout, one.X, len(wx.of(held)))
            if x is None or len(x) < 2:
                continue
            for bias in _biases(held, width):
                if len({wh.path, wx.path, bias.path if bias else ""}) < 3:
                    continue
                b = bias.of(held).ravel() if bias else np.zeros(width)
                arrays = {"Wx": wx, "Wh": wh} | ({"b": bias} if bias else {})
                for state, h0 in _states(one, x.shape[1], width):
                    if state in (wx.path, wh.path):
                        continue
                    sums = x @ wx.of(held) + b
                    if not numbers.has(sums[0] + h0 @ Wh):
                        continue
                    for bend in BENDS:
                        h = np.asarray(FUNCTIONS[bend](sums[0] + h0 @ Wh), float)
                        if not numbers.has(sums[1] + h @ Wh):
                            continue
                        for step in sums[1:]:
                            h = np.asarray(FUNCTIONS[bend](step + h @ Wh), float)
                        yield arrays, bend, state, h


def _outputs(
    layout: str, arrays: Arrays, bend: str, state: str | None, h: Array, one: Probe,
    numbers: Numbers,
) -> Iterator[Recurrent]:  # fmt: skip
    held, width = one.parameters, h.shape[1]
    taken = {own.path for own in arrays.values()}
    for wy in _weights(held, width, None):
        W = wy.of(held)
        for bias in _biases(held, W.shape[1]):
            paths = {wy.path, bias.path} if bias else {wy.path}
            out = h @ W + (bias.of(held).ravel() if bias else 0.0)
            if paths & taken or not numbers.has(out):
                continue
            all_ = arrays | {"Wy": wy} | ({"c": bias} if bias else {})
            ordered = tuple((name, all_[name]) for name in TENSORS if name in all_)
            for output in ("softmax", "sigmoid", "linear"):
                value = np.asarray(FUNCTIONS[output](out), float)
                if output == "linear" or (out.shape[1] > 1 and numbers.has(value)):
                    for every in (True, False):
                        yield Recurrent(layout, ordered, bend, output, every, state)
                    break


def _weights(held: Mapping[str, Array], into: int | None, out: int | None) -> Iterator[Held]:
    for path, value in held.items():
        for turned in (False, True) if value.ndim == 2 else ():
            rows, columns = value.shape[::-1] if turned else value.shape
            if into in (None, rows) and out in (None, columns) and np.any(value):
                yield Held(path, turned)


def _biases(held: Mapping[str, Array], width: int) -> Iterator[Held | None]:
    for path, value in held.items():
        if value.size == width and max(value.shape, default=1) == width and np.any(value):
            yield Held(path)
    yield None


def _states(one: Probe, sequences: int, width: int) -> Iterator[tuple[str | None, Array]]:
    """What the state may have been before the first step: nothing, or something that is held."""
    yield None, np.zeros((sequences, width))
    for path, value in {**one.run.before, **one.parameters}.items():
        if value.dtype.kind == "f" and value.size == sequences * width and np.any(value):
            yield path, _rows(value, sequences, width)


def _rows(value: Array, sequences: int, width: int) -> Array:
    turned = value.shape == (width, sequences) and sequences > 1
    return np.asarray(value.T if turned else value, float).reshape(sequences, width)


# ── the forward pass ─────────────────────────────────────────────────────────────────────────


def unrolled(seen: Recurrent, one: Probe) -> Unrolled | None:
    """The forward pass in numbers; None where targets do not stand as its outputs do."""
    weights = {name: held.of(one.parameters) for name, held in seen.arrays}
    x = inputs(seen.layout, one.X, len(weights["Wx"]))
    if x is None:
        return None
    width = weights["Wh"].shape[1]
    h = [np.zeros((x.shape[1], width))]
    if seen.state is not None:
        value = one.parameters.get(seen.state, one.run.before.get(seen.state))
        if value is None:
            return None
        h = [_rows(np.asarray(value, float), x.shape[1], width)]
    b = weights["b"].ravel() if "b" in weights else 0.0
    Z: list[Array] = []
    for step in x:
        Z.append(step @ weights["Wx"] + h[-1] @ weights["Wh"] + b)
        h.append(np.asarray(FUNCTIONS[seen.bend](Z[-1]), float))
    c = weights["c"].ravel() if "c" in weights else 0.0
    used = h[1:] if seen.every else h[-1:]
    out = [np.asarray(FUNCTIONS[seen.output](one @ weights["Wy"] + c), float) for one in used]
    y = targets(seen.layout, np.asarray(one.Y), np.shape(out))
    return None if y is None else Unrolled(seen, list(x), Z, h, out, list(y), weights)
