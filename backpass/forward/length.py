"""The length of an axis, which a forward pass may compute with and may not ask about.

`if X.shape[0] > 5000` takes one way at every size that is tried and another one later: the
recording would be silently wrong. So a length refuses to be compared with a constant. Python
turns what `len(X)` gives into a plain integer, which cannot refuse; for those the constants in
the code say which sizes must be tried (`constants_of`).
"""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from dis import opname
from itertools import chain
from math import prod
from types import CellType, CodeType, FunctionType
from typing import Any, cast

from backpass.forward.tape import Tape

Ints = tuple[int, ...]
MACHINERY = ("numpy", "backpass.language", "backpass.forward", "backpass.calculus")
REACH = 20_000  # a forward pass may fill arrays of its own: no trial size is larger than this


class Length(int):
    """The length of an axis whose size has a name."""

    tape: Tape

    def __bool__(self) -> bool:
        self._asked(0)
        return int(self) != 0

    __hash__ = int.__hash__

    def _asked(self, other: object) -> None:
        """Refuse a comparison with a constant; two lengths may be compared, and NumPy may ask."""
        if not isinstance(other, int) or isinstance(other, Length) or other in self.tape.lengths:
            return
        module = sys._getframe(2).f_globals.get("__name__", "")  # pyright: ignore[reportPrivateUsage]
        if not str(module).startswith(MACHINERY):
            raise self.tape.refused(
                "what is computed here depends on a size (an `if` on a length); "
                "write it for every length alike, or declare the size as a number"
            )


def _comparison(name: str) -> Callable[[Length, Any], Any]:
    plain = getattr(int, name)

    def compare(self: Length, other: Any) -> Any:
        self._asked(other)  # pyright: ignore[reportPrivateUsage]
        return plain(self, other)

    return compare


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Length, _name, _comparison(_name))


def lengths(tape: Tape, shape: Ints) -> Ints:
    """A shape as the user's code sees it: axes with a named size are lengths."""
    if not any(axis in tape.lengths for axis in shape):
        return shape
    return tuple(_length(tape, axis) if axis in tape.lengths else axis for axis in shape)


def entries(tape: Tape, shape: Ints) -> int:
    """How many entries an array has, as a plain number: it may be compared with any product."""
    tape.counted.update(tape.lengths.intersection(shape))
    return prod(shape)


def _length(tape: Tape, value: int) -> Length:
    length = Length(value)
    length.tape = tape
    return length


ASKING = ("COMPARE_OP", "CONTAINS_OP", "POP_JUMP", "JUMP_IF")  # begin what a question compiles to


def constants_of(function: FunctionType) -> tuple[set[int], bool]:
    """The whole numbers in a function and in those it names, and whether any of these asks.

    A function asks where it compares, or where its way branches off.
    """
    found: set[int] = set()
    asks = False
    seen: set[CodeType] = set()
    waiting: list[tuple[CodeType, Mapping[str, Any]]] = [_body(function)]
    while waiting:
        here, known = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        asks = asks or any(opname[code].startswith(ASKING) for code in here.co_code[::2])
        constants: list[Any] = [*here.co_consts]
        constants += [known.get(name) for name in (*here.co_names, *here.co_freevars)]
        tuples = cast("list[tuple[Any, ...]]", [one for one in constants if type(one) is tuple])
        found.update(one for one in (*constants, *chain(*tuples)) if type(one) is int)
        waiting += [(one, known) for one in constants if isinstance(one, CodeType)]
        waiting += [_body(one) for one in constants if isinstance(one, FunctionType)]
    return found, asks


def _body(function: FunctionType) -> tuple[CodeType, Mapping[str, Any]]:
    """What runs, and what the names mean that it does not give itself."""
    code, known = function.__code__, function.__globals__
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    own = {name: cell.cell_contents for name, cell in cells if cell != EMPTY}
    return code, ChainMap(own, known)


EMPTY = CellType()  # of a name that is bound later
