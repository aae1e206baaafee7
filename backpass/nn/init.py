"""Where the weights start: each initialiser draws a matrix from the fan-in and fan-out.

The fan-in is the number of values that a unit adds up, the fan-out the number of units that a
value goes to. Keeping the spread of what passes through calls for a variance near 1/fan-in;
keeping that of the gradient, for 1/fan-out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import UnknownName, choices

Matrix = NDArray[Any]
Initialiser = Callable[[np.random.Generator, int, int], Matrix]


def zeros(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """All alike; hidden units that start alike stay alike, so this suits single layers only."""
    return np.zeros((fan_in, fan_out))


def normal(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """A normal distribution with the spread 0.01, whatever the layer."""
    return random.normal(0, 0.01, (fan_in, fan_out))


def uniform(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """Evenly within ±1/√fan-in, the commonly used heuristic (Glorot and Bengio, 2010, eq. 1)."""
    bound = fan_in**-0.5
    return random.uniform(-bound, bound, (fan_in, fan_out))


def glorot(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """Evenly within ±√(6/(fan-in + fan-out)), for tanh (Glorot and Bengio, 2010, eq. 16)."""
    bound = (6 / (fan_in + fan_out)) ** 0.5
    return random.uniform(-bound, bound, (fan_in, fan_out))


def he(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """Normal with the variance 2/fan-in, as ReLU drops half (He, Zhang, Ren and Sun, 2015)."""
    return random.normal(0, (2 / fan_in) ** 0.5, (fan_in, fan_out))


def lecun(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """Normal with the variance 1/fan-in (LeCun, Bottou, Orr and Müller, 1998, section 4.6)."""
    return random.normal(0, fan_in**-0.5, (fan_in, fan_out))


def orthogonal(random: np.random.Generator, fan_in: int, fan_out: int) -> Matrix:
    """Rows or columns at right angles, of length 1 (Saxe, McClelland and Ganguli, 2013).

    The Q of a normal matrix; with the signs of R's diagonal every such Q is equally likely.
    """
    tall = random.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diag(r) < 0, -1, 1)
    return q if fan_in >= fan_out else q.T


INITIALISERS: dict[str, Initialiser] = {
    "zeros": zeros,
    "normal": normal,
    "uniform": uniform,
    "glorot": glorot,
    "he": he,
    "lecun": lecun,
    "orthogonal": orthogonal,
}


def initialiser(name: str) -> Initialiser:
    """The initialiser of this name; UnknownName, with the nearest one, if there is none."""
    if name not in INITIALISERS:
        raise UnknownName(
            f"there is no initialiser {name!r}{choices(name, INITIALISERS, 'there are')}"
        )
    return INITIALISERS[name]
