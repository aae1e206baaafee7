"""The line that a mistake is put on: the first statement whose value is not what it should be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.lines import Hit, Lines
from backpass.doctor.mistake import At
from backpass.doctor.omitted import Updates, first_sample
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip, Story

Array = NDArray[np.float64]
Key = tuple[str, int]
_ASKED = (18, 19, 35)  # made where a slope is asked for, not where it is written


class Blame:
    """Lines for one explanation of one run."""

    def __init__(
        self, lines: Lines, story: Story, moved: Mapping[str, Array], paths: Mapping[Key, str]
    ) -> None:
        self.lines = lines
        self.story = story
        self.paths = paths
        self.updates = Updates(lines, story, moved, paths)

    def slip(self, slip: Slip) -> Place | None:
        """Where a row of the catalogue was met."""
        at = self.story.layer(slip.layer)[0]
        value = _value(slip, at)
        if value is None:
            return None
        match slip.stage:
            case "carry":
                return self._carried(at, slip, value)
            case "slope" if slip.mistake.bug == 16:
                return self._unsloped(at, value)
            case "slope":
                return self._sloped(at, slip, value)
            case "weight" | "bias":
                return self._gradient(at, slip, value)

    def factor(self, layer: int, what: str, ratio: float, right: Collection[Key]) -> Place | None:
        """Where a factor came in, that the `right` tensors do not have."""
        at = self.story.layer(layer)[0]
        match what:
            case "sign":
                return self._turned(at)
            case "delta":
                found = self._jump(at, ratio) or self._apart(("W", layer), right)
                return found or self.lines.first(at.dZ)
            case letter:
                return self._apart((letter, layer), right) or self.updates.place((letter, layer))

    def output(self) -> Place | None:
        """Where the δ of the outputs first has the factor with which it makes a gradient."""
        at = self.story.layer(self.story.at[0].run.depth)[0]
        hits, made = self.lines.late(at.dZ), self.updates.made("W", at)
        if not hits:
            return self.updates.place(("W", at.layer))
        used = [factor for number, factor in hits if not made or number < made[0][0]]
        wanted = (used or [hits[-1][1]])[-1]
        first = next(n for n, factor in hits if np.isclose(factor, wanted, rtol=1e-5))
        return self.lines.made(first)

    def penalty(self, key: Key) -> Place | None:
        """Where a part of the weight is added to its gradient, else where that is made."""
        at = self.story.layer(key[1])[0]
        table = np.stack([at.weight().ravel(), at.W.ravel()], axis=1)
        turned = np.stack([at.weight().T.ravel(), at.W.T.ravel()], axis=1)
        for number, event in self.lines.by_size.get(at.W.size, []):
            for both in (table, turned):
                found = np.linalg.lstsq(both, event, rcond=None)[0]
                left = float(np.linalg.norm(both @ found - event))
                parts = np.abs(found) * np.linalg.norm(both, axis=0)
                is_sum = left < 1e-9 * np.linalg.norm(event) and parts.min() > 1e-6 * parts.max()
                if is_sum and not np.isclose(abs(found[1]), 1):  # that would be the new weight
                    return self.lines.made(number)
        hits = self.updates.made(key[0], at)
        return self.lines.made(hits[0][0]) if hits else self.updates.place(key)

    # ── through a layer ──────────────────────────────────────────────────────────────────────

    def _carried(self, at: At, slip: Slip, value: Array) -> Place | None:
        bare = _value(slip, at.unmasked())  # before the mask was met
        if bare is not None and self.lines.late(bare):
            value = bare
        if slip.mistake.bug == 57:
            return self._passed_on(at, value)
        hits = self.lines.late(value)
        if not hits:
            return self.lines.first(at.dZ)
        given = at.up.dZ, at.W_up, at.run.W[at.layer + 1], at.a, at.z, at.into
        return self._climbed(hits, given)

    def _passed_on(self, at: At, value: Array) -> Place | None:
        """The first statement that takes δ of the layer above further, and makes no gradient."""
        above = self.lines.late(at.up.dZ)
        hits = self.lines.late(value) or self.lines.late(value[:, :1])  # the same for all units
        if not {n for n, _ in hits} & {n for n, _ in above}:
            return self.lines.made(hits[0][0]) if hits else self.lines.first(at.dZ)
        into = self._statements(above[:1])
        gradients = self._statements(
            [*self.updates.made("W", at.up), *self.updates.made("b", at.up)]
        )
        for number, _ in hits:
            statement = self.lines.statement(number)
            if statement not in into and statement not in gradients:
                return self.lines.place(number)
        return self.lines.first(at.dZ)

    def _unsloped(self, at: At, value: Array) -> Place | None:
        """The last statement that hands the error on before it is used, or a slope of ones."""
        hits = self.lines.late(value)
        if not hits:
            return None
        flat = self.flat(at)
        if flat is not None:
            return flat
        begun = self._used(at, hits)
        handing = [
            number
            for number, _ in hits
            if number < begun
            and self.lines.statement(number) != self.lines.statement(begun)
            and not self.lines.adds(number)
        ]
        return self.lines.made(handing[-1] if handing else hits[0][0])

    def flat(self, at: At) -> Place | None:
        """Where a slope that is 1 everywhere was computed, if one was."""
        hits = self.lines.late(at.dA)
        if not hits:
            return None
        for number in range(hits[0][0] + 1, self._used(at, hits)):
            value = self.lines.run.events[number].value
            if value.size == at.z.size and value.size > 1 and np.all(value == 1):
                return self.lines.place(number)
        return None

    def _used(self, at: At, hits: list[Hit]) -> int:
        """The event with which an error, taken for δ, goes on: to a gradient or a layer below."""
        at = at.with_delta(at.dA)
        used = [*self.updates.made("W", at), *self.updates.made("b", at)]
        if at.layer > 1:
            used += self.lines.late(at.dZ @ at.run.inner(at.layer, at.W).T)
        return min((number for number, _ in used if number > hits[0][0]), default=hits[-1][0] + 1)

    def _sloped(self, at: At, slip: Slip, value: Array) -> Place | None:
        """The line of δ, or that of the slope where it was written on its own."""
        hits = self.lines.late(value)
        place = self._climbed(hits, (at.dA, at.z, at.a, at.into)) if hits else None
        ones = at.with_carry(np.ones_like(at.dA))
        factor = _value(slip, ones)
        if factor is None or np.ptp(factor) < 1e-12 or not np.allclose(at.dA * factor, value):
            carried = {n for n, _ in self.lines.late(at.dA)}
            begun = self._used(at, hits) if hits else 0
            own = [n for n, _ in hits if n < begun and not self.lines.adds(n)]
            alike = bool(hits) and hits[0][0] in carried  # where nothing is cut off yet
            return self.lines.made(own[-1]) if alike and own else place
        own = [n for n, _ in self.lines.late(factor) if not hits or n < hits[0][0]]
        made = [n for n in own if not self.lines.place(n).text.isidentifier()]
        here = [n for n in made if place and self.lines.place(n).function == place.function]
        inner = [n for n in own if place and self.lines.place(n).function != place.function]
        chosen = here if slip.mistake.bug in _ASKED else inner or here
        return self.lines.place(chosen[-1]) if chosen else place

    # ── gradients ────────────────────────────────────────────────────────────────────────────

    def _gradient(self, at: At, slip: Slip, value: Array) -> Place | None:
        letter = "W" if slip.stage == "weight" else "b"
        if slip.mistake.bug in (36, 37) and not np.any(value):
            return self.updates.omitted((letter, at.layer))
        one = _value(slip, first_sample(at))
        hits = self.lines.late(value, samples=False)
        if one is not None and np.any(one):
            hits = self._added(one, hits) or hits
        if not hits:
            return self.updates.place((letter, at.layer))
        if slip.mistake.bug == 26:
            handed = self._handed(at.run.Z[at.layer - 1], hits[0][0])
            if handed is not None:
                return handed
        return self._climbed(hits, (at.dZ, at.W, at.a, at.into, at.run.A[at.layer - 1]))

    def _added(self, part: Array, whole: list[Hit]) -> list[Hit]:
        """Where a sample's part of a gradient is added, from where it was made for that."""
        names = {_root(self.lines.place(number)) for number, _ in whole}
        added = self.lines.added(part)
        added = [hit for hit in added if _root(self.lines.place(hit[0])) in names] or added
        if not added:
            return []
        parts = [
            hit
            for hit in self.lines.late(part, samples=False)
            if hit[0] < added[0][0] and not self.lines.place(hit[0]).text.isidentifier()
        ]
        return [*parts[-1:], *added] if part.ndim > 1 else added

    def _handed(self, value: Array, used: int) -> Place | None:
        """Where a value was given the name by which it is used, if that was not its first name."""
        hits = [number for number, _ in self.lines.seen(value) if number < used]
        names = [n for n in hits if self.lines.place(n).text.isidentifier()]
        here = self.lines.statement(used)
        if not names or self.lines.statement(names[-1]) != here:
            return None
        other = [n for n in names if self.lines.place(n).text != self.lines.place(names[-1]).text]
        own = [n for n in names if self.lines.statement(n) != here and n not in other]
        return self.lines.place(other[-1]) if other and not own else None

    def _climbed(self, hits: list[Hit], given: tuple[Array, ...]) -> Place:
        """Out of a function that was handed something else than belongs there, to its call."""
        number = hits[0][0]
        place = self.lines.place(number)
        file = self.lines.run.files[place.number]
        arguments = self.lines.source.arguments(file, place.function)
        known = {n for one in given for n, _ in self.lines.seen(one)}
        last: dict[str, int] = {}
        for earlier in range(number):
            other = self.lines.place(earlier)
            if other.function == place.function and other.text in arguments:
                last[other.text] = earlier
        foreign = [
            n
            for n in last.values()
            if n not in known
            and np.any(np.abs(self.lines.run.events[n].value.astype(float)) % 1)
            and self.lines.run.events[n].value.ndim
        ]
        if foreign or self._is_right_elsewhere(number):
            for later, _ in hits:
                call = self.lines.place(later)
                if call.function != place.function and call.text.endswith(")"):
                    return call
        return self.lines.made(number)

    def _is_right_elsewhere(self, number: int) -> bool:
        """Whether the same expression made an activation of the forward pass."""
        place = self.lines.run.events[number].place
        forward = {n for one in self.story.at[0].run.A[1:] for n, _ in self.lines.seen(one)}
        return any(self.lines.run.events[n].place == place for n in forward if n < self.lines.start)

    # ── factors ──────────────────────────────────────────────────────────────────────────────

    def _turned(self, at: At) -> Place | None:
        """Where targets − outputs or −δ is computed; when nothing is, the update itself."""
        made = self.updates.made("W", at)
        begun = made[0][0] if made else len(self.lines.run.events)
        delta = [hit for hit in self.lines.late(at.dZ) if hit[0] < begun]
        error = [hit for hit in self.lines.seen(at.run.A[-1] - at.run.y) if hit[0] < begun]
        if not delta or delta[-1][1] < 0:
            for number, factor in sorted([*delta, *error]):
                if factor < 0:
                    return self.lines.made(number)
        return self.updates.place(("W", at.layer))

    def _jump(self, at: At, ratio: float) -> Place | None:
        """The first of the numbers between two δ that has the factor which the lower one has."""
        if at.above is None:
            return None
        above = self.lines.late(at.up.dZ)
        gradient = self.updates.made("W", at.up)
        if not gradient:
            return None
        made = gradient[0][0]
        there = [
            factor
            for number, factor in above
            if number < made and self.lines.statement(number) == self.lines.statement(made)
        ]
        if not there:
            return None
        begun = next(number for number, factor in above if np.isclose(factor, there[-1]))
        wanted = there[-1] * ratio
        for number, factor in sorted([*above, *self.lines.late(at.dA), *self.lines.late(at.dZ)]):
            if number > begun and np.isclose(factor, wanted, rtol=1e-5):
                return self.lines.made(number)
        return None

    def _apart(self, key: Key, right: Collection[Key]) -> Place | None:
        """The first statement that leaves a gradient with a factor that no right one ever has."""
        usual = {factor for other in right for _, factor in self._ends(other)}
        ends = self._ends(key)
        for number, factor in ends:
            if usual and not any(np.isclose(factor, one, rtol=1e-5) for one in usual):
                return self.lines.place(number)
        return self.lines.place(ends[-1][0]) if ends and usual else None

    def _ends(self, key: Key) -> list[Hit]:
        """The factor of a gradient at the end of each statement that it goes through."""
        hits = self.updates.mistaken(key)
        return [
            hit
            for hit, after in zip_longest(hits, hits[1:])
            if after is None or self.lines.statement(hit[0]) != self.lines.statement(after[0])
        ]

    def _statements(self, hits: list[Hit]) -> set[tuple[str, int]]:
        return {self.lines.statement(number) for number, _ in hits}


def _root(place: Place) -> str:
    return place.text.partition("[")[0]


def _value(slip: Slip, at: At) -> Array | None:
    with np.errstate(all="ignore"):
        return slip.mistake.value(at)
