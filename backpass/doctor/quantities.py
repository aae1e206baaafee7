"""Every number that the derivation of a network knows of a run, by the name that it is told by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS, kind, meant
from backpass.doctor.layers import Ones
from backpass.doctor.model import Model
from backpass.doctor.passes import slope
from backpass.doctor.probe import Probe

Array = NDArray[np.float64]

_DROPPED = re.compile(r"(d?)D(\d+)")
CUMULATED = 8  # samples, whose gradients are known one by one and added up
MANY = 10_000  # numbers of an array of the user's that is looked for as it was before the run


def quantities_of(probe: Probe, moved: Mapping[str, Array], model: Model) -> dict[str, Array]:
    """Every quantity of the derivation, with slopes, widened activations and updated weights.

    Programs that go sample by sample make parts of these: the gradient that one sample wants, and
    the sum of those so far.
    """
    values = model.values(probe.X, probe.Y, probe.parameters, probe.masks)
    found = {told(name): np.asarray(value, float) for name, value in values.items()}
    before = found["X"]
    for place, layer in enumerate(model.seen.layers, 1):
        Z = found.get(f"Z{place}")
        name = (
            f"S{place - 1}" if f"S{place - 1}" in found else f"A{place - 1}" if place > 1 else "X"
        )
        if layer.kept is not None:
            name = told(f"D{place - 1}")
            before = found[name]
        if layer.ones is not None:
            found[f"[{name}, 1]"] = _widened(before, layer.ones, model.seen.columns)
        if Z is not None and layer.bias is not None:
            bias = found[f"b{place}"]
            columns = model.seen.columns and Z.ndim == 2
            found[f"(Z{place} − b{place})"] = Z - (bias[:, None] if columns else bias)
        if Z is not None and layer.activation not in ("linear", "softmax", "log_softmax"):
            name = "σ′" if layer.activation == "sigmoid" else f"{kind(layer.activation)}′"
            found[f"{name}(Z{place})"] = slope(layer.activation, np.atleast_2d(Z)).reshape(Z.shape)
        if Z is not None and layer.activation != "linear" and f"A{place}" not in found:
            axis = 0 if model.seen.columns and Z.ndim == 2 else -1  # fused with the loss
            turned = np.moveaxis(Z, axis, -1)
            value = np.asarray(FUNCTIONS[layer.activation](turned), float)
            found[f"A{place}"] = np.moveaxis(value, -1, axis)
        outputs = found.get(f"S{place}", found.get(f"A{place}"))
        before = outputs if outputs is not None else before if Z is None else Z
    found |= _exponentials(found, model)
    for name, path in model.paths.items():
        if moved[path].any():
            found[f"{name}′"] = probe.parameters[path] - moved[path]
    columns = model.seen.columns and probe.X.ndim > 1
    found |= dict(_uniform(probe, columns))
    return found | _one_by_one(probe, model) | dict(_data(probe, model))


def told(name: str) -> str:
    """What a quantity is called: what a mask has left of an activation by both their names."""
    if not (dropped := _DROPPED.fullmatch(name)):
        return name
    gradient, place = dropped.groups()
    return f"{gradient}({f'A{place}' if int(place) else 'X'} ⊙ M{place})"


def beside(probe: Probe, moved: Mapping[str, Array], model: Model) -> dict[str, Array]:
    """What has a name when nothing of the derivation and no expression of the user's has one."""
    found = {f"({name} − {name}′)": moved[path] for name, path in model.paths.items()}
    for path, value in probe.run.before.items():
        given = path in probe.parameters or value.dtype.kind != "f" or np.any(np.isnan(value))
        if not given and value.ndim and value.size <= MANY:
            found[f"{path} of before"] = value
    return found


def _uniform(probe: Probe, columns: bool) -> Iterator[tuple[str, Array]]:
    """The random numbers that tell what a mask keeps: those on one side of a bound."""
    for place, mask in enumerate(probe.masks):
        if mask is None:
            continue
        found = np.zeros_like(mask)
        for value in (event.value for event in probe.run.events):
            if value.dtype.kind != "f" or not value.ndim or not 0 <= value.min() < value.max() < 1:
                continue
            given = value.T if value.shape != mask.shape == value.T.shape else value
            rows = [np.s_[:]] if given.shape == mask.shape else range(len(mask))
            for row in rows:
                if given.shape == mask[row].shape and _parts(given, mask[row] != 0):
                    found[row] = given
        if found.any():
            yield f"(random numbers of M{place})", found.T if columns else found


def _parts(value: Array, kept: NDArray[np.bool_]) -> bool:
    """Whether all that are kept lie on one side of all that are not."""
    if kept.all() or not kept.any() or not value.all():
        return False
    low, high = (value[kept], value[~kept])
    return bool(low.max() < high.min() or high.max() < low.min())


def _widened(A: Array, ones: Ones, columns: bool) -> Array:
    one = np.ones((1, A.shape[1]) if columns else (len(A), 1))
    return np.concatenate([A, one] if ones == "last" else [one, A], axis=0 if columns else 1)


def _exponentials(found: Mapping[str, Array], model: Model) -> dict[str, Array]:
    """What a softmax is made of, with and without the shift by the largest."""
    last = f"Z{len(model.seen.layers)}"
    softened = "softmax" in meant(model.seen.layers[-1].activation)
    if last not in found or not (softened or model.loss.squashes == "softmax"):
        return {}
    Z = found[last]
    axis = 0 if model.seen.columns and Z.ndim == 2 else -1
    top = Z.max(axis=axis, keepdims=True)
    made = {f"max {last}": top, f"({last} − max {last})": Z - top}
    for name, value in ((f"exp({last} − max {last})", Z - top), (f"exp({last})", Z)):
        made[name] = np.exp(value)
        made[f"Σ {name}"] = np.exp(value).sum(axis=axis, keepdims=True)
        made[f"log Σ {name}"] = np.log(made[f"Σ {name}"])
    made["log P"] = Z - made[f"log Σ exp({last})"]
    return made


def _one_by_one(probe: Probe, model: Model) -> dict[str, Array]:
    """The gradients of single samples as their sum has them, and of the first ones together."""
    X, Y = np.asarray(probe.X), np.asarray(probe.Y)
    axis = 1 if model.seen.turned else 0
    if X.ndim < 2 or X.shape[axis] < 2 or not _may_go_alone(probe, X.take(0, axis)):
        return {}
    share = 1.0 if model.loss.sums else 1.0 / X.shape[axis]
    found: dict[str, Array] = {}
    total: dict[str, Array] = {}
    for sample in range(min(X.shape[axis], CUMULATED)):
        x = X.take([sample], axis=axis)
        y = Y.take([sample], axis=axis if Y.ndim > 1 else 0)
        masks = [None if mask is None else mask[[sample]] for mask in probe.masks]
        values = model.values(x, y, probe.parameters, masks)
        for name in model.paths:
            gradient = share * np.asarray(values[f"d{name}"], float)
            total[name] = total.get(name, 0.0) + gradient
            found[f"d{name} of sample {sample}"] = gradient
            if sample + 1 < X.shape[axis]:  # of all samples it is a multiple of the gradient
                found[f"d{name} of samples 0…{sample}"] = total[name]
    return found


def _may_go_alone(probe: Probe, sample: Array) -> bool:
    """Whether a sample was seen alone; of a small network, whose numbers may go one by one, too."""
    return all(value.size <= MANY for value in probe.parameters.values()) or any(
        event.value.size == sample.size and np.array_equal(event.value.ravel(), sample)
        for event in probe.run.events
    )


def _data(probe: Probe, model: Model) -> Iterator[tuple[str, Array]]:
    """The data beside the samples of the first update, and labels as rows."""
    for name, whole, some in (("X", probe.whole_X, probe.X), ("Y", probe.whole_Y, probe.Y)):
        if whole.shape != some.shape:
            yield f"all {name}", np.asarray(whole, float)
    if probe.Y.dtype.kind in "iu" and probe.Y.ndim == 1:
        rows = np.eye(model.seen.output.shape[1])
        if probe.Y.min(initial=0) >= 0 and probe.Y.max(initial=0) < len(rows):
            yield "y as rows with a 1", rows[probe.Y]
