"""What a formula is times the gradient, where that is one number, and what that number is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from backpass.doctor.formula.tree import Name, Tree
from backpass.doctor.formula.values import Values, flat, ratio

NUMBERS = [Fraction(1), Fraction(2), Fraction(1, 2), Fraction(4), Fraction(1, 4)]


@dataclass(frozen=True, slots=True)
class Scale:
    """`text` names it: 2, ½, n, 1/n, 2/(n·m); a number where no such name fits at every point."""

    text: str
    positive: bool
    named: bool = True


def scale(node: Tree, gradient: str, points: Sequence[Values]) -> Scale | None:
    """The factor, None if the formula is no multiple of the gradient."""
    found: list[float] = []
    for values in points:
        own, target = values.quantity(node), values.quantity(Name(gradient))
        if own is None or target is None or own.sizes != target.sizes:
            return None
        times = ratio(flat(own), flat(target))
        if times is None:
            return None
        found.append(times)
    return _named(found, [values.point.sizes for values in points])


def _named(found: list[float], sizes: list[Mapping[str, int]]) -> Scale | None:
    sign = 1 if found[0] > 0 else -1
    letters = list(sizes[0])
    powers = list(product((0, 1, -1), repeat=min(len(letters), 4)))
    powers.sort(key=lambda each: sum(map(abs, each)))
    for each in powers:
        for number in NUMBERS:
            if all(
                abs(times / (sign * number * _size(letters, each, at)) - 1) < 1e-9
                for times, at in zip(found, sizes, strict=True)
            ):
                return Scale(_text(sign, number, letters, each), sign > 0)
    if max(found) - min(found) > 1e-9 * abs(found[0]):
        return None
    return Scale(f"{found[0]:.6g}", sign > 0, named=False)


def _size(letters: list[str], powers: Sequence[int], at: Mapping[str, int]) -> float:
    result = 1.0
    for letter, power in zip(letters, powers, strict=False):
        result *= float(at[letter]) ** power
    return result


def _text(sign: int, number: Fraction, letters: list[str], powers: Sequence[int]) -> str:
    above = [name for name, power in zip(letters, powers, strict=False) if power > 0]
    below = [name for name, power in zip(letters, powers, strict=False) if power < 0]
    if number.numerator > 1:
        above.insert(0, str(number.numerator))
    if number.denominator > 1:
        below.insert(0, str(number.denominator))
    top = "·".join(above) or "1"
    bottom = "·".join(below)
    bottom = f"({bottom})" if len(below) > 1 else bottom
    text = {"1/2": "½", "1/4": "¼"}.get(f"{top}/{bottom}", f"{top}/{bottom}" if bottom else top)
    return f"−{text}" if sign < 0 else text
