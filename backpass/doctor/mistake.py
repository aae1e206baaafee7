"""Where a mistake can be made, and what a row of the catalogue is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import meant
from backpass.doctor.passes import Pass, back

Array = NDArray[np.float64]
Stage = Literal["carry", "slope", "weight", "bias"]


@dataclass(frozen=True)
class At:
    """A layer of a backward pass, as somebody's code computes it.

    `carry` is its ∂L/∂A and `delta` its ∂L/∂Z; either may be wrong already. `error` is ∂L/∂A of
    the outputs.
    """

    run: Pass
    layer: int
    error: Array
    above: At | None = None
    carry: Array | None = None
    delta: Array | None = None
    given: Array | None = None  # ∂L/∂Z where a loss and its activation are taken as one

    @property
    def f(self) -> str:
        return self.run.layers[self.layer - 1].activation

    @property
    def a(self) -> Array:
        return self.run.A[self.layer]

    @property
    def z(self) -> Array:
        return self.run.Z[self.layer]

    @property
    def into(self) -> Array:
        return self.run.inputs[self.layer]

    @property
    def W(self) -> Array:
        return self.run.W[self.layer]

    @property
    def slope(self) -> Array:
        return self.run.slope(self.f, "Z", self.layer)

    @property
    def dA(self) -> Array:
        assert self.carry is not None
        return self.carry

    @property
    def dZ(self) -> Array:
        assert self.delta is not None
        return self.delta

    @property
    def up(self) -> At:
        assert self.above is not None
        return self.above

    @property
    def W_up(self) -> Array:
        """The weight that these outputs go into, without the row that meets the ones."""
        return self.run.inner(self.layer + 1, self.run.W[self.layer + 1])

    @property
    def mask(self) -> Array | None:
        """What these outputs were multiplied with, if units were dropped."""
        return self.run.mask(self.layer)

    @property
    def skips(self) -> list[At]:
        """The layers above that these outputs are added to."""
        found, here = list[At](), self.above
        while here is not None:
            found += [here] if here.run.layers[here.layer - 1].skip == self.layer else []
            here = here.above
        return found

    def skipped(self) -> Array | float:
        """What comes back from the layers that these outputs are added to."""
        return sum((one.joined for one in self.skips), 0.0)

    @property
    def joined(self) -> Array:
        """∂L by the sum in which outputs from below were added."""
        return self.dZ if self.run.layers[self.layer - 1].inside else self.dA

    # ── what is right ────────────────────────────────────────────────────────────────────────

    def carried(self) -> Array:
        return self.masked(self.up.dZ @ self.W_up.T) + self.skipped()

    def masked(self, carry: Array) -> Array:
        return carry if self.mask is None else carry * self.mask

    def through(self) -> Array:
        if self.given is not None:
            return self.given
        if meant(self.f) in ("softmax", "log_softmax"):  # each output depends on each logit
            return back(self.f, self.z, self.dA)
        return self.dA * self.slope

    def weight(self) -> Array:
        return self.into.T @ self.dZ

    def bias(self) -> Array:
        return self.dZ.sum(axis=0)

    # ── one further ──────────────────────────────────────────────────────────────────────────

    def with_carry(self, carry: Array) -> At:
        return replace(self, carry=carry)

    def unmasked(self) -> At:
        """The same where no unit was dropped going back through this layer."""
        masks = tuple(
            None if place == self.layer else one for place, one in enumerate(self.run.masks)
        )
        return replace(self, run=replace(self.run, masks=masks))

    def with_delta(self, delta: Array) -> At:
        return replace(self, delta=delta)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row of the catalogue: what code with this mistake computes in place of what is right.

    `value` gives None where the mistake cannot be made. `bug` is its number in the catalogue, None
    for what has none there. `says` is what the code computes, `fix` what it should; both speak of
    the layer by the names in braces that `backpass.doctor.wording` knows. What is not `linear` in
    the error has another scale than the gradients, which tells nothing.
    """

    bug: int | None
    name: str
    value: Callable[[At], Array | None]
    says: str
    fix: str
    linear: bool = True
