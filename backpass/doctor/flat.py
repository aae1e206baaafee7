"""All parameters in one line of numbers, cut into the arrays that the code makes of its parts.

A part is an array of the run whose entries are numbers of the line that follow one another. The
line is cut only where a network of parts uses every number of it, and none of them twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.leading import leading_networks
from backpass.doctor.observe import Run
from backpass.doctor.probe import Probe
from backpass.doctor.updates import first_updates

Array = NDArray[Any]
Order = Literal["C", "F"]
SINGLE = 8  # numbers that may be parts of their own: biases of single units


@dataclass(frozen=True, slots=True)
class Part:
    """The numbers of a line from `start` on, in the shape that the code gives them."""

    start: int
    shape: tuple[int, ...]
    order: Order = "C"

    @property
    def stop(self) -> int:
        return self.start + int(np.prod(self.shape, dtype=int))

    def of(self, line: Array) -> Array:
        """These numbers of a line."""
        return line.ravel()[self.start : self.stop].reshape(self.shape, order=self.order)

    def slice(self, path: str, size: int) -> str:
        """How anybody would write them."""
        if not self.shape:
            return f"{path}[{self.start}]"
        return f"{path}[{self.start or ''}:{self.stop if self.stop < size else ''}]"


def cut(probes: Sequence[Probe]) -> list[Probe]:
    """The runs with an array for each part of a line that holds all weights of their network.

    They stay as they are where a network is seen without that, or with none of the lines.
    """
    first = probes[0]
    lines = {
        path: parts
        for path, value in first.parameters.items()
        if path not in first.frozen and (parts := _common(probes, path, value))
    }
    if not lines or leading_networks(probes):
        return list(probes)
    for path, parts in lines.items():
        names = _names(first.run, path, first.parameters[path], parts)
        found = leading_networks([_with(one, path, names) for one in probes])
        used = [name for one in found[:1] for layer in one.layers for name in _paths(layer)]
        chosen = {name: names[name] for name in sorted(used, key=_start(names)) if name in names}
        if _covers(chosen.values(), used, first.parameters[path].size):
            return [_cut(one, path, chosen) for one in probes]
    return list(probes)


def _paths(layer: Any) -> list[str]:
    return [path for path in (layer.weight, layer.bias) if path is not None]


def _start(names: Mapping[str, Part]) -> Any:
    return lambda name: names[name].start if name in names else -1


def _covers(parts: Any, used: Sequence[str], size: int) -> bool:
    """Whether these parts are the line, each used once."""
    places = Counter(place for part in parts for place in range(part.start, part.stop))
    return len(set(used)) == len(used) and len(places) == size == places.total()


# ── finding parts ────────────────────────────────────────────────────────────────────────────


def _common(probes: Sequence[Probe], path: str, value: Array) -> list[Part]:
    """What every run has made of this line; empty where it is none, or is never taken apart."""
    if value.size < 2 or max(value.shape) != value.size:
        return []
    found = [_parts(one.run, one.parameters[path].ravel()) for one in probes]
    parts = [part for part in found[0] if all(part in other for other in found[1:])]
    single = [part for part in parts if not part.shape]
    return [part for part in parts if part.shape or len(single) <= SINGLE]


def _parts(run: Run, line: Array) -> dict[Part, None]:
    places = {float(number): place for place, number in enumerate(line)}
    found: dict[Part, None] = {}
    for event in run.events:
        value = event.value
        if value.ndim > 2 or not 0 < value.size <= line.size or value.dtype.kind != "f":
            continue
        if value.size == line.size and max(value.shape, default=1) == value.size:
            continue
        start = places.get(float(value.flat[0]))
        orders: tuple[Order, ...] = ("C", "F") if min(value.shape, default=1) > 1 else ("C",)
        for order in orders if start is not None else ():
            part = Part(start or 0, value.shape, order)
            if part.stop <= line.size and np.array_equal(part.of(line), value):
                turned = Part(part.start, value.shape[::-1], "F" if order == "C" else "C")
                if turned not in found:  # else it is that one's transpose
                    found.setdefault(part)
                break
    return found


def _names(run: Run, path: str, line: Array, parts: Sequence[Part]) -> dict[str, Part]:
    """The parts by what the code calls them, or else by where they stand in the line."""
    called: dict[Part, str] = {}
    for event in run.events:
        text = run.places[event.place].text
        if not text.isidentifier() or text in run.before or event.value.size > line.size:
            continue
        for part in parts:
            alike = part.shape == event.value.shape and part not in called
            if alike and np.array_equal(part.of(line), event.value):
                called[part] = text
    often = Counter(called.values())
    found: dict[str, Part] = {}
    for part in parts:
        name = called.get(part, "")
        if often[name] != 1:
            name = part.slice(path, line.size)
        while name in found:  # the same numbers in another shape
            name += f".reshape{part.shape}"
        found[name] = part
    return found


# ── cutting ──────────────────────────────────────────────────────────────────────────────────


def _with(one: Probe, path: str, names: Mapping[str, Part]) -> Probe:
    """The run with these parts in the place of the line."""
    line = one.parameters[path]
    rest = {other: value for other, value in one.parameters.items() if other != path}
    return replace(one, parameters={name: part.of(line) for name, part in names.items()} | rest)


def _cut(one: Probe, path: str, names: Mapping[str, Part]) -> Probe:
    """The same, with what became of each part."""
    old = one.parameters[path]
    new = old - first_updates(one.run, {path: old})[path]
    run = replace(
        one.run,
        before=one.run.before | {name: part.of(old) for name, part in names.items()},
        after=one.run.after | {name: part.of(new) for name, part in names.items()},
        result=_shared_out(one.run.result, old.size, list(names.values())),
    )
    return replace(_with(one, path, names), run=run, cut=tuple(names))


def _shared_out(result: Any, size: int, parts: Sequence[Part]) -> Any:
    """What was returned, with the parts of each line of that length."""
    match result:
        case np.ndarray() if result.size == size == max(result.shape):
            return tuple(part.of(result) for part in parts)
        case tuple() | list():
            return tuple(_shared_out(one, size, parts) for one in result)
        case dict():
            return {key: _shared_out(one, size, parts) for key, one in result.items()}
        case _:
            return result
