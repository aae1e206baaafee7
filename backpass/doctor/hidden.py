"""Biases that are zero, and so not to be seen: numbers are told by what becomes of other ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from backpass.doctor.infer import Layer, Seen
from backpass.doctor.leading import leading_networks
from backpass.doctor.probe import Probe

Again = Callable[[Sequence[str]], list[Probe]]
TRIALS = 12  # runs are made for each number


def hidden(probes: Sequence[Probe], arguments: Collection[str], again: Again) -> list[str]:
    """Paths beside the parameters that are biases of the network as soon as they are not zero.

    `again` runs the code with paths as random numbers; `arguments` are what it is called with, of
    which any number may be a bias, and not only a zero.
    """
    seen = leading_networks(probes)
    if seen and not any(map(_may_lack, seen[0].layers)):
        return []
    found: list[str] = []
    changing: list[str] = []
    for path in list(_candidates(probes[0], seen, arguments))[:TRIALS]:
        try:
            tried = leading_networks(again([*found, path]))
        except Exception:  # a rate, or a count, that cannot be any number
            continue
        if tried and path in {layer.bias for layer in tried[0].layers}:
            found.append(path)
        elif _depth(tried) < _depth(seen):
            changing.append(path)
    if changing:  # one of several numbers that are the bias of a layer together
        try:
            tried = leading_networks(again([*found, *changing]))
        except Exception:
            return found
        if _depth(tried) >= _depth(seen) and _biases(tried) > _biases(seen) + len(found):
            return [*found, *changing]
    return found


def _may_lack(layer: Layer) -> bool:
    """Whether a bias may have been overlooked."""
    return layer.bias is None and layer.ones is None


def _candidates(one: Probe, seen: Sequence[Seen], arguments: Collection[str]) -> Iterator[str]:
    lacking = [layer for layer in seen[0].layers if _may_lack(layer)] if seen else []
    sizes = {layer.units for layer in lacking}
    for path, value in one.run.before.items():
        if path in one.parameters or value.dtype.kind not in "fiu":
            continue
        if path.replace(".", "[").partition("[")[0] in arguments and not value.ndim:
            if value.dtype.kind == "f" or value == 0:
                yield path
        elif lacking and not np.any(value) and (value.size in sizes or not value.ndim):
            yield path


def _depth(seen: Sequence[Seen]) -> int:
    return len(seen[0].layers) if seen else 0


def _biases(seen: Sequence[Seen]) -> int:
    return sum(layer.bias is not None for layer in seen[0].layers) if seen else 0
