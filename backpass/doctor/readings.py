"""What each value of a run is called in the derivation: a quantity, or a part of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.infer import Ones
from backpass.doctor.match import Index, Match, Part
from backpass.doctor.model import Model
from backpass.doctor.observe import Event
from backpass.doctor.passes import slope
from backpass.doctor.probe import Probe
from backpass.doctor.rewrite import Place
from backpass.doctor.updates import first_updates

Array = NDArray[np.float64]

CUMULATED = 8  # samples, whose gradients are known one by one and added up
LONGEST = 60  # characters of a formula of the user's own
ATOM = re.compile(r"[\w′.]*(\[[\w,:]*\]|\([^()]*\))?(\.T)?")  # what needs no brackets
PLACES = re.compile(r"\[[\d,:n]*\]")


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a run: what it is, as a formula, and its shape in the user's code.

    `quantity` is "" where the value is none of the derivation's, but made from some that are: then
    the formula is the user's own, with those names in it.
    """

    formula: str
    quantity: str
    part: Part
    shape: tuple[int, ...]
    slot: int | None = None  # which row or column, where it is none of the samples'

    @property
    def key(self) -> str:
        """The same for parts of one quantity, whose rows and entries are said once."""
        if not self.quantity:
            return PLACES.sub("[]", self.formula)
        return f"{self.quantity} {self.part} {'' if self.slot is None else self.slot}"


def readings(probe: Probe, model: Model, scales: Mapping[str, float]) -> dict[int, list[Reading]]:
    """For each place the readings of its visits, each once and in the order of the run.

    `scales` are factors by their formula: {"": 1.0, "−": −1.0, "0.1 · ": 0.1}. A visit that
    matches nothing is left out; a place without a match has no entry.
    """
    quantities = quantities_of(probe, model)
    here = _Here(Index(quantities), list(quantities), scales, _sample_axes(model, quantities))
    made = _Made(probe)
    found: dict[int, dict[str, Reading]] = {}
    for event in probe.run.events:
        if event.value.dtype.kind != "f":
            continue
        reading = here.read(event.value) or made.read(event)
        if reading is not None:
            made.latest[event.place] = reading.formula
            found.setdefault(event.place, {}).setdefault(reading.key, reading)
    return {place: list(kept.values()) for place, kept in found.items()}


def confirmed(
    first: dict[int, list[Reading]], second: Mapping[int, list[Reading]]
) -> dict[int, list[Reading]]:
    """What is said of a place on other random numbers too."""
    found = {
        place: [one for one in kept if one.key in {other.key for other in second.get(place, ())}]
        for place, kept in first.items()
    }
    return {place: kept for place, kept in found.items() if kept}


@dataclass(frozen=True, slots=True)
class _Here:
    """The quantities of the derivation, asked what a value is."""

    index: Index
    order: list[str]
    scales: Mapping[str, float]
    samples: dict[str, int]

    def read(self, value: Array) -> Reading | None:
        """The plainest answer: unscaled before scaled, wholes before parts, forward first."""
        for factor, scale in self.scales.items():
            matches = self.index.find(value, scale)
            if matches:
                best = min(matches, key=lambda one: (_PARTS.index(one.part), self._rank(one)))
                samples = self.samples.get(best.name)
                formula = _formula(factor, best, samples)
                fixed = samples is not None and best.part == ("column", "row")[samples]
                slot = best.place[0] if fixed else None
                return Reading(formula, best.name, best.part, value.shape, slot)
        return None

    def _rank(self, match: Match) -> int:
        return self.order.index(match.name)


class _Made:
    """What is none of the quantities: the user's own expression of things that have a name."""

    def __init__(self, probe: Probe) -> None:
        self.latest: dict[int, str] = {}
        self.known: dict[tuple[tuple[int, ...], bytes], str] = {}
        self.places = probe.run.places
        self.children: dict[int, list[Place]] = {}
        for place in self.places.values():
            if place.parent is not None:
                self.children.setdefault(place.parent, []).append(place)

    def read(self, event: Event) -> Reading | None:
        """An array that was made before keeps the formula of then."""
        key = event.value.shape, event.value.tobytes()
        formula = self.known.get(key) or self._spelt(self.places[event.place])
        if formula is None:
            return None
        if event.value.ndim:
            self.known.setdefault(key, formula)
        return Reading(formula, "", "whole", event.value.shape)

    def _spelt(self, place: Place) -> str | None:
        """The text of a place with its parts' names in their stead; None when it has none."""
        text, spelt = place.text, False
        if place.moment != "value" or place.line != place.end_line:
            return None
        for child in sorted(self.children.get(place.number, ()), key=lambda one: -one.column):
            start, end = child.column - place.column, child.end_column - place.column
            if text[start:end] != child.text or child.number not in self.latest:
                continue
            made = self.latest[child.number]
            enclosed = text[:start].endswith("(") and text[end:].startswith(")")
            if not (ATOM.fullmatch(made) or enclosed):
                made = f"({made})"
            text, spelt = text[:start] + made + text[end:], True
        return text if spelt and len(text) <= LONGEST else None


def _sample_axes(model: Model, quantities: Mapping[str, Array]) -> dict[str, int]:
    """The axis along which samples lie, of every quantity that has one for each sample."""
    arrays = {array.name: array for array in model.derivation.passes.arrays.values()}
    axis = 1 if model.seen.columns else 0
    found: dict[str, int] = {}
    for name, value in quantities.items():
        array = arrays.get(name)
        if array is None:
            has = value.ndim == 2 and "of sample" not in name and not name.endswith("′")
        else:
            has = len(array.shape) == 2 and str(array.shape[axis]) == "n"
        if has:
            found[name] = axis
    return found


# ── the quantities ───────────────────────────────────────────────────────────────────────────


def quantities_of(probe: Probe, model: Model) -> dict[str, Array]:
    """Every quantity of the derivation, with slopes, widened activations and updated weights.

    Programs that go sample by sample make parts of these: the gradient that one sample wants, and
    the sum of those so far.
    """
    values = model.values(probe.X, probe.Y, probe.parameters)
    found = {name: np.asarray(value, float) for name, value in values.items()}
    moved = first_updates(probe.run, probe.parameters)
    before = found["X"]
    for place, layer in enumerate(model.seen.layers, 1):
        Z = found.get(f"Z{place}")
        if layer.ones is not None:
            name = f"A{place - 1}" if place > 1 else "X"
            found[f"[{name}, 1]"] = _widened(before, layer.ones, model.seen.columns)
        if Z is not None and layer.bias is not None:
            bias = found[f"b{place}"]
            columns = model.seen.columns and Z.ndim == 2
            found[f"(Z{place} − b{place})"] = Z - (bias[:, None] if columns else bias)
        if Z is not None and layer.activation not in ("linear", "softmax", "log_softmax"):
            name = "σ′" if layer.activation == "sigmoid" else f"{layer.activation}′"
            found[f"{name}(Z{place})"] = slope(layer.activation, np.atleast_2d(Z)).reshape(Z.shape)
        if Z is not None and layer.activation != "linear" and f"A{place}" not in found:
            axis = 0 if model.seen.columns and Z.ndim == 2 else -1  # fused with the loss
            turned = np.moveaxis(Z, axis, -1)
            value = np.asarray(FUNCTIONS[layer.activation](turned), float)
            found[f"A{place}"] = np.moveaxis(value, -1, axis)
        before = found.get(f"A{place}", before if Z is None else Z)
    for name, path in model.paths.items():
        if moved[path].any():
            found[f"{name}′"] = probe.parameters[path] - moved[path]
    return found | _one_by_one(probe, model)


def _widened(A: Array, ones: Ones, columns: bool) -> Array:
    one = np.ones((1, A.shape[1]) if columns else (len(A), 1))
    return np.concatenate([A, one] if ones == "last" else [one, A], axis=0 if columns else 1)


def _one_by_one(probe: Probe, model: Model) -> dict[str, Array]:
    """The gradients of single samples as their sum has them, and of the first ones together."""
    X, Y = np.asarray(probe.X), np.asarray(probe.Y)
    axis = 1 if model.seen.turned else 0
    if X.ndim < 2 or X.shape[axis] < 2:
        return {}
    share = 1.0 if model.loss.sums else 1.0 / X.shape[axis]
    found: dict[str, Array] = {}
    total: dict[str, Array] = {}
    for sample in range(min(X.shape[axis], CUMULATED)):
        x = X.take([sample], axis=axis)
        y = Y.take([sample], axis=axis if Y.ndim > 1 else 0)
        values = model.values(x, y, probe.parameters)
        for name in model.paths:
            gradient = share * np.asarray(values[f"d{name}"], float)
            total[name] = total.get(name, 0.0) + gradient
            found[f"d{name} of sample {sample}"] = gradient
            found[f"d{name} of samples 0…{sample}"] = total[name]
    return found


# ── how a match is written ───────────────────────────────────────────────────────────────────

_PARTS: list[Part] = ["whole", "transposed", "flat", "row", "column", "narrower", "entry"]


def _formula(factor: str, match: Match, samples: int | None) -> str:
    """A match as index notation has it; `samples` is the axis along which samples lie, if any."""
    places = ["n" if axis == samples else str(place) for axis, place in enumerate(match.place)]
    match match.part:
        case "whole" | "flat":
            name = match.name
        case "transposed":
            name = f"{match.name}.T"
        case "row":
            name = f"{match.name}[{'n' if samples == 0 else match.place[0]}]"
        case "column":
            name = f"{match.name}[:,{'n' if samples == 1 else match.place[0]}]"
        case "entry":
            name = f"{match.name}[{','.join(places)}]"
        case "narrower":
            name = f"{match.name} without one row or column"
    return f"{factor}{name}"
