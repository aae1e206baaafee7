"""Where gradients are to be found: in updates, in what is returned, or in local names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import used
from backpass.doctor.flat import cut
from backpass.doctor.hidden import hidden
from backpass.doctor.infer import Seen
from backpass.doctor.leading import leading, leading_networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.passes import Pass, run_pass
from backpass.doctor.probe import Probe, Where, data_places, probe
from backpass.doctor.returned import inside, numbers_of, returned
from backpass.doctor.rewrite import Born
from backpass.doctor.shaped import shaped
from backpass.doctor.state import argument_names
from backpass.doctor.units import gathered
from backpass.doctor.updates import begun, first_updates
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]
Moved = Mapping[str, Array]
Shape = tuple[int, ...]
NONE: Mapping[Born, Shape] = MappingProxyType({})
SEEDS = (0, 1)


@dataclass(frozen=True)
class Watched:
    """Runs on random numbers: what moved in each, and `gradients` when that is no update."""

    probes: tuple[Probe, ...]
    moved: tuple[Moved, ...]
    gradients: bool = False
    is_mixed: bool = False  # units may stand where a layer should have a constant

    def networks(self) -> list[Seen]:
        """The network in each run, on all samples or on those that come first."""
        return leading_networks(self.probes, is_mixed=self.is_mixed)

    def passes(self, seen: Sequence[Seen]) -> Iterator[list[Pass]]:
        """The forward passes on the samples that the first update may come from."""
        runs = list(zip(seen, self.probes, self.moved, strict=True))
        for rows in self.samples(seen):
            yield [run_pass(*one, own) for one, own in zip(runs, rows, strict=True)]

    def samples(self, seen: Sequence[Seen]) -> Iterator[list[list[int]]]:
        """In each run the samples that its first update may come from, the likeliest first."""
        runs = zip(seen, self.probes, self.moved, strict=True)
        whole = [run_pass(*one) for one in runs]
        rows = [used(one.run, full.A[-1]) for one, full in zip(self.probes, whole, strict=True)]
        yield rows
        if any(len(own) < full.samples for own, full in zip(rows, whole, strict=True)):
            yield [list(range(full.samples)) for full in whole]
        lead = [own for one in self.probes if (own := leading(one)) is not None]
        if len(lead) == len(rows) and lead != rows:
            yield lead


def watched(
    call: Callable[..., Any],
    args: Sequence[Any],
    x: Where,
    y: Where,
    *,
    gradients: bool = False,
    keep: Sequence[str] = (),
    labels: bool = False,
    seeds: tuple[int, int] = SEEDS,
) -> list[Watched]:
    """The ways to see this code's gradients, the likeliest first; paths to `keep` stay as they are.

    With `labels`, targets of two values are drawn among these.

    Raises BackpassError when nothing changes, nothing that fits is returned, and no array inside
    the function takes two values.
    """

    def runs(
        numbers: Sequence[str] = (),
        keep: Sequence[str] = (),
        born: Mapping[Born, Shape] = NONE,
        afresh: Sequence[str] = (),
    ) -> list[Probe]:
        each = [
            probe(call, args, seed, x, y, keep, True, numbers, born, afresh, labels=labels)
            for seed in seeds
        ]
        each = [replace(one, run=begun(one.run, one.parameters)) for one in each]
        found = shaped(each, gathered)
        apart = [] if leading_networks(found) else cut(each)
        return shaped(apart, gathered) if any(_told(apart)) else found

    probes = runs(keep=keep)
    numbers = [] if keep else hidden(probes, _given(call, args, x, y), runs)
    probes = runs(numbers) if numbers else probes
    if gradients or not _changes(probes[0]):
        found = _returning(probes)
        if gradients and not found:
            raise BackpassError("what the code returns has no array for each of the parameters")
        if found:
            return found[:1] if gradients else found
        return [_inside(call, lambda born: runs(born=born))]
    seen = [] if keep else leading_networks(probes)
    if seen:
        layers = {path for one in seen[0].layers for path in (one.weight, one.bias)}
        keep = [path for path in probes[0].parameters if path not in layers]
        if keep:  # what an optimiser remembers starts as nothing
            fresh = _remembered(probes[0], seen[0], keep)
            probes = runs(numbers, [path for path in keep if path not in fresh], afresh=fresh)
    return list(_updated(probes, numbers))


def _remembered(one: Probe, seen: Seen, paths: Sequence[str]) -> list[str]:
    """Which of these play no part in the outputs."""
    forward = one.run.events[: Numbers(one).since(seen.output)]
    read = [
        path
        for path in paths
        for event in forward
        if np.array_equal(event.value, one.parameters[path])
    ]
    return [path for path in paths if path not in read]


def _given(call: Callable[..., Any], args: Sequence[Any], x: Where, y: Where) -> list[str]:
    """The names of what it is called with besides samples and targets."""
    names, data = argument_names(call, len(args)), data_places(call, args, x, y)
    return [name for place, name in enumerate(names) if place not in data]


def _updated(probes: Sequence[Probe], numbers: Sequence[str]) -> Iterator[Watched]:
    """The first updates; what becomes of a number that is given may be told by the result alone."""
    seen = leading_networks(probes)
    begun = [Numbers(one).since(own.output) for one, own in zip(probes, seen, strict=False)]
    moved = [
        first_updates(one.run, one.parameters, since) for one, since in zip_longest(probes, begun)
    ]
    yield Watched(tuple(probes), tuple(moved))
    for path in numbers:
        if any(path not in own or np.any(own[path]) for own in moved):
            continue
        for place in range(min(len(numbers_of(one.run.result)) for one in probes)):
            other = [
                {**own, path: one.parameters[path] - numbers_of(one.run.result)[place]}
                for one, own in zip(probes, moved, strict=True)
            ]
            yield Watched(tuple(probes), tuple(other))


def _changes(one: Probe) -> bool:
    return any(np.any(step) for step in first_updates(one.run, one.parameters).values())


def _returning(probes: Sequence[Probe]) -> list[Watched]:
    found = [returned(one.run.result, one.parameters) for one in probes]
    if not probes[0].parameters or any(one is None for one in found):
        return []
    gradients = tuple(one for one in found if one is not None)
    steps = tuple(
        {path: one.parameters[path] - value for path, value in own.items()}
        for one, own in zip(probes, gradients, strict=True)
    )
    return [Watched(tuple(probes), gradients, gradients=True), Watched(tuple(probes), steps)]


def _inside(
    call: Callable[..., Any], runs: Callable[[Mapping[Born, Shape]], list[Probe]]
) -> Watched:
    """The parameters of a function that makes them itself: names in it that take other values.

    Those that begin with the same number everywhere, as zero, are made to begin with random ones
    if they are part of the network then.
    """
    born: dict[Born, Shape] = {}
    kept = _held_inside(runs(born), born)
    found = inside(runs(born)[0].run)
    for name, value in found.before.items():
        own = found.function, name
        if np.ptp(value) or (np.any(value) and np.array_equal(value, found.after[name])):
            continue
        try:
            tried = _held_inside(runs({**born, own: value.shape}), {**born, own: value.shape})
        except Exception:  # a count that cannot be any number
            continue
        if _told(tried) > _told(kept):
            born[own], kept = value.shape, tried
    if not kept[0].parameters or kept[0].parameters.keys() != kept[1].parameters.keys():
        name = getattr(call, "__qualname__", None) or repr(call)
        raise BackpassError(
            f"{name} changed no array that can be reached from it, and returned none that fits; "
            "hand in what trains the network, such as net.fit_partial, with samples and targets"
        )
    return Watched(tuple(kept), tuple(first_updates(one.run, one.parameters) for one in kept))


def _held_inside(probes: Sequence[Probe], born: Collection[Born]) -> list[Probe]:
    """Runs whose parameters are names of a function that change, or that are `born` random."""
    both = [inside(one.run) for one in probes]
    always = [name for name in both[0].before if all(name in own.before for own in both)]
    inner: list[Probe] = []
    for one, own in zip(probes, both, strict=True):
        old, new = own.before, own.after
        stays = {name: np.array_equal(old[name], new[name]) for name in always}
        moving = {
            name: np.asarray(old[name], float)
            for name in always
            if not stays[name] or (own.function, name) in born
        }
        names = [name for name in always if name in moving or not old[name].ndim]
        before = {**one.run.before, **{name: old[name] for name in names}}
        after = {**one.run.after, **{name: new[name] for name in names}}
        run = replace(one.run, before=before, after=after)
        inner.append(replace(one, run=run, parameters=moving))
    return [_arrays(one, born) for one in gathered(inner)]


def _told(probes: Sequence[Probe]) -> tuple[int, int]:
    """How many layers are seen, and how many of them with a bias."""
    seen = leading_networks(probes)
    layers = seen[0].layers if seen else ()
    return len(layers), sum(layer.bias is not None for layer in layers)


def _arrays(one: Probe, born: Collection[Born]) -> Probe:
    """Without the single numbers that are part of no layer."""
    names = {name for _, name in born}
    arrays = {path: value for path, value in one.parameters.items() if value.ndim or path in names}
    return replace(one, parameters=arrays)
