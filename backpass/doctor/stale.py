"""Forward passes that multiply with something else than the weights that are trained."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen, networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe
from backpass.doctor.rewrite import Place
from backpass.doctor.watched import Watched

Array = NDArray[np.float64]
Kind = Literal["multiple", "kept", "made"]
PLACES = 16  # that are tried for a weight: what stands for it is made before it is used
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Stale:
    """What the forward pass takes for a weight, and where.

    It is a `multiple` of the weight, something `kept` that does not depend on it at all, or `made`
    of it in another way, as quantised weights are on purpose.
    """

    path: str
    place: Place
    kind: Kind


def other_weights(way: Watched) -> Iterator[tuple[Watched, tuple[Stale, ...]]]:
    """The same runs with the weights that were used in the place of those that are held.

    Weights that are held as a multiple of those that are used are a way to write a network down,
    so these come first, and nothing is stale in them: their gradient has that factor too.
    """
    numbers = [Numbers(one) for one in way.probes]
    used = replace(way, probes=tuple(_moving(one) for one in way.probes))
    found = networks(used.probes, numbers=numbers)
    stale: tuple[Stale, ...] = ()
    factors: dict[str, float] = {}
    while (swapped := _swapped(used, found, numbers)) is not None:
        used, found, one, factor = swapped
        stale = (*stale, one)
        if factor is not None:
            factors[one.path] = factor
    if not stale:
        return
    if len(factors) == len(stale):
        moved = tuple(
            {path: step / factors.get(path, 1.0) for path, step in own.items()} for own in way.moved
        )
        yield replace(used, moved=moved), ()
    yield used, stale


def _moving(one: Probe) -> Probe:
    """Without arrays that stay as they are, where one of their shape is trained."""
    frozen = set(one.frozen)
    shapes = {value.shape for path, value in one.parameters.items() if path not in frozen}
    kept = {
        path: value
        for path, value in one.parameters.items()
        if path not in frozen or value.shape not in shapes
    }
    return replace(one, parameters=kept)


def may_be_stale(way: Watched, weights: Collection[str]) -> bool:
    """Whether a weight that stays as it is may stand for another that is trained, and not used."""
    first = way.probes[0]
    moving = [path for path in first.parameters if path not in (*first.frozen, *weights)]
    shapes = {first.parameters[path].shape for path in moving}
    return any(first.parameters[path].shape in shapes for path in weights if path in first.frozen)


def _swapped(
    way: Watched, found: Sequence[Seen], numbers: Sequence[Numbers]
) -> tuple[Watched, list[Seen], Stale, float | None] | None:
    """One weight exchanged for what was used, so that more of the network is recognised."""
    first = way.probes[0]
    layers = {layer.weight for one in found[:1] for layer in one.layers}
    for path, weight in first.parameters.items():
        if weight.ndim != 2 or path in layers:
            continue
        for place, values in _instead(way.probes, path):
            probes = tuple(
                replace(one, parameters={**one.parameters, path: value})
                for one, value in zip(way.probes, values, strict=True)
            )
            seen = networks(probes, numbers=numbers)
            if len(seen[0].layers if seen else ()) > len(layers):
                kind, factor = _kind(way.probes, path, values)
                return replace(way, probes=probes), seen, Stale(path, place, kind), factor
    return None


def _instead(probes: Sequence[Probe], path: str) -> Iterator[tuple[Place, list[Array]]]:
    """Arrays of a weight's shape that are not the weight, from one place of every run."""
    seen = [_by_place(one, one.parameters[path]) for one in probes]
    tried: list[Array] = []
    for number, value in list(seen[0].items())[:PLACES]:
        if all(number in one for one in seen) and not any(np.array_equal(value, t) for t in tried):
            tried.append(value)
            yield probes[0].run.places[number], [one[number] for one in seen]


def _by_place(one: Probe, weight: Array) -> dict[int, Array]:
    """The first array at each place that may stand for a weight."""
    found: dict[int, Array] = {}
    for event in one.run.events:
        value = event.value
        if event.place in found or value.dtype.kind != "f" or value.ndim != 2:
            continue
        for way in (value, value.T):
            if way.shape == weight.shape and np.ptp(way) and not np.array_equal(way, weight):
                found[event.place] = np.asarray(way, float)
                break
    return found


def _kind(probes: Sequence[Probe], path: str, used: Sequence[Array]) -> tuple[Kind, float | None]:
    """What was used, as it depends on what is held, and its factor if it is a multiple."""
    held = [one.parameters[path] for one in probes]
    factor = float(np.vdot(held[0], used[0]) / np.vdot(held[0], held[0]))
    if factor and all(
        np.allclose(value, factor * weight, rtol=_CLOSE, atol=_CLOSE)
        for weight, value in zip(held, used, strict=True)
    ):
        return "multiple", factor
    steady = all(np.array_equal(one, used[0]) for one in used)
    apart = all(
        any(np.array_equal(value, one.run.before[other]) for other in one.frozen)
        for one, value in zip(probes, used, strict=True)
    )
    return ("kept" if steady or apart else "made"), None
