"""All that is known of an examined program when the verdict is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backpass.doctor.evidence import Shown
from backpass.doctor.probe import Probe
from backpass.doctor.scales import Scales
from backpass.doctor.search import Story
from backpass.doctor.search import Tensor as Key


@dataclass(frozen=True)
class Case:
    """The best explanation of the updates, with their scales and the losses that were seen."""

    probes: Sequence[Probe]
    story: Story
    scales: Scales
    shown: Sequence[Shown]
    paths: Mapping[Key, str]
    gradients: bool = False  # what was seen are gradients, not updates

    @property
    def unexplained(self) -> list[Key]:
        """Tensors whose updates nothing explains."""
        return [key for key in self.paths if self.story.fits.get(key) is None]

    @property
    def own(self) -> list[Shown]:
        """Losses that the code computes, of the family whose gradient the updates are."""
        return [one for one in self.shown if one.family is self.story.family]
