"""What formulas compute with: numbers, columns, rows and matrices, whose products must meet.

An array with one axis is a column until it is transposed. NumPy cannot tell the two apart and
broadcasts a column against a row in silence; here that is an error, and so is a product in which
two sizes do not meet.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from backpass.language.errors import NotationError, ShapeError

Outer = Callable[[Any, Any], Any]

OPERATIONS: dict[str, Outer] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "⊙": operator.mul,
    "/": lambda a, b: a / b, "**": lambda a, b: a**b, "<": operator.lt, ">": operator.gt,
    "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value, how it was written, and for a vector whether it lies as a row."""

    value: Any
    text: str
    row: bool = False

    @property
    def rank(self) -> int:
        return getattr(self.value, "ndim", 0)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes as a matrix has them: a column is n×1, a row 1×n; a number has none."""
        if self.rank == 1:
            (size,) = self.value.shape
            return (1, size) if self.row else (size, 1)
        return tuple(self.value.shape) if self.rank else ()

    @property
    def form(self) -> str:
        if self.rank == 1:
            return "row" if self.row else "column"
        return "matrix" if self.rank == 2 else "stack" if self.rank else "number"


class Misfit(ShapeError):
    """Sizes that do not go together, told in words, sizes and shapes, which may yet get names."""

    def __init__(self, *parts: str | int | tuple[int, ...]) -> None:
        self.parts = parts
        super().__init__(self.sentence(str))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The sizes that the sentence speaks of, in order."""
        shapes = (part if isinstance(part, tuple) else (part,) for part in self.parts)
        return tuple(size for shape in shapes for size in shape if not isinstance(size, str))

    def sentence(self, name: Callable[[int], str]) -> str:
        return "".join(part if isinstance(part, str) else _shown(part, name) for part in self.parts)


def _shown(size: int | tuple[int, ...], name: Callable[[int], str]) -> str:
    """`k` or `2×k`, or what is said where there are no sizes."""
    if not isinstance(size, tuple):
        return name(size)
    names = map(name, size)
    return "×".join(n if re.fullmatch(r"[\w′]+", n) else f"({n})" for n in names) or "a number"


def negative(a: Quantity, text: str) -> Quantity:
    """Minus every entry."""
    return Quantity(-a.value, text, a.row)


def transpose(a: Quantity, text: str, *, of_stack: bool) -> Quantity:
    """A column becomes a row and a row a column; the matrices of a stack are turned by `.mT`."""
    if a.rank < 2:
        return Quantity(a.value, text, a.form == "column")
    if a.rank == 2:
        return Quantity(a.value.T, text)
    if of_stack:
        return Quantity(a.value.mT, text)
    raise Misfit(a.text, " is ", a.sizes, "; .mT transposes each of its matrices")


def product(a: Quantity, b: Quantity, sign: str, text: str, outer: Outer) -> Quantity:
    """The matrix product; without the sign `@` also the scaling by a number."""
    if not a.rank or not b.rank:
        if sign != "@":
            return entrywise(a, b, "*", text)
        fix = _joined(a, "*", b)
        raise ShapeError(f"@ multiplies arrays, and one side is a number; write {fix}")
    if a.sizes[-1] != b.sizes[-2]:
        meeting = (a.sizes[-1], " meets ", b.sizes[-2])
        raise Misfit(text, " is (", a.sizes, ")(", b.sizes, "): ", *meeting, _mended(a, b, sign))
    match a.form, b.form:
        case "column", "row":
            return Quantity(outer(a.value, b.value), text)
        case (("row" | "matrix" | "stack"), ("column" | "matrix" | "stack")):
            return Quantity(a.value @ b.value, text, (a.form, b.form) == ("row", "matrix"))
        # The others meet in a size of 1, and `@` would not take the vector for what it is.
        case "column", "matrix":
            return Quantity((b.value.T * a.value).T, text)
        case "matrix", "row":
            return Quantity(a.value * b.value, text)
        case _ if a.form == b.form:
            return Quantity(a.value * b.value, text, a.row)
        case _:
            raise ShapeError(f"{text} multiplies a stack of matrices by a vector")


def outer_product(a: Quantity, b: Quantity, text: str, outer: Outer) -> Quantity:
    """a ⊗ b has the entries aᵢ bⱼ, whichever way the two vectors lie."""
    if not a.rank or not b.rank:
        return entrywise(a, b, "*", text)
    if a.rank == b.rank == 1:
        return Quantity(outer(a.value, b.value), text)
    other = a if a.rank > 1 else b
    what = f"⊗ is the outer product of two vectors, and {other.text} is "
    raise Misfit(what, other.sizes, "; write @ or ⊙")


def scaling(a: Quantity, b: Quantity, text: str) -> Quantity:
    """a × b, which says what it means only if one of the two is a number."""
    if not a.rank or not b.rank:
        return entrywise(a, b, "*", text)
    ways = f"{_joined(a, '@', b)} or {_joined(a, '⊙', b)}"
    raise NotationError(f"× between two arrays may mean either product; write {ways}")


def entrywise(a: Quantity, b: Quantity, sign: str, text: str) -> Quantity:
    """Entry by entry; a vector beside a matrix goes to each of its rows, or of its columns."""
    match a.form, b.form:
        case ("number", _) | (_, "number"):
            return Quantity(_apply(sign, a.value, b.value), text, a.row or b.row)
        case ("column", "row") | ("row", "column"):
            message = f"{a.text} is a {a.form} and {b.text} a {b.form}; write"
            raise ShapeError(f"{message} {_transposed(b)} for {b.text}, or @ for a product")
        case (("column" | "row"), "matrix"):
            if _fits_columns(a, b):
                return Quantity(_apply(sign, a.value, b.value.T).T, text)
        case "matrix", ("column" | "row"):
            if _fits_columns(b, a):
                return Quantity(_apply(sign, a.value.T, b.value).T, text)
        case _:
            pairs = zip_longest(reversed(a.sizes), reversed(b.sizes), fillvalue=1)
            # NumPy would repeat a vector of one entry; a column of size 1 is not one of size n.
            repeats = 1 if a.rank > 1 or b.rank > 1 else None
            if any(m != n and repeats not in (m, n) for m, n in pairs):
                fixed = a.sizes == b.sizes[::-1] and a.rank == 2
                fix = f"; did you mean {_joined(a, sign, b, _transposed)}?" if fixed else ""
                raise _unequal(a, b, fix)
    return Quantity(_apply(sign, a.value, b.value), text, a.row)


def _fits_columns(vector: Quantity, matrix: Quantity) -> bool:
    """Whether a vector goes to every column, as in W X + b, and not to every row, as in X W + b.

    The sizes decide; where they leave it open, a row still says what it means.
    """
    rows, columns = matrix.sizes
    (size,) = vector.value.shape
    to_rows = size == columns
    to_columns = size == rows and not vector.row
    if to_rows and to_columns and size != 1:
        message = f"{vector.text} fits the rows and the columns of {matrix.text}"
        raise ShapeError(f"{message}; write {_transposed(vector)} to have it in every row")
    if not to_rows and not to_columns:
        raise _unequal(vector, matrix)
    return not to_rows


def _unequal(a: Quantity, b: Quantity, fix: str = "") -> Misfit:
    sizes = (a.text, " is ", a.sizes, " and ", b.text, " is ", b.sizes)
    return Misfit(*sizes, ", which do not go together entry by entry", fix)


# ── the way out, spelled for the reader ──────────────────────────────────────────────────────

_ATOM = re.compile(r"[^\s()\[\]@*/+−–⊙∘⊗·⋅×^-]+|[\w′∇]*\([^()]*\)(?:ᵀ|\.T)?")


def _mended(a: Quantity, b: Quantity, sign: str) -> str:
    """The transpose, the order or the ⊙ that would make two factors meet, as a question."""
    if "stack" in (a.form, b.form):
        return ""
    ways = [_transposed(a) + _between(sign) + b.text] if a.sizes[0] == b.sizes[0] else []
    if a.sizes[1] == b.sizes[1]:
        ways.append(_joined(a, sign, b, _transposed))
    if a.sizes == b.sizes:
        ways.append(_joined(a, "⊙", b))
    if not ways and b.sizes[1] == a.sizes[0]:
        ways.append(_joined(b, sign, a, _bracketed))
    return f"; did you mean {' or '.join(ways)}?" if ways else ""


def _bracketed(a: Quantity) -> str:
    return a.text if _ATOM.fullmatch(a.text) else f"({a.text})"


def _transposed(a: Quantity) -> str:
    stem = re.sub(r"(ᵀ|\.T|\^T)$", "", a.text)
    return stem if stem != a.text and _ATOM.fullmatch(stem) else f"{_bracketed(a)}.T"


def _between(sign: str) -> str:
    return f" {sign} " if sign else " "


def _joined(
    a: Quantity, sign: str, b: Quantity, spelled: Callable[[Quantity], str] = lambda b: b.text
) -> str:
    return a.text + _between(sign) + spelled(b)


# ── arithmetic ───────────────────────────────────────────────────────────────────────────────


def _apply(sign: str, a: Any, b: Any) -> Any:
    """Apply an operator; plain numbers become floats first, so that no power of them takes long."""
    plain = (int, float, bool)
    if type(a) not in plain or type(b) not in plain:
        return OPERATIONS[sign](a, b)
    try:
        value = OPERATIONS[sign](float(a), float(b))
    except ArithmeticError:
        value = math.inf
    if isinstance(value, complex) or not math.isfinite(value):
        raise NotationError("this is no finite real number")
    whole = type(a) is type(b) is int and sign != "/" and value == int(value)
    return int(value) if whole and abs(value) < 2**53 else value
