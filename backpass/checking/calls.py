"""The arguments of somebody's function: taken apart into arrays, and put together for a call.

The arrays are copies, so that the caller's stay as they are, and a function that changes its
arguments is noticed.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from backpass.language.errors import DerivationError, UnknownName, nearest
from backpass.reading.plural import many

Nest = Any  # a Leaf, a list, tuple or dict of nests, or anything that is passed on as it is


@dataclass(frozen=True, slots=True)
class Leaf:
    """The place of an array or a number in the arguments."""

    name: str


@dataclass(frozen=True)
class Given:
    """The arguments of a call: their nests by name, and the arrays by leaf name.

    Real arrays are in double precision, whatever they were.
    """

    nests: Mapping[str, Nest]
    values: Mapping[str, Any]


def given(f: Callable[..., Any], args: Sequence[Any]) -> Given:
    """Take arguments apart; they are called as `f` calls them."""
    values: dict[str, Any] = {}
    names = _names(f, len(args))
    return Given(
        {name: _leaves(name, value, values) for name, value in zip(names, args, strict=True)},
        values,
    )


def _names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [one.name for one in parameters if one.kind in kinds][:count]
    rest = next(
        (one.name for one in parameters if one.kind == inspect.Parameter.VAR_POSITIONAL), "x"
    )
    stem = rest[:-1] if len(rest) > 1 and rest.endswith("s") else rest
    return names + [f"{stem}{place}" for place in range(1, count - len(names) + 1)]


def _leaves(name: str, value: Any, values: dict[str, Any]) -> Nest:
    """A nest of leaves; those of a list called Ws are W1, W2 …, those of a dict as their keys."""
    parts = _parts(value)
    if parts is not None and not (parts and all(map(_is_number, parts.values()))):
        stem = name[:-1] if len(name) > 1 and name.endswith("s") else name
        called = {key: key if isinstance(key, str) and key.isidentifier() else
                  f"{stem}{key + 1 if isinstance(key, int) else key}" for key in parts}  # fmt: skip
        return _like(
            value, {key: _leaves(called[key], part, values) for key, part in parts.items()}
        )
    if parts is None and not _is_number(value) and not hasattr(value, "__array__"):
        return value
    array: Any = np.asarray(value)
    if array.dtype.kind in "cO":
        what = "complex numbers" if array.dtype.kind == "c" else "objects"
        raise DerivationError(f"the argument {name} holds {what}; give real numbers")
    if array.dtype.kind not in "fiub":
        return value
    free, count = name, 1
    while free in values:
        count += 1
        free = f"{name}_{count}"
    values[free] = np.array(array, dtype=np.float64 if array.dtype.kind == "f" else None)
    return Leaf(free)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _parts(nest: Any) -> dict[Any, Any] | None:
    """The parts of a list, tuple or dict by position or key; None for anything else."""
    if isinstance(nest, Mapping):
        return dict(cast("Mapping[Any, Any]", nest))
    if isinstance(nest, (list, tuple)):
        return dict(enumerate(cast("Sequence[Any]", nest)))
    return None


def _like(nest: Any, parts: Mapping[Any, Any]) -> Any:
    """A list, tuple, named tuple or dict of these parts."""
    if isinstance(nest, Mapping):
        return dict(parts)
    return type(nest)(*parts.values()) if hasattr(nest, "_fields") else type(nest)(parts.values())


def call(
    function: Callable[..., Any], called: str, arguments: Given, values: Mapping[str, Any]
) -> Any:
    """The result at these arrays; DerivationError, at its own line, when the function fails."""
    filled = [_filled(nest, values) for nest in arguments.nests.values()]
    try:
        with np.errstate(all="ignore"):
            return function(*filled)
    except Exception as error:
        raise _failed(called, error) from error


def watched(
    function: Callable[..., Any], called: str, arguments: Given, values: Mapping[str, Any]
) -> tuple[Any, list[str]]:
    """The result on copies of these arrays, and the names of those that the function changed."""
    copies = {name: np.array(value) for name, value in values.items()}
    result = call(function, called, arguments, copies)
    changed = [one for one, value in values.items()
               if not np.array_equal(copies[one], value, equal_nan=True)]  # fmt: skip
    return result, changed


def _filled(nest: Nest, copies: Mapping[str, Any]) -> Any:
    if isinstance(nest, Leaf):
        return copies[nest.name] if copies[nest.name].ndim else copies[nest.name][()]
    parts = _parts(nest)
    if parts is None:
        return nest
    return _like(nest, {key: _filled(part, copies) for key, part in parts.items()})


def _failed(called: str, error: Exception) -> DerivationError:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if not any(part in frame.filename for part in ("/backpass/", "/numpy/"))]  # fmt: skip
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else None
    message = f"{called} raises {type(error).__name__}: {error}"
    return DerivationError(message, line=frames[-1].line if frames else None, where=where)


# ── gradients ────────────────────────────────────────────────────────────────────────────────


def gradients(result: Any, arguments: Given) -> dict[str, Any]:
    """What was returned for each array, by leaf name; those left out, or None, are missing.

    Raises UnknownName for a key that is no argument, DerivationError when the number of
    gradients is not that of the arrays.
    """
    arrays = {name: nest for name, nest in arguments.nests.items() if any(_names_in(nest))}
    for chosen in _choices(result, arguments, list(arrays.values())):
        found: dict[str, Any] = {}
        if all(_pair(nest, part, found) for nest, part in chosen):
            return found
    keys = _parts(result) or {}
    unknown = [key for key in keys if isinstance(result, Mapping) and key not in arguments.nests]
    if unknown:
        raise UnknownName(
            f"g returned a gradient for {unknown[0]}, which is no argument"
            f"{nearest(str(unknown[0]), arguments.nests)}; the arrays are {', '.join(arrays)}"
        )
    if result is None:
        raise DerivationError("g returns nothing (is `return` missing?)")
    claims: list[Any] = list(keys.values()) if isinstance(result, (list, tuple)) else [result]
    if len(claims) == len(arrays):
        for (name, nest), claim in zip(arrays.items(), claims, strict=True):
            if not _pair(nest, claim, {}):
                raise DerivationError(f"g returned {claim!r:.40} for {name}, no array of numbers")
    raise DerivationError(
        f"g returned {many(len(claims), 'gradient')} for {many(len(arrays), 'argument')}, "
        f"{', '.join(arrays)}; return one for each, None for one without, or a dict by name"
    )


def _choices(
    result: Any, arguments: Given, arrays: Sequence[Nest]
) -> Iterator[list[tuple[Nest, Any]]]:
    """The ways in which a result may be meant: by name, by position, or like the only nest."""
    real = [nest for nest in arrays
            if any(arguments.values[one].dtype.kind == "f" for one in _names_in(nest))]  # fmt: skip
    nested = [nest for nest in arrays if not isinstance(nest, Leaf)]
    every = list(arguments.nests.values())
    parts = _parts(result)
    if parts is not None and isinstance(result, Mapping):
        known: dict[Any, Nest] = {**dict(enumerate(every)), **arguments.nests}
        if all(key in known for key in parts):
            yield [(known[key], part) for key, part in parts.items()]
    elif parts is not None:
        for one in (real, arrays, every):
            if len(one) == len(parts):
                yield list(zip(one, parts.values(), strict=True))
    if len(real) == 1:
        yield [(real[0], result)]
    if len(nested) == 1:
        yield [(nested[0], result)]


def _names_in(nest: Nest) -> Iterator[str]:
    if isinstance(nest, Leaf):
        yield nest.name
    for part in (_parts(nest) or {}).values():
        yield from _names_in(part)


def _pair(nest: Nest, claim: Any, found: dict[str, Any]) -> bool:
    """Put gradients beside leaves; whether the two nests fit."""
    if claim is None:
        return True
    if isinstance(nest, Leaf):
        try:
            array: Any = np.asarray(claim)
        except ValueError:  # a list of arrays of several shapes
            return False
        if array.dtype.kind not in "fiub":
            return False
        found[nest.name] = np.array(array, dtype=np.float64)
        return True
    parts, claims = _parts(nest), _parts(claim)
    if parts is None or claims is None or isinstance(nest, Mapping) != isinstance(claim, Mapping):
        return False
    whole = isinstance(nest, Mapping) or len(claims) == len(parts)
    return whole and all(
        key in parts and _pair(parts[key], one, found) for key, one in claims.items()
    )
