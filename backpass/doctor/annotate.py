"""Read somebody's own training code back to them: `bp.annotate(net.fit_partial, X, Y)`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.annotation import Annotation, annotation, reasons
from backpass.doctor.bank import Family, families
from backpass.doctor.bias_units import unbiased
from backpass.doctor.finite import lost
from backpass.doctor.infer import Seen, outputs
from backpass.doctor.layers import joined
from backpass.doctor.masks import told
from backpass.doctor.model import Model, Times, model
from backpass.doctor.observe import observe
from backpass.doctor.pairs import in_rows, unpaired
from backpass.doctor.passes import from_zero, samples
from backpass.doctor.probe import Probe
from backpass.doctor.raised import Raised, raised
from backpass.doctor.rates import rates
from backpass.doctor.readings import Reading, confirmed, readings, scales_of
from backpass.doctor.recurrent.beyond import beyond
from backpass.doctor.recurrent.looks import looks
from backpass.doctor.recurrent.read import read_through_time
from backpass.doctor.remarks import remarks
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.stored import with_data
from backpass.doctor.watched import Moved, Watched, watched
from backpass.language.errors import BackpassError
from backpass.reading.plural import many

Array = NDArray[np.float64]

EXACT = 1e-6  # of a gradient's length
COARSE = 1e-4  # in float32, for a difference of weights


@np.errstate(all="ignore")
def annotate(call: Callable[..., Any], *args: Any) -> Annotation:
    """The listing of an update, each line with what its parts are in the derivation.

        print(bp.annotate(net.fit_partial, X, Y))

    `call` is a method or a function that trains: it changes arrays that can be reached from it or
    from its arguments, and its last two arguments are samples and targets, of which the shapes
    count. It runs three times on copies of random numbers; everything is put back afterwards.

    Raises an error of the family `BackpassError` when nothing changes, and when no layer of a
    network is recognised among the numbers of the run, and with the line and the shapes there for
    what the code itself raises.
    """
    try:
        trains, given = with_data(*unpaired(call, args))
        ways = watched(trains, given, None, None)
        rows = None if any(way.networks() for way in ways) else in_rows(trains, given)
        inner = watched(*rows, None, None) if rows is not None else []
        if rows is not None and any(way.networks() for way in inner):
            (trains, given), ways = rows, inner
        past = looks(ways, Subject(trains, given, None, None, gradients=False))
        if past:
            return read_through_time(past)
        found = list(_looks(ways))
    except BackpassError:
        raise
    except Exception as error:
        run = observe(call, args)
        if run.failure is None or not run.failure.line:
            raise BackpassError(f"the code raises {type(error).__name__}: {error}") from error
        raise Raised.of(raised("", run).findings[0]) from error
    fits = [one for look in found for one in _fits(look)]
    if not fits:
        first, units = found[0].probes[0], found[0].seen.layers[-1].units
        if ends := lost(first.run):
            raise BackpassError(ends[0].lower() + ends[1:].rstrip("."))
        raise BackpassError(
            f"a network with {many(units, 'output')} was recognised, and no loss "
            f"known here compares those with targets of shape {first.Y.shape}"
        )
    exact = [one for one in fits if one.exact]
    known = [_explained(one) for one in [one for one in exact if one.steady] or exact or fits]
    explained = max(known, key=lambda one: len(one.found))
    look = explained.fit.look
    again = readings(look.probes[1], look.moved[1], explained.model, explained.scales)
    confident = confirmed(explained.found, again, [one.run for one in look.probes])
    words = reasons(explained.model)
    return annotation(look.probes[0].run, words, confident, _summary(explained))


@dataclass(frozen=True, slots=True)
class _Look:
    """A network in two runs, whose data are the samples of the first update alone."""

    probes: list[Probe]
    moved: Sequence[Moved]
    seen: Seen
    gradients: bool


def _looks(ways: Sequence[Watched]) -> Iterator[_Look]:
    """The ways to see the gradients, each with the samples that they may come from."""
    found = [(way, seen) for way in ways if (seen := way.networks())]
    if not found:
        if told := beyond(ways[0].probes[0]):
            raise BackpassError(told[0].lower() + told[1:].rstrip("."))
        if ends := lost(ways[0].probes[0].run):
            raise BackpassError(ends[0].lower() + ends[1:].rstrip("."))
        raise BackpassError(
            "no layer was recognised: nowhere does this code multiply its samples with one of "
            f"the arrays that it changes ({', '.join(ways[0].probes[0].parameters)})"
        )
    for way, seen in found:
        for rows in way.samples(seen):
            some = [_counted(*one) for one in zip(way.probes, seen, rows, strict=True)]
            first = some[0]
            output = outputs(seen[0], samples(seen[0], first)[0], first.parameters, first.masks)
            yield _Look(some, way.moved, replace(seen[0], output=output), way.gradients)


def _counted(one: Probe, seen: Seen, rows: Sequence[int]) -> Probe:
    """A run with some of its samples as the data; labels count from 0."""
    some, (samples, units) = _some(one, seen, rows), seen.output.shape
    labels = one.Y.dtype.kind in "iu" and units > 1 and one.Y.size == samples
    return replace(some, Y=from_zero(some.Y, units, one)) if labels else some


def _some(one: Probe, seen: Seen, rows: Sequence[int]) -> Probe:
    """A run with some of its samples as the data."""
    if one.X.ndim < 2 or len(rows) == one.X.shape[1 if seen.turned else 0]:
        return replace(one, masks=seen.masks)
    X = one.X[:, rows] if seen.turned else one.X[rows]
    Y = one.Y[:, rows] if seen.turned and one.Y.ndim == 2 else one.Y[rows]
    masks = tuple(None if mask is None else mask[rows] for mask in seen.masks)
    return replace(one, X=X, Y=Y, whole=(one.X, one.Y), masks=masks)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A look under the assumption of one loss: updates are `factor` times its gradient."""

    look: _Look
    family: Family
    fused: bool
    model: Model
    factor: float
    exact: bool
    decay: float = 0.0  # of each weight itself, that is taken away as well
    steady: bool = True  # on other numbers too: one error alone is a multiple of any gradient


def _fits(look: _Look) -> list[_Fit]:
    """Each usual family of losses; a rare one where it is the loss, and no usual one is."""
    last = look.seen.layers[-1]
    usual = families(last.activation)
    found = list(_held(look, usual))
    if not any(one.exact for one in found):
        rare = [one for one in families(last.activation, last.units, rare=True) if one not in usual]
        found += [one for one in _held(look, rare) if one.exact]
    return found


def _held(look: _Look, bank: Sequence[Family]) -> Iterator[_Fit]:
    """Each family of losses, and the last activation fused with it before both apart."""
    one, seen = look.probes[0], look.seen
    for family in bank:
        for fused in (True, False):
            try:
                derived = model(seen, family.base, one.X, one.Y, one.parameters, fused=fused)
                factor, exact, decay = _fit(one, look.moved[0], derived)
            except BackpassError:  # a loss that takes no targets of this shape
                break
            other = _fit(look.probes[1], look.moved[1], derived)[0] if exact else factor
            steady = abs(other - factor) <= COARSE * abs(factor)
            yield _Fit(look, family, fused, derived, factor, exact, decay, steady)
            if derived.loss.name == family.base:
                break  # nothing was fused


@dataclass(frozen=True, slots=True)
class _Explained:
    """A fit, with the member of its family that is meant and everything that is read by it."""

    fit: _Fit
    model: Model
    title: str
    factor: float
    known: bool  # that the factor is a rate that the code holds
    scales: dict[str, float]
    found: dict[int, list[Reading]]


def _explained(fit: _Fit) -> _Explained:
    look, derived, factor = fit.look, fit.model, fit.factor
    one, moved, seen = look.probes[0], look.moved[0], look.seen
    title, times = fit.family.members[0]
    rate = None
    if fit.exact:
        title, times, rate = _member(fit)
        base = fit.family.base
        derived = model(seen, base, one.X, one.Y, one.parameters, times, fused=fit.fused)
        factor /= times(*seen.output.shape)
    scales = scales_of(one, factor if fit.exact else None)
    found = readings(one, moved, derived, scales)
    return _Explained(fit, derived, title, factor, rate is not None, scales, found)


def _fit(one: Probe, moved: Moved, derived: Model) -> tuple[float, bool, float]:
    """What the first updates are times the gradient, whether they are that, and the decay in them.

    Decay is a part of each weight, and may be one of each bias.
    """
    values = derived.values(one.X, one.Y, one.parameters, one.masks)
    paths = {name: path for name, path in derived.paths.items() if path not in one.fixed}
    wanted = np.concatenate([np.ravel(values[f"d{name}"]) for name in paths])
    given = np.concatenate([moved[path].ravel() for path in paths.values()])
    length = float(wanted @ wanted)
    if not np.isfinite(length) or length == 0:
        return 1.0, False, 0.0
    factor = float(given @ wanted) / length
    rest = float(np.linalg.norm(given - factor * wanted))
    exact = COARSE if one.is_coarse else EXACT
    bound = exact * float(np.linalg.norm(given))
    for decayed in _DECAYED if rest > bound else ():
        held = np.concatenate([_decaying(one, derived.seen, *it, decayed) for it in paths.items()])
        (times, decay), *_ = np.linalg.lstsq(np.stack([wanted, held], axis=1), given)
        told = abs(times) * length**0.5 > 1e-3 * float(np.linalg.norm(given))
        if told and np.linalg.norm(given - times * wanted - decay * held) <= bound:
            return float(times), True, float(decay)
    return factor, rest <= bound, 0.0


_DECAYED = ({"W"}, {"W", "all but ones"}, {"W", "b"})


def _decaying(one: Probe, seen: Seen, name: str, path: str, decayed: Collection[str]) -> Array:
    """What decays of an array: nothing, the whole of it, or all but what meets the ones."""
    held = np.array(one.parameters[path], float)
    layer = seen.layers[int(name[1:]) - 1]
    if name[0] == "W" and layer.ones is not None and "all but ones" in decayed:
        inputs = held.T if layer.turned else held
        inputs[0 if layer.ones == "first" else -1] = 0
    return np.ravel(held) * (name[0] in decayed)


def _member(fit: _Fit) -> tuple[str, Times, float | None]:
    """The loss of a family under which the factor is a number that the code holds, and that rate.

    Without one it is the usual loss, and the rate stays open.
    """
    look, members = fit.look, fit.family.members
    held = rates([look.probes[0].run], look.moved[0], look.probes[0].cut)
    near = [rate for numbers in held.near.values() for rate in numbers]
    numbers = [1.0] if look.gradients else list(dict.fromkeys((*near, *held.far)))
    for title, times in members:
        usual = [1.0] if times is members[0][1] else []
        for rate in (*numbers, *usual):
            wanted = rate * times(*look.seen.output.shape)
            if rate > 0 and abs(wanted - fit.factor) <= EXACT * abs(fit.factor):
                return title, times, rate
    return *members[0], None


# ── the sentences above the listing ──────────────────────────────────────────────────────────


def _summary(one: _Explained) -> list[str]:
    seen = one.model.seen
    widths = [seen.inputs, *(layer.units for layer in seen.layers)]
    path = " → ".join(map(str, widths))
    activations = ", ".join(layer.activation for layer in seen.layers)
    lines = [
        f"A network {path} with {activations}. {_sides(seen)} {_bias(seen)}{joined(seen.layers)}"
    ]
    names = [f"{name} is {path}" for name, path in one.model.paths.items() if name != path]
    lines += [f"{', '.join(names)}."] if names else []
    lines.append(_trained(one))
    first = one.fit.look.probes[0]
    unit = unbiased(seen, first)
    lines += [f"{unit.says}. {unit.fix}"] if unit is not None else []
    lines += told(first.run, first.masks)
    return [*lines, *([first.ends] if first.ends else []), *remarks(first.run)]


def _sides(seen: Seen) -> str:
    if seen.columns:
        return "Samples are columns in its products, and weights are out×in."
    return "Samples are rows in its products, and weights are in×out."


def _bias(seen: Seen) -> str:
    ones = [layer.ones is not None for layer in seen.layers]
    if any(ones):
        which = "each product" if all(ones) else "the first" if ones[0] else "some products"
        return f"A column of ones is put before {which}{' alone' if which == 'the first' else ''}."
    if all(layer.bias is None for layer in seen.layers):
        return "No array is added to a product: there is no bias but what the samples bring."
    return "Each layer adds its bias."


def _trained(one: _Explained) -> str:
    if one.fit.exact and one.fit.look.gradients:
        times = "" if one.factor == 1 else f"{one.factor:.4g} times "
        return f"Its gradients are {times}those of {one.title}, exactly."
    if not one.fit.exact:
        return (
            "Its updates are no multiple of the gradient of any loss known here; the names below "
            f"are those of {one.title}."
        )
    decay = one.fit.decay
    also = f", and takes {decay:.4g} of each weight itself away (weight decay)" if decay else ""
    if one.known:
        return f"It descends {one.title} at the rate {one.factor:g}{also}, exactly."
    times = f"its updates are {one.factor:.4g} times that gradient"
    return f"It descends {one.title}: {times}{also}, exactly."
