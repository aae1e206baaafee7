"""What a processor can do at most: the matrix product of its BLAS, in the same run."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np

SIDE = 2048
CALLS = 9


def sgemm() -> float:
    """Floating-point operations a second of a large float32 product, the median of a few.

    NumPy's own OpenBLAS with all threads, into memory that is there already.
    """
    random = np.random.default_rng(0)
    one, other = random.standard_normal((2, SIDE, SIDE), np.float32)
    out = one @ other
    seconds = []
    for _ in range(CALLS):
        start = perf_counter()
        np.matmul(one, other, out=out)
        seconds.append(perf_counter() - start)
    return 2 * SIDE**3 / median(seconds)
