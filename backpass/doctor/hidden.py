"""Biases that begin at zero, and so are not to be seen: told by what becomes of other numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen, compared
from backpass.doctor.leading import leading, leading_networks
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe, Shape
from backpass.doctor.rewrite import Born

TRIALS = 8  # runs are made for each


@dataclass(frozen=True, slots=True)
class Hidden:
    """Numbers that are all zero: by path, and names that functions make, with their shapes."""

    paths: tuple[str, ...] = ()
    born: Mapping[Born, Shape] = field(default_factory=dict[Born, Shape])

    def __bool__(self) -> bool:
        return bool(self.paths or self.born)

    def __or__(self, other: Hidden) -> Hidden:
        return Hidden((*self.paths, *other.paths), {**self.born, **other.born})

    def apart(self) -> Iterator[Hidden]:
        """Each by itself."""
        yield from (Hidden((path,)) for path in self.paths)
        yield from (Hidden(born={own: shape}) for own, shape in self.born.items())

    def among(self, names: Collection[str]) -> Hidden:
        """Those that are called so."""
        paths = tuple(path for path in self.paths if path in names)
        return Hidden(paths, {own: one for own, one in self.born.items() if own[1] in names})


NOTHING = Hidden()
Again = Callable[[Hidden], Sequence[Probe]]  # runs the code with these numbers random


def hidden(
    probes: Sequence[Probe], held: Collection[str], again: Again, given: Collection[str] = ()
) -> Hidden:
    """What is zero in these runs, and the bias of a layer that has none as soon as it is not.

    Where no network is seen, weights may be zero too. `held` are the paths of what outlives a run;
    any other name is one of a function. Single numbers among those `given` to it may be biases
    though they are not zero.
    """
    seen = leading_networks(probes)
    if not seen:
        weights = _told(probes, seen, _zeros(probes[0], held, seen), again) or NOTHING
        if not weights:
            return NOTHING
        probes = again(weights)
        more = hidden(probes, held, lambda tried: again(weights | tried))
        return weights | more
    zeros = _zeros(probes[0], held, seen, given)
    told = _told(probes, seen, zeros, again) if zeros else NOTHING
    if told is not None:
        return told if told == zeros else (_told(probes, seen, told, again) or NOTHING)
    found = NOTHING
    for one in list(zeros.apart())[:TRIALS]:
        found = _told(probes, seen, found | one, again) or found
    return found


def _zeros(
    one: Probe, held: Collection[str], seen: Sequence[Seen], given: Collection[str] = ()
) -> Hidden:
    """Zeros that may be the bias of a layer without one; lines and matrices without layers."""
    layers = seen[0].layers if seen else ()
    sizes = {layer.units for layer in layers if layer.bias is None and layer.ones is None}

    def may_be(value: NDArray[Any]) -> bool:
        is_line = max(value.shape, default=1) == value.size in sizes
        fits = is_line if seen else value.ndim in (1, 2)
        return fits and value.dtype.kind in "fiu" and not value.any()

    still = [path for path in held if path not in one.parameters]
    paths = [path for path in still if may_be(one.run.before[path])]
    if 1 in sizes:
        numbers = {path: one.run.before[path] for path in still if path in given}
        real = [path for path, one in numbers.items() if not one.ndim and one.dtype.kind == "f"]
        paths += [path for path in real if path not in paths]
    first: dict[Born, NDArray[Any]] = {}
    for event in one.run.events:
        place = one.run.places[event.place]
        if place.text.isidentifier() and place.text not in held:
            first.setdefault((place.function, place.text), event.value)
    born = {own: value.shape for own, value in first.items() if may_be(value)}
    return Hidden(tuple(paths), born)


def _told(
    probes: Sequence[Probe], seen: Sequence[Seen], tried: Hidden, again: Again
) -> Hidden | None:
    """Which of these are biases when they are random; None where the network is another then.

    Without a network before, any layer's weights are told too.
    """
    if not tried:
        return tried
    try:
        runs = again(tried)
    except Exception:  # a count, or what must not be any other number
        return None
    now = leading_networks(runs)
    weights = [one.weight for one in now[0].layers] if now else []
    if not now or (seen and weights != [one.weight for one in seen[0].layers]):
        return None
    before, after = (
        [compared(one, own, _rows(one, own)) > 0 for one, own in zip(these, made, strict=True)]
        for these, made in ((probes if seen else (), seen), (runs, now))
    )
    if any(was and not still for was, still in zip(before, after, strict=bool(seen))):
        return None
    told = {layer.bias for layer in now[0].layers if layer.bias is not None}
    told |= {*weights} if not seen else set()
    sums = {
        name
        for one, own in zip(runs, now, strict=True)
        for (function, name) in one.run.born
        if _is_sum(one, own, (function, name))
    }
    return tried.among(told - sums)


def _rows(one: Probe, seen: Seen) -> list[int] | None:
    whole = np.atleast_2d(np.asarray(one.X)).shape[seen.turned]
    return None if len(seen.output) == whole else leading(one)


def _is_sum(one: Probe, seen: Seen, own: Born) -> bool:
    """Whether a name is added up before there are outputs: then it only begins at its number."""
    begun = one.run.born[own]
    for event in one.run.events[: Numbers(one).since(seen.output)]:
        place = one.run.places[event.place]
        same = event.value.shape == begun.shape and np.array_equal(event.value, begun)
        if (place.function, place.text) == own and not same:
            return True
    return False
