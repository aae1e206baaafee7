"""All parameters in one line of numbers, cut into the arrays that the code makes of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.probe import Probe
from backpass.doctor.updates import first_updates

Array = NDArray[Any]
LEFT = 8  # single numbers that may stand between the arrays


@dataclass(frozen=True, slots=True)
class _Part:
    """The numbers from `start` on, in the shape that they are given."""

    start: int
    shape: tuple[int, ...]
    order: Literal["C", "F"] = "C"

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape, dtype=int))

    def of(self, line: Array) -> Array:
        return line[self.start : self.stop].reshape(self.shape, order=self.order)

    def name(self, path: str, size: int) -> str:
        """How anybody would write these numbers of the line at `path`."""
        if not self.shape:
            return f"{path}[{self.start}]"
        stop = self.stop if self.stop < size else ""
        return f"{path}[{self.start or ''}:{stop}]"


def cut(probes: Sequence[Probe]) -> list[Probe]:
    """The runs with an array for each part of a line that the code takes for one.

    They stay as they are where no line of parameters is taken apart.
    """
    found = list(probes)
    for path, line in probes[0].parameters.items():
        parts = _parts(probes[0], line) if line.ndim == 1 else []
        if parts:
            found = [_cut(one, path, parts) for one in found]
    return found


def _parts(one: Probe, line: Array) -> list[_Part]:
    """Matrices of numbers that follow one another, the largest first; then what is between them."""
    places = {float(number): place for place, number in enumerate(line)}
    seen: dict[tuple[int, int], _Part] = {}
    for event in one.run.events:
        value = event.value
        if value.ndim not in (1, 2) or not 1 < value.size <= line.size - (value.ndim == 1):
            continue
        orders: tuple[Literal["C", "F"], ...] = ("C", "F")
        for order in orders[: value.ndim]:
            part = _Part(places.get(float(value.flat[0]), line.size), value.shape, order)
            if part.stop <= line.size and np.array_equal(part.of(line), value):
                old = seen.get((part.start, part.stop))
                if old is None or len(old.shape) < value.ndim:
                    seen[part.start, part.stop] = part
                break
    matrices = [part for part in seen.values() if len(part.shape) == 2]
    rows = [part for part in seen.values() if len(part.shape) == 1]
    chosen: list[_Part] = []
    for part in (
        *sorted(matrices, key=lambda part: part.start - part.stop),
        *sorted(rows, key=lambda part: part.stop - part.start),
    ):
        if all(part.stop <= other.start or other.stop <= part.start for other in chosen):
            chosen.append(part)
    taken = {place for part in chosen for place in range(part.start, part.stop)}
    left = [place for place in range(line.size) if place not in taken]
    if not any(len(part.shape) == 2 for part in chosen) or len(left) > LEFT:
        return []
    return sorted([*chosen, *(_Part(place, ()) for place in left)], key=lambda part: part.start)


def _cut(one: Probe, path: str, parts: Sequence[_Part]) -> Probe:
    """The same run with these arrays in the place of the line."""
    old = one.parameters[path]
    new = old - first_updates(one.run, {path: old})[path]
    names = [part.name(path, old.size) for part in parts]
    before = {name: part.of(old) for name, part in zip(names, parts, strict=True)}
    after = {name: part.of(new) for name, part in zip(names, parts, strict=True)}
    rest = {name: value for name, value in one.parameters.items() if name != path}
    run = replace(
        one.run,
        before={**one.run.before, **before},
        after={**one.run.after, **after},
        result=_shared_out(one.run.result, old.shape, parts),
    )
    return replace(one, run=run, parameters={**before, **rest})


def _shared_out(result: Any, shape: tuple[int, ...], parts: Sequence[_Part]) -> Any:
    """What was returned, with the parts of each line of that length."""
    match result:
        case np.ndarray() if result.shape == shape:
            return tuple(part.of(result) for part in parts)
        case tuple():
            return tuple(_shared_out(one, shape, parts) for one in result)
        case dict():
            return {key: _shared_out(one, shape, parts) for key, one in result.items()}
        case _:
            return result
