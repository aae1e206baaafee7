"""An epoch of training as every back end runs it: one program a step, and what it is run on.

A step is an ordinary program. Its results are the loss, the outputs of the network, and then the
new values of the arrays that training changes. Some of its inputs nobody gives: the masks of a
dropout are drawn, from numbers that any back end can count up to again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from backpass.language.program import Program

Array = NDArray[Any]
Arrays = dict[str, Array]
BITS = 24  # of a draw; float32 counts so far without a gap


@dataclass(frozen=True, slots=True)
class Drawn:
    """An input that is drawn anew for every step: 1/keep where a unit is kept, else 0.

    `layer` tells one from another, and samples lie along `axis`.
    """

    layer: int
    keep: float
    axis: int = 0

    @property
    def threshold(self) -> int:
        """A unit is kept where its draw, of 24 bits, stays below this."""
        return round(self.keep * 2**BITS)

    def draw(self, seed: int, step: int, shape: tuple[int, ...], dtype: Any) -> Array:
        """The entries for one step, of `shape`, whose samples lie along `axis`.

        A draw depends on the seed, the step, the layer, the sample's place in its batch and the
        unit, and on nothing else: entry number i = place · units + unit takes the top 24 bits of
        `mixed(key + (i + 1) · GOLDEN)`, where `key` is `drawn_key(seed, step, layer)`.
        """
        samples, units = shape if self.axis == 0 else shape[::-1]
        counted = np.arange(1, samples * units + 1, dtype=np.uint64)
        draws = mixed(np.uint64(drawn_key(seed, step, self.layer)) + counted * np.uint64(GOLDEN))
        kept = (draws >> np.uint64(64 - BITS)) < np.uint64(self.threshold)
        found = np.where(kept, np.asarray(1 / self.keep, dtype), np.asarray(0, dtype))
        found = found.reshape(samples, units)
        return found if self.axis == 0 else np.ascontiguousarray(found.T)


GOLDEN = 0x9E3779B97F4A7C15  # 2⁶⁴ over the golden ratio: steps of it visit all numbers evenly
MASK = 2**64 - 1


def mixed(z: Any) -> Any:
    """Bits of 64-bit numbers mixed well (SplitMix64: Steele, Lea and Flood, 2014), wrapping."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def drawn_key(seed: int, step: int, layer: int) -> int:
    """Where the draws of one step and layer start: seed, step and layer mixed one by one."""
    key = 0
    for part in (seed, step, layer):
        with np.errstate(over="ignore"):
            key = int(mixed(np.uint64((key + (part + 1) * GOLDEN) & MASK)))
    return key


@dataclass(frozen=True, slots=True)
class Answers:
    """How the outputs of a batch are counted as right; samples lie along `axis`.

    "largest": the place of a sample's largest output is its label, or the place of its largest
    target. "above": each of its outputs is above `decided` exactly where its target is above ½.
    Of equal ones the first is the largest.
    """

    kind: Literal["largest", "above"]
    axis: int
    decided: float = 0.5

    def count(self, outputs: Array, y: Array) -> int:
        """The number of samples that are right."""
        across = 1 - self.axis
        if self.kind == "above":
            return int(((outputs > self.decided) == (y > 0.5)).all(axis=across).sum())
        labels = y if y.ndim == 1 else y.argmax(axis=across)
        return int((outputs.argmax(axis=across) == labels).sum())


@dataclass(frozen=True)
class Stepping:
    """The program of one step, and the part that each of its arrays plays.

    `program` has the outputs loss, network's outputs, then the new values of `changed`, in that
    order. `axes` are the inputs of which a batch is taken ("X", "y", and what else belongs to
    samples) with the axis along which samples lie. `drawn` are inputs that the back end makes,
    and `numbers` scalars that it is given, one value for all steps or one for each. All other
    inputs are `changed`. `answers` is None where nothing is counted.
    """

    program: Program
    changed: tuple[str, ...]
    axes: Mapping[str, int]
    numbers: tuple[str, ...]
    drawn: Mapping[str, Drawn] = field(default_factory=dict[str, Drawn])
    answers: Answers | None = None


@dataclass(frozen=True, slots=True)
class Epoch:
    """What came of a walk through samples.

    `losses` has a value for each step that was begun, as the program gives it. A step whose loss
    is not finite changes nothing and is the last; then `finite` is False, and `done`, the number
    of steps that changed the weights, is one less than there are losses.
    """

    losses: Array
    right: int | None
    done: int
    finite: bool


class Backend(Protocol):
    """Runs the steps of one `Stepping`."""

    @property
    def name(self) -> str:
        """What a History says it was trained with."""
        ...

    @property
    def compiling(self) -> float:
        """The seconds that it has taken so far to make machine code, or to fetch it."""
        ...

    def epoch(
        self,
        samples: Mapping[str, Array],
        order: Array,
        batch_size: int,
        arrays: Arrays,
        numbers: Mapping[str, Array],
        *,
        seed: int = 0,
        first: int = 0,
    ) -> Epoch:
        """Walk through `samples` once, batch after batch, and change `arrays` at every step.

        `samples` holds X, y and what else has an axis of samples, whole; `order` says which are
        taken, in which order, and the last batch may be smaller. `arrays` holds what `changed`
        names: a back end writes into them or exchanges them in the dict, and whoever wants them
        unchanged gives copies. `numbers` are of shape (), or hold one value for each step, in the
        dtype of the weights. `seed` and `first`, the number of the first step, are for what is
        drawn.
        """
        ...

    def plan(self) -> str:
        """How a step is run, to be read."""
        ...
