"""Findings, with the line of the user's where each mistaken number first stood."""

from __future__ import annotations

import linecache
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import unchanged, updating
from backpass.doctor.lines import Lines
from backpass.doctor.mistake import At
from backpass.doctor.probe import Probe
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip, Story
from backpass.doctor.wording import Wording

Array = NDArray[np.float64]
_CALLS = (18, 19)  # mistakes that are made where a slope is asked for, not where it is written


class Accuser:
    """Makes findings about one explanation of one run."""

    def __init__(
        self, probe: Probe, story: Story, wording: Wording, moved: Mapping[str, Array],
        paths: Mapping[tuple[str, int], str], factors: Sequence[float],
    ) -> None:  # fmt: skip
        self.run = probe.run
        self.story = story
        self.wording = wording
        self.moved = moved
        self.paths = paths
        self.lines = Lines(probe.run, story.at[0].run.A[-1], factors)

    # ── findings ─────────────────────────────────────────────────────────────────────────────

    def slip(self, slip: Slip, tensors: Sequence[str]) -> Finding:
        """A row of the catalogue that was met."""
        one = slip.mistake
        if one.bug == 16 and slip.layer == self.story.at[0].run.depth:
            one = replace(one, bug=10, name="f′ is missing at the output")
        also = [other.bug for other in slip.also if other.bug not in (None, one.bug)]
        return self._finding(
            one.bug, one.name, tensors, self._place(slip), self.wording.say(one.says, slip.layer),
            self.wording.say(one.fix, slip.layer), also=[bug for bug in also if bug is not None],
        )  # fmt: skip

    def factor(
        self, bug: int | None, name: str, tensors: Sequence[str], layer: int, what: str,
        says: str, fix: str, ratio: float = -1.0,
    ) -> Finding:  # fmt: skip
        """A mistake that is a factor: `what` tells where it was made."""
        return self._finding(bug, name, tensors, self._factored(layer, what, ratio), says, fix)

    def remark(
        self, bug: int | None, name: str, tensors: Sequence[str], place: Place | None, says: str,
        fix: str,
    ) -> Finding:  # fmt: skip
        """Something to know that is no mistake."""
        if place is None:
            place = self.lines.settled(self.story.layer(self.story.at[0].run.depth)[0].dZ)
        return self._finding(bug, name, tensors, place, says, fix, accuses=False)

    def found(
        self, bug: int, name: str, tensors: Sequence[str], place: Place | None, says: str, fix: str,
        also: Sequence[int] = (),
    ) -> Finding:  # fmt: skip
        """A mistake whose place is known."""
        return self._finding(bug, name, tensors, place, says, fix, also=also)

    def _finding(
        self, bug: int | None, name: str, tensors: Sequence[str], place: Place | None, says: str,
        fix: str, *, accuses: bool = True, also: Sequence[int] = (),
    ) -> Finding:  # fmt: skip
        file = "" if place is None else self.run.files[place.number]
        source = "" if place is None else linecache.getline(file, place.line).strip()
        return Finding(
            bug, name, tensors[0] if tensors else "", None if place is None else place.line,
            source, _sentence(says), fix, accuses, tuple(tensors), tuple(dict.fromkeys(also)), file,
        )  # fmt: skip

    # ── lines ────────────────────────────────────────────────────────────────────────────────

    def _place(self, slip: Slip) -> Place | None:
        at = self.story.layer(slip.layer)[0]
        with np.errstate(all="ignore"):
            value = slip.mistake.value(at)
        if value is None:
            return None
        match slip.stage:
            case "slope" if slip.mistake.bug in (16, 17):
                return self.lines.named(value)
            case "carry":
                place = self.lines.first(value)
                above = self.lines.first(at.up.dZ)  # where W is left out, that is all there is
                return self.lines.first(at.dZ) if place == above else place
            case "slope":
                return self._sloped(at, slip, value)
            case "weight" | "bias":
                letter = "W" if slip.stage == "weight" else "b"
                return self.lines.first(value) or self._updating(letter, slip.layer)

    def _sloped(self, at: At, slip: Slip, value: Array) -> Place | None:
        """The line of δ, or that of the slope where it was written on its own."""
        place = self.lines.first(value)
        with np.errstate(all="ignore"):
            factor = value / at.dA
        if not np.isfinite(factor).all() or np.ptp(factor) < 1e-12:
            return place
        own = self.lines.first(factor)
        if slip.mistake.bug not in _CALLS and place is not None:
            return self.lines.inside(factor, place.function) or own or place
        return own if own is not None and (place is None or own.line <= place.line) else place

    def _updating(self, letter: str, layer: int) -> Place | None:
        """The statement that updates a tensor, else its neighbour's: it should have followed."""
        other = "b" if letter == "W" else "W"
        further = [(one, up) for up in range(1, 100) for one in (letter, other)]
        for key in ((letter, layer), (other, layer), *further):
            path = self.paths.get(key)
            if path is not None:
                place = updating(self.run, path, self.moved[path]) or unchanged(self.run, path)
                if place is not None:
                    return place
        return None

    def _factored(self, layer: int, what: str, ratio: float) -> Place | None:
        at = self.story.layer(layer)[0]
        match what:
            case "sign":
                return self._turned(at)
            case "delta":
                return self._jump(at, ratio) or self.lines.first(at.dZ)
            case _:
                return self._of_gradient(at, what, ratio)

    def _of_gradient(self, at: At, letter: str, ratio: float) -> Place | None:
        """Where a gradient is made; where its sign is turned, if that is what is wrong with it."""
        value = at.weight() if letter == "W" else at.bias()
        if ratio < 0:
            turned = (self.lines.place(n) for n, factor in self.lines.seen(value) if factor < 0)
            return next(turned, None) or self._updating(letter, at.layer)
        return self.lines.first(value) or self._updating(letter, at.layer)

    def _turned(self, at: At) -> Place | None:
        """Where targets − outputs is computed; when nothing is, the update itself."""
        for number, factor in self.lines.seen(at.run.A[-1] - at.run.y):
            if factor < 0:
                return self.lines.place(number)
        return self._updating("W", at.layer)

    def _jump(self, at: At, ratio: float) -> Place | None:
        """The first of the numbers between two δ that has the factor which the lower one has."""
        above = list(self.lines.seen(at.up.dZ)) if at.above is not None else []
        if not above:
            return None
        usual = Counter(float(f"{factor:.6g}") for _, factor in above).most_common(1)[0][0]
        numbers = [
            number
            for value in (at.up.dZ, at.dA, at.dZ)
            for number, factor in self.lines.seen(value)
            if math.isclose(factor, usual * ratio, rel_tol=1e-5)
        ]
        return self.lines.place(min(numbers)) if numbers else None


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
