"""What numba cannot say by itself: BLAS called without copies, and sums in any order.

Compiled source imports this module, so its own text is part of what cached machine code is known
by.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backpass.running.compiled.blas import NAMES, OWN, YIELD, has_own

ir: Any = import_module("llvmlite.ir")
types: Any = import_module("numba").types
cgutils: Any = import_module("numba.core.cgutils")
extending: Any = import_module("numba.extending")
compiler: Any = import_module("numba.core.compiler")

njit: Any = import_module("numba").njit

LINE = 8  # integers on a cache line
LANES = 16  # numbers on one, in float32
PATIENCE = 2000  # looks, about a microsecond
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
    lda: Any, b: Any, at_b: Any, ldb: Any, beta: Any, c: Any, at_c: Any, ldc: Any, room: Any,
) -> Any:  # fmt: skip
    """C = beta C + alpha A B for arrays whose rows lie one after another, A m×k and B k×n.

    A and B are given as they lie in memory, and `turn` says that the transpose is meant; `at` is
    the entry that a matrix begins at, `ld` how far apart its rows are. The product
    is `multiply`'s, which makes copies in `room`, or where a processor has not what that needs,
    BLAS's.
    """
    given = (turn_a, turn_b, m, n, k, alpha, a, at_a, lda, b, at_b, ldb, beta, c, at_c, ldc, room)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        bits = signature.args[6].dtype.bitwidth
        narrow, wide = ir.IntType(32), ir.IntType(64)

        def memory(place: int) -> Any:
            return context.make_array(signature.args[place])(context, builder, args[place]).data

        def matrix(place: int) -> Any:
            return builder.gep(memory(place), [args[place + 1]])

        def own() -> None:
            values = [
                *(builder.zext(args[place], wide) for place in (0, 1)), *args[2:5], args[5],
                matrix(6), args[8], matrix(9), args[11], args[12], matrix(13), args[15], memory(16),
            ]  # fmt: skip
            row = cgutils.alloca_once(builder, wide, size=len(values))
            for place, value in enumerate(values):
                pointer = builder.gep(row, [wide(place)])
                builder.store(value, builder.bitcast(pointer, value.type.as_pointer()))
            result = cgutils.alloca_once(builder, wide)
            kind = ir.FunctionType(narrow, [result.type, row.type])
            function = cgutils.get_or_insert_function(builder.module, kind, OWN[bits])
            builder.call(function, [result, row])

        def of_blas() -> None:
            def whole(place: int) -> Any:
                return cgutils.alloca_once_value(builder, builder.trunc(args[place], narrow))

            def apart(place: int) -> Any:  # rows of no entries, too, are apart for BLAS
                is_some = builder.icmp_signed(">", args[place], wide(0))
                length = builder.select(is_some, args[place], wide(1))
                return cgutils.alloca_once_value(builder, builder.trunc(length, narrow))

            def letter(place: int) -> Any:
                yes, no = (ir.Constant(ir.IntType(8), ord(one)) for one in "TN")
                return cgutils.alloca_once_value(builder, builder.select(args[place], yes, no))

            def scalar(place: int) -> Any:
                return cgutils.alloca_once_value(builder, args[place])

            # BLAS counts along columns, so it sees transposes: Cᵀ = Bᵀ Aᵀ
            values = [
                letter(1), letter(0), whole(3), whole(2), whole(4), scalar(5), matrix(9), apart(11),
                matrix(6), apart(8), scalar(12), matrix(13), apart(15),
            ]  # fmt: skip
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            function = cgutils.get_or_insert_function(builder.module, kind, NAMES[bits])
            builder.call(function, values)

        if has_own():
            own()
        else:
            of_blas()
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


@extending.intrinsic
def meet(typing: Any, meeting: Any, thread: Any, threads: Any) -> Any:
    """Wait until all threads are here; then each sees what the others have written.

    `meeting` are integers, zero at first, that all threads have in common: how many are here, and
    on a cache line of its own how often they have met. The last to come counts one meeting more,
    for which the others look, `PATIENCE` times before they let somebody else have the processor.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole, once = ir.IntType(64), ir.Constant(ir.IntType(64), 1)
        array = context.make_array(signature.args[0])(context, builder, args[0])
        here, times = array.data, builder.gep(array.data, [ir.Constant(whole, LINE)])
        before = builder.load_atomic(times, "acquire", 8)
        others = builder.atomic_rmw("add", here, once, "acq_rel")
        is_last = builder.icmp_signed("==", builder.add(others, once), args[2])
        last, wait, rest, done = map(builder.append_basic_block, ("last", "wait", "rest", "met"))
        came_from = builder.block
        builder.cbranch(is_last, last, wait)
        builder.position_at_end(last)
        builder.store_atomic(ir.Constant(whole, 0), here, "monotonic", 8)
        builder.atomic_rmw("add", times, once, "acq_rel")
        builder.branch(done)
        builder.position_at_end(wait)
        looked = builder.phi(whole)
        looked.add_incoming(ir.Constant(whole, 0), came_from)
        again = builder.add(looked, once)
        met = builder.icmp_signed("!=", builder.load_atomic(times, "acquire", 8), before)
        builder.cbranch(met, done, rest)
        builder.position_at_end(rest)
        tired = builder.icmp_signed("==", again, ir.Constant(whole, PATIENCE))
        with builder.if_then(tired, likely=False):
            kind = ir.FunctionType(ir.IntType(32), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, YIELD), [])
        left = builder.select(tired, ir.Constant(whole, 0), again)
        looked.add_incoming(left, builder.block)
        builder.branch(wait)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return types.void(meeting, thread, threads), generate


@njit
def share(turns: Any, thread: Any, threads: Any) -> Any:
    """From which turn to which one of several threads goes; they begin on cache lines."""
    each = (-(-turns // threads) + LANES - 1) // LANES * LANES
    return min(thread * each, turns), min((thread + 1) * each, turns)


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


_SAME = {
    32: _same_bits(32, types.int32, types.float32),
    64: _same_bits(64, types.int64, types.float64),
}
TO_REAL, TO_WHOLE = ({bits: pair[place] for bits, pair in _SAME.items()} for place in (0, 1))
