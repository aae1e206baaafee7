"""Where a network without added biases has one, and where a unit was taken for one that is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.infer import Seen, outputs
from backpass.doctor.probe import Probe


@dataclass(frozen=True, slots=True)
class Unbiased:
    """What to know of hidden layers that hand no constant on."""

    name: str
    says: str
    fix: str


def unbiased(seen: Seen, probe: Probe) -> Unbiased | None:
    """What is true of the layers above the first when only that one can have a bias.

    Among the numbers that the code holds, sizes may tell that a hidden unit was added to be one.
    """
    layers, first = seen.layers, seen.layers[0]
    bare = all(one.bias is None for one in layers) and all(one.ones is None for one in layers[1:])
    if not bare or len(layers) < 2:
        return None
    X = np.asarray(probe.whole_X, float)
    X = np.atleast_2d(X.T if seen.turned and X.ndim == 2 else X)
    ones = [place for place in range(seen.inputs) if len(X) > 1 and np.all(X[:, place] == 1)]
    added = first.ones is not None
    widths = [seen.inputs + added, *(one.units for one in layers)]
    sizes = _sizes(widths, probe.run.before)
    if ones:
        true = f"Column {ones[0] + 1} of the samples is 1: that is a true bias of the first layer"
    elif added:
        true = "The ones put before the first product are a true bias of the first layer"
    elif sizes is not None:
        true = (
            "Among the columns of the samples, the one more is a true bias of the first layer if "
            "it is 1 for every sample; none is here"
        )
    else:
        return None
    kind = "a weighted sum" if first.activation == "linear" else f"{first.activation} of a sum"
    random = np.random.default_rng(0).normal(size=(100, seen.inputs))
    random[:, ones] = 1
    unit = outputs(replace(seen, layers=(first,)), random, probe.parameters)[:, -1]
    extent = f"from {unit.min():.2g} to {unit.max():.2g} on random samples"
    into = f"{'row' if first.turned else 'column'} {first.units} of {first.weight}"
    fix = (
        "This is no mistake of the gradient. For a true bias there, put a column of ones behind "
        "the activation, or add a vector b."
    )
    if sizes is None:
        later = ", ".join(one.weight for one in layers[1:])
        return Unbiased(
            "no hidden unit is a constant bias",
            f"{true}. {later} {'meets' if len(layers) == 2 else 'meet'} no such column: each of "
            f"the {first.units} hidden units below is {kind} and trained. If one of them was added "
            f"for a bias, it is an ordinary unit: the last one goes {extent}",
            fix,
        )
    return Unbiased(
        "the hidden bias unit is not constant",
        f"{sizes} says {', '.join(str(width - 1) for width in widths[:-1])}, {widths[-1]}, and "
        f"all layers but the last are one wider, as if for a bias. {true}. The hidden one is none: "
        f"unit {first.units} is {kind} like its neighbours and not 1 (it goes {extent}), and what "
        f"leads to it, {into}, is trained",
        fix,
    )


def _sizes(widths: Sequence[int], held: Mapping[str, NDArray[np.generic]]) -> str | None:
    """Where sizes are held that all layers but the last exceed by one."""
    wanted = [*(width - 1 for width in widths[:-1]), widths[-1]]
    lists: dict[str, list[object]] = {}
    for path, value in held.items():
        if value.dtype.kind in "iu":
            lists[path] = value.tolist()
            if value.ndim == 0:  # of a tuple, entry by entry
                lists.setdefault(path.rpartition("[")[0], []).append(value.item())
    return next((path for path, values in lists.items() if path and values == wanted), None)
