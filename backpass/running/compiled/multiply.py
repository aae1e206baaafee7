"""Matrix products, tile by tile.

What lies close together is read where it is. Where rows of a factor are a page or more apart, or it
is transposed, the part that is at work is copied, as it is read, first; and parts are as large as
the caches of a processor hold (K. Goto and R. van de Geijn, Anatomy of High-Performance Matrix
Multiplication, 2008). Batches are small beside weights, and so are most layers: what a library
copies to be ready for more is most of what it loses there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from backpass.running.compiled.lanes import WIDE
from backpass.running.compiled.matmul import BROAD, DEEP, TALL
from backpass.running.compiled.tiles import HIGH, LOW, TILES, beyond, transpose

numba: Any = import_module("numba")
inlined = numba.njit(inline="always")  # one function is compiled in less time than five

FAR = 4096  # bytes between rows from which on a factor is copied: a page
SHORT = 132  # rows of A that meet one part of B after another

high_1, high_2 = TILES[HIGH, 1], TILES[HIGH, 2]
low_1, low_2 = TILES[LOW, 1], TILES[LOW, 2]
one_1, one_2 = TILES[1, 1], TILES[1, 2]


def _multiply(bits: int) -> Callable[..., None]:
    real = {32: numba.float32, 64: numba.float64}[bits]
    size = bits // 8
    lanes, far, most, broad = (of // size for of in (WIDE, FAR, DEEP, BROAD))
    wide = 2 * lanes

    def multiply(
        turn_a: Any, turn_b: Any, m: Any, n: Any, k: Any, alpha: Any, a: Any, lda: Any, b: Any,
        ldb: Any, beta: Any, c: Any, ldc: Any, room: Any,
    ) -> None:  # fmt: skip
        """C = beta C + alpha A B, given as `machine.gemm` takes them; copies are made in `room`."""
        copies_a, copies_b = lda >= far, turn_b or ldb >= far
        deep = most if copies_a or copies_b else max(k, 1)
        tall = TALL if copies_a else max(m, 1)
        down, along = (1, lda) if turn_a else (lda, 1)
        panels = beyond(room, TALL * most)
        for p in range(0, max(k, 1), deep):  # once, too, for a sum of nothing
            depth = min(deep, k - p)
            keep = beta if p == 0 else real(1)
            for top in range(0, m, tall):
                rows = min(tall, m - top)
                block, down_a, along_a = beyond(a, top * down + p * along), down, along
                next_a = HIGH * down
                if copies_a:
                    _copy_rows(room, block, down, along, rows, depth)
                    block, down_a, along_a, next_a = room, 1, HIGH, HIGH * depth
                for left in range(0, n, broad):
                    columns = min(broad, n - left)
                    panel = beyond(b, left * ldb + p if turn_b else p * ldb + left)
                    down_b, next_b = ldb, wide
                    if copies_b:
                        if turn_b:
                            _turn_rows(panels, wide, lanes, panel, ldb, depth, columns)
                        else:
                            _copy_columns(panels, wide, panel, ldb, depth, columns)
                        panel, down_b, next_b = panels, wide, depth * wide
                    for high in range(0, rows, SHORT):
                        _tiles(
                            min(SHORT, rows - high), columns, depth, alpha,
                            beyond(block, high // HIGH * next_a), down_a, along_a, next_a,
                            panel, down_b, next_b, lanes,
                            keep, beyond(c, (top + high) * ldc + left), ldc,
                        )  # fmt: skip

    return multiply


@inlined
def _copy_rows(to: Any, a: Any, down: Any, along: Any, rows: Any, depth: Any) -> None:
    """Rows of A, `HIGH` of them together, column by column."""
    for top in range(0, rows, HIGH):
        start, high = beyond(to, top * depth), min(HIGH, rows - top)
        if down == 1:
            for p in range(depth):
                here = beyond(a, p * along + top)
                for r in range(high):
                    start[p * HIGH + r] = here[r]
        else:
            for r in range(high):
                here = beyond(a, (top + r) * down)
                for p in range(depth):
                    start[p * HIGH + r] = here[p]


@inlined
def _copy_columns(to: Any, wide: Any, b: Any, apart: Any, depth: Any, columns: Any) -> None:
    """Columns of B, `wide` of them together, row by row."""
    for p in range(depth):
        here = beyond(b, p * apart)
        for left in range(0, columns, wide):
            row, part = beyond(to, left * depth + p * wide), beyond(here, left)
            for j in range(min(wide, columns - left)):
                row[j] = part[j]


@inlined
def _turn_rows(
    to: Any, wide: Any, lanes: Any, b: Any, apart: Any, depth: Any, columns: Any
) -> None:
    """The same of B's transpose; the last square may go beyond its rows."""
    for left in range(0, columns, lanes):
        here, row = beyond(b, left * apart), beyond(to, left // wide * depth * wide + left % wide)
        if columns - left >= lanes:
            for p in range(0, depth, lanes):
                transpose(
                    beyond(row, p * wide), wide, beyond(here, p), apart, min(lanes, depth - p)
                )
        else:
            for j in range(columns - left):
                for p in range(depth):
                    row[p * wide + j] = here[j * apart + p]


@inlined
def _tiles(
    rows: Any, columns: Any, k: Any, alpha: Any, a: Any, down: Any, along: Any, next_a: Any,
    b: Any, ldb: Any, next_b: Any, lanes: Any, beta: Any, c: Any, ldc: Any,
) -> None:  # fmt: skip
    """A part of C, from the left to the right and from the top down.

    `next_a` and `next_b` are how far apart the rows and columns of neighbouring tiles begin.
    """
    left = 0
    while left < columns:
        wide = columns - left >= 2 * lanes
        count = 2 * lanes if wide else min(lanes, columns - left)
        part = beyond(b, left // (2 * lanes) * next_b + left % (2 * lanes))
        i = 0
        while i < rows:
            here, to = beyond(a, i // HIGH * next_a + i % HIGH * down), beyond(c, i * ldc + left)
            under = rows - i
            if under >= HIGH:
                i += HIGH
                if wide:
                    high_2(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
                else:
                    high_1(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
            elif under >= LOW:
                i += LOW
                if wide:
                    low_2(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
                else:
                    low_1(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
            else:
                i += 1
                if wide:
                    one_2(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
                else:
                    one_1(k, alpha, here, down, along, part, ldb, beta, to, ldc, count)
        left += count


MULTIPLY = {bits: _multiply(bits) for bits in (32, 64)}
