"""What each value of a run is called in the derivation: a quantity, or a part of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.match import Index, Match, Part
from backpass.doctor.model import Model
from backpass.doctor.observe import Event, Run
from backpass.doctor.probe import Probe
from backpass.doctor.quantities import beside, quantities_of
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]

LISTED = 64  # numbers of a list that are looked up one by one
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
    also: tuple[Reading, ...] = ()  # what it may be as well, by this run: ReLU may change nothing

    @property
    def key(self) -> str:
        """The same for parts of one quantity, whose rows and entries are said once."""
        if not self.quantity:
            return PLACES.sub("[]", self.formula)
        return f"{self.quantity} {self.part} {'' if self.slot is None else self.slot}"


def readings(
    probe: Probe, moved: Mapping[str, Array], model: Model, scales: Mapping[str, float]
) -> dict[int, list[Reading]]:
    """For each place the readings of its visits, each once and in the order of the run.

    `scales` are factors by their formula: {"": 1.0, "−": −1.0, "0.1 · ": 0.1}. A visit that
    matches nothing is left out; a place without a match has no entry.
    """
    quantities = quantities_of(probe, moved, model)
    axes = _sample_axes(model, quantities)
    return read(probe, moved, Known(quantities, beside(probe, moved, model), axes), scales)


@dataclass(frozen=True, slots=True)
class Known:
    """Quantities by their names, and others for what is none of them.

    `samples` says along which axis samples lie, of the quantities that have one for each; `zero`
    is what arrays of nothing are called, where they have a name.
    """

    quantities: Mapping[str, Array]
    others: Mapping[str, Array]
    samples: Mapping[str, int]
    zero: str = ""


def read(
    probe: Probe, moved: Mapping[str, Array], known: Known, scales: Mapping[str, float]
) -> dict[int, list[Reading]]:
    """The same for any quantities."""
    quantities = known.quantities
    here = _Here(
        Index(quantities, tolerance=probe.tolerance), list(quantities), scales, known.samples
    )
    there = _Here(Index(known.others, parts=False), list(known.others), {"": 1.0}, {})
    made = _Made(probe)
    found: dict[int, dict[str, Reading]] = {}
    updated = _updated(probe, moved)
    for number, event in enumerate(probe.run.events):
        if event.value.dtype.kind != "f":
            continue
        kept = found.get(event.place, {})
        reading = here.read(event.value)
        if known.zero and event.value.ndim and not np.any(event.value):
            reading = Reading(known.zero, "", "whole", event.value.shape)
        if reading is None and (number <= updated or not kept):  # the next turn is said once
            reading = made.read(event) or there.read(event.value) or here.mixed(event.value)
        if reading is not None:
            made.latest[event.place] = reading.formula
            found.setdefault(event.place, kept).setdefault(reading.key, reading)
    return {place: list(kept.values()) for place, kept in found.items()}


def scales_of(one: Probe, factor: float | None) -> dict[str, float]:
    """Factors under which a quantity is still called by its name, the plainest first."""
    scales = {"": 1.0, "−": -1.0}
    if factor is not None:
        scales |= {f"{factor:.4g} · ": factor, f"−{factor:.4g} · ": -factor}
    scales |= {"2 · ": 2.0, "½ · ": 0.5, "−2 · ": -2.0, "−½ · ": -0.5}
    kept = {float(f"{mask.max():.6g}"): float(mask.max()) for mask in one.masks if mask is not None}
    scales |= {f"{1 / told:.4g} · ": 1 / times for told, times in kept.items() if told != 1}
    sides = {float(size) for data in (one.X, one.Y) for size in np.shape(data)} - {0.0, 1.0}
    for size in sorted(sides):
        scales |= {f"{size:g} · ": size, f"−{size:g} · ": -size}
        scales |= {f"1/{size:g} · ": 1 / size, f"−1/{size:g} · ": -1 / size}
    return scales


def _updated(probe: Probe, moved: Mapping[str, Array]) -> int:
    """The event with which the last parameter has its first new value."""
    new = Index({path: probe.parameters[path] - step for path, step in moved.items()}, parts=False)
    first: dict[str, int] = {}
    for number, event in enumerate(probe.run.events):
        if event.value.dtype.kind == "f" and event.value.ndim:
            for match in new.find(event.value):
                first.setdefault(match.name, number)
    return max(first.values()) if len(first) == len(moved) else len(probe.run.events)


def confirmed(
    first: Mapping[int, list[Reading]],
    second: Mapping[int, list[Reading]],
    runs: Sequence[Run],
) -> dict[int, list[Reading]]:
    """What is said of a place on other random numbers too.

    Zeros say nothing: where one run has only those, the other one speaks. And what is the same in
    both comes from no random number, so that it is a constant of the code.
    """
    values = [_arrays(run) for run in runs]
    found: dict[int, list[Reading]] = {}
    for place in sorted(values[0].keys() | values[1].keys() | first.keys()):
        one, other = first.get(place, []), second.get(place, [])
        seen, again = (held.get(place, []) for held in values)
        silent = [bool(held) and not any(map(np.any, held)) for held in (seen, again)]
        keys = {reading.key for said in other for reading in (said, *said.also)}
        kept = [
            reading
            for said in one
            for reading in [one for one in (said, *said.also) if one.key in keys][:1]
        ]
        if all(silent):
            kept = kept or [Reading("0", "", "whole", seen[0].shape)]
        elif silent[0] or silent[1]:
            kept = kept or (other if silent[0] else one)
        elif seen and again and not kept and np.array_equal(seen[0], again[0]):
            kept = [Reading("constant", "", "whole", seen[0].shape)]
        if kept:
            found[place] = kept
    return found


def _arrays(run: Run) -> dict[int, list[Array]]:
    """The arrays that each place was worth."""
    found: dict[int, list[Array]] = {}
    for event in run.events:
        if event.value.ndim and event.value.dtype.kind == "f":
            found.setdefault(event.place, []).append(event.value)
    return found


@dataclass(frozen=True, slots=True)
class _Here:
    """The quantities of the derivation, asked what a value is."""

    index: Index
    order: list[str]
    scales: Mapping[str, float]
    samples: Mapping[str, int]
    known: dict[Any, Reading | None] = field(default_factory=dict[Any, Reading | None])

    def read(self, value: Array) -> Reading | None:
        """The plainest answer: unscaled before scaled, wholes before parts, forward first."""
        key = float(value.reshape(())) if value.size == 1 else None, value.shape
        if key not in self.known or key[0] is None:
            self.known[key] = self._read(value)
        return self.known[key]

    def mixed(self, value: Array) -> Reading | None:
        """A list whose numbers are entries of several quantities."""
        if value.ndim != 1 or not 1 < value.size <= LISTED:
            return None
        found = [self.read(entry) for entry in map(np.asarray, value) if entry]
        names = [PLACES.sub("", one.formula) for one in found if one is not None]
        if not names or len(names) < len(found):
            return None
        formula = f"numbers of {', '.join(dict.fromkeys(names))}"
        return Reading(formula, "", "whole", value.shape) if len(formula) <= LONGEST else None

    def _read(self, value: Array) -> Reading | None:
        for factor, scale in self.scales.items():
            matches = self.index.find(value, scale)
            if matches:
                matches.sort(key=lambda one: (_PARTS.index(one.part), self._rank(one)))
                same = [one for one in matches if one.part == matches[0].part]
                first, *also = [self._reading(factor, one, value.shape) for one in same[:4]]
                return replace(first, also=tuple(also))
        return None

    def _reading(self, factor: str, match: Match, shape: tuple[int, ...]) -> Reading:
        samples = self.samples.get(match.name)
        formula = _formula(factor, match, samples)
        fixed = samples is not None and match.part == ("column", "row")[samples]
        return Reading(formula, match.name, match.part, shape, match.place[0] if fixed else None)

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
