"""The ways to see the gradients of a recurrent network, each with its forward passes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.probe import Probe
from backpass.doctor.recurrent.seen import Recurrent, Unrolled, recurrent
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.returned import leaves
from backpass.doctor.watched import Moved, Watched, watched

Array = NDArray[np.float64]
MANY = 24  # orders in which arrays of one shape may have been returned


@dataclass(frozen=True)
class Look:
    """A recurrent network that all runs of a way have."""

    way: Watched
    seen: Recurrent
    runs: list[Unrolled]

    def moved(self) -> Iterator[tuple[Moved, ...]]:
        """What moved the tensors: what is returned in any order of the arrays of one shape."""
        yield self.way.moved
        if not self.way.gradients:
            return
        paths, probes = list(self.seen.paths.values()), self.way.probes
        given = [[own for _, own in leaves(one.run.result) if own.ndim] for one in probes]
        shapes = [probes[0].parameters[path].shape for path in paths]
        places = [
            [place for place, own in enumerate(given[0]) if own.shape == shape] for shape in shapes
        ]
        orders = (one for one in itertools.product(*places) if len(set(one)) == len(one))
        for order in itertools.islice(orders, MANY):
            if all(len(own) > max(order) for own in given):
                yield tuple(
                    {**was, **{p: own[n] for p, n in zip(paths, order, strict=True)}}
                    for was, own in zip(self.way.moved, given, strict=True)
                )


def looks(ways: Sequence[Watched], again: Subject | None) -> list[Look]:
    """The networks of each way; what an optimiser remembers starts as it is."""
    known: dict[int, list[tuple[Recurrent, list[Unrolled]]]] = {}
    found: list[Look] = []
    for way in ways:
        here = known.setdefault(id(way.probes[0]), recurrent(way.probes))
        for seen, runs in here:
            found.append(Look(way, seen, runs))
    if not found or again is None or found[0].way.gradients:
        return found
    first = found[0]
    others = [path for path in first.way.probes[0].parameters if path not in _own(first)]
    if not others:
        return found
    kept = watched(again.call, again.args, again.x, again.y, keep=others)
    return looks(kept, None) or found


def _own(look: Look) -> set[str]:
    return set(look.seen.paths.values())


def only(one: Probe, seen: Recurrent) -> Probe:
    """A run whose parameters are the network's alone."""
    paths = set(seen.paths.values())
    held = {path: value for path, value in one.parameters.items() if path in paths}
    return replace(one, parameters=held)
