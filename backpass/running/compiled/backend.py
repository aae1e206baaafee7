"""The compiled back end: an epoch in one call of machine code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from time import perf_counter
from typing import Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import DerivationError, ShapeError, UnknownName
from backpass.language.extent import check_extent
from backpass.language.program import Array
from backpass.language.shapes import bind, evaluate_size
from backpass.running.compiled.blas import has_own
from backpass.running.compiled.cache import load
from backpass.running.compiled.matmul import enter_products, room
from backpass.running.compiled.memory import buffers, buffers_of, cast, dtypes, flat, owned
from backpass.running.compiled.nest import Cut
from backpass.running.compiled.object_code import Linked, Vector, address
from backpass.running.compiled.picks import picks_freely
from backpass.running.compiled.pieces import Pieces
from backpass.running.compiled.reporting import report
from backpass.running.compiled.source import Source, cut_stepping, write_source
from backpass.running.compiled.threads import one_thread_for_blas, threads_for, together
from backpass.running.compiled.versions import versions
from backpass.running.compiled.work import largest_product
from backpass.running.epoch import Arrays, Epoch, Stepping

Values = NDArray[Any]
WORD = 2**64
LINE = 8  # integers on a cache line
ENTERING = RLock()  # what all programs call is entered once, whoever trains at the same time


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known of arrays that one epoch after another is run on.

    `lying` are those that need no change to be run on; they are not kept alive. `places` are those
    that hold integers which pick what must exist. `head` and `tails` are the words of arguments on
    either side of the numbers of an epoch, the second tail for samples that are taken where they
    lie, and `held` the arrays among these that nobody else has. `losses` has a place for each
    step, and so has each of the `rates`, which are the numbers of an epoch.
    """

    key: tuple[Any, ...]
    lying: dict[str, tuple[ref[Values], tuple[int, ...]]]
    places: list[str]
    source: Source
    code: Linked
    sizes: dict[str, int]
    threads: int
    head: list[int]
    tails: tuple[list[int], list[int]]
    held: list[Values]
    losses: Vector
    rates: list[Vector]
    rooms: list[Values]

    def knows(self, values: Mapping[str, Values], key: tuple[Any, ...]) -> bool:
        """Whether these are the very arrays."""
        if self.key != key or len(self.lying) != len(values):
            return False
        for name, one in values.items():
            known, shape = self.lying.get(name, (_nothing, ()))
            if known() is not one or one.shape != shape:
                return False
        return True


def _nothing() -> None:
    """What an array that is not known refers to."""


class Compiled:
    """Runs the steps of a `Stepping` as loops and products of machine code; see `Backend`.

    The source is written when the first epoch tells the precision, and compiled, or found in the
    cache. NoRule where a function has no compiled form.
    """

    name = "compiled"

    def __init__(self, stepping: Stepping) -> None:
        self.stepping = stepping
        self.compiling = 0.0
        self._ready: dict[tuple[int, bool], tuple[Source, Linked]] = {}
        self._sized: dict[tuple[Any, ...], tuple[dict[str, int], int]] = {}
        self._buffers: tuple[tuple[Any, ...], list[Values]] | None = None
        self._last: Ready | None = None
        self._pieces = Pieces()

    def epoch(
        self,
        samples: Mapping[str, Values],
        order: Values,
        batch_size: int,
        arrays: Arrays,
        numbers: Mapping[str, Values],
        *,
        seed: int = 0,
        first: int = 0,
        dtype: Any = None,
    ) -> Epoch:
        """Walk through the samples once; see `Backend.epoch`.

        `dtype` is that of X where nothing else is said.
        """
        dtype = samples["X"].dtype if dtype is None else dtype
        ready, key = self._last, (dtype, len(order), batch_size)
        if ready is None or not ready.knows({**samples, **arrays}, key):
            with ENTERING:
                samples, own, ready = self._prepared(samples, arrays, key)
            arrays.update(own)
        order = np.ascontiguousarray(order, np.int64)
        low, high = (int(order.min()), int(order.max())) if order.size else (0, -1)
        for name, axis in self.stepping.axes.items():
            count = samples[name].shape[axis]
            if not 0 <= low <= high + 1 <= count:
                raise ShapeError(f"order names a sample that is not among the {count} of {name}")
        for name in ready.places:
            values = samples[name] if name in samples else arrays[name]
            _check_range(self.stepping.program.arrays[name], values, ready.sizes)
        for name, one in zip(ready.source.given.numbers, ready.rates, strict=True):
            one.values[:] = numbers[name]
        losses, taken, steps = ready.losses, Vector(order), ready.losses.values.size
        signed = (seed + WORD // 2) % WORD - WORD // 2  # the same bits
        lying = _in_a_row(order)
        code, head, tail, shared = ready.code, ready.head, ready.tails[lying], self._shared(ready)

        def run(start: int, stop: int) -> tuple[int, int]:
            picked = taken.words(start * batch_size, min(stop * batch_size, order.size))
            told = losses.words(start, steps)
            begin = [*picked, int(lying), batch_size, *told, signed, first + start]
            rates = [word for one in ready.rates for word in one.words(start, steps)]
            rows = [[*begin, *code.words(*own), *head, *rates, *tail] for own in shared]
            return together(code.run, rows)

        try:
            with one_thread_for_blas():
                done, right = self._pieces.run(steps, run)
        except IndexError as error:  # integers below 10 that pick from five entries
            raise ShapeError("an entry that is read does not exist here") from error
        told = None if self.stepping.answers is None else right
        return Epoch(losses.values[: done + (done < steps)].copy(), told, done, done == steps)

    def plan(self) -> str:
        """What is a matrix product, which loops are fused, what memory and threads are taken."""
        last = self._last
        if last is None:  # before the first epoch nothing is known of batches
            return report(write_source(self.stepping, self._cut, 32, ""), 32, {}, 0)
        return report(last.source, 8 * last.key[0].itemsize, last.sizes, last.threads)

    @cached_property
    def _cut(self) -> Cut:
        return cut_stepping(self.stepping)

    def _shared(self, ready: Ready) -> list[tuple[Values | int, ...]]:
        """What each thread is told besides what all are."""
        if ready.threads == 1:
            return [(ready.rooms[0],)]
        meeting = np.zeros(2 * LINE, np.int64)
        sums = np.zeros((ready.threads, max(ready.source.sums, 1)))
        count = ready.threads
        return [(own, one, count, meeting, sums) for one, own in enumerate(ready.rooms)]

    def _prepared(
        self, samples: Mapping[str, Values], arrays: Mapping[str, Values], key: tuple[Any, int, int]
    ) -> tuple[dict[str, Values], dict[str, Values], Ready]:
        """Samples and trained arrays as they are run on, and what is known of them from now on."""
        dtype, count, batch_size = key
        steps = -(-count // batch_size)
        program, kinds = self.stepping.program, dtypes(dtype)
        kind = {name: kinds[one.kind] for name, one in program.arrays.items()}
        whole = {name: cast(one, kind[name]) for name, one in samples.items()}
        sizes, team = self._plan({**arrays, **whole}, count, batch_size)
        source, code = self._compiled(8 * dtype.itemsize, team)
        own = {name: owned(arrays[name], kind[name]) for name in source.given.changed}
        if len(set(map(address, own.values()))) < len(own):  # one array under two names
            own = {name: values.copy() for name, values in own.items()}
        values, given = {**arrays, **own, **whole}, {**arrays, **own, **samples}
        fixed = {one.name: cast(np.asarray(n), kind[one.name]) for one, n in program.constants}
        lent = self._memory(source, sizes, dtype)
        taken = [flat(whole[name]) for name in source.given.samples]
        head = code.words(
            *(sizes[name] for name in source.given.sizes),
            *taken,
            *(flat(own[name]) for name in source.given.changed),
            *(flat(fixed[name]) for name in source.given.constants),
        )
        tails = code.words(*lent), code.words(*taken, *lent[len(taken) :])
        self._last = Ready(
            key,
            {name: (ref(one), one.shape) for name, one in given.items() if values[name] is one},
            [one.name for one in program.inputs if one.kind == "int" and one.name in values],
            source, code, sizes, team, head, tails, [*fixed.values(), *lent],
            Vector(np.empty(steps, dtype)),
            [Vector(np.empty(steps, dtype)) for _ in source.given.numbers],
            buffers([((room(8 * dtype.itemsize),), dtype)] * team),
        )  # fmt: skip
        return whole, own, self._last

    def _compiled(self, bits: int, taken: int) -> tuple[Source, Linked]:
        key = bits, taken > 1
        if key not in self._ready:
            start = perf_counter()
            source = write_source(self.stepping, self._cut, bits, versions(), shared=taken > 1)
            if has_own():
                enter_products(bits)
            self._ready[key] = source, load(source.text)
            self.compiling += perf_counter() - start
        return self._ready[key]

    def _plan(
        self, arrays: Mapping[str, Values], count: int, batch: int
    ) -> tuple[dict[str, int], int]:
        """All sizes and the threads to take; found once for arrays of these shapes."""
        key = (count, batch, *((name, one.shape) for name, one in arrays.items()))
        if key not in self._sized:
            sizes = self._sizes(arrays, count, batch)
            taken = threads_for(largest_product(self._cut.statements, sizes))
            # a thread that met an entry which does not exist would not come to the next meeting
            self._sized[key] = sizes, 1 if picks_freely(self.stepping.program) else taken
        return self._sized[key]

    def _sizes(self, arrays: Mapping[str, Values], count: int, batch: int) -> dict[str, int]:
        """What every size is, that of a batch included; ShapeError where arrays do not fit."""
        program = self.stepping.program
        given = [one for one in program.inputs if one.name in arrays]
        missing = {one.name for one in program.inputs} - set(arrays)
        missing -= {*self.stepping.numbers, *self.stepping.drawn}
        if missing:
            raise UnknownName(f"the input {min(missing)} was not given")
        sizes = bind((one.name, one.shape, arrays[one.name].shape) for one in given)
        if "X" not in self.stepping.axes:
            check_extent(program, sizes)
            return sizes
        axis = program.arrays["X"].shape[self.stepping.axes["X"]]
        for length in {min(batch, count), count % batch or min(batch, count)}:
            if axis.number is not None and axis.number != length:
                raise ShapeError(f"X takes {axis} samples at a time, not {length}")
            sizes = {**sizes, str(axis): length}
            check_extent(program, sizes)
        return {**sizes, str(axis): min(batch, count)}

    def _memory(self, source: Source, sizes: Mapping[str, int], dtype: Any) -> list[Values]:
        """The buffers of a step, made once for sizes and precision that stay."""
        key = (dtype, *sizes.items())
        if self._buffers is None or self._buffers[0] != key:
            self._buffers = key, buffers_of(source.given.buffers, sizes, dtype)
        return self._buffers[1]


def _in_a_row(order: Values) -> bool:
    """Whether these places follow one another without a gap."""
    if not order.size or int(order[-1]) - int(order[0]) + 1 != order.size:
        return False
    return bool((order[1:] > order[:-1]).all())


def _check_range(array: Array, values: Values, sizes: Mapping[str, int]) -> None:
    """Refuse integers that pick what does not exist."""
    if array.kind != "int" or array.below is None or not values.size:
        return
    below = evaluate_size(array.below, sizes)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high >= below:
        outside = low if low < 0 else high
        raise DerivationError(
            f"{array.name} holds {outside}; its integers run from 0 to {below - 1}"
        )
