"""IDX, the format of MNIST: a magic number, the sizes, and then the numbers, big end first."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError

KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(content: bytes) -> bool:
    """Whether this begins as IDX does: two zeros, a known kind of number, some axes."""
    return len(content) >= 4 and content[:2] == b"\0\0" and content[2] in KINDS and content[3] > 0


def read_idx(source: str, content: bytes) -> NDArray[Any]:
    """The array of an IDX file (Y. LeCun, C. Cortes and C. Burges, "The MNIST database").

    Raises BackpassError where there are fewer or more numbers than its sizes say.
    """
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise BackpassError(f"{source} ends within its head; it is no whole IDX file")
    shape = struct.unpack(f">{axes}I", content[4:start])
    kind = np.dtype(KINDS[content[2]])
    wanted, there = math.prod(shape) * kind.itemsize, len(content) - start
    if wanted != there:
        sizes = "×".join(map(str, shape))
        raise BackpassError(
            f"{source} should hold {sizes} numbers, {wanted} bytes, and holds {there}; it is no "
            "whole IDX file"
        )
    values = np.frombuffer(content, kind, offset=start).reshape(shape)
    return values.astype(kind.newbyteorder("="), copy=False)
