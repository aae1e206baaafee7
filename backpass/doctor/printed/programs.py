"""The programs that may have printed a number: the right one, and each with a known mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import WRONG
from backpass.doctor.bank import FAMILIES, Family, crossed
from backpass.doctor.flow_mistakes import carries, slopes
from backpass.doctor.gradient_mistakes import biases, weights
from backpass.doctor.mistake import At, Mistake, Stage
from backpass.doctor.passes import Pass
from backpass.doctor.printed.stated import Stated, Tensor
from backpass.doctor.report import Verdict
from backpass.doctor.right import chain, top
from backpass.doctor.scales import known_factors

Array = NDArray[np.float64]
Place = tuple[int, Stage]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a mistake; `says` and `fix` may hold names in braces, of `layer`."""

    bug: int | None
    name: str
    layer: int
    tensors: tuple[Tensor, ...]
    says: str
    fix: str
    verdict: Verdict = "bug"


@dataclass(frozen=True)
class Program:
    """A way to train: what is wrong in it, where, and which gradient it starts from."""

    said: tuple[Said, ...] = ()
    slips: Mapping[Place, Mistake] = field(default_factory=dict)
    factors: Mapping[Tensor, float] = field(default_factory=dict)
    activations: Mapping[int, str] = field(default_factory=dict)  # mistaken ones, by layer
    loss: tuple[Family, float] | None = None  # another one than is stated, and its factor

    def with_(self, other: Program) -> Program | None:
        """Both at once, where they do not meet."""
        if self.slips.keys() & other.slips.keys() or (self.loss and other.loss):
            return None
        if (self.factors and other.factors) or (self.activations and other.activations):
            return None
        return Program(
            (*self.said, *other.said), {**self.slips, **other.slips},
            {**self.factors, **other.factors}, {**self.activations, **other.activations},
            self.loss or other.loss,
        )  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """A program after some steps: its forward pass, and the gradients that it takes for right."""

    stated: Stated
    program: Program
    run: Pass
    moved: dict[Tensor, Array]  # what the next update takes away, filled from the outputs down

    @cached_property
    def gradients(self) -> Mapping[Tensor, Array] | None:
        """None where the mistake cannot be made."""
        found: dict[Tensor, Array] = {}
        at: At | None = _top(self.stated, self.program, self.run)
        while at is not None:
            if at.carry is None:
                at = _made(at, self.program, "carry")
            at = None if at is None else _made(at, self.program, "slope")
            if at is None or not self._layer(at, found):
                return None
            below = at.layer - 1
            at = At(self.run, below, at.error, above=at) if below else None
        return found

    def _layer(self, at: At, found: dict[Tensor, Array]) -> bool:
        stages: tuple[tuple[str, Stage], ...] = (("W", "weight"), ("b", "bias"))
        for letter, stage in stages:
            tensor = letter, at.layer
            if tensor not in self.stated.trained:
                continue
            gradient = at.weight() if letter == "W" else at.bias()
            slip = self.program.slips.get((at.layer, stage))
            if slip is not None:
                wrong = slip.value(at)
                if wrong is None or wrong.shape != gradient.shape:
                    return False
                gradient = wrong
            found[tensor] = self.program.factors.get(tensor, 1.0) * gradient
            self.moved[tensor] = self.stated.rate * found[tensor]
        return True


def training(stated: Stated, program: Program) -> Iterator[Moment]:
    """The program step by step, from the first weights on; it ends where numbers are no more."""
    held = dict(stated.weights)
    with np.errstate(all="ignore"):
        while all(np.isfinite(one).all() for one in held.values()):
            moved: dict[Tensor, Array] = {one: np.zeros_like(value) for one, value in held.items()}
            run = stated.at(held, moved, program.activations)
            moment = Moment(stated, program, run, moved)
            yield moment
            if moment.gradients is None:
                return
            for tensor in moment.gradients:
                held[tensor] = held[tensor] - moved[tensor]


def _top(stated: Stated, program: Program, run: Pass) -> At:
    family, times = program.loss or (stated.family, stated.times)
    return top(run, family, times)


def _made(at: At, program: Program, stage: Stage) -> At | None:
    slip = program.slips.get((at.layer, stage))
    if stage == "carry":
        value = at.carried() if slip is None else slip.value(at)
        fits = value is not None and value.shape == at.a.shape
        return at.with_carry(value) if fits and value is not None else None
    value = at.through() if slip is None else slip.value(at)
    fits = value is not None and value.shape == at.a.shape
    return at.with_delta(value) if fits and value is not None else None


# ── the catalogue ────────────────────────────────────────────────────────────────────────────


def catalogue(stated: Stated) -> Iterator[Program]:
    """Every program with one known mistake: at one layer, and at all where it can be made."""
    yield from _factors(stated)
    yield from _losses(stated)
    yield from _activations(stated)
    rows: dict[tuple[object, ...], dict[Place, Mistake]] = {}
    for at in chain(stated.first(), stated.family, stated.times):
        stages: list[tuple[Stage, Iterator[Mistake]]] = [("slope", slopes(at))]
        if at.above is not None:
            stages.append(("carry", carries(at)))
        if ("W", at.layer) in stated.trained:
            stages.append(("weight", weights(at)))
        if ("b", at.layer) in stated.trained:
            stages.append(("bias", biases(at)))
        for stage, mistakes in stages:
            for one in mistakes:
                if one.value(at) is not None:
                    key = stage, one.bug, one.name, one.says
                    rows.setdefault(key, {})[at.layer, stage] = one
    for places in rows.values():
        if len(places) > 1:
            yield _slipped(stated, places)
        for place, mistake in places.items():
            yield _slipped(stated, {place: mistake})


def _slipped(stated: Stated, places: Mapping[Place, Mistake]) -> Program:
    said: list[Said] = []
    for (layer, stage), one in places.items():
        if one.bug == 16 and layer == len(stated.seen.layers):
            one = replace(one, bug=10, name="f′ is missing at the output")
        tensors = [tensor for tensor in sorted(stated.trained) if tensor[1] <= layer]
        if stage in ("weight", "bias"):
            tensors = [("W" if stage == "weight" else "b", layer)]
        said.append(Said(one.bug, one.name, layer, tuple(tensors), one.says, one.fix))
    return Program(tuple(said), places)


def _factors(stated: Stated) -> Iterator[Program]:
    everything = tuple(sorted(stated.trained, key=lambda one: (one[1], one[0])))
    depth = len(stated.seen.layers)

    def scaled(said: Said, factors: Mapping[Tensor, float]) -> Program:
        return Program((said,), {}, factors)

    yield scaled(
        Said(1, "the sign is flipped everywhere", depth, everything,
             "every update goes up the slope of the loss, not down", "subtract rate × gradient"),
        dict.fromkeys(everything, -1.0),
    )  # fmt: skip
    n, m = stated.y.shape
    for value, bug, name in known_factors((n, m)):
        if value != 1:
            said = Said(bug, f"a factor {name}", depth, everything,
                        f"all updates are {name} times the gradient of {stated.title}",
                        f"divide the gradient by {name}", "correct up to a scale")  # fmt: skip
            yield scaled(said, dict.fromkeys(everything, value))
    for tensor in everything:
        said = Said(2, "the sign is flipped in one tensor", tensor[1], (tensor,),
                    f"the update of {stated.path(tensor)} goes up the slope of the loss",
                    "the other sign")  # fmt: skip
        yield scaled(said, {tensor: -1.0})
    vectors = tuple(tensor for tensor in everything if tensor[0] == "b")
    for value, what in ((1 / n, "averaged"), (float(n), "summed")):
        if n > 1 and vectors:
            said = Said(9, f"b is {what}, and W is not", depth, vectors,
                        f"the updates of the biases are {what} over the samples, those of the "
                        "weights are not", "both summed, or both averaged")  # fmt: skip
            yield scaled(said, dict.fromkeys(vectors, value))
    if n > 1 and depth > 1:
        lower = {one: float(n) ** (one[1] - depth) for one in everything if one[1] < depth}
        said = Said(7, "divided by N at every layer", 1, tuple(lower),
                    f"each layer divides by N = {n} again on the way down",
                    "divide by N once")  # fmt: skip
        yield scaled(said, lower)


def _losses(stated: Stated) -> Iterator[Program]:
    activation = stated.seen.layers[-1].activation
    n, m = stated.y.shape
    everything = tuple(sorted(stated.trained, key=lambda one: (one[1], one[0])))
    for family in FAMILIES:
        if activation in family.fits and family is not stated.family:
            for title, times in family.members:
                said = Said(
                    crossed(family.name, stated.family.name),
                    "the gradient belongs to another loss", len(stated.seen.layers), everything,
                    f"the updates descend {title}, and the loss is {stated.title}",
                    f"the gradient of {stated.title}", "correct for another loss",
                )  # fmt: skip
                yield Program((said,), loss=(family, times(n, m)))


def _activations(stated: Stated) -> Iterator[Program]:
    for number, layer in enumerate(stated.seen.layers, 1):
        for wrong in WRONG.values():
            if wrong.meant == layer.activation:
                tensors = tuple(one for one in sorted(stated.trained) if one[1] <= number)
                said = Said(wrong.bug, wrong.name, number, tensors, wrong.says, wrong.fix)
                yield Program((said,), activations={number: wrong.name})
