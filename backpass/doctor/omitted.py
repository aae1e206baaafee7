"""Updates in the order of the run, and where one that was never made should have stood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import unchanged
from backpass.doctor.fits import is_noise
from backpass.doctor.lines import Hit, Lines
from backpass.doctor.mistake import At
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Story

Array = NDArray[np.float64]
Key = tuple[str, int]


class Updates:
    """What the run did to each parameter, and with which gradient."""

    def __init__(
        self, lines: Lines, story: Story, moved: Mapping[str, Array], paths: Mapping[Key, str]
    ) -> None:
        self.lines = lines
        self.story = story
        self.paths = paths
        self.moved = moved
        self.run = lines.run

    def place(self, key: Key) -> Place | None:
        """The statement that updates a tensor, or assigns it what it was."""
        path = self.paths.get(key)
        if path is None:
            return None
        number = self.updated(path)
        return unchanged(self.run, path) if number is None else self.lines.place(number)

    def made(self, letter: str, at: At) -> list[Hit]:
        """Where a gradient of a layer stood, whole or for the first sample."""
        one = first_sample(at)
        return self._where(letter, self._stood(letter, at), _gradient(letter, one))

    def mistaken(self, key: Key) -> list[Hit]:
        """Where what is taken for a gradient stood, which may be made with a mistake."""
        letter, layer = key
        at, fit = self.story.layer(layer)[0], self.story.fits.get(key)
        if fit is None or fit.slip is None or fit.more:
            return self.made(letter, at)
        with np.errstate(all="ignore"):
            value, part = (fit.slip.mistake.value(one) for one in (at, first_sample(at)))
        stood = [] if value is None else self.lines.late(value, samples=False)
        return stood if part is None else self._where(letter, stood, part)

    def _where(self, letter: str, stood: list[Hit], part: Array) -> list[Hit]:
        found = dict(stood)
        if letter == "W":
            found |= dict(self.lines.late(part, samples=False))
        found |= dict(self.lines.added(part))
        return sorted(found.items())

    def _stood(self, letter: str, at: At) -> list[Hit]:
        return self.lines.late(_gradient(letter, at), samples=False)

    # ── what was left out ────────────────────────────────────────────────────────────────────

    def omitted(self, key: Key) -> Place | None:
        """The last statement that should have been followed by one about this tensor."""
        kept = unchanged(self.run, self.paths[key])
        letter, layer = key
        stood = self._stood(letter, self.story.layer(layer)[0])
        if kept is not None and stood:
            return kept
        if kept is not None:
            return self._nothing_added(kept) or self._beside(key, self._gradients()) or kept
        if not stood:
            return self._beside(key, self._gradients())
        gathering = self._gathering(key, stood[-1][0])
        if gathering is not None:
            return gathering
        return self._skipping(key) or self._beside(key, self._order())

    def _nothing_added(self, kept: Place) -> Place | None:
        """The statement that adds nothing to the zeros which an update takes away."""
        file = self.run.files[kept.number]
        for event in reversed(self.run.events):
            place = self.run.places[event.place]
            inside = (place.function, place.statement) == (kept.function, kept.statement)
            name = place.text.partition("[")[0]
            if inside and name.isidentifier() and not np.any(event.value):
                lines = self.lines.source.adding(file, place.function, name) - {kept.line}
                places = [self.lines.source.on(file, line) for line in sorted(lines)]
                return next((one for one in reversed(places) if one is not None), None)
        return None

    def _gathering(self, key: Key, after: int) -> Place | None:
        """A statement that all the other gradients go through, and this one does not."""
        others = [other for other in self._trained() if other != key]
        if len(others) < 2:
            return None
        through: dict[tuple[str, int], dict[int, Key]] = {}
        for other in others:
            letter, layer = other
            for number, _ in self._stood(letter, self.story.layer(layer)[0]):
                if number > after:
                    statement = through.setdefault(self.lines.statement(number), {})
                    statement[self.run.events[number].place] = other
        for found in through.values():
            if set(found.values()) == set(others):
                return self.run.places[next(iter(found))]
        return None

    def _skipping(self, key: Key) -> Place | None:
        """The head of a loop that updates others of the same list or dict, and leaves this out."""
        holder = self.paths[key].rpartition("[")[0]
        if not holder:
            return None
        for other in self._trained():
            path = self.paths[other]
            place = self.place(other) if path.rpartition("[")[0] == holder else None
            if place is not None and not path.endswith(place.text.rpartition("[")[2]):
                return self.lines.source.loop(place) or place
        return None

    def _beside(self, key: Key, order: Mapping[Key, int]) -> Place | None:
        """What comes before it in the order that other layers have, or its layer's other tensor."""
        if not order:
            return None
        keys = sorted(order, key=lambda one: order[one])
        letter, layer = key
        alike = sorted(
            (one for one in keys if one[0] == letter), key=lambda one: abs(one[1] - layer)
        )
        for other in alike[:1]:
            at = keys.index(other)
            if at:
                kind, level = keys[at - 1]
                before = kind, level + layer - other[1]
                if before in order:
                    return self.lines.place(order[before])
        sibling = ("b" if letter == "W" else "W"), layer
        if sibling in order:
            return self.lines.place(order[sibling])
        return self._idle(key, order[keys[-1]]) or self.lines.place(order[keys[-1]])

    def _idle(self, key: Key, after: int) -> Place | None:
        """The head of a loop over the tensor that comes after all updates, and does nothing."""
        for number in range(after + 1, len(self.run.events)):
            place = self.lines.place(number)
            reads = place.text.startswith(f"{self.paths[key]}[")
            if reads and self.lines.source.is_loop(self.run.files[place.number], place):
                return place
        return None

    def _trained(self) -> list[Key]:
        return [key for key, path in self.paths.items() if np.any(self.moved[path])]

    def _order(self) -> dict[Key, int]:
        """The event of each update."""
        found = {key: self.updated(self.paths[key]) for key in self._trained()}
        return {key: number for key, number in found.items() if number is not None}

    def _gradients(self) -> dict[Key, int]:
        """The event that made each gradient."""
        found: dict[Key, int] = {}
        for key in self._trained():
            hits = self.mistaken(key)
            if hits:
                found[key] = hits[0][0]
        return found or self._order()

    def updated(self, path: str) -> int | None:
        """The event with which a parameter was first worth its new value."""
        old, step = self.run.before.get(path), self.moved[path]
        if old is None or is_noise(step, old):
            return None
        new = np.asarray(old, float) - step
        where = np.unravel_index(int(np.argmax(np.abs(step))), new.shape) if new.ndim else ()
        single: int | None = None
        for number, event in enumerate(self.run.events):
            if event.value.shape == new.shape and np.allclose(event.value, new, rtol=1e-12, atol=0):
                return number
            given = event.value.ndim == 0 and self.lines.place(number).moment == "after"
            if (
                single is None
                and given
                and math.isclose(float(event.value), float(new[where]), rel_tol=1e-12)
            ):
                single = number
        return single


def _gradient(letter: str, at: At) -> Array:
    return at.weight() if letter == "W" else at.bias()


def first_sample(at: At) -> At:
    """A layer's backward pass on the first sample alone."""
    run = replace(
        at.run, y=at.run.y[:1], A=tuple(one[:1] for one in at.run.A),
        Z=tuple(one[:1] for one in at.run.Z), inputs=tuple(one[:1] for one in at.run.inputs),
        masks=tuple(None if one is None else one[:1] for one in at.run.masks),
        drawn=tuple({k: M[:1] for k, M in one.items()} for one in at.run.drawn),
    )  # fmt: skip
    return replace(
        at, run=run, error=at.error[:1], above=None if at.above is None else first_sample(at.above),
        carry=None if at.carry is None else at.carry[:1],
        delta=None if at.delta is None else at.delta[:1],
        given=None if at.given is None else at.given[:1],
    )  # fmt: skip
