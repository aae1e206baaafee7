"""Arrays as bytes in NumPy's own format, read as from somebody who may lie about them."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

Array = NDArray[Any]

_HEADER = 1000  # characters: enough for any shape and kind that is a number's
_AXES = 8


class Unreadable(ValueError):
    """Bytes that are no arrays of numbers."""


def packed(arrays: Sequence[Array]) -> bytes:
    """Arrays one behind the other, none of them an object."""
    stream = io.BytesIO()
    for one in arrays:
        npy.write_array(stream, np.asarray(one), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def unpacked(content: bytes, most: int) -> list[Array]:
    """At most so many arrays of plain numbers; raises Unreadable for anything else.

    A header is believed only as far as the bytes behind it go: it may claim any shape.
    """
    stream, found = io.BytesIO(content), list[Array]()
    while stream.tell() < len(content):
        if len(found) == most:
            raise Unreadable(f"more than {most} arrays")
        found.append(_one(stream, len(content)))
    return found


def _one(stream: io.BytesIO, end: int) -> Array:
    try:
        if npy.read_magic(stream) != (1, 0):
            raise Unreadable("another version of the format")
        shape, in_columns, dtype = npy.read_array_header_1_0(stream, max_header_size=_HEADER)
        if dtype.kind not in "fiub" or dtype.itemsize > 8 or dtype.subdtype is not None:
            raise Unreadable("no plain numbers")
        if len(shape) > _AXES or any(size < 0 for size in shape):
            raise Unreadable("no shape of an array")
        size = math.prod(shape) * dtype.itemsize
        if size > end - stream.tell():
            raise Unreadable("fewer numbers than were told")
        numbers = np.frombuffer(stream.read(size), dtype)
        return numbers.reshape(shape, order="F" if in_columns else "C").copy()
    except Unreadable:
        raise
    except Exception as error:  # a header is a literal of Python's: many things can be wrong in it
        raise Unreadable(type(error).__name__) from error


def text_array(text: str, most: int) -> Array:
    """A text as the bytes of its beginning."""
    return np.frombuffer(text.encode("utf-8", "replace")[:most], np.uint8)


def array_text(array: Array, most: int) -> str:
    """The text in an array of bytes, on one line and with nothing that could repaint a terminal."""
    if array.dtype != np.uint8:
        return ""
    text = array.tobytes()[: 4 * most].decode("utf-8", "replace")
    shown = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(shown.split())[:most]
