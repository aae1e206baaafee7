"""Which network somebody's code is, read off the numbers that its forward pass makes.

From the samples on, every parameter is tried as the next layer: if what it would make is among the
numbers that were seen, it is the next layer. No name and no style of the code is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import COMMON, FUNCTIONS
from backpass.doctor.layers import Layer, Ones, as_matrix, beside, pre_activation, widened
from backpass.doctor.numbers import Numbers
from backpass.doctor.probe import Probe

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A network as it was seen: its layers from the samples on, and what they come to.

    `turned` when the samples stand as columns in what the call was given, and `columns` when they
    do in the network's own products. `inputs` is the width of a sample, and `output` has a row for
    each. `masks` has for each layer the one that was drawn for what goes in.
    """

    turned: bool
    inputs: int
    layers: tuple[Layer, ...]
    output: Array
    bends: bool = True  # the last activation changed something
    masks: tuple[Array | None, ...] = ()

    @property
    def columns(self) -> bool:
        """Whether the weights are out×in, all of them."""
        return all(layer.turned for layer in self.layers)

    def laid(self, given: NDArray[Any]) -> NDArray[Any]:
        """Samples or targets as the network's own products have them."""
        return given.T if given.ndim == 2 and self.turned != self.columns else given


Rows = Sequence[int] | None  # some samples alone
Masked = Sequence[Array | None]  # of what goes into each layer


def network(probe: Probe, rows: Rows = None) -> Seen | None:
    """The longest chain of layers whose numbers were seen; None when not even one was.

    With `rows`, the numbers that these samples alone would make.
    """
    found = networks([probe], [rows])
    return found[0] if found else None


def networks(
    probes: Sequence[Probe],
    rows: Sequence[Rows] | None = None,
    numbers: Sequence[Numbers] | None = None,
) -> list[Seen]:
    """The longest chain that every run allows, as it was seen in each; empty when there is none.

    One run alone may mislead: where no unit of a layer is below zero, its ReLU changes nothing.
    The `numbers` of the runs can be given where they are asked more than once.
    """
    chosen = [None] * len(probes) if rows is None else rows
    asked = list(map(Numbers, probes)) if numbers is None else numbers
    runs = [_Watched(*one) for one in zip(probes, asked, chosen, strict=True)]
    chains = {(seen.turned, seen.layers): seen for run in runs for seen in run.seen()}
    longest, found = (), []
    for first in chains.values():
        if longest and len(first.layers) < longest[0]:
            continue
        each = [one for run in runs if (one := run.follow(first)) is not None]
        weight = _weight(each, runs)
        if len(each) == len(runs) and weight > longest:
            longest, found = weight, each
    return found


def _weight(found: Sequence[Seen], runs: Sequence[_Watched]) -> tuple[int, ...]:
    """What speaks for a chain; where nothing tells, hidden layers bend and outputs do not."""
    layers = found[0].layers if found else ()
    biases = sum(layer.bias is not None for layer in layers)
    compared = sum(run.compared(seen) for run, seen in zip(runs, found, strict=False))
    bent = any(seen.bends for seen in found)
    hidden = sum(layer.activation != "linear" for layer in layers[:-1])
    plain = bool(layers) and layers[-1].activation == "linear"
    upright = sum(layer.turned == seen.turned for seen in found for layer in layers)
    dropped = sum(layer.kept is not None for layer in layers)
    skips = sum(layer.skip is not None for layer in layers)
    return len(layers), biases, dropped, compared, skips, bent, hidden, plain, upright


def compared(one: Probe, seen: Seen, rows: Rows = None) -> int:
    """How many samples' outputs were subtracted from targets, or targets from outputs."""
    return _Watched(one, Numbers(one), rows).compared(seen)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A run, and the samples of it that are looked at."""

    probe: Probe
    numbers: Numbers
    rows: Rows

    def seen(self) -> Iterator[Seen]:
        """Every chain from the samples on, as rows and as columns."""
        for turned in (False, True):
            X = self.samples(turned)
            if X is None:
                continue
            for layers, output in _chains(X, self.probe.parameters, self.numbers, (X,)):
                if layers:
                    yield Seen(turned, X.shape[1], layers, output)

    def samples(self, turned: bool) -> Array | None:
        """A row for each sample; None where there are not so many, or samples are no rows."""
        X = np.asarray(self.probe.X, float)
        if X.ndim > 2:
            return None
        X = np.atleast_2d(X.T if turned and X.ndim == 2 else X)
        if self.rows is None:
            return X
        return X[list(self.rows)] if max(self.rows) < len(X) else None

    def follow(self, found: Seen) -> Seen | None:
        """The same layers in this run, if its numbers do not speak against them."""
        A = self.samples(found.turned)
        if A is None or A.shape[1] != found.inputs:
            return None
        told = False
        masks: list[Array | None] = []
        Z: Array | None = None
        past = [A]
        for layer in found.layers:
            made = self._sums(layer, A, Z, past)
            if made is None:
                return None
            mask, Z = made
            masks.append(mask)
            A = np.asarray(FUNCTIONS[layer.activation](Z), float)
            alike = np.array_equal(A, Z)
            told = not alike and self.numbers.tells(A, Z)
            if not (alike or told or self.numbers.allows(A)):
                return None
            A = A + layer.added(past, inside=False)
            past.append(A)
        whole = tuple(None if one is None else self._spread(one, found) for one in masks)
        return Seen(found.turned, found.inputs, found.layers, A, told, whole)

    def _sums(
        self, layer: Layer, A: Array, below: Array | None, past: Sequence[Array]
    ) -> tuple[Array | None, Array] | None:
        """What a layer made of its inputs, and with which mask, if that was seen."""
        masks = [None] if layer.kept is None else self.numbers.masks.of(A, layer.kept)
        for mask in masks:
            into = A if mask is None else A * mask
            Z = pre_activation(layer, into, self.probe.parameters, below, past)
            if _is_made(Z, self.numbers, _telling(into)):
                return (None, Z) if mask is None else self._emptied(layer, A, mask, Z, past)
        return None

    def _emptied(
        self, layer: Layer, A: Array, mask: Array, Z: Array, past: Sequence[Array]
    ) -> tuple[Array, Array]:
        """The mask with nothing left of samples that went on as the bias alone."""
        one_by_one = 1 < self.numbers.samples(Z) < len(Z)
        for row in np.flatnonzero(mask.all(axis=1)) if one_by_one else ():
            other = mask.copy()
            other[row] = 0
            made = pre_activation(layer, A * other, self.probe.parameters, None, past)
            if not self.numbers.has(Z[[row]]) and self.numbers.has(made[[row]]):
                mask, Z = other, made
        return mask, Z

    def _spread(self, mask: Array, found: Seen) -> Array:
        """The mask of some samples among those of all, of which nothing is dropped."""
        if self.rows is None:
            return mask
        whole = np.ones((np.atleast_2d(self.probe.X).shape[found.turned], mask.shape[1]))
        whole[list(self.rows)] = mask
        return whole

    def compared(self, seen: Seen) -> int:
        """How many samples' outputs were subtracted from targets, or targets from outputs."""
        Y, output = np.asarray(self.probe.Y), seen.output
        Y = Y.T if seen.turned and Y.ndim == 2 else Y
        if Y.ndim == 1 and Y.dtype.kind in "iu" and Y.min(initial=0) >= 0:
            Y = np.eye(max(output.shape[1], int(Y.max(initial=0)) + 1))[Y]
        if Y.ndim and self.rows is not None and max(self.rows) < len(Y):
            Y = Y[list(self.rows)]
        if Y.size != output.size:
            return 0
        error = output - Y.reshape(output.shape)
        told = ((output != 0) & (Y.reshape(output.shape) != 0)).any(axis=1)  # else it is a or −y
        if told.any() and (self.numbers.index.find(error) or self.numbers.index.find(-error)):
            return len(error)
        return self.numbers.samples(error[told]) if told.any() else 0


def outputs(
    seen: Seen, X: Array, parameters: Mapping[str, NDArray[Any]], masks: Masked = ()
) -> Array:
    """What a network that was seen makes of samples in rows."""
    Z: Array | None = None
    past = [X]
    for layer, mask in zip_longest(seen.layers, masks):
        Z = pre_activation(layer, X if mask is None else X * mask, parameters, Z, past)
        X = np.asarray(FUNCTIONS[layer.activation](Z), float) + layer.added(past, inside=False)
        past.append(X)
    return X


def _chains(
    A: Array,
    parameters: dict[str, Array],
    seen: Numbers,
    past: tuple[Array, ...],
    Z: Array | None = None,
) -> Iterator[tuple[tuple[Layer, ...], Array]]:
    """Every chain of layers from these activations on, of sums Z, the empty one last.

    They and those below them are the `past`, which later layers may add to what they make.
    """
    for kept in seen.masks.kept(A):
        for mask in seen.masks.of(A, kept):
            if Z is not None and not np.any((mask != 0) ^ (Z > 0)):
                continue  # max(z, 0) may be |z| where z is above zero, and no unit was dropped
            for (first, *rest), output in _dense(A * mask, parameters, seen, past, Z):
                yield (replace(first, kept=kept), *rest), output
    yield from _dense(A, parameters, seen, past, Z)
    yield (), A


def _dense(
    A: Array,
    parameters: dict[str, Array],
    seen: Numbers,
    past: tuple[Array, ...],
    below: Array | None,
) -> Iterator[tuple[tuple[Layer, ...], Array]]:
    """Every chain that begins with a product with these very inputs."""
    for name, weight in parameters.items():
        if weight.ndim not in (1, 2) or not np.any(weight):
            continue
        left = {one: value for one, value in parameters.items() if one != name}
        W = as_matrix(weight)
        for turned in (False, True) if weight.ndim == 2 else (False,):
            for layer, Z in _affine(A, name, W.T if turned else W, turned, left, seen, past, below):
                after = {one: value for one, value in left.items() if one != layer.bias}
                made = dict(activated(Z, seen))
                for activation, value in made.items():
                    one = replace(layer, activation=activation)
                    for rest, output in _chains(value, after, seen, (*past, value), Z):
                        yield (one, *rest), output
                    for skip, on in _skips(value, past, seen) if activation != "linear" else ():
                        found = _chains(on, after, seen, (*past, on), Z)
                        for rest, output in ((rest, output) for rest, output in found if rest):
                            yield (replace(one, skip=skip, inside=False), *rest), output
                if "linear" not in made:  # what is made of the last sums may be for show
                    yield (layer,), Z


def _affine(
    A: Array,
    name: str,
    W: Array,
    turned: bool,
    parameters: dict[str, Array],
    seen: Numbers,
    past: tuple[Array, ...],
    below: Array | None,
) -> Iterator[tuple[Layer, Array]]:
    """A product with this weight, with the bias that was added if one was."""
    places: tuple[Ones | None, ...] = (None,) if A.shape[1] == W.shape[0] else ("last", "first")
    for place in places if 0 <= W.shape[0] - A.shape[1] <= 1 else ():
        Z = widened(A, place) @ W
        with_bias = [
            (bias, Z + value.reshape(1, -1))
            for bias, value in parameters.items()
            if value.size == W.shape[1]
            and max(value.shape, default=1) == value.size
            and np.any(value)
        ]
        sample = _telling(A)
        found = [(bias, values) for bias, values in with_bias if seen.has(values, sample)]
        if not found and seen.has(Z, sample):
            found = [(None, Z)]
        if not found and seen.is_bare:
            both = [*with_bias, (None, Z)]
            found = [(bias, values) for bias, values in both if _is_made(values, seen, sample)]
        for bias, values in found:
            yield Layer(name, turned, bias, place, "linear", W.shape[1]), values
        for bias, values in (*with_bias, (None, Z)):
            for skip, sums in _skips(values, past, seen):
                layer = Layer(name, turned, bias, place, "linear", W.shape[1])
                yield replace(layer, skip=skip, inside=True), sums
        if place is not None and below is not None and seen.is_mixed:
            for function, unit in product(COMMON, range(below.shape[1])):
                Z = widened(A, place, beside(below, function, unit)) @ W
                if seen.has(Z, sample):
                    layer = Layer(name, turned, None, place, "linear", W.shape[1])
                    yield replace(layer, beside=(function, unit)), Z


def _skips(values: Array, past: Sequence[Array], seen: Numbers) -> Iterator[tuple[int, Array]]:
    """Outputs below that were added to these values, and what that came to."""
    for skip, before in enumerate(past):
        told = _telling(values) if before.shape == values.shape else None
        if told is not None and seen.has(values + before, told):
            yield skip, values + before


def _telling(A: Array) -> int | None:
    """The first sample of which something goes on: the others are the bias alone, or the ones."""
    told = np.flatnonzero(A.any(axis=1))
    return int(told[0]) if len(told) else None


def _is_made(Z: Array, seen: Numbers, sample: int | None) -> bool:
    """Whether sums were seen; where only names can be, what an activation or the error makes."""
    if seen.has(Z, sample) or not seen.is_bare:
        return seen.has(Z, sample)
    values = [Z, *(np.asarray(FUNCTIONS[name](Z), float) for name in COMMON)]
    errors = [value - seen.Y for value in values if value.shape == seen.Y.shape]
    errors += [value - seen.Y.T for value in values if value.shape == seen.Y.T.shape]
    return any(map(seen.has, (*values, *errors)))


def activated(Z: Array, seen: Numbers) -> Iterator[tuple[str, Array]]:
    """What was made of the pre-activations; when nothing was, they go on as they are."""
    values = {
        name: np.asarray(FUNCTIONS[name](Z), float)
        for name in COMMON
        if Z.shape[1] > 1 or "softmax" not in name
    }
    values |= {name: np.asarray(FUNCTIONS[name](Z), float) for name in seen.leaks(Z)}
    changed = {name: value for name, value in values.items() if not np.array_equal(value, Z)}
    sure = [(name, value) for name, value in changed.items() if seen.tells(value, Z)]
    # 1 − σ(z) is σ(−z): what was made first was meant; a softmax of a softmax makes both
    sure.sort(key=lambda one: (one[0] != "softmax twice", seen.since(one[1])))
    # ReLU of what is above zero is the thing itself: then the next layer decides
    perhaps = [(name, value) for name, value in changed.items() if seen.allows(value)]
    yield from sure or [("linear", Z), *perhaps]
