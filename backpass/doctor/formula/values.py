"""What a formula comes to at a point: its value, or the first place where it has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.formula.points import Point
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    Called,
    Hand,
    Joined,
    Minus,
    Name,
    Number,
    Raised,
    Row,
    Tree,
    Turned,
    parts,
    written,
)
from backpass.forward.quantity import (
    Misfit,
    Quantity,
    entrywise,
    negative,
    outer_product,
    product,
    scaling,
    transpose,
)
from backpass.language.errors import BackpassError, NotationError, ShapeError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Failure:
    """Where a formula stops: the innermost part without a value, and why."""

    node: Tree
    error: BackpassError


class Values:
    """Values of formulas at one point; each part is computed once."""

    def __init__(self, point: Point, style: Hand) -> None:
        self.point = point
        self.style = style
        self.kept: dict[Tree, Quantity | Failure] = {}
        self.read_as: dict[Tree, Tree] = {}  # parts that mean another formula

    def of(self, node: Tree) -> Quantity | Failure:
        """The value of a formula, or its innermost failure."""
        if node not in self.kept:
            self.kept[node] = self._compute(node)
        return self.kept[node]

    def quantity(self, node: Tree) -> Quantity | None:
        """The value, None where there is none."""
        found = self.of(node)
        return None if isinstance(found, Failure) else found

    def _compute(self, node: Tree) -> Quantity | Failure:
        if node in self.read_as:
            return self.of(self.read_as[node])
        operands: list[Quantity] = []
        for part in parts(node):
            found = self.of(part)
            if isinstance(found, Failure):
                return found
            operands.append(found)
        try:
            with np.errstate(all="ignore"):
                return self._combined(node, operands)
        except BackpassError as error:
            return Failure(node, error)
        except (ArithmeticError, TypeError, ValueError) as error:
            reason = (str(error).splitlines() or ["it has no meaning"])[0]
            return Failure(node, NotationError(f"this cannot be computed: {reason}"))

    def _combined(self, node: Tree, operands: list[Quantity]) -> Quantity:
        text = written(node, self.style)
        match node:
            case Name(text=name):
                if name in self.point.sizes:
                    return Quantity(self.point.sizes[name], text)
                return Quantity(np.asarray(self.point.arrays[name], float), text)
            case Number(value=value):
                return Quantity(value, text)
            case Row(values=values):
                return Quantity(np.array(values, float), text, row=True)
            case Joined(sign=sign):
                left, right = operands
                return joined(sign, left, right, text)
            case Minus():
                return negative(operands[0], text)
            case Raised():
                return entrywise(operands[0], operands[1], "**", text)
            case Turned():
                return transpose(operands[0], text, of_stack=False)
            case Called(function=function, options=options):
                value = self.point.functions.known[function]
                return _called(value, function, operands, dict(options), text)
            case _:
                assert_never(node)


def joined(sign: str, a: Quantity, b: Quantity, text: str) -> Quantity:
    """Two quantities with a sign between them."""
    if sign in MATRIX:
        return product(a, b, sign, text, np.multiply.outer)
    if sign == "⊗":
        return outer_product(a, b, text, np.multiply.outer)
    if sign == "×":
        return scaling(a, b, text)
    if sign in ENTRYWISE and a.rank == b.rank == 2 and 1 in (*a.sizes, *b.sizes):
        _not_spread(a, b)
    return entrywise(a, b, sign, text)


def _not_spread(a: Quantity, b: Quantity) -> None:
    """n×1 beside 1×m is n×m in NumPy; in a formula that is a product of two layouts."""
    if a.sizes != b.sizes and a.sizes[::-1] == b.sizes:
        raise Misfit(a.text, " is ", a.sizes, " and ", b.text, " is ", b.sizes, "; transpose one")


def _called(
    of: Callable[..., Any],
    function: str,
    operands: list[Quantity],
    options: dict[str, Any],
    text: str,
) -> Quantity:
    lies = any(one.row for one in operands if one.rank == 1)
    if lies and not all(one.row for one in operands if one.rank == 1):
        raise ShapeError(f"{function} is given a column and a row; transpose one")
    value = np.asarray(of(*(one.value for one in operands), **options))
    return Quantity(value * 1.0, text, row=lies and value.ndim == 1)


# ── comparing ────────────────────────────────────────────────────────────────────────────────


def same(a: Any, b: Any) -> bool:
    """Equal but for rounding."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not a.size:
        return False
    size = max(float(np.abs(a).max()), float(np.abs(b).max()))
    return size > 0 and bool(np.abs(a - b).max() <= 1e-9 * size)


def ratio(a: Any, b: Any) -> float | None:
    """The number that a is times b, None if there is none."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not b.size:
        return None
    square = float((b * b).sum())
    if not square or not np.isfinite(a).all():
        return None
    times = float((a * b).sum()) / square
    return times if times and same(a, times * b) else None


def equal(a: Quantity | None, b: Quantity | None, *, turned: bool = False) -> bool:
    """Whether two quantities agree, lying the same way, or the other way if `turned`."""
    if a is None or b is None or a.sizes != (b.sizes[::-1] if turned else b.sizes):
        return False
    return same(flat(a), flat(b).T if turned else flat(b))


def flat(a: Quantity) -> Array:
    """The numbers as a matrix has them."""
    value = np.asarray(a.value, float)
    return value.reshape(a.sizes) if a.rank == 1 else value
