"""Numbers as they were printed: what each is of, after how many steps, and with which digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.passes import Pass
from backpass.doctor.printed.stated import Stated, Tensor
from backpass.language.errors import BackpassError, choices
from backpass.reading.plural import many

Array = NDArray[np.float64]
ROUNDED = Decimal("1e-10")  # relative: what the order of a sum changes in thousands of steps


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: entry `place` of a quantity after so many steps."""

    steps: int
    name: str
    place: tuple[int, ...]
    text: str

    @property
    def entry(self) -> str:
        """A2[0], or the name where there is but one."""
        return f"{self.name}[{', '.join(map(str, self.place))}]" if self.place else self.name

    def fits(self, value: float) -> bool:
        """Whether this value is printed so: to the last digit, rounded or cut off."""
        number = Decimal(self.text)
        last = self._last
        if not np.isfinite(value):
            return False
        slack = abs(number) * ROUNDED
        beyond = (Decimal(value) - number) * (-1 if number < 0 else 1)
        return -last / 2 - slack <= beyond < last + slack

    @property
    def _last(self) -> Decimal:
        """One in the last digit."""
        _, _, exponent = Decimal(self.text).as_tuple()
        assert isinstance(exponent, int)
        return Decimal(1).scaleb(exponent)

    def shown(self, value: float) -> str:
        """A value with as many digits as were printed."""
        if "e" in self.text.lower() or not np.isfinite(value):
            return f"{value:.{len(Decimal(self.text).as_tuple().digits)}g}"
        return f"{value:.{self._last.adjusted() * -1 if self._last < 1 else 0}f}"


def figures(printed: Mapping[Any, Any], stated: Stated) -> list[Figure]:
    """What was printed, the fewest steps first.

    Raises BackpassError for a quantity that the network does not have, for another number of
    entries than it has, and for what is no number.
    """
    found: list[Figure] = []
    for steps, quantities in printed.items():
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise BackpassError(
                f"{steps!r} is no number of steps; write printed={{1: {{'loss': …}}}} for what was "
                "printed after one update"
            )
        if not isinstance(quantities, Mapping):
            raise BackpassError(
                f"after {many(steps, 'step')} {quantities!r} was printed, but of what? Write "
                f"{{{steps}: {{'loss': …}}}}"
            )
        for name, value in quantities.items():
            found.extend(_entries(steps, name, value, stated))
    if not found:
        raise BackpassError("printed holds no number; write printed={1: {'loss': '0.291027924'}}")
    return sorted(found, key=lambda one: one.steps)


def _entries(steps: int, name: str, value: Any, stated: Stated) -> Iterator[Figure]:
    shape = _shape(name, stated)
    texts = _flat(value)
    count = int(np.prod(shape))
    if len(texts) != count:
        raise BackpassError(
            f"{name} has {many(count, 'entry')} here, and {len(texts)} "
            f"{'was' if len(texts) == 1 else 'were'} printed; write None for one that was not"
        )
    for place, text in zip(np.ndindex(*shape), texts, strict=True):
        if text is not None:
            yield Figure(steps, name, tuple(map(int, place)), _number(text))


def _flat(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [one for part in value for one in _flat(part)]
    return [value]


def _number(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else repr(value)
    if isinstance(value, np.floating):
        text = repr(float(value))
    try:
        if Decimal(text).is_finite():
            return text
    except InvalidOperation:
        pass
    raise BackpassError(f"{value!r} is no printed number; write it as text, as in '0.291027924'")


def _shape(name: str, stated: Stated) -> tuple[int, ...]:
    run = stated.first()
    known = ["loss", *_names(stated)]
    if name not in (stated.loss, *known):
        raise BackpassError(
            f"{name} is nothing that these programs print{choices(name, known, 'there are')}"
        )
    return quantity(stated, run, lambda tensor: stated.weights[tensor], name).shape


def _names(stated: Stated) -> Iterator[str]:
    yield from stated.names
    for tensor in sorted(stated.weights, key=lambda one: (one[1], one[0])):
        yield stated.path(tensor)
    for tensor in sorted(stated.trained, key=lambda one: (one[1], one[0])):
        yield f"d{stated.path(tensor)}"


def quantity(stated: Stated, run: Pass, gradient: Callable[[Tensor], Array], name: str) -> Array:
    """What a pass has under a name of the derivation, standing as it does there."""
    if name in ("loss", stated.loss):
        return np.asarray(stated.times * stated.family.value(run.A[-1], run.y))
    if name in stated.names:
        letter, layer, turned = stated.names[name]
        value = run.Z[layer] if letter == "Z" else run.A[layer]
        if stated.probe.X.ndim == 1:
            return value.ravel()
        return value.T if turned else value
    tensor = stated.tensor(name)
    if tensor is not None:
        held = run.W[tensor[1]] if tensor[0] == "W" else run.b[tensor[1]]
        assert held is not None
        return stated.shaped(tensor, held)
    tensor = stated.tensor(name[1:])
    assert tensor is not None
    return stated.shaped(tensor, gradient(tensor))
