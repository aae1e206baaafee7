"""Code that trains on data which it holds itself, made into code that is given its data."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.frameworks import refuse_tensors
from backpass.doctor.infer import Seen, networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.observe import observe
from backpass.doctor.probe import Probe, calls, is_data
from backpass.doctor.state import Roots, State, argument_names
from backpass.doctor.units import gathered
from backpass.doctor.updates import begun
from backpass.language.errors import BackpassError

Array = NDArray[Any]
Call = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Held:
    """Where samples and targets are held: two paths, or one with the targets in a column."""

    samples: str
    targets: str
    column: int | None = None  # the first or the last one
    labels: bool = False  # that column has whole numbers

    @property
    def is_alone(self) -> bool:
        """Whether the samples are their own targets."""
        return self.column is None and self.samples == self.targets


def with_data(call: Call, args: Sequence[Any]) -> tuple[Call, Sequence[Any]]:
    """The call as it is, if it is given samples and targets; else one that is given them.

    What it holds and never changes may be its data: samples are what is multiplied with what it
    changes, and targets what the outputs are compared with, or the samples once more. They may be
    columns of one table. Raises BackpassError when nothing is.
    """
    refuse_tensors(call, args)
    calls(call, args)
    if sum(map(is_data, args)) >= 2:
        return call, args
    roots = Roots.of(call, args)
    taken = roots.state()
    random = np.random.default_rng(0)
    first = observe(call, args)
    if first.failure is not None:
        raise first.failure.error
    moving = [
        path
        for path, value in first.before.items()
        if _moved(value, np.asarray(first.after.get(path, _NONE)))
    ]
    try:
        for path in moving:
            taken.replace(path, random.normal(0.0, 0.5, taken.values[path].shape))
        run = observe(call, args)
    finally:
        taken.restore()
    weights = {path: np.asarray(run.before[path], float) for path in moving}
    still = {path: value for path, value in first.before.items() if path not in weights}
    data = {path: value for path, value in still.items() if value.ndim and value.size > 1}
    one = Probe(begun(run, weights), _NONE, _NONE, weights, ())
    found = [*_pairs(one, data)] or [*_lines(one, data)] or [*_tables(one, data)]
    if not found:
        raise BackpassError(
            "give samples and targets as the last two arguments; none were given, and nothing "
            "that the code holds is multiplied with what it changes"
        )
    place = max(found, key=lambda pair: pair[0])[1]
    if place.is_alone and place.samples in roots.arguments:
        return call, args
    handed: Any = functools.partial(_handed, place, call)
    last = ["samples"] if place.is_alone else ["samples", "targets"]
    names = [*argument_names(call, len(args)), *last]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [name if name.isidentifier() else f"argument_{n}" for n, name in enumerate(names, 1)]
    handed.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])
    return handed, [*args, *_given(taken.slots[place.samples].held, place, taken)]


_NONE = np.zeros((0, 0))
Weight = tuple[int, ...]


def _moved(before: Array, after: Array) -> bool:
    """Whether this is a number or numbers that a call changed; a parameter may begin as 0."""
    kinds = before.dtype.kind in "fi" and after.dtype.kind == "f"
    return kinds and not np.array_equal(before, after)


def _pairs(run: Probe, data: dict[str, Array]) -> Iterator[tuple[Weight, _Held]]:
    """Samples and targets that it may be, with the layers seen and the outputs compared."""
    for x, X in data.items():
        if X.ndim < 2 or X.dtype.kind not in "fiu":
            continue
        rows = X.reshape(len(X), -1)
        seen = networks([Probe(run.run, rows, _NONE, run.parameters, ())])
        for y, Y in data.items() if seen else ():
            count = len(seen[0].output)
            if count not in Y.shape:
                continue
            compared = _compared(run, seen[0], rows, Y)
            if y == x and not compared:
                continue
            yield (len(seen[0].layers), int(compared), int(Y.shape[0] == count)), _Held(x, y)


def _lines(run: Probe, data: dict[str, Array]) -> Iterator[tuple[Weight, _Held]]:
    """The same where a sample is a single number."""
    lines = {path: value for path, value in data.items() if value.ndim == 1}
    for x, X in lines.items():
        (one,) = gathered([Probe(run.run, X[:, None], _NONE, run.parameters, ())])
        seen = networks([one])
        for y, Y in lines.items() if seen else ():
            if y != x and Y.shape == X.shape and _compared(one, seen[0], one.X, Y):
                yield (len(seen[0].layers),), _Held(x, y)


def _tables(run: Probe, data: dict[str, Array]) -> Iterator[tuple[Weight, _Held]]:
    """Tables whose last or first column has the targets, since all others are multiplied."""
    for path, table in data.items():
        if table.ndim != 2 or table.shape[1] < 2 or table.dtype.kind not in "fiu":
            continue
        for column in (-1, 0):
            X, Y = np.delete(table, column, axis=1), table[:, column]
            seen = networks(gathered([Probe(run.run, X, Y, run.parameters, ())]))
            if seen and not seen[0].turned:
                labels = bool(np.all(np.round(Y) == Y))
                yield (len(seen[0].layers),), _Held(path, path, column, labels)


def _compared(run: Probe, seen: Seen, X: Array, Y: Array) -> bool:
    """Whether the outputs were subtracted from these targets, or these from the outputs."""
    if seen.output.size != Y.size:
        return False
    wanted = np.reshape(Y.T if seen.turned else Y, seen.output.shape)
    return Numbers(Probe(run.run, X, Y, run.parameters, ())).has(seen.output - wanted)


def _given(held: Any, place: _Held, taken: State) -> tuple[Any, ...]:
    """The samples and targets as they are held."""
    if place.is_alone:
        return (held,)
    if place.column is None:
        return held, taken.slots[place.targets].held
    table = np.asarray(held)
    y = table[:, place.column]
    return np.delete(table, place.column, axis=1), y.astype(int) if place.labels else y


def _handed(place: _Held, call: Call, *given: Any) -> Any:
    """Call it with the last two as the data that it holds."""
    *args, samples, targets = (*given, given[-1]) if place.is_alone else given
    roots = Roots.of(call, args)
    state = roots.state()
    values = {place.samples: samples, place.targets: targets}
    if place.column is not None:
        values = {place.samples: _joined(state.slots[place.samples].held, place, samples, targets)}
    for path, value in values.items():
        held = state.slots[path].held
        for slot in state.slots.values():
            if slot.held is held and not isinstance(slot.holder, tuple):
                slot.holder[slot.key] = value
    return call(*roots.arguments.values())


def _joined(held: Any, place: _Held, samples: Any, targets: Any) -> Any:
    """The table with these samples and targets; classes stay whole numbers, as in lists of rows."""
    X, y = np.asarray(samples, float), np.asarray(targets)
    if place.labels and y.dtype.kind not in "iu":
        raise TypeError("the classes in a table are whole numbers")
    at = 0 if place.column == 0 else X.shape[1]
    if not isinstance(held, list):
        return np.insert(X, at, y, axis=1)
    return [[*row[:at], own, *row[at:]] for row, own in zip(X.tolist(), y.tolist(), strict=True)]
