"""Logarithms of compiled loops, by NumPy's in more digits."""

import numpy as np
import pytest
from numba import njit

from backpass.running.compiled.functions import FUNCTIONS

WIDE = np.longdouble
UNITS = 5  # in the last place; of log itself, two


def entry_by_entry(function, values):
    @njit
    def run(given, found):
        for place in range(given.size):
            found[place] = function(given[place])

    found = np.empty_like(values)
    run(values, found)
    return found


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", ["log", "log1p", "log2", "log10"])
def test_logarithms(bits, name):
    real = np.dtype(f"float{bits}").type
    limits, rng = np.finfo(real), np.random.default_rng(0)
    ends = [limits.smallest_subnormal, limits.smallest_normal / 3, limits.smallest_normal, 1]
    values = [np.exp(rng.uniform(-80, 80, 9999)), 1 + 1e-4 * rng.normal(size=9999), ends]
    values += [[limits.max], 1e-9 + rng.uniform(0, 3, 9999)]
    if name == "log1p":
        values += [-rng.uniform(0, 0.999, 9999), 1e-5 * rng.normal(size=9999), [-1e-30, 1e-30]]
    given = np.concatenate(values).astype(real)
    wanted = getattr(np, name)(given.astype(WIDE))
    unit = np.spacing(np.abs(wanted).astype(real)).astype(WIDE)
    found = entry_by_entry(FUNCTIONS[bits][name], given)
    assert np.abs((found - wanted) / unit).max() < UNITS


@pytest.mark.parametrize("bits", [32, 64])
def test_ends_of_logarithms(bits):
    given = np.array([-np.inf, -2, -1, -0.0, 0, np.inf, np.nan], f"float{bits}")
    with np.errstate(all="ignore"):
        for name in ("log", "log1p", "log2", "log10"):
            found = entry_by_entry(FUNCTIONS[bits][name], given)
            np.testing.assert_array_equal(found, getattr(np, name)(given), name)
