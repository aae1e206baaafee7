"""Where in the user's code a number first stood: whole, turned, for one sample, or by an entry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import Run
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]


class Lines:
    """The events of a run by size, asked for values that are known up to a factor.

    What comes after the outputs is looked at first: that is the backward pass.
    """

    def __init__(self, run: Run, output: Array, scales: Sequence[float] = ()) -> None:
        self.run = run
        self.scales = [1.0, -1.0, *scales, *(-one for one in scales)]
        self.by_size: dict[int, list[int]] = {}
        for number, event in enumerate(run.events):
            if event.value.dtype.kind == "f":
                self.by_size.setdefault(event.value.size, []).append(number)
        self.start = next((number for number, _ in self.seen(output)), 0)

    def place(self, number: int) -> Place:
        """The place of an event."""
        return self.run.places[self.run.events[number].place]

    def first(self, value: Array) -> Place | None:
        """Where it first stood: the call, where a function made it."""
        late = self._late(value)
        return self.place(self._caller(late)) if late else None

    def settled(self, value: Array) -> Place | None:
        """Where it first had the factor that it has most often: there it was done."""
        seen = list(self.seen(value))
        if not seen:
            return None
        factors = [float(f"{factor:.6g}") for _, factor in seen]
        usual = Counter(factors).most_common(1)[0][0]
        same = [
            number for (number, _), factor in zip(seen, factors, strict=True) if factor == usual
        ]
        return self.place(self._caller(same))

    def named(self, value: Array) -> Place | None:
        """The last statement that only hands it on, else where it first stood."""
        places = self.run.places.values()
        added = {(one.function, one.statement) for one in places if one.moment == "before"}
        handed = [
            place
            for place in map(self.place, self._late(value))
            if (place.function, place.statement) not in added
            and place.parent is None
            and place.moment == "value"
            and place.text.isidentifier()
        ]
        return handed[-1] if handed else self.first(value)

    def begin(self, value: Array) -> Place | None:
        """Where it stood first of all, in the forward pass too."""
        number = next((number for number, _ in self.seen(value)), None)
        return None if number is None else self.place(number)

    def inside(self, value: Array, caller: str) -> Place | None:
        """Where it first stood in another function than the one that called for it."""
        places = map(self.place, self._late(value))
        return next((place for place in places if place.function != caller), None)

    def _late(self, value: Array) -> list[int]:
        numbers = [number for number, _ in self.seen(value)]
        return [number for number in numbers if number >= self.start] or numbers

    def seen(self, value: Array) -> Iterator[tuple[int, float]]:
        """Events that are this value times a factor, with the factor, the widest form only."""
        if not np.isfinite(value).all() or not np.any(np.abs(value) % 1):
            return  # zeros and ones are everywhere
        for form in _forms(value):
            if not np.any(np.abs(form) % 1):
                continue
            found = list(self._whole(form) if form.size > 1 else self._entry(float(form)))
            if found:
                yield from found
                return

    def _caller(self, numbers: list[int]) -> int:
        """The call that this value came back from, seen from the first function that is no part."""
        first = numbers[0]
        inner = self.place(first).function.rpartition(".")[2]
        for number in numbers[1:]:
            place = self.place(number)
            if place.function != self.place(first).function and f"{inner}(" in place.text:
                return number
        return first

    def _whole(self, value: Array) -> Iterator[tuple[int, float]]:
        ways = [value.ravel()] if value.ndim < 2 else [value.ravel(), value.T.ravel()]
        length = float(np.linalg.norm(value))
        for number in self.by_size.get(value.size, []):
            event = self.run.events[number].value.astype(float).ravel()
            size = float(np.linalg.norm(event))
            if not size or not math.isfinite(size):
                continue
            for way in ways:
                factor = math.copysign(size / length, float(event @ way))
                if np.linalg.norm(event - factor * way) < 1e-8 * size:
                    yield number, factor
                    break

    def _entry(self, entry: float) -> Iterator[tuple[int, float]]:
        for number in self.by_size.get(1, []):
            seen = float(self.run.events[number].value.reshape(()))
            for scale in self.scales:
                if math.isclose(seen, entry * scale, rel_tol=1e-9):
                    yield number, scale
                    break


def _forms(value: Array) -> Iterator[Array]:
    """The value, what its first sample has of it, and the largest entry of that."""
    if value.size > 1:
        yield value
    row = value[0] if value.ndim == 2 else value
    if 1 < row.size < value.size:
        yield row
    row = np.atleast_1d(row)
    yield np.asarray(row[int(np.argmax(np.abs(row)))])
