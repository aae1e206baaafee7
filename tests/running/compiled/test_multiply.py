"""Matrix products of ours, by NumPy's, on factors of every kind of size and place."""

import os
import subprocess
import sys

import numpy as np
import pytest

from backpass.running.compiled.blas import has_own
from backpass.running.compiled.lanes import WIDE
from backpass.running.compiled.matmul import enter_products, room
from backpass.running.compiled.object_code import address

LONG = 4096 // 4 + 3  # numbers of a row that is more than a page
SIZES = [
    (1, 1, 1), (1, 40, 3), (5, 2, 1), (12, 32, 7), (13, 33, 16), (67, 77, 33), (3, 100, 600),
    (32, 10, 64), (550, 20, 5), (25, 150, 530), (3, 40, 0), (0, 4, 3),
]  # fmt: skip


def product(bits, turn_a, turn_b, a, b, c, alpha, beta):
    """C as `multiply` changes it, its factors and itself within rows that may be longer."""
    m, n = c.shape
    k = a.shape[0] if turn_a else a.shape[1]
    real = np.dtype(f"float{bits}")
    copies = np.full(room(bits), np.nan, real)

    def lies(one):
        return address(one.base if one.base is not None else one), one.strides[0] // one.itemsize

    row = np.zeros(14, np.int64)
    numbers = row.view(real)
    row[:5] = turn_a, turn_b, m, n, k
    for place, value in ((5, alpha), (10, beta)):
        numbers[place * (8 // real.itemsize)] = value
    for place, one in ((6, a), (8, b), (11, c)):
        row[place : place + 2] = lies(one)
    row[13] = address(copies)
    enter_products(bits).function(address(np.empty(2, np.int64)), address(row))


def within(rng, shape, length, bits):
    """An array at the beginning of longer rows, of which nothing else may be used."""
    whole = np.full((shape[0], max(length, shape[1])), np.nan, f"float{bits}")
    whole[:, : shape[1]] = rng.normal(size=shape)
    return whole[:, : shape[1]]


def check(bits, m, n, k, turn_a, turn_b, lengths, beta, seed=0):
    rng = np.random.default_rng(seed)
    a = within(rng, (k, m) if turn_a else (m, k), lengths[0], bits)
    b = within(rng, (n, k) if turn_b else (k, n), lengths[1], bits)
    c = within(rng, (m, n), lengths[2], bits)
    wanted = -0.5 * (a.T if turn_a else a) @ (b.T if turn_b else b) + beta * c
    if not beta:
        c[...] = np.nan  # what is there is not looked at
    product(bits, turn_a, turn_b, a, b, c, -0.5, beta)
    np.testing.assert_allclose(c, wanted, rtol=0, atol=k * (1e-6 if bits == 32 else 1e-14))
    assert np.isnan(c.base[:, n:]).all()


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("turn_a", [False, True])
@pytest.mark.parametrize("turn_b", [False, True])
def test_equals_numpy(bits, turn_a, turn_b):
    if not has_own():
        return
    for place, (m, n, k) in enumerate(SIZES):
        for far in (0, LONG):
            lengths = [far if place % 3 == axis else 0 for axis in range(3)]
            check(bits, m, n, k, turn_a, turn_b, lengths, 0.0 if place % 2 else 0.25, place)


NARROW = """
import llvmlite.binding as binding
features = binding.get_host_cpu_features()
features["avx512f"] = False
binding.get_host_cpu_features = lambda: features
from backpass.running.compiled.lanes import WIDE
from tests.running.compiled.test_multiply import SIZES, check
assert WIDE == 32
for bits in (32, 64):
    for turns in range(4):
        for m, n, k in SIZES:
            check(bits, m, n, k, bool(turns & 1), bool(turns & 2), (0, 0, 0), 0.25)
print("equal")
"""


def test_narrow_registers(tmp_path):
    """As on a processor whose registers are half as wide."""
    if not has_own() or WIDE == 32:
        return
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", NARROW], capture_output=True, text=True, env=environment, check=False
    )
    assert done.stdout == "equal\n", done.stderr
