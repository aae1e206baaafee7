"""Read somebody's own training code back to them: `bp.annotate(net.fit_partial, X, Y)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.annotation import Annotation, annotation
from backpass.doctor.bank import families
from backpass.doctor.evidence import rates
from backpass.doctor.infer import Seen, networks
from backpass.doctor.model import Model, Times, model
from backpass.doctor.probe import Probe, probe
from backpass.doctor.readings import Reading, confirmed, readings
from backpass.doctor.updates import first_updates
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]

EXACT = 1e-6  # of a gradient's length


def annotate(call: Callable[..., Any], *args: Any) -> Annotation:
    """The listing of an update, each line with what its parts are in the derivation.

        print(bp.annotate(net.fit_partial, X, Y))

    `call` is a method or a function that trains: it changes arrays that can be reached from it or
    from its arguments, and its last two arguments are samples and targets, of which the shapes
    count. It runs three times on copies of random numbers; everything is put back afterwards.

    Raises an error of the family `BackpassError` when nothing changes, and when no layer of a
    network is recognised among the numbers of the run; what the code itself raises goes through.
    """
    first, second = probe(call, args, seed=0), probe(call, args, seed=1)
    both = networks((first, second))
    if not both:
        raise BackpassError(
            "no layer was recognised: nowhere does this code multiply its samples with one of "
            f"the arrays that it changes ({', '.join(first.parameters)})"
        )
    seen = both[0]
    known = list(_explained(first, seen))
    if not known:
        raise BackpassError(
            f"a network with {seen.layers[-1].units} outputs was recognised, and no loss known "
            f"here compares those with targets of shape {first.Y.shape}"
        )
    explained = max(known, key=lambda one: (one.exact, len(one.found)))
    again = readings(second, explained.model, explained.scales)
    found = confirmed(explained.found, again)
    return annotation(first.run, explained.model, found, _summary(explained))


@dataclass(frozen=True, slots=True)
class _Explained:
    """A run under the assumption of one loss: `factor` times its gradient is what updates are."""

    model: Model
    title: str
    factor: float
    exact: bool
    known: bool  # that the factor is a rate that the code holds
    scales: dict[str, float]
    found: dict[int, list[Reading]]


def _explained(one: Probe, seen: Seen) -> Iterator[_Explained]:
    """Each family of losses, and the last activation fused with it before both apart."""
    for family in families(seen.layers[-1].activation):
        for fused in (True, False):
            try:
                derived = model(seen, family.base, one.X, one.Y, one.parameters, fused=fused)
                factor, exact = _fit(one, derived)
            except BackpassError:  # a loss that takes no targets of this shape
                break
            title, times = family.members[0]
            rate = None
            if exact:
                title, times, rate = _member(one, family.members, factor, seen)
                derived = model(seen, family.base, one.X, one.Y, one.parameters, times, fused=fused)
                factor /= times(*seen.output.shape)
            scales = _scales(one, factor if exact else None)
            found = readings(one, derived, scales)
            yield _Explained(derived, title, factor, exact, rate is not None, scales, found)
            if derived.loss.name == family.base:
                break  # nothing was fused


def _fit(one: Probe, derived: Model) -> tuple[float, bool]:
    """What the first updates are times the gradient, and whether they are exactly that."""
    values = derived.values(one.X, one.Y, one.parameters)
    moved = first_updates(one.run, one.parameters)
    wanted = np.concatenate([np.ravel(values[f"d{name}"]) for name in derived.paths])
    given = np.concatenate([moved[path].ravel() for path in derived.paths.values()])
    length = float(wanted @ wanted)
    if not np.isfinite(length) or length == 0:
        return 1.0, False
    factor = float(given @ wanted) / length
    rest = float(np.linalg.norm(given - factor * wanted))
    return factor, rest <= EXACT * float(np.linalg.norm(given))


def _member(
    one: Probe, members: Sequence[tuple[str, Times]], factor: float, seen: Seen
) -> tuple[str, Times, float | None]:
    """The loss of a family under which the factor is a number that the code holds, and that rate.

    Without one it is the usual loss, and the rate stays open.
    """
    held = rates([one.run], first_updates(one.run, one.parameters))
    near = [rate for numbers in held.near.values() for rate in numbers]
    for title, times in members:
        for rate in dict.fromkeys((*near, *held.far, 1.0)):
            if rate > 0 and abs(rate * times(*seen.output.shape) - factor) <= EXACT * abs(factor):
                return title, times, rate
    return *members[0], None


def _scales(one: Probe, factor: float | None) -> dict[str, float]:
    """Factors under which a quantity is still called by its name, the plainest first."""
    scales = {"": 1.0, "−": -1.0}
    if factor is not None:
        scales |= {f"{factor:.4g} · ": factor, f"−{factor:.4g} · ": -factor}
    scales |= {"2 · ": 2.0, "½ · ": 0.5, "−2 · ": -2.0, "−½ · ": -0.5}
    sides = {float(size) for data in (one.X, one.Y) for size in np.shape(data)} - {0.0, 1.0}
    for size in sorted(sides):
        scales |= {f"{size:g} · ": size, f"−{size:g} · ": -size}
        scales |= {f"1/{size:g} · ": 1 / size, f"−1/{size:g} · ": -1 / size}
    return scales


# ── the sentences above the listing ──────────────────────────────────────────────────────────


def _summary(one: _Explained) -> list[str]:
    seen = one.model.seen
    widths = [seen.inputs, *(layer.units for layer in seen.layers)]
    path = " → ".join(map(str, widths))
    activations = ", ".join(layer.activation for layer in seen.layers)
    lines = [f"A network {path} with {activations}. {_sides(seen)} {_bias(seen)}"]
    names = [f"{name} is {path}" for name, path in one.model.paths.items() if name != path]
    lines += [f"{', '.join(names)}."] if names else []
    lines.append(_trained(one))
    return lines


def _sides(seen: Seen) -> str:
    if seen.columns:
        return "Samples are columns in its products, and weights are out×in."
    return "Samples are rows in its products, and weights are in×out."


def _bias(seen: Seen) -> str:
    if any(layer.ones for layer in seen.layers):
        return "A column of ones goes before each product that has one."
    if all(layer.bias is None for layer in seen.layers):
        return "No array is added to a product: there is no bias but what the samples bring."
    return "Each layer adds its bias."


def _trained(one: _Explained) -> str:
    if not one.exact:
        return (
            "Its updates are no multiple of the gradient of any loss known here; the names below "
            f"are those of {one.title}."
        )
    if one.known:
        return f"It descends {one.title} at the rate {one.factor:g}, exactly."
    return (
        f"It descends {one.title}: its updates are {one.factor:.4g} times that gradient, exactly."
    )
