"""What numba cannot say by itself: BLAS called without copies, and sums in any order.

Compiled source imports this module, so its own text is part of what cached machine code is known
by.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backpass.running.compiled.blas import NAMES

ir: Any = import_module("llvmlite.ir")
types: Any = import_module("numba").types
cgutils: Any = import_module("numba.core.cgutils")
extending: Any = import_module("numba.extending")
compiler: Any = import_module("numba.core.compiler")

FREE = ("reassoc", "nsz", "contract")  # the order of a sum is LLVM's choice, once and for all


class Apart(compiler.Compiler):
    """Compiles a function whose arrays do not overlap, so that loops need not ask."""

    def define_pipelines(self) -> Any:
        """The usual passes, told that no two arrays overlap."""
        own: Any = self
        own.state.flags.noalias = True
        return compiler.Compiler.define_pipelines(own)


@extending.intrinsic
def gemm(
    typing: Any, turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any, at_a: Any,
    lda: Any, b: Any, at_b: Any, ldb: Any, beta: Any, c: Any, at_c: Any, ldc: Any,
) -> Any:  # fmt: skip
    """C = beta C + alpha A B for arrays whose rows lie one after another, A m×k and B k×n.

    A and B are given as they lie in memory, and `turn` says that the transpose is meant; `at` is
    the entry that a matrix begins at, `ld` how far apart its rows are.
    """
    given = (turn_a, turn_b, m, n, k, alpha, a, at_a, lda, b, at_b, ldb, beta, c, at_c, ldc)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        real = signature.args[6].dtype
        narrow = ir.IntType(32)

        def whole(place: int) -> Any:
            return cgutils.alloca_once_value(builder, builder.trunc(args[place], narrow))

        def letter(place: int) -> Any:
            yes, no = (ir.Constant(ir.IntType(8), ord(one)) for one in "TN")
            return cgutils.alloca_once_value(builder, builder.select(args[place], yes, no))

        def matrix(place: int) -> Any:
            array = context.make_array(signature.args[place])(context, builder, args[place])
            return builder.gep(array.data, [args[place + 1]])

        def scalar(place: int) -> Any:
            return cgutils.alloca_once_value(builder, args[place])

        # BLAS counts along columns, so it sees transposes: Cᵀ = Bᵀ Aᵀ
        values = [
            letter(1), letter(0), whole(3), whole(2), whole(4), scalar(5), matrix(9), whole(11),
            matrix(6), whole(8), scalar(12), matrix(13), whole(15),
        ]  # fmt: skip
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
        function = cgutils.get_or_insert_function(builder.module, kind, NAMES[real.bitwidth])
        builder.call(function, values)
        return context.get_dummy_value()

    return types.void(*given), generate


@extending.intrinsic
def plus(typing: Any, total: Any, term: Any) -> Any:
    """One more term of a sum that may be added up in any order, so in many lanes at once."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if not isinstance(signature.return_type, types.Float):
            return builder.add(*args)
        return builder.fadd(*args, flags=FREE)

    return total(total, total), generate


def _extreme(relation: str) -> Any:
    @extending.intrinsic
    def extreme(typing: Any, one: Any, other: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            if not isinstance(signature.return_type, types.Float):
                return builder.select(builder.icmp_signed(relation, *args), *args)
            # what is no number shows itself in every term that the extreme is for
            chosen = builder.fcmp_ordered(relation, *args, flags=("nnan", "nsz"))
            return builder.select(chosen, *args, flags=("nnan", "nsz"))

        return one(one, one), generate

    return extreme


larger, smaller = _extreme(">"), _extreme("<")


def _same_bits(wide: Any, whole: Any, real: Any) -> tuple[Any, Any]:
    @extending.intrinsic
    def to_real(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], context.get_value_type(real))

        return real(whole), generate

    @extending.intrinsic
    def to_whole(typing: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.bitcast(args[0], ir.IntType(wide))

        return whole(real), generate

    return to_real, to_whole


TO_REAL = {bits: _same_bits(bits, *kinds)[0] for bits, kinds in {
    32: (types.int32, types.float32), 64: (types.int64, types.float64)
}.items()}  # fmt: skip
