"""Arrays as compiled loops take them: in rows, of one kind, and on whole cache lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.program import Array, Kind
from backpass.language.shapes import evaluate_size
from backpass.running.compiled.object_code import address

Values = NDArray[Any]
LINE = 64  # bytes of a cache line, and of the longest vector
SMALL = 2**20  # bytes from which on a copy would cost more memory than alignment gives time


def dtypes(real: Any) -> dict[Kind, Any]:
    """What arrays of every kind hold."""
    return {"real": real, "int": np.int64, "bool": np.bool_}


def cast(values: Values, dtype: Any) -> Values:
    """An array as it lies in memory for compiled loops, the same one if it does already."""
    if values.dtype == dtype and values.flags.c_contiguous:
        return values
    return np.ascontiguousarray(values, dtype).reshape(values.shape)


def owned(values: Values, dtype: Any) -> Values:
    """An array that is changed, where it stands if it can be."""
    found = cast(values, dtype)
    if found.nbytes < SMALL and address(found) % LINE:
        (own,) = buffers([(found.shape, found.dtype)])
        own[...] = found
        return own
    return found if found.flags.writeable else found.copy()


def flat(values: Values) -> Values:
    """A single number as an array of one."""
    return values.reshape(1) if values.ndim == 0 else values


def buffers(wanted: Sequence[tuple[tuple[int, ...], Any]]) -> list[Values]:
    """New arrays of these shapes and kinds, one behind another on lines of their own.

    Arrays that begin at the same place of a page would push one another out of the cache.
    """
    lengths = [prod(shape) * np.dtype(dtype).itemsize for shape, dtype in wanted]
    places = np.cumsum([0, *(-(-length // LINE) * LINE for length in lengths)]).tolist()
    memory = np.empty(places[-1] + LINE, np.uint8)
    first = -address(memory) % LINE
    return [
        memory[first + start : first + start + length].view(dtype).reshape(shape)
        for (shape, dtype), start, length in zip(wanted, places, lengths, strict=False)
    ]


def buffers_of(arrays: Sequence[Array], sizes: Mapping[str, int], real: Any) -> list[Values]:
    """The buffers of a step, batches as long as they get."""
    kinds = dtypes(real)
    shapes = [tuple(evaluate_size(axis, sizes) for axis in one.shape) or (1,) for one in arrays]
    return buffers([(shape, kinds[one.kind]) for shape, one in zip(shapes, arrays, strict=True)])
