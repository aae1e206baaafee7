"""The inner loop of a matrix product: a tile of C is gathered in registers.

One column of A times one row of B is added after another, in as many registers as there are.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backpass.running.compiled.lanes import LONG, WHOLE, Lanes

ir: Any = import_module("llvmlite.ir")
types: Any = import_module("numba").types
cgutils: Any = import_module("numba.core.cgutils")
extending: Any = import_module("numba.extending")

HIGH = 12 if LONG else 6  # rows of a tile that is two registers wide: of 32 they take 26, of 16 14
LOW = 4
STEP = 3  # rows are addressed from every third


def _tile(rows: int, vectors: int) -> Any:
    """What adds up a tile of so many rows, and of so many registers in each.

    C = beta C + alpha A B, with B and C k×n and rows×n, whose rows are `ldb` and `ldc` apart, and
    A of which rows are `down` and columns `along` apart. Of one register only `count` lanes are
    touched; two are always full.
    """

    @extending.intrinsic
    def tile(
        typing: Any, k: Any, alpha: Any, a: Any, down: Any, along: Any, b: Any, ldb: Any,
        beta: Any, c: Any, ldc: Any, count: Any,
    ) -> Any:  # fmt: skip
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            name = f"backpass_tile_{rows}_{vectors}_{args[1].type}"
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in args])
            function = cgutils.get_or_insert_function(builder.module, kind, name)
            if function.is_declaration:
                function.linkage = "internal"
                function.attributes.add("noinline")
                _write_tile(function, rows, vectors)
            builder.call(function, args)
            return context.get_dummy_value()

        return types.void(k, alpha, a, down, along, b, ldb, beta, c, ldc, count), generate

    return tile


def _write_tile(function: Any, rows: int, vectors: int) -> None:
    k, alpha, a, down, along, b, ldb, beta, c, ldc, count = function.args
    lanes = Lanes(function.module, alpha.type)
    at = ir.IRBuilder(function.append_basic_block())
    if vectors == 1:
        lanes.first(at, count)
    sums = _gathered(at, lanes, rows, vectors, k, a, down, along, b, ldb)
    by, keep = lanes.spread(at, alpha), lanes.spread(at, beta)
    found = [
        (_beyond(at, at.gep(c, [at.mul(ldc, WHOLE(row))]), lanes, place), at.fmul(by, one))
        for row, ones in enumerate(sums)
        for place, one in enumerate(ones)
    ]
    is_fresh = at.fcmp_ordered("==", beta, ir.Constant(beta.type, 0.0))
    with at.if_else(is_fresh) as (fresh, kept):
        with fresh:
            for place, value in found:
                lanes.store(at, value, place)
        with kept:  # all is read before any is written, lest a row wait for another one's writing
            more = [lanes.fused(at, keep, lanes.load(at, place), value) for place, value in found]
            for (place, _), value in zip(found, more, strict=True):
                lanes.store(at, value, place)
    at.ret_void()


def _gathered(
    at: Any, lanes: Lanes, rows: int, vectors: int,
    k: Any, a: Any, down: Any, along: Any, b: Any, ldb: Any,
) -> list[list[Any]]:  # fmt: skip
    """The registers with the sums over k, after the loop that makes them."""
    start, head, body, done = at.block, *(at.append_basic_block() for _ in range(3))
    bases = [at.gep(a, [at.mul(down, WHOLE(row))]) for row in range(0, rows, STEP)]
    twice = at.mul(down, WHOLE(2))
    at.branch(head)

    at.position_at_end(head)
    turn, of_b, *of_a = (at.phi(one.type) for one in (k, b, *bases))
    sums = [[at.phi(lanes.kind) for _ in range(vectors)] for _ in range(rows)]
    for one, value in zip((turn, of_b, *of_a), (WHOLE(0), b, *bases), strict=True):
        one.add_incoming(value, start)
    for one in (one for row in sums for one in row):
        one.add_incoming(lanes.zero, start)
    at.cbranch(at.icmp_signed("<", turn, k), body, done)

    at.position_at_end(body)
    row_of_b = [lanes.load(at, _beyond(at, of_b, lanes, place)) for place in range(vectors)]
    for row in range(rows):
        apart = (None, down, twice)[row % STEP]
        base = of_a[row // STEP]
        entry = lanes.spread(at, at.load(base if apart is None else at.gep(base, [apart])))
        for place, one in enumerate(sums[row]):
            one.add_incoming(lanes.fused(at, entry, row_of_b[place], one), body)
    turn.add_incoming(at.add(turn, WHOLE(1)), body)
    of_b.add_incoming(at.gep(of_b, [ldb]), body)
    for one in of_a:
        one.add_incoming(at.gep(one, [along]), body)
    at.branch(head)

    at.position_at_end(done)
    return sums


def _beyond(at: Any, place: Any, lanes: Lanes, vectors: int) -> Any:
    return at.gep(place, [WHOLE(vectors * lanes.number)])


@extending.intrinsic
def transpose(typing: Any, to: Any, wide: Any, b: Any, apart: Any, count: Any) -> Any:
    """Transpose a square as wide as a register, of whose rows only `count` entries are touched.

    Rows of `to` are `wide` apart, those of `b` are `apart`. In as many rounds as a lane's number
    has bits, half of each register changes places with the other half of one that it is paired to.
    """

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        to, wide, b, apart, count = args
        lanes = Lanes(builder.module, context.get_value_type(signature.args[0].dtype))
        lanes.first(builder, count)
        rows = [
            lanes.load(builder, builder.gep(b, [builder.mul(apart, WHOLE(row))]))
            for row in range(lanes.number)
        ]
        far = lanes.number // 2
        while far:
            for upper in [row for row in range(lanes.number) if not row & far]:
                pair = rows[upper], rows[upper + far]
                rows[upper], rows[upper + far] = lanes.exchanged(builder, *pair, far)
            far //= 2
        lanes.mask = None
        for row, value in enumerate(rows):
            lanes.store(builder, value, builder.gep(to, [builder.mul(wide, WHOLE(row))]))
        return context.get_dummy_value()

    return types.void(to, wide, b, apart, count), generate


TILES = {(rows, vectors): _tile(rows, vectors) for rows in (HIGH, LOW, 1) for vectors in (1, 2)}


@extending.intrinsic
def beyond(typing: Any, start: Any, entries: Any) -> Any:
    """A place so many entries further."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return start(start, entries), generate
