"""Findings, with the line of the user's where each mistaken number first stood."""

from __future__ import annotations

import linecache
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.blame import Blame
from backpass.doctor.evidence import unchanged
from backpass.doctor.fits import is_noise
from backpass.doctor.flow_mistakes import SLOPES
from backpass.doctor.lines import Lines
from backpass.doctor.observe import Event
from backpass.doctor.probe import Probe
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip, Story, Tensor
from backpass.doctor.wording import Wording

Array = NDArray[np.float64]
_FLAT = "the slope that is used is 1 for every entry: {dZ} = {dA}"


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
        self.blame = Blame(self.lines, story, moved, paths)

    # ── findings ─────────────────────────────────────────────────────────────────────────────

    def slip(self, slip: Slip, tensors: Sequence[str]) -> Finding:
        """A row of the catalogue that was met."""
        slip = self._adding_nothing(self._undivided(slip))
        one, at = slip.mistake, self.story.layer(slip.layer)[0]
        if one.bug == 16 and slip.layer == self.story.at[0].run.depth:
            one = replace(one, bug=10, name="f′ is missing at the output")
        elif one.bug == 16 and self.blame.flat(at) is not None:
            bug = 20 if "relu" in at.f else 16
            one = replace(one, bug=bug, name="f′ is 1 everywhere", says=_FLAT)
        also = [other.bug for other in (slip.mistake, *slip.also) if other.bug != one.bug]
        says, fix = (self.wording.say(text, slip.layer) for text in (one.says, one.fix))
        return self._finding(
            one.bug, one.name, tensors, self.blame.slip(slip), says, fix,
            also=[bug for bug in also if bug is not None],
        )  # fmt: skip

    def _undivided(self, slip: Slip) -> Slip:
        """Without a bias, and without the right δ anywhere, f′ is missing in δ and not after it."""
        at = self.story.layer(slip.layer)[0]
        alone = ("b", slip.layer) not in self.paths and slip.stage == "weight"
        if slip.mistake.bug != 17 or not alone or self.lines.late(at.dZ):
            return slip
        return Slip(slip.layer, "slope", SLOPES[0], (slip.mistake, *slip.also))

    def _adding_nothing(self, slip: Slip) -> Slip:
        """What is updated with parts that cancel out is no tensor that is not updated."""
        if slip.mistake.bug not in (36, 37) or not slip.also:
            return slip
        letter = "W" if slip.stage == "weight" else "b"
        place = unchanged(self.run, self.paths[letter, slip.layer])
        if place is None:
            return slip
        beside = [one for one in self.run.events if self._are_together(one, place)]
        if not any(np.any(one.value) and is_noise(one.value, np.ones(1)) for one in beside):
            return slip
        return replace(slip, mistake=slip.also[0], also=slip.also[1:])

    def _are_together(self, event: Event, place: Place) -> bool:
        """Whether a number stood in a statement."""
        other = self.run.places[event.place]
        if event.value.dtype.kind != "f" or other.statement != place.statement:
            return False
        return self.run.files[other.number] == self.run.files[place.number]

    def factor(
        self, bug: int | None, name: str, tensors: Sequence[str], layer: int, what: str,
        says: str, fix: str, ratio: float = -1.0, apart: Collection[Tensor] = (),
    ) -> Finding:  # fmt: skip
        """A mistake that is a factor: `what` tells where it was made, `apart` all that have one."""
        others = {
            key: fit.slip
            for key, fit in self.story.fits.items()
            if fit is not None and key not in apart and self.paths[key] not in tensors
        }
        right = [key for key, slip in others.items() if slip is None] or [
            key for key, slip in others.items() if slip is not None and slip.mistake.linear
        ]
        place = self.blame.factor(layer, what, ratio, right)
        return self._finding(bug, name, tensors, place, says, fix)

    def penalty(self, key: tuple[str, int], name: str, says: str, fix: str) -> Finding:
        """A gradient of a penalty on the weights that is missing, or has another factor."""
        return self._finding(52, name, [self.paths[key]], self.blame.penalty(key), says, fix)

    def remark(
        self, bug: int | None, name: str, tensors: Sequence[str], place: Place | None, says: str,
        fix: str,
    ) -> Finding:  # fmt: skip
        """Something to know that is no mistake."""
        if place is None:
            place = self.blame.output()
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


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
