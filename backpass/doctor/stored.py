"""Code that trains on data which it holds itself, made into code that is given its data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.flat import cut
from backpass.doctor.frameworks import refuse_tensors
from backpass.doctor.infer import networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.observe import observe
from backpass.doctor.probe import Probe, calls, is_data
from backpass.doctor.state import Roots
from backpass.language.errors import BackpassError

Array = NDArray[Any]
Call = Callable[..., Any]


def with_data(call: Call, args: Sequence[Any]) -> tuple[Call, Sequence[Any]]:
    """The call as it is, if it is given samples and targets; else one that is given them.

    What it holds and never changes may be its data: samples are what is multiplied with what it
    changes, and targets what the outputs are compared with, or the samples once more. Raises
    BackpassError when nothing is.
    """
    refuse_tensors(call, args)
    calls(call, args)
    if sum(map(is_data, args)) >= 2:
        return call, args
    roots = Roots.of(call, args)
    taken = roots.state()
    random = np.random.default_rng(0)
    first = observe(call, args, keeping=False)
    if first.failure is not None:
        raise first.failure.error
    moving = [
        path
        for path, value in first.before.items()
        if value.dtype.kind == "f" and not np.array_equal(value, first.after.get(path, _NONE))
    ]
    try:
        for path in moving:
            taken.replace(path, random.normal(0.0, 0.5, taken.values[path].shape))
        run = observe(call, args)
    finally:
        taken.restore()
    weights = {path: run.before[path] for path in moving}
    still = {path: value for path, value in first.before.items() if path not in weights}
    data = {path: value for path, value in still.items() if value.ndim and value.size > 1}
    found = max(_pairs(Probe(run, _NONE, _NONE, weights, ()), data), default=None)
    if found is None:
        raise BackpassError(
            "give samples and targets as the last two arguments; none were given, and nothing "
            "that the code holds is multiplied with what it changes"
        )
    paths = tuple(dict.fromkeys(found[1:]))
    if len(paths) == 1 and paths[0] in roots.arguments:
        return call, args
    held = [taken.slots[path].held for path in paths]
    return functools.partial(_handed, call, tuple(args), paths), held


_NONE = np.zeros((0, 0))


def _pairs(run: Probe, data: dict[str, Array]) -> Iterator[tuple[tuple[int, ...], str, str]]:
    """Samples and targets that it may be, with the layers seen and the outputs compared."""
    for x, X in data.items():
        if X.ndim != 2 or X.dtype.kind not in "fiu":
            continue
        seen = networks(cut([Probe(run.run, X, _NONE, run.parameters, ())]))
        for y, Y in data.items() if seen else ():
            count = len(seen[0].output)
            if count not in Y.shape:
                continue
            compared = seen[0].output.size == Y.size and Numbers(
                Probe(run.run, X, Y, run.parameters, ())
            ).has(seen[0].output - np.reshape(Y.T if seen[0].turned else Y, seen[0].output.shape))
            if y == x and not compared:
                continue
            yield (len(seen[0].layers), int(compared), int(Y.shape[0] == count)), x, y


def _handed(call: Call, args: Sequence[Any], paths: Sequence[str], *data: Any) -> Any:
    """Call it with these as the data that it holds."""
    state = Roots.of(call, args).state()
    for path, value in zip(paths, data, strict=True):
        held = state.slots[path].held
        for slot in state.slots.values():
            if slot.held is held and not isinstance(slot.holder, tuple):
                slot.holder[slot.key] = value
    return call(*args)
