"""Our own matrix products, compiled once for all programs and entered where these find them."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from backpass.running.compiled.blas import OWN
from backpass.running.compiled.cache import load
from backpass.running.compiled.object_code import Linked
from backpass.running.compiled.versions import versions

DEEP = 2048  # bytes of each row of A at work at a time, where a factor is copied
TALL = 516  # rows of A copied at a time
BROAD = 512  # bytes of each row of B at work at a time
LONGEST = 64  # bytes of a register

TEXT = '''"""Matrix products in float{bits}, as all compiled steps call them.

{versions}
"""

from numba import njit
from numba.types import CPointer, float{bits}, int64, void

from backpass.running.compiled.multiply import MULTIPLY

real, array = float{bits}, CPointer(float{bits})
epoch = njit(
    void(
        int64, int64, int64, int64, int64, real, array, int64, array, int64, real, array, int64,
        array,
    ),
    error_model="numpy", fastmath={{"contract"}}, no_cpython_wrapper=True, no_cfunc_wrapper=True,
    _nrt=False,
)(MULTIPLY[{bits}])
'''


def room(bits: int) -> int:
    """How many numbers a product may copy: of A and of B, and the rest of a square of B."""
    size = bits // 8
    return (DEEP // size) * (TALL + BROAD // size) + (LONGEST // size) * (2 * LONGEST // size)


@cache
def enter_products(bits: int) -> Linked:
    """Make them known to machine code; they must stay where they are."""
    code = load(TEXT.format(bits=bits, versions=versions()))
    binding: Any = import_module("llvmlite.binding")
    binding.add_symbol(OWN[bits], code.place)
    return code
