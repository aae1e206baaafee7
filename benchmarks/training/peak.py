"""What the processors can do at most: the matrix product of their BLAS, in a process of its own.

    python -m benchmarks.training.peak

Every line that comes in is answered by the seconds that a floating-point operation takes.
"""

from __future__ import annotations

import sys
from time import perf_counter

import numpy as np

SIDE = 2048
CALLS = 3


def main() -> None:
    """Answer until nobody asks any more, with NumPy's own OpenBLAS and all threads."""
    random = np.random.default_rng(0)
    one, other = random.standard_normal((2, SIDE, SIDE), np.float32)
    out = one @ other  # memory that is there already
    for _ in sys.stdin:
        start = perf_counter()
        for _ in range(CALLS):
            np.matmul(one, other, out=out)
        print((perf_counter() - start) / (2 * CALLS * SIDE**3), flush=True)


if __name__ == "__main__":
    main()
