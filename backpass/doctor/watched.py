"""Where gradients are to be found: in updates, in what is returned, or in local names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import used
from backpass.doctor.flat import cut
from backpass.doctor.hidden import NOTHING, Hidden, hidden
from backpass.doctor.infer import Seen, networks
from backpass.doctor.leading import in_order, leading, leading_networks
from backpass.doctor.passes import Pass, run_pass
from backpass.doctor.probe import Probe, Where, probe
from backpass.doctor.returned import inside, leaves, returned
from backpass.doctor.state import Roots, argument_names
from backpass.doctor.units import gathered
from backpass.doctor.updates import first_updates
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]
Moved = Mapping[str, Array]
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

    def looks(zeros: Hidden = NOTHING, keep: Sequence[str] = keep) -> list[Probe]:
        given = zeros.paths, zeros.born
        return [
            in_order(probe(call, args, seed, x, y, keep, True, *given, labels=labels))
            for seed in seeds
        ]

    def runs(zeros: Hidden = NOTHING) -> list[Probe]:
        return _laid(looks(zeros))

    probes = runs()
    if gradients or not _changes(probes[0]):
        biases = _numbers(call, args, x, y, probes)
        if biases:
            more = _laid(looks(Hidden(tuple(biases)), ()))
            probes = more if _returning(more) else probes
        found = _returning(probes)
        if gradients and not found:
            raise BackpassError("what the code returns has no array for each of the parameters")
        if found:
            return found[:1] if gradients else found
        return [_inside(call, runs)]
    held, names = [*probes[0].run.before], argument_names(call, len(args))
    given = [path for path in held if _root(path) in names]
    zeros = NOTHING if keep else hidden(probes, held, runs, given)
    probes = runs(zeros) if zeros else probes
    seen = [] if keep else leading_networks(probes)
    ones = [] if seen or keep else _ones(call, args, probes[0])
    if ones:  # a bias unit among what is kept of the forward pass, which was no longer constant
        others = gathered([_without(one, ones) for one in looks(keep=ones)])
        seen = leading_networks(others)
        probes, ones = (others, ones) if seen else (probes, [])
    if seen:
        layers = {path for one in seen[0].layers for path in (one.weight, one.bias)}
        keep = [*ones, *(path for path in probes[0].parameters if path not in layers)]
        if keep:  # what an optimiser remembers starts as it is, mostly from zero
            probes = _laid([_without(one, ones) for one in looks(zeros, keep)])
    moved = tuple(first_updates(one.run, one.parameters) for one in probes)
    first = Watched(tuple(probes), moved)
    return [first, *_handed_back(first, zeros.paths)]


def _handed_back(one: Watched, paths: Sequence[str]) -> Iterator[Watched]:
    """The same where a number that nothing moves is handed back as another."""
    still = [path for path in paths if not any(np.any(own[path]) for own in one.moved)]
    results = [
        [value for _, value in leaves(probe.run.result) if not value.ndim] for probe in one.probes
    ]
    for path in still:
        for new in zip(*results, strict=False):
            moved = [
                {**own, path: probe.parameters[path] - value}
                for own, probe, value in zip(one.moved, one.probes, new, strict=True)
            ]
            yield replace(one, moved=tuple(moved))


def _laid(probes: Sequence[Probe]) -> list[Probe]:
    """The runs with an array for each that a layer has, however the code holds its numbers."""
    return cut(gathered(probes))


def _ones(call: Callable[..., Any], args: Sequence[Any], one: Probe) -> list[str]:
    """Paths of arrays of ones, as units begin of which one stays constant."""
    held = Roots.of(call, args).state().values
    return [path for path in one.parameters if path in held and np.all(held[path] == 1)]


def _without(one: Probe, paths: Collection[str]) -> Probe:
    """The same run, in which these are no parameters."""
    left = {path: value for path, value in one.parameters.items() if path not in paths}
    return replace(one, parameters=left)


def _numbers(
    call: Callable[..., Any], args: Sequence[Any], x: Where, y: Where, probes: Sequence[Probe]
) -> list[str]:
    """Numbers among the arguments that are biases: where they are others, they are added."""
    names = argument_names(call, len(args))
    held = {
        path: value
        for path, value in probes[0].run.before.items()
        if not value.ndim and _root(path) in names
    }
    found: list[str] = []
    for path in [path for path, value in held.items() if value.dtype.kind == "f" or value == 0]:
        try:
            tried = gathered([probe(call, args, seed, x, y, (), True, [path]) for seed in SEEDS])
        except Exception:  # a rate, or a count, that cannot be any number
            continue
        if any(layer.bias == path for one in networks(tried) for layer in one.layers):
            found.append(path)
    return found


def _root(path: str) -> str:
    return path.replace(".", "[").partition("[")[0]


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


def _inside(call: Callable[..., Any], runs: Callable[[Hidden], list[Probe]]) -> Watched:
    """The parameters of a function that makes them itself: names in it that take other values."""
    probes = runs(NOTHING)
    kept, held = _held_inside(probes), [*probes[0].run.before]
    zeros = hidden(kept, held, lambda tried: _held_inside(runs(tried)))
    kept = _held_inside(runs(zeros)) if zeros else kept
    if not kept[0].parameters or kept[0].parameters.keys() != kept[1].parameters.keys():
        name = getattr(call, "__qualname__", None) or repr(call)
        raise BackpassError(
            f"{name} changed no array that can be reached from it, and returned none that fits; "
            "hand in what trains the network, such as net.fit_partial, with samples and targets"
        )
    return Watched(tuple(kept), tuple(first_updates(one.run, one.parameters) for one in kept))


def _held_inside(probes: Sequence[Probe]) -> list[Probe]:
    """The runs with names of a function for parameters."""
    both = [inside(one.run) for one in probes]
    names = [name for name in both[0][0] if all(name in old for old, _ in both)]
    inner: list[Probe] = []
    for one, (old, new) in zip(probes, both, strict=True):
        before = {**one.run.before, **{name: old[name] for name in names}}
        run = replace(one.run, before=before, after={**one.run.after, **new})
        moving = {name: old[name] for name in names if not np.array_equal(old[name], new[name])}
        born = {name: before[name] for _, name in one.run.born if name in before}
        inner.append(replace(one, run=run, parameters={**moving, **born}))
    return [_arrays(one) for one in gathered(inner)]


def _arrays(one: Probe) -> Probe:
    """Without the single numbers that are part of no layer."""
    born = {name for _, name in one.run.born}
    arrays = {path: value for path, value in one.parameters.items() if value.ndim or path in born}
    return replace(one, parameters=arrays)
