"""The compiled back end: an epoch in one call of machine code."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import DerivationError, ShapeError, UnknownName
from backpass.language.extent import check_extent
from backpass.language.program import Array, Kind
from backpass.language.shapes import bind, evaluate_size
from backpass.running.compiled.cache import load
from backpass.running.compiled.object_code import Linked, address
from backpass.running.compiled.reporting import report
from backpass.running.compiled.source import Source, write_source
from backpass.running.compiled.threads import threads, threads_for
from backpass.running.compiled.versions import versions
from backpass.running.compiled.work import largest_product
from backpass.running.epoch import Arrays, Epoch, Stepping

Values = NDArray[Any]
WORD = 2**64


class Compiled:
    """Runs the steps of a `Stepping` as loops of machine code around BLAS; see `Backend`.

    The source is written when the first epoch tells the precision, and compiled, or found in the
    cache. NoRule where a function has no compiled form.
    """

    name = "compiled"

    def __init__(self, stepping: Stepping) -> None:
        self.stepping = stepping
        self.compiling = 0.0
        self._ready: dict[int, tuple[Source, Linked]] = {}
        self._sized: dict[tuple[Any, ...], tuple[dict[str, int], int]] = {}
        self._buffers: tuple[tuple[Any, ...], list[Values]] | None = None
        self._last: tuple[Source, int, dict[str, int], int] | None = None

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
        bits = 8 * dtype.itemsize
        source, run = self._compiled(bits)
        whole = {name: self._cast(name, one, dtype) for name, one in samples.items()}
        own = {name: self._own(name, arrays[name], dtype) for name in source.changed}
        if len(set(map(address, own.values()))) < len(own):  # one array under two names
            own = {name: values.copy() for name, values in own.items()}
        sizes, taken = self._plan(source, {**arrays, **whole}, len(order), batch_size)
        order = np.ascontiguousarray(order, np.int64)
        low, high = (int(order.min()), int(order.max())) if order.size else (0, -1)
        for name, axis in self.stepping.axes.items():
            count = whole[name].shape[axis]
            if not 0 <= low <= high + 1 <= count:
                raise ShapeError(f"order names a sample that is not among the {count} of {name}")
        for name, values in (*whole.items(), *own.items()):
            _check_range(self.stepping.program.arrays[name], values, sizes)
        steps = -(-len(order) // batch_size)
        losses = np.empty(steps, dtype)
        constants = self._constants(dtype)
        self._last = source, bits, sizes, taken
        given = (
            *(sizes[name] for name in source.sizes),
            *(_line(whole[name]) for name in source.samples),
            *(_line(own[name]) for name in source.changed),
            *(_line(constants[name]) for name in source.constants),
            *(np.full(steps, numbers[name], dtype) for name in source.numbers),
            *self._memory(source, sizes, dtype),
        )
        signed = (seed + WORD // 2) % WORD - WORD // 2  # the same bits
        try:
            with threads(taken):
                done, right = run(order, batch_size, losses, signed, first, *given)
        except IndexError as error:  # integers below 10 that pick from five entries
            raise ShapeError("an entry that is read does not exist here") from error
        for name, values in own.items():
            if arrays[name] is not values:
                arrays[name] = values.reshape(arrays[name].shape)
        told = None if self.stepping.answers is None else int(right)
        return Epoch(losses[: done + (done < steps)], told, int(done), done == steps)

    def plan(self) -> str:
        """What is a matrix product, which loops are fused, what memory and threads are taken."""
        if self._last is None:  # before the first epoch nothing is known of batches
            return report(write_source(self.stepping, 32, ""), 32, {}, 0)
        return report(*self._last)

    def _compiled(self, bits: int) -> tuple[Source, Linked]:
        if bits not in self._ready:
            start = perf_counter()
            source = write_source(self.stepping, bits, versions())
            self._ready[bits] = source, load(source.text)
            self.compiling += perf_counter() - start
        return self._ready[bits]

    def _own(self, name: str, values: Values, dtype: Any) -> Values:
        """An array that is changed, where it stands if it can be."""
        found = self._cast(name, values, dtype)
        return found if found.flags.writeable else found.copy()

    def _cast(self, name: str, values: Values, dtype: Any) -> Values:
        """An array as it lies in memory for compiled loops."""
        kind = self.stepping.program.arrays[name].kind
        return np.ascontiguousarray(values, _dtypes(dtype)[kind]).reshape(values.shape)

    def _plan(
        self, source: Source, arrays: Mapping[str, Values], count: int, batch: int
    ) -> tuple[dict[str, int], int]:
        """All sizes and the threads to take; found once for arrays of these shapes."""
        key = (count, batch, *((name, one.shape) for name, one in arrays.items()))
        if key not in self._sized:
            sizes = self._sizes(arrays, count, batch)
            self._sized[key] = sizes, threads_for(largest_product(source.items, sizes))
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

    def _constants(self, dtype: Any) -> Mapping[str, Values]:
        return {
            one.name: np.ascontiguousarray(value, _dtypes(dtype)[one.kind])
            for one, value in self.stepping.program.constants
        }

    def _memory(self, source: Source, sizes: Mapping[str, int], dtype: Any) -> list[Values]:
        """The buffers of a step, made once for sizes and precision that stay."""
        key = (dtype, *sizes.items())
        if self._buffers is None or self._buffers[0] != key:
            kinds = _dtypes(dtype)
            made = [
                np.empty([evaluate_size(axis, sizes) for axis in one.shape] or [1], kinds[one.kind])
                for one in source.buffers
            ]
            self._buffers = key, made
        return self._buffers[1]


def _dtypes(dtype: Any) -> dict[Kind, Any]:
    """What arrays of every kind hold."""
    return {"real": dtype, "int": np.int64, "bool": np.bool_}


def _line(values: Values) -> Values:
    """A single number as an array of one."""
    return values.reshape(1) if values.ndim == 0 else values


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
