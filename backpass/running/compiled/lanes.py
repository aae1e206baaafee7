"""Vectors in LLVM's words, as wide as the registers of this processor.

LLVM is told which numbers are in registers: where loops say it in Python's words, it does not see
that they could stay there.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

ir: Any = import_module("llvmlite.ir")
cgutils: Any = import_module("numba.core.cgutils")
FEATURES: Any = import_module("llvmlite.binding").get_host_cpu_features()

LONG = bool(FEATURES.get("avx512f"))
WIDE = 64 if LONG else 32  # bytes of a register
WHOLE, NARROW = ir.IntType(64), ir.IntType(32)


class Lanes:
    """Vectors of the numbers of an array, as instructions of LLVM.

    Of a vector in memory only the first `count` entries are touched, where that is given.
    """

    def __init__(self, module: Any, real: Any) -> None:
        size = 4 if isinstance(real, ir.FloatType) else 8
        self.module, self.size, self.number = module, size, WIDE // size
        self.kind = ir.VectorType(real, self.number)
        self.zero = ir.Constant(self.kind, [0.0] * self.number)
        self.mask: Any = None

    def first(self, at: Any, count: Any) -> None:
        """Touch only so many entries from now on."""
        kind = ir.VectorType(NARROW, self.number)
        limit = self._everywhere(at, at.trunc(count, NARROW), kind)
        self.mask = at.icmp_signed("<", ir.Constant(kind, [*range(self.number)]), limit)

    def load(self, at: Any, place: Any) -> Any:
        """The vector at a place."""
        place = at.bitcast(place, self.kind.as_pointer())
        if self.mask is None:
            return at.load(place, align=self.size)
        given = [place, NARROW(self.size), self.mask, self.zero]
        return at.call(self._function("masked.load", self.kind, given, ".p0"), given)

    def store(self, at: Any, value: Any, place: Any) -> None:
        """Write a vector to a place."""
        place = at.bitcast(place, self.kind.as_pointer())
        if self.mask is None:
            at.store(value, place, align=self.size)
            return
        given = [value, place, NARROW(self.size), self.mask]
        at.call(self._function("masked.store", ir.VoidType(), given, ".p0"), given)

    def spread(self, at: Any, value: Any) -> Any:
        """A number in every lane."""
        return self._everywhere(at, value, self.kind)

    def fused(self, at: Any, one: Any, other: Any, term: Any) -> Any:
        """one * other + term."""
        given = [one, other, term]
        return at.call(self._function("fma", self.kind, given, ""), given)

    def exchanged(self, at: Any, one: Any, other: Any, far: int) -> tuple[Any, Any]:
        """Two vectors, upper lanes of the one with lower ones of the other in each other's place.

        Of lanes so `far` apart one is an upper and one a lower.
        """
        kind, order = ir.VectorType(NARROW, self.number), range(self.number)
        first = [self.number + lane - far if lane & far else lane for lane in order]
        second = [self.number + lane if lane & far else lane + far for lane in order]
        return tuple(at.shuffle_vector(one, other, ir.Constant(kind, to)) for to in (first, second))

    def _everywhere(self, at: Any, value: Any, kind: Any) -> Any:
        undefined = ir.Constant(kind, ir.Undefined)
        places = ir.Constant(ir.VectorType(NARROW, self.number), [0] * self.number)
        return at.shuffle_vector(at.insert_element(undefined, value, NARROW(0)), undefined, places)

    def _function(self, name: str, result: Any, given: Sequence[Any], ending: str) -> Any:
        kind = ir.FunctionType(result, [one.type for one in given])
        name = f"llvm.{name}.v{self.number}f{8 * self.size}{ending}"
        return cgutils.get_or_insert_function(self.module, kind, name)
