"""Weights that are held apart, by unit or one by one, put together to the arrays of layers.

A unit is found as a layer is: by the numbers that it would make of its inputs. Single numbers are
told by their products with an input; only sums of those are tried.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import activated, networks
from backpass.doctor.layers import widened
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe
from backpass.doctor.updates import first_updates

Array = NDArray[np.float64]
Held = Mapping[str, NDArray[Any]]

SUMS = 20_000  # of products, that may be one unit's
_LAST_NUMBER = re.compile(r"(?<=\[)\d+(?=\]\D*$)")


@dataclass(frozen=True, slots=True)
class _Unit:
    """One unit: a path to its line of weights, or a path for each; and that of its bias."""

    weights: tuple[str, ...]
    bias: str | None
    sums: Array

    @property
    def paths(self) -> tuple[str, ...]:
        return self.weights if self.bias is None else (*self.weights, self.bias)

    def line(self, held: Held) -> Array:
        return np.concatenate(
            [np.atleast_1d(np.asarray(held[path], float)) for path in self.weights]
        )


Units = tuple[_Unit, ...]


def gathered(probes: Sequence[Probe]) -> list[Probe]:
    """The runs with an array for each layer whose units hold their weights apart.

    They stay as they are where nothing is held apart, or where nothing is gained by it.
    """
    first = probes[0]
    apart = {path: one for path, one in first.parameters.items() if one.ndim < 2}
    if len(apart) < 2 or np.ndim(first.X) > 2:
        return list(probes)
    layers = _layers(first, apart)
    changed = [*(path for path, one in first.parameters.items() if path not in first.frozen)]
    shared = [path for layer in layers for path in _twice(layer) if path in changed]
    if not layers or shared:  # one bias of several units has the sum of their gradients
        return list(probes)
    found = [_put_together(one, layers) for one in probes]
    return found if _depth(found) > _depth(probes) else list(probes)


def _depth(probes: Sequence[Probe]) -> int:
    return min((len(one.layers) for one in networks(probes)), default=0)


def _twice(layer: Units) -> Iterator[str]:
    biases = [unit.bias for unit in layer if unit.bias is not None]
    return (bias for bias in set(biases) if biases.count(bias) > 1)


# ── finding them ─────────────────────────────────────────────────────────────────────────────


def _layers(one: Probe, apart: Held) -> tuple[Units, ...]:
    """The longest chain of layers of units, from the samples on."""
    numbers = Numbers(one)
    steady = {
        path: value
        for path, value in one.run.before.items()
        if value.ndim == 0 and value.dtype.kind == "f" and path not in apart
    }
    X = np.atleast_2d(np.asarray(one.X, float))
    return max((_chain(A, apart, steady, numbers) for A in (X, X.T)), key=len)


def _chain(A: Array, left: Held, steady: Held, numbers: Numbers) -> tuple[Units, ...]:
    units = tuple(_units(A, left, steady, numbers))
    if not units:
        return ()
    taken = {path for unit in units for path in unit.paths}
    rest = {path: value for path, value in left.items() if path not in taken}
    Z = np.column_stack([unit.sums for unit in units])
    chains = (_chain(value, rest, steady, numbers) for _, value in activated(Z, numbers))
    return (units, *max(chains, key=len, default=()))


def _units(A: Array, left: Held, steady: Held, numbers: Numbers) -> Iterator[_Unit]:
    """Every unit that takes these inputs, in the order of the parameters."""
    scalars = {path: value for path, value in left.items() if value.ndim == 0}
    biases = scalars | dict(steady)
    taken: set[str] = set()
    for path, line in left.items():
        if line.ndim != 1 or not np.any(line):
            continue
        if line.size == A.shape[1]:
            free = {one: value for one, value in biases.items() if one not in taken}
            unit = _summed((path,), A @ line, free, numbers)
        else:
            unit = _with_ones(path, A, line, numbers)
        if unit is not None:
            taken |= {unit.bias} if unit.bias in scalars else set()
            yield unit
    edges = [
        [path for path, value in scalars.items() if numbers.has(value * inputs[:, None])]
        for inputs in A.T
    ]
    if np.prod([len(own) for own in edges]) > SUMS:
        return
    for weights in itertools.product(*edges):
        if len(set(weights)) < len(weights) or taken & set(weights):
            continue
        sums = A @ np.array([float(scalars[path]) for path in weights])
        free = {one: value for one, value in biases.items() if one not in (*taken, *weights)}
        unit = _summed(weights, sums, free, numbers)
        if unit is not None:
            taken |= set(weights) | ({unit.bias} if unit.bias in scalars else set())
            yield unit


def _summed(weights: tuple[str, ...], sums: Array, biases: Held, numbers: Numbers) -> _Unit | None:
    """A unit with the bias that was added, or with none, if its sum was seen."""
    for bias, value in biases.items():
        if value and numbers.has((sums + float(value))[:, None]):
            return _Unit(weights, bias, sums + float(value))
    return _Unit(weights, None, sums) if numbers.has(sums[:, None]) else None


def _with_ones(path: str, A: Array, line: Array, numbers: Numbers) -> _Unit | None:
    """A unit whose line of weights begins or ends with its bias."""
    if line.size != A.shape[1] + 1:
        return None
    for ones in ("last", "first"):
        sums = widened(A, ones) @ line
        if numbers.has(sums[:, None]):
            return _Unit((path,), None, sums)
    return None


# ── putting them together ────────────────────────────────────────────────────────────────────


def _put_together(one: Probe, layers: Sequence[Units]) -> Probe:
    """The same run with the arrays of these layers for what they consist of."""
    held = {**one.run.before, **one.parameters}
    moved = first_updates(one.run, {path: held[path] for path in _paths(layers)})
    new = {path: held[path] - step for path, step in moved.items()}
    before: dict[str, Array] = {}
    after: dict[str, Array] = {}
    frozen: list[str] = []
    fixed: list[str] = []
    for units in layers:
        name = together([unit.weights for unit in units])
        before[name] = np.stack([unit.line(held) for unit in units])
        after[name] = np.stack([unit.line(new) for unit in units])
        biases = [unit.bias for unit in units if unit.bias is not None]
        if len(biases) == len(units):
            name = together([(bias,) for bias in biases])
            before[name] = np.array([float(held[bias]) for bias in biases])
            after[name] = np.array([float(new[bias]) for bias in biases])
            if not set(biases) & one.parameters.keys():
                (fixed if len(set(biases)) < len(biases) else frozen).append(name)
    rest = {path: value for path, value in one.parameters.items() if path not in moved}
    run = replace(one.run, before={**one.run.before, **before}, after={**one.run.after, **after})
    return replace(
        one, run=run, parameters={**before, **rest}, frozen=(*one.frozen, *frozen),
        fixed=tuple(fixed),
    )  # fmt: skip


def _paths(layers: Sequence[Units]) -> Iterator[str]:
    return (path for units in layers for unit in units for path in unit.paths)


def together(rows: Sequence[tuple[str, ...]]) -> str:
    """One name for several paths: `units[0…3].w` where they count, else all of them."""
    paths = [path for row in rows for path in row]
    if len(set(paths)) == 1:
        return paths[0]
    parts = [_LAST_NUMBER.split(path, maxsplit=1) for path in paths]
    if len(paths) > 1 and len({tuple(part) for part in parts}) == 1 and len(parts[0]) == 2:
        first, last = (_LAST_NUMBER.findall(path)[0] for path in (paths[0], paths[-1]))
        return f"{parts[0][0]}{first}…{last}{parts[0][1]}"
    return "[" + "; ".join(" ".join(row) for row in rows) + "]"
