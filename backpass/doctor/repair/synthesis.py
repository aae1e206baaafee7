"""What should stand in a line, written in the names that the user's own code has for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.activations import FUNCTIONS
from backpass.doctor.lines import Lines
from backpass.doctor.masks import two_valued
from backpass.doctor.mistake import At
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip

Array = NDArray[np.float64]
FEW = 3  # texts tried for one quantity
_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+|\[[-\w'\"]+\])*")
_CALL = re.compile(r"(?P<function>[\w.]+)\((?P<argument>.+)\)")


@dataclass(frozen=True, slots=True)
class Named:
    """An expression of the user's that is a quantity; `turned` when it has samples as columns."""

    text: str
    turned: bool
    axes: int

    @property
    def rows(self) -> str:
        """The expression, with samples as rows."""
        return f"{self.text}.T" if self.turned else self.text

    @property
    def columns(self) -> str:
        """The expression, with samples as columns."""
        return self.text if self.turned else f"{self.text}.T"


class Names:
    """The expressions of one function that were worth a quantity, else names of other functions.

    Some of them are so only later on, or are no names of that function; whoever uses them runs the
    code again.
    """

    def __init__(self, lines: Lines, function: str) -> None:
        self.lines = lines
        self.function = function

    def of(self, value: Array) -> list[Named]:
        """The shortest expressions for a quantity: all of it before a sample, exactly or scaled."""
        found: dict[tuple[str, bool], tuple[bool, bool, bool, Named]] = {}
        for number, factor in self.lines.seen(value):
            place = self.lines.place(number)
            elsewhere = place.function != self.function
            if " if " in place.text or (elsewhere and not _NAME.fullmatch(place.text)):
                continue
            event = self.lines.run.events[number].value
            turned = event.ndim == 2 and event.shape != value.shape
            if event.ndim == 2 and event.shape == value.shape == value.T.shape:
                turned = not np.allclose(event, factor * value)
            part = event.shape not in (value.shape, value.shape[::-1])
            scaled = not np.isclose(factor, 1)
            named = Named(place.text, turned, event.ndim)
            found.setdefault((place.text, elsewhere), (elsewhere, part, scaled, named))
        ranked = sorted(found.values(), key=lambda one: (*one[:3], len(one[3].text)))
        own = [one for one in ranked if not one[0]]
        return [named for *_, named in own or ranked][:FEW]

    def mask(self, at: At) -> list[str]:
        """What a carried error is multiplied with where units were dropped: ` * mask / p`."""
        if at.mask is None:
            return []
        kept, found = float(at.mask.max()), dict[str, tuple[bool, str]]()
        for event in self.lines.run.events:
            place, value = self.lines.run.places[event.place], event.value
            if not value.ndim or not _NAME.fullmatch(place.text) or not two_valued(value):
                continue
            patterns = [at.mask != 0, *(row for row in at.mask != 0)]
            for way in (value, value.T):
                if any(np.array_equal(way != 0, one) for one in patterns):
                    bare = not np.isclose(float(value.max()), kept)
                    times = self._dividing(kept) if bare else ""
                    elsewhere = place.function != self.function
                    found.setdefault(place.text, (elsewhere, f" * {place.text}{times}"))
        return [text for _, text in sorted(found.values())][:FEW]

    def _dividing(self, kept: float) -> str:
        """A division by the user's name for 1/kept, or by that number."""
        for event in self.lines.run.events:
            text = self.lines.run.places[event.place].text
            is_share = event.value.ndim == 0 and np.isclose(float(event.value) * kept, 1)
            if is_share and _NAME.fullmatch(text):
                return f" / {text}"
        return f" / {1 / kept:.4g}"


def rewritten(slip: Slip, at: At, lines: Lines, place: Place) -> Iterator[str]:
    """Expressions for what should stand at a place where a mistaken number does."""
    names = Names(lines, place.function)
    match slip.stage:
        case "slope":
            yield from _through(at, names, place.text, slip.mistake.bug in (16, 17))
        case "carry":
            yield from (f"{_factor(place.text)}{mask}" for mask in names.mask(at))
            yield from _carried(at, names)
        case "weight":
            yield from _products(names.of(at.into), names.of(at.dZ))
        case "bias":
            yield from _sums(names.of(at.dZ), at)


def slopes(at: At, names: Names) -> Iterator[str]:
    """f′ of a layer: as the user has it for another layer, or as algebra has it."""
    yield from _called(at, names)
    for one in names.of(at.slope):
        yield one.text
    outputs, inputs = names.of(at.a), names.of(at.z)
    match at.f:
        case "sigmoid":
            yield from (f"{_factor(one.text)} * (1 - {_factor(one.text)})" for one in outputs)
        case "tanh":
            yield from (f"(1 - {_factor(one.text)}**2)" for one in outputs)
        case "relu":
            yield from (f"({one.text} > 0)" for one in (*inputs, *outputs))
        case "silu":
            for share in names.of(np.asarray(FUNCTIONS["sigmoid"](at.z), float)):
                s = _factor(share.text)
                yield from (f"({s} + {_factor(z.text)} * {s} * (1 - {s}))" for z in inputs)
        case _:
            return


def _called(at: At, names: Names) -> Iterator[str]:
    here = at.above
    while here is not None:
        if here.f == at.f:
            for one in names.of(here.slope):
                match = _CALL.fullmatch(one.text)
                if match is None:
                    continue
                fed = {text.text: at.a for text in names.of(here.a)}
                fed |= {text.text: at.z for text in names.of(here.z)}
                if match["argument"] in fed:
                    for other in names.of(fed[match["argument"]]):
                        yield f"{match['function']}({other.text})"
        here = here.above


def _through(at: At, names: Names, text: str, missing: bool) -> Iterator[str]:
    for slope in dict.fromkeys(slopes(at, names)):
        if missing:
            yield f"{_factor(text)} * {slope}"
        for error in names.of(at.dA):
            yield f"{_factor(error.text)} * {slope}"
        yield slope  # where the slope stands on its own
    yield from (one.text for one in names.of(at.through()))


def _carried(at: At, names: Names) -> Iterator[str]:
    masks = names.mask(at)
    for text in _sent(at, names):
        for more in _skipped(at, names):
            yield from (f"{text}{mask}{more}" for mask in masks)
            yield f"{text}{more}"


def _skipped(at: At, names: Names) -> list[str]:
    """What comes back from each layer that these outputs are added to."""
    found = [""]
    for one in at.skips:
        found = [f"{text} + {joined.text}" for text in found for joined in names.of(one.joined)]
    return found


def _sent(at: At, names: Names) -> Iterator[str]:
    for delta in names.of(at.up.dZ):
        for W in names.of(at.W_up):
            if delta.axes < 2:
                yield f"{delta.text} @ {W.columns}"
            elif delta.turned:
                yield f"{W.rows} @ {delta.text}"
            else:
                yield f"{delta.text} @ {W.columns}"


def _products(inputs: Sequence[Named], deltas: Sequence[Named]) -> Iterator[str]:
    for into in inputs:
        for delta in deltas:
            if into.axes == delta.axes == 1:
                yield f"{into.text}[:, None] * {delta.text}"
                yield f"{delta.text}[:, None] * {into.text}"
                continue
            yield f"{into.columns} @ {delta.rows}"
            yield f"{delta.columns} @ {into.rows}"


def _sums(deltas: Sequence[Named], at: At) -> Iterator[str]:
    for delta in deltas:
        if delta.axes < 2 or at.run.samples == 1:
            yield delta.text
        axis = 1 if delta.turned else 0
        yield f"{_factor(delta.text)}.sum(axis={axis})"
        yield f"{_factor(delta.text)}.sum(axis={axis}, keepdims=True)"


def _factor(text: str) -> str:
    """A text that may stand beside a product sign."""
    depth = 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if depth == 0 and sign in "+-@/*<> ":
            return f"({text})"
    return text
