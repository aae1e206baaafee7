"""Sizes: how long an axis is, as a polynomial in names such as `n` and `k`, or as a plain number.

Two sizes are equal exactly when their polynomials are: `n` never meets `k` by luck, and a
name is never taken for 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from backpass.language.errors import NotationError, ShapeError

Monomial = tuple[tuple[str, int], ...]  # n²·k is (("k", 1), ("n", 2))


class Size:
    """A polynomial with integer coefficients; equal polynomials are one and the same object.

    So two sizes are compared, and hashed, by identity.
    """

    __slots__ = ("_text", "is_name", "number", "terms")
    terms: tuple[tuple[Monomial, int], ...]
    number: int | None  # the value, when no name occurs in it
    is_name: bool  # whether this is one bare name, such as `n`

    def __new__(cls, terms: Iterable[tuple[Monomial, int]] = ()) -> Size:
        return _interned(tuple(sorted((m, c) for m, c in terms if c)))

    def __add__(self, other: Size | int) -> Size:
        total = dict(self.terms)
        for monomial, count in size(other).terms:
            total[monomial] = total.get(monomial, 0) + count
        return Size(total.items())

    def __mul__(self, other: Size | int) -> Size:
        total: dict[Monomial, int] = {}
        for left, a in self.terms:
            for right, b in size(other).terms:
                monomial = _join(left, right)
                total[monomial] = total.get(monomial, 0) + a * b
        return Size(total.items())

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size | int) -> Size:
        return self + -size(other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: int) -> Size:
        return size(other) - self

    def __repr__(self) -> str:
        return f"Size({str(self)!r})"

    def __str__(self) -> str:
        return self._text

    def __reduce__(self) -> tuple[type[Size], tuple[object]]:
        return Size, (self.terms,)


@cache
def _interned(terms: tuple[tuple[Monomial, int], ...]) -> Size:
    new = object.__new__(Size)
    new.terms = terms
    new.number = 0 if not terms else terms[0][1] if len(terms) == 1 and not terms[0][0] else None
    new.is_name = len(terms) == 1 and terms[0][1] == 1 and [p for _, p in terms[0][0]] == [1]
    new._text = _shown(terms)  # pyright: ignore[reportPrivateUsage]
    return new


def _shown(terms: tuple[tuple[Monomial, int], ...]) -> str:
    """Positive parts first, names before numbers, so that `k+1` prints as people write it."""
    text = ""
    for monomial, count in sorted(terms, key=lambda part: (part[1] < 0, part[0] == (), part[0])):
        names = "*".join(name if power == 1 else f"{name}**{power}" for name, power in monomial)
        factor = "" if names and abs(count) == 1 else str(abs(count))
        sign = "-" if count < 0 else "+" if text else ""
        text += sign + "*".join(filter(None, (factor, names)))
    return text or "0"


def _join(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


Shape = tuple[Size, ...]


@cache
def size(value: int | str | Size) -> Size:
    """Make a size of a number, or of a text such as `n`, `k+1`, `2*h` or `3`."""
    if isinstance(value, Size):
        return value
    if isinstance(value, int):
        return Size([((), value)])
    text = re.sub(r"\s*([-+*])\s*", r"\1", value.strip().replace("·", "*"))
    if not re.fullmatch(r"[+-]?[^+-]+([+-][^+-]+)*", text):
        raise NotationError(f"'{value}' is not a size; a size is a name, a number, or like k+1")
    total = Size()
    for sign, product in re.findall(r"([+-]?)([^+-]+)", text):
        part = size(-1 if sign == "-" else 1)
        for factor in re.split(r"(?<!\*)\*(?!\*)", product):
            part = part * _atom(factor, value)
        total = total + part
    return total


def _atom(text: str, whole: str) -> Size:
    found = re.fullmatch(r"(\d{1,18})|(\d{0,18})([^\W\d]\w*)(?:\*\*(\d{1,2}))?", text)
    if found is None:
        raise NotationError(f"'{whole}' is not a size; a size is a name, a number, or like k+1")
    number, factor, name, power = found.groups()
    if number:
        return size(int(number))
    return Size([(((name, int(power or 1)),), int(factor or 1))])


def names(value: Size) -> tuple[str, ...]:
    """The names that occur in a size."""
    return tuple(dict.fromkeys(name for monomial, _ in value.terms for name, _ in monomial))


def evaluate_size(value: Size, known: Mapping[str, int]) -> int:
    """The number that a size stands for, once every name in it has one."""
    if value.number is not None:
        return value.number
    total = 0
    for monomial, count in value.terms:
        for name, power in monomial:
            if name not in known:
                raise ShapeError(f"the size {name} is not known here; no input carries it")
            count *= known[name] ** power
        total += count
    return total


def may_exceed(value: Size, bound: Size) -> bool:
    """Whether sizes of at least 1 are found for which `value` is above `bound`."""
    both = names(value + bound)
    trials = [dict.fromkeys(both, 1), dict.fromkeys(both, 5)]
    trials += [{**trials[0], name: 5} for name in both]
    return any(evaluate_size(value, one) > evaluate_size(bound, one) for one in trials)


def product(shape: Iterable[Size]) -> Size:
    """The number of entries of an array of this shape."""
    total = size(1)
    for axis in shape:
        total = total * axis
    return total


def divide(whole: Size, part: Size) -> Size | None:
    """`whole / part` when it divides without a remainder, else None."""
    if not part.terms:
        return None
    order = names(whole * part)

    def leading(value: Size) -> tuple[Monomial, int]:
        # an order that multiplying keeps, so that leads divide leads
        return max(value.terms, key=lambda term: [dict(term[0]).get(name, 0) for name in order])

    quotient, rest = Size(), whole
    lead, count = leading(part)
    while rest.terms:
        monomial, times = leading(rest)
        powers = dict(monomial)
        for name, power in lead:
            powers[name] = powers.get(name, 0) - power
        if times % count or min(powers.values(), default=0) < 0:
            return None
        share = tuple(sorted((name, power) for name, power in powers.items() if power))
        step = Size([(share, times // count)])
        quotient, rest = quotient + step, rest - step * part
    return quotient


def broadcast(shapes: Sequence[Shape]) -> Shape | None:
    """NumPy's broadcasting, exactly: axes meet when equal or when one is the number 1."""
    one = size(1)
    result: list[Size] = []
    rank = max((len(shape) for shape in shapes), default=0)
    for axis in range(-rank, 0):
        here = {shape[axis] for shape in shapes if len(shape) >= -axis} - {one}
        if len(here) > 1:
            return None
        result.append(here.pop() if here else one)
    return tuple(result)


def show_shape(shape: Sequence[Size | int]) -> str:
    """A shape as people write it: `n×k`, `3×2`, `scalar`."""
    parts = [str(axis) for axis in shape]
    if not parts:
        return "scalar"
    if len(parts) > 1:
        parts = [f"({part})" if "+" in part or "-" in part else part for part in parts]
    return "×".join(parts)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the number behind a name is told: an axis is `count * name**power + rest` long.

    `count` and `rest` mention only names that are told before this one.
    """

    array: int
    axis: int
    count: Size
    power: int
    rest: Size


def places(shapes: Sequence[Shape]) -> dict[str, Place]:
    """Where each name is told, if it is: first where it stands alone, then where it is left over.

    `k+1` tells k, and `n*k` does once n is known.
    """
    found: dict[str, Place] = {}
    axes = [
        (array, axis, length)
        for array, shape in enumerate(shapes)
        for axis, length in enumerate(shape)
        if length.number is None
    ]
    axes.sort(key=lambda one: not one[2].is_name)
    before = -1
    while before < len(found):
        before = len(found)
        for array, axis, length in axes:
            missing = [name for name in names(length) if name not in found]
            if len(missing) == 1 and (parts := _parts(length, missing[0])):
                found[missing[0]] = Place(array, axis, *parts)
    return found


def _parts(value: Size, name: str) -> tuple[Size, int, Size] | None:
    """A size as `count * name**power + rest`; None when two different powers occur."""
    held = [(dict(monomial), count) for monomial, count in value.terms]
    powers = {powers[name] for powers, _ in held if name in powers}
    if len(powers) != 1:
        return None
    rest = Size((m, count) for m, count in value.terms if name not in dict(m))
    count = Size(
        (tuple(one for one in m if one[0] != name), count)
        for m, count in value.terms
        if name in dict(m)
    )
    return count, powers.pop(), rest


def bind(declared: Iterable[tuple[str, Shape, tuple[int, ...]]]) -> dict[str, int]:
    """Find what number each name stands for, from arrays `(name, declared shape, actual shape)`.

    Raises ShapeError when an array contradicts its declaration or two arrays contradict
    each other; the sentence names both and where each size comes from.
    """
    arrays = list(declared)
    known: dict[str, int] = {}
    seen: dict[str, str] = {}
    for name, shape, actual in arrays:
        if len(shape) != len(actual):
            raise ShapeError(
                f"{name} is declared {show_shape(shape)} ({_axes(len(shape))}) "
                f"and was given {show_shape(actual)} ({_axes(len(actual))})"
            )
        whole = _given(name, shape, actual)
        turned = _turned(name, shape, actual, known)
        for axis, length in zip(shape, actual, strict=True):
            if axis.number is not None and axis.number != length:
                raise ShapeError(f"{whole}: {length} stands where {axis} is declared{turned}")
        for axis, length in zip(shape, actual, strict=True):
            if not axis.is_name:
                continue
            symbol = str(axis)
            if known.setdefault(symbol, length) != length:
                raise ShapeError(
                    f"{whole}, so {symbol} would be {length}; "
                    f"but {seen[symbol]} already made it {known[symbol]}{turned}"
                )
            seen.setdefault(symbol, name)
    sums = [
        one for one in arrays if not all(axis.is_name or axis.number is not None for axis in one[1])
    ]
    if sums:
        for symbol, place in places([shape for _, shape, _ in arrays]).items():
            if symbol not in known:
                known[symbol] = _left_over(symbol, place, arrays[place.array], known)
    for name, shape, actual in sums:
        for axis, length in zip(shape, actual, strict=True):
            whole = _given(name, shape, actual)
            untold = [one for one in names(axis) if one not in known]
            if untold:
                raise ShapeError(f"{whole}: that does not tell {' and '.join(untold)}, {UNTOLD}")
            expected = evaluate_size(axis, known)
            if expected != length:
                raise ShapeError(f"{whole}: {axis} is {expected}, not {length}")
    return known


UNTOLD = "and no other axis does; declare the size as a number"


def _given(name: str, shape: Shape, actual: tuple[int, ...]) -> str:
    return f"{name} is {show_shape(shape)} and was given {show_shape(actual)}"


def _left_over(
    symbol: str,
    place: Place,
    given: tuple[str, Shape, tuple[int, ...]],
    known: Mapping[str, int],
) -> int:
    """The whole number that makes an axis as long as it is."""
    name, shape, actual = given
    axis, length = shape[place.axis], actual[place.axis]
    count = evaluate_size(place.count, known)
    rest = length - evaluate_size(place.rest, known)
    whole = _given(name, shape, actual)
    if count == 0:
        raise ShapeError(f"{whole}: {axis} is {length} for every {symbol}")
    found = round(max(rest / count, 0) ** (1 / place.power))
    if count * found**place.power != rest:
        raise ShapeError(f"{whole}: {axis} is {length} for no {symbol}")
    return found


def _turned(name: str, shape: Shape, actual: tuple[int, ...], known: Mapping[str, int]) -> str:
    """Ask for the transpose of a matrix if that would fit what is known already."""
    if len(shape) != 2:
        return ""
    expected = [axis.number if axis.number is not None else known.get(str(axis)) for axis in shape]
    pairs = [(one, length) for one, length in zip(expected, actual[::-1], strict=True) if one]
    fits = pairs and all(one == length for one, length in pairs)
    return f"; did you mean {name}.T?" if fits else ""


def _axes(rank: int) -> str:
    return "1 axis" if rank == 1 else f"{rank} axes"
