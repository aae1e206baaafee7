"""The functions that a formula may call: those of the library, and those that were declared.

A declared `g` has no body: a stand-in takes its place, and g′ is the slope of that. So what is
right at random numbers is right for a g and a cost C that nobody has said anything of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backpass.calculus.library import FUNCTIONS
from backpass.derive import derive
from backpass.language.errors import ShapeError

Function = Callable[..., Any]
SPELLINGS = (("", "_derivative"), ("", "_prime"), ("", "_deriv"), ("d_", ""), ("d", ""),
             ("", "_grad"))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Functions:
    """What can be called, which of it is a slope, and of what."""

    known: Mapping[str, Function]
    slopes: Mapping[str, str]  # g′ is the slope of g
    spelled: Mapping[str, str]  # sigmoid_derivative(a) is written by those who have a, or z
    costs: tuple[str, ...] = ()  # that were declared

    def declaring(self, bodies: Mapping[str, Function]) -> Functions:
        """With the stand-ins of declared functions, which hide those of the library."""
        slopes = {f"{name}′": name for name in bodies if f"{name}′" in bodies and "′" not in name}
        costs = tuple(name[1:] for name in bodies if name.startswith("∇"))
        return Functions(
            {**self.known, **_spellings(slopes.values(), bodies), **bodies},
            {**slopes, **self.slopes},
            {**self.spelled, **_spelled(slopes.values())},
            costs,
        )


def _spelled(names: Iterable[str]) -> dict[str, str]:
    return {f"{a}{name}{b}": f"{name}′" for name in names for a, b in SPELLINGS}


def _spellings(names: Iterable[str], bodies: Mapping[str, Function]) -> dict[str, Function]:
    return {spelled: bodies[prime] for spelled, prime in _spelled(names).items()}


def _diag(x: Any) -> Any:
    """The matrix with a vector on its diagonal."""
    if np.ndim(x) != 1:
        raise ShapeError("diag makes a matrix of a vector; the diagonal of one is diagonal(x)")
    return np.diag(x)


def _ones(count: Any) -> Any:
    return np.ones(int(count))


@cache
def _derived(function: str) -> Function:
    op = FUNCTIONS[function]
    d = derive(lambda z: op(z).sum(), "z: n", wrt="z")
    return lambda z: np.reshape(d(np.ravel(np.asarray(z, float)))[1]["z"], np.shape(z))


def _slope(function: str) -> Function:
    """f′ entry by entry, derived from f when it is asked for."""

    def value(z: Any) -> Any:
        return _derived(function)(z)

    return value


def _scalar_functions() -> list[str]:
    """Functions of one number, which have a slope."""
    return [
        name
        for name, op in FUNCTIONS.items()
        if op.function is not None and op.signature is not None
        and len(op.signature.parameters) == 1 and name != "sign"
    ]  # fmt: skip


def _library() -> Functions:
    slopes = {f"{name}′": name for name in _scalar_functions()}
    primes = {prime: _slope(name) for prime, name in slopes.items()}
    spellings = _spellings(slopes.values(), primes)
    known = {**spellings, "diag": _diag, "ones": _ones, **FUNCTIONS, **primes}
    return Functions(known, slopes, _spelled(slopes.values()))


LIBRARY = _library()
