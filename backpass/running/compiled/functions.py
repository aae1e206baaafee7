"""Functions of numbers for compiled loops, in float32 and float64.

Exponentials and logarithms have no branches and no calls, so that LLVM computes many at once. They
are right to about two units in the last place: eˣ = 2ᵏ·eʳ, with k = x/log 2 rounded and eʳ − 1 a
Taylor polynomial, which keeps its digits near 0; log x = k log 2 + log m, with m between √½ and √2
and log m = 2 artanh s = 2(s + s³/3 + s⁵/5 + …), where s = (m − 1)/(m + 1). Rounding in the
polynomials may be fused (`contract`); sums keep their order, on which the small parts of r depend.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from backpass.running.compiled.machine import TO_REAL, TO_WHOLE
from backpass.running.epoch import BITS, GOLDEN

njit: Any = import_module("numba").njit


def functions(bits: int) -> dict[str, Callable[..., Any]]:
    """The functions by name, for numbers of so many bits."""
    real: Any = np.float32 if bits == 32 else np.float64
    whole: Any = np.int32 if bits == 32 else np.int64
    to_real, to_whole = TO_REAL[bits], TO_WHOLE[bits]
    mantissa, bias = whole(23 if bits == 32 else 52), whole(127 if bits == 32 else 1023)
    zero, half, one, two = map(real, (0, 0.5, 1, 2))
    lowest, highest = (real(-104.0), real(89.0)) if bits == 32 else (real(-746.0), real(710.0))
    edge = real(80.0 if bits == 32 else 700.0)  # from here on eˣ − 1 is eˣ
    per_log2 = real(1 / math.log(2))
    # log 2 in two parts, of which k times the first is exact
    coarse = real(0.693359375 if bits == 32 else 0.693147180369123816490)
    fine = real(math.log(2) - 0.693359375 if bits == 32 else 1.90821492927058770002e-10)
    c3, c4, c5, c6, c7 = (real(1 / math.factorial(n)) for n in range(3, 8))
    c8, c9, c10, c11, c12, c13 = (real(1 / math.factorial(n)) for n in range(8, 14))
    a3, a5, a7, a9, a11 = (real(1 / n) for n in range(3, 12, 2))
    a13, a15, a17, a19, a21 = (real(1 / n) for n in range(13, 22, 2))
    limits: Any = np.finfo(real)
    smallest, most, digits = limits.smallest_normal, limits.max, real(mantissa)
    larger, infinite, undefined = real(2.0 ** int(mantissa)), real(np.inf), real(np.nan)
    one_bits = np.asarray(1, real).view(whole)[()]
    root_bits = np.asarray(0.5**0.5, real).view(whole)[()]
    fraction = whole(2 ** int(mantissa) - 1)
    log_2, log2_e, log10_e = real(math.log(2)), per_log2, real(1 / math.log(10))

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        made: Callable[..., Any] = njit(fastmath={"contract"}, error_model="numpy")(function)
        return made

    if bits == 32:

        @compiled
        def series(r: Any) -> Any:
            high = c3 + r * (c4 + r * (c5 + r * (c6 + r * c7)))
            return r + r * r * (half + r * high)
    else:

        @compiled
        def series(r: Any) -> Any:
            high = c8 + r * (c9 + r * (c10 + r * (c11 + r * (c12 + r * c13))))
            low = c3 + r * (c4 + r * (c5 + r * (c6 + r * (c7 + r * high))))
            return r + r * r * (half + r * low)

    @compiled
    def power_of_two(k: Any) -> Any:
        return to_real(whole(whole(k + bias) << mantissa))

    @compiled
    def within(x: Any, low: Any, high: Any) -> Any:
        if x < low:
            return low
        if x > high:
            return high
        return x  # also what is no number, which max and min would turn into one

    @compiled
    def exp(x: Any) -> Any:
        x = within(x, lowest, highest)
        k = np.rint(x * per_log2)
        r = (x - k * coarse) - k * fine
        # in two factors: 2ᵏ itself may be too large, or too small, to be a normal number
        first = whole(k) >> whole(1)
        second = whole(whole(k) - first)
        return ((one + series(r)) * power_of_two(whole(first))) * power_of_two(second)

    @compiled
    def near_zero(x: Any) -> Any:
        k = np.rint(x * per_log2)
        r = (x - k * coarse) - k * fine
        scale = power_of_two(whole(k))
        return scale * series(r) + (scale - one)

    @compiled
    def expm1(x: Any) -> Any:
        near, far = near_zero(within(x, -edge, edge)), exp(x)
        return near if x < edge else far

    @compiled
    def tanh(x: Any) -> Any:
        t = near_zero(-two * within(abs(x), zero, real(20)))
        return np.copysign(t / (t + two), x)

    @compiled
    def sigmoid(x: Any) -> Any:
        return one / (one + exp(-x))

    @compiled
    def relu(x: Any) -> Any:
        if x <= zero:
            return zero
        return x

    @compiled
    def leaky_relu(x: Any, slope: Any) -> Any:
        return x if x > zero else slope * x

    @compiled
    def maximum(a: Any, b: Any) -> Any:
        return a if a >= b or a != a else b

    @compiled
    def minimum(a: Any, b: Any) -> Any:
        return a if a <= b or a != a else b

    @compiled
    def clip(x: Any, low: Any, high: Any) -> Any:
        return minimum(maximum(x, low), high)

    if bits == 32:

        @compiled
        def odd_series(s: Any, z: Any) -> Any:
            return s + s * z * ((a3 + z * a5) + z * z * (a7 + z * a9))
    else:

        @compiled
        def odd_series(s: Any, z: Any) -> Any:
            high = a13 + z * (a15 + z * (a17 + z * (a19 + z * a21)))
            return s + s * z * (a3 + z * (a5 + z * (a7 + z * (a9 + z * (a11 + z * high)))))

    @compiled
    def log(x: Any) -> Any:
        tiny = x < smallest
        held = to_whole(x * larger if tiny else x) + whole(one_bits - root_bits)
        k = whole(held >> mantissa) - bias
        m = to_real(whole(whole(held & fraction) + root_bits))
        f = m - one
        s = f / (two + f)
        k = real(k) - (digits if tiny else zero)
        found = k * coarse + (two * odd_series(s, s * s) + k * fine)
        if x > most or x != x:
            return x
        if x <= zero:
            return -infinite if x == zero else undefined
        return found

    @compiled
    def log1p(x: Any) -> Any:
        u = one + x
        lost = x - (u - one)  # what rounding took from 1 + x
        return x if u == one else log(u) + (lost / u if zero < u <= most else zero)

    @compiled
    def log2(x: Any) -> Any:
        return log(x) * log2_e

    @compiled
    def log10(x: Any) -> Any:
        return log(x) * log10_e

    @compiled
    def logaddexp(a: Any, b: Any) -> Any:
        top = maximum(a, b)
        apart = abs(a - b)
        return a + log_2 if a == b else top + log1p(exp(-apart))

    @compiled
    def softplus(x: Any) -> Any:
        return logaddexp(x, zero)

    @compiled
    def logistic_loss(z: Any, t: Any) -> Any:
        return logaddexp(z, zero) - t * z

    @compiled
    def bernoulli_loss(p: Any, t: Any) -> Any:
        yes = zero if t == zero else t * log(p)  # 0 · log 0 is 0 here
        no = zero if t == one else (one - t) * log1p(-p)
        return -(yes + no)

    @compiled
    def huber_entry(e: Any, delta: Any) -> Any:
        near = clip(e, -delta, delta)
        return near * (e - near * half)

    @compiled
    def sin(x: Any) -> Any:
        return real(math.sin(x))

    @compiled
    def cos(x: Any) -> Any:
        return real(math.cos(x))

    @compiled
    def sqrt(x: Any) -> Any:
        return np.sqrt(x)

    @compiled
    def inverse_sqrt(x: Any) -> Any:
        return one / np.sqrt(x)

    @compiled
    def absolute(x: Any) -> Any:
        return abs(x)

    @compiled
    def sign(x: Any) -> Any:
        return one if x > zero else (-one if x < zero else x)

    @compiled
    def square(x: Any) -> Any:
        return x * x

    @compiled
    def cube(x: Any) -> Any:
        return x * x * x

    @compiled
    def power(x: Any, y: Any) -> Any:
        return real(x**y)

    # fmt: off
    return {
        "exp": exp, "expm1": expm1, "tanh": tanh, "sigmoid": sigmoid, "relu": relu, "log": log,
        "leaky_relu": leaky_relu, "maximum": maximum, "minimum": minimum, "clip": clip,
        "log1p": log1p, "log2": log2, "log10": log10, "logaddexp": logaddexp, "sin": sin,
        "softplus": softplus, "logistic_loss": logistic_loss, "bernoulli_loss": bernoulli_loss,
        "huber_entry": huber_entry, "cos": cos, "sqrt": sqrt, "inverse_sqrt": inverse_sqrt,
        "abs": absolute, "sign": sign, "square": square, "cube": cube, "power": power,
    }
    # fmt: on


FUNCTIONS = {bits: functions(bits) for bits in (32, 64)}


# ── what is drawn ────────────────────────────────────────────────────────────────────────────


@njit
def mixed(z: Any) -> Any:
    """SplitMix64's mixing, as in `backpass.running.epoch`."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit
def drawn_key(seed: Any, step: Any, layer: Any) -> Any:
    """Where the draws of one step and layer start."""
    golden, one = np.uint64(GOLDEN), np.uint64(1)
    key = mixed((np.uint64(seed) + one) * golden)
    key = mixed(key + (np.uint64(step) + one) * golden)
    return mixed(key + (np.uint64(layer) + one) * golden)


@njit
def kept(key: Any, entry: Any, threshold: Any) -> Any:
    """Whether the unit with this number is kept."""
    draw = mixed(key + np.uint64(entry + 1) * np.uint64(GOLDEN))
    return (draw >> np.uint64(64 - BITS)) < np.uint64(threshold)
