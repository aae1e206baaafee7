"""Where a number stood while the user's code ran: whole, turned, for one sample, or by an entry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run
from backpass.doctor.rewrite import Place
from backpass.doctor.statements import Statements

Array = NDArray[np.float64]
Hit = tuple[int, float]  # the number of an event, and what it is times the value


class Lines:
    """The events of a run, asked for values that are known up to a factor.

    What comes after the outputs is the backward pass, and is looked at first. Single numbers are
    compared with the value times 1 and the `scales` alone: any number is some factor times another.
    """

    def __init__(self, run: Run, output: Array, scales: Sequence[float] = ()) -> None:
        self.run = run
        self.source = Statements(run)
        self.scales = [1.0, -1.0, *scales, *(-one for one in scales)]
        self.by_size: dict[int, list[tuple[int, Array]]] = {}
        for number, event in enumerate(run.events):
            if event.value.dtype.kind == "f":
                flat = np.asarray(event.value, float).ravel()
                self.by_size.setdefault(event.value.size, []).append((number, flat))
        self.start = next((number for number, _ in self.seen(output)), 0)

    def place(self, number: int) -> Place:
        """The place of an event."""
        return self.run.places[self.run.events[number].place]

    def statement(self, number: int) -> tuple[str, int]:
        """The statement that an event belongs to, by its file and number there."""
        place = self.place(number)
        return self.run.files[place.number], place.statement

    def adds(self, number: int) -> bool:
        """Whether an event belongs to a statement such as `gW += …`."""
        return self.statement(number) in self._adding

    # ── where a value stood ──────────────────────────────────────────────────────────────────

    def seen(self, value: Array, *, samples: bool = True) -> list[Hit]:
        """Events that are this value times a factor, in the order of the run.

        With `samples` the value has a row for each of them, and the first may stand alone.
        """
        if not np.isfinite(value).all() or not np.any(np.abs(value) % 1):
            return []  # zeros and ones are everywhere
        found: dict[int, float] = {}
        for form in _forms(value, samples):
            if np.any(np.abs(form) % 1):
                hits = self._whole(form) if form.size > 1 else self._entry(float(form.ravel()[0]))
                for number, factor in hits:
                    found.setdefault(number, factor)
        return sorted(found.items())

    def late(self, value: Array, *, samples: bool = True) -> list[Hit]:
        """Those of the backward pass, else all."""
        hits = self.seen(value, samples=samples)
        return [hit for hit in hits if hit[0] >= self.start] or hits

    def added(self, value: Array) -> list[Hit]:
        """Statements such as `gW += …` that add this value, or the largest entry of it."""
        if not np.any(value):
            return []
        entry = float(value.ravel()[int(np.argmax(np.abs(value)))])
        known = _is_common(value)
        found: list[Hit] = []
        for number, step in self._steps:
            if step.size == value.size and step.size > 1:
                for way in _ways(value):
                    factor = float(step @ way) / float(way @ way)
                    close = np.linalg.norm(step - factor * way) < 1e-7 * np.linalg.norm(step)
                    if factor and close and (not known or self._knows(factor)):
                        found.append((number, factor))
                        break
            elif step.size == 1:
                found += [
                    (number, scale)
                    for scale in self.scales
                    if math.isclose(float(step[0]), entry * scale, rel_tol=1e-7)
                ][:1]
        return found

    # ── places ───────────────────────────────────────────────────────────────────────────────

    def first(self, value: Array) -> Place | None:
        """Where it first stood in the backward pass."""
        late = self.late(value)
        return self.made(late[0][0]) if late else None

    def made(self, number: int) -> Place:
        """Where the value of an event was made: a bare name was written into before it was read."""
        place = self.place(number)
        file = self.run.files[place.number]
        if place.moment != "value" or not place.text.isidentifier():
            return place
        writing = self.source.writing(file, place.function, place.text)
        if writing:
            for earlier in range(number - 1, -1, -1):
                other = self.place(earlier)
                if other.line in writing and self.run.files[other.number] == file:
                    return other
        return place

    def settled(self, value: Array) -> Place | None:
        """Where it first had the factor that it has most often: there it was done."""
        seen = self.seen(value)
        if not seen:
            return None
        factors = [float(f"{factor:.6g}") for _, factor in seen]
        usual = Counter(factors).most_common(1)[0][0]
        same = [
            number for (number, _), factor in zip(seen, factors, strict=True) if factor == usual
        ]
        return self.made(same[0])

    def begin(self, value: Array) -> Place | None:
        """Where it stood first of all, in the forward pass too."""
        number = next((number for number, _ in self.seen(value)), None)
        return None if number is None else self.place(number)

    # ── comparing ────────────────────────────────────────────────────────────────────────────

    def _whole(self, value: Array) -> Iterator[Hit]:
        length = float(np.linalg.norm(value))
        ways = _ways(value)
        known = _is_common(value)
        for number, event in self.by_size.get(value.size, []):
            size = float(np.linalg.norm(event))
            if not size or not math.isfinite(size):
                continue
            for way in ways:
                factor = math.copysign(size / length, float(event @ way))
                if known and not self._knows(factor):
                    continue
                if np.linalg.norm(event - factor * way) < 1e-8 * size:
                    yield number, factor
                    break

    def _knows(self, factor: float) -> bool:
        return any(math.isclose(factor, one, rel_tol=1e-7) for one in self.scales)

    def _entry(self, entry: float) -> Iterator[Hit]:
        numbers, values = self._single
        for scale in self.scales:
            wanted = entry * scale
            for place in np.flatnonzero(np.abs(values - wanted) <= 1e-9 * abs(wanted)):
                yield int(numbers[place]), scale

    @cached_property
    def _single(self) -> tuple[Array, Array]:
        single = self.by_size.get(1, [])
        numbers = np.array([number for number, _ in single], float)
        return numbers, np.array([value[0] for _, value in single], float)

    @cached_property
    def _adding(self) -> set[tuple[str, int]]:
        places = self.run.places.values()
        return {(self.run.files[p.number], p.statement) for p in places if p.moment == "before"}

    @cached_property
    def _steps(self) -> list[tuple[int, Array]]:
        """What each `+=` added to its target."""
        found: list[tuple[int, Array]] = []
        open_: dict[tuple[tuple[str, int], str], Array] = {}
        for number, event in enumerate(self.run.events):
            place = self.run.places[event.place]
            key = self.statement(number), place.text
            if place.moment == "before":
                open_[key] = np.asarray(event.value, float)
            elif place.moment == "after" and key in open_:
                before, after = open_.pop(key), np.asarray(event.value, float)
                if before.shape == after.shape and number >= self.start:
                    found.append((number, (after - before).ravel()))
        return found


def _is_common(value: Array) -> bool:
    """Whether others are some factor times this too: all entries alike but for sign, or one."""
    pair = value.size == 2 and abs(value.sum()) < 1e-9 * np.linalg.norm(value)
    alike = np.ptp(value) < 1e-12 * np.abs(value).max()
    return bool(pair or alike or np.count_nonzero(value) == 1)


def _ways(value: Array) -> list[Array]:
    return [value.ravel()] if value.ndim < 2 else [value.ravel(), value.T.ravel()]


def _forms(value: Array, samples: bool) -> Iterator[Array]:
    """The value, what its first sample has of it, and the largest entry of that."""
    if value.size > 1:
        yield value
    row = value[0] if samples and value.ndim == 2 else value
    if 1 < row.size < value.size:
        yield row
    row = np.atleast_1d(row).ravel()
    yield np.asarray(row[int(np.argmax(np.abs(row)))])
