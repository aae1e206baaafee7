"""Is this gradient right, and which entry is not? A function and its claimed gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite, nan
from typing import Any

import numpy as np

from backpass.checking.calls import Given, call, given, gradients, watched
from backpass.checking.gradients import Agreement, Trial, Values, examine
from backpass.checking.report import Check, entry_name
from backpass.language.errors import DerivationError, whole_number
from backpass.language.shapes import show_shape

__all__ = ["Check", "check"]

COPY = "let it work on a copy"
SAME = 1e-9  # two calls that differ by less than this part are the same but for rounding


def check(
    f: Callable[..., Any],
    g: Callable[..., Any],
    *args: Any,
    entries: bool = False,
    times: int = 3,
    seed: int = 0,
) -> Check:
    """Check the gradients `g(*args)` of the number `f(*args)` by central differences.

    `g` returns one gradient for each array argument (None for one that it leaves out), or a dict
    by argument name or position; the gradient of a list or dict of arrays has its form. Each
    array is tried in `times` random directions, and with `entries` entry by entry as well. Both
    functions get copies in float64; your arrays stay as they are. Slopes agree when they differ by
    less than a millionth of their size, or by what rounding and the length of the step explain
    (`checking/differences.py` says how that is known).

    Returns a `Check`: true when every gradient agrees, printable, with `failures` and `advice`
    in sentences. Raises DerivationError when there is nothing to compare: `f` is random or no
    finite number, one of the two fails, or `g` returns too few gradients or too many.
    """
    for called, function in (("f", f), ("g", g)):
        if not callable(function):
            raise DerivationError(f"{called} is to be a function, and is {function!r:.40}")
    if not args:
        raise DerivationError("there is nothing to check; pass the arguments, bp.check(f, g, w, x)")
    if whole_number("times", times) < 1:
        raise DerivationError("times is the number of directions to try, at least 1")
    random = np.random.default_rng(whole_number("seed", seed))
    arguments = given(f, args)
    changed = _changed_by_f(f, arguments)
    claimed, faults = _claims(g, arguments)
    faults = [f"f changes its argument {one} in place; {COPY}" for one in changed] + faults
    values = {one: value.astype(np.float64) if one in claimed else value
              for one, value in arguments.values.items()}  # fmt: skip
    turned = {one for one, found in claimed.items() if _is_turned(found, values[one])}
    sound = {one: one in turned or found.shape == values[one].shape
             for one, found in claimed.items() if np.isfinite(found).all()}  # fmt: skip
    names = {one: (f"d{one}", show_shape(values[one].shape)) for one in sound if sound[one]}
    _takes_reals(f, arguments, values)

    def loss(at: Values) -> float:
        try:
            safe = {one: np.array(value) for one, value in at.items()} if changed else at
            return _number(call(f, "f", arguments, safe))
        except DerivationError:
            return nan

    def gradient(at: Values) -> Values:
        found = claimed if at is values else _gradients(g, arguments, at)[0]
        return {one: part.T if one in turned else part for one, part in found.items()}

    trial = Trial(times, entries, random)
    agreements = examine(loss, gradient, values, names, trial)
    by_name = dict(zip(names, agreements, strict=True))
    for one, found in claimed.items():
        faults += _claim_faults(one, found, values[one].shape, by_name.get(one))
    rows = tuple(agreement for one, agreement in by_name.items() if one not in turned)
    return Check(rows, tuple(faults))


def _number(result: Any) -> float:
    """What `f` returned, refused unless it is one number."""
    if result is None:
        raise DerivationError("f returns nothing (is `return` missing?)")
    try:
        value = np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        what = type(result).__name__
        raise DerivationError(f"f returns a {what}, and a gradient is of one number") from None
    if value.size != 1:
        raise DerivationError(
            f"f returns {value.size} numbers, and a gradient is of one; sum or average them"
        )
    return float(value.reshape(()))


def _changed_by_f(f: Callable[..., Any], arguments: Given) -> list[str]:
    """The arguments that `f` changes in place; refuses an `f` that has no slope to speak of."""
    for one, value in arguments.values.items():
        if not np.isfinite(value).all():
            raise DerivationError(f"the argument {one} holds {value[~np.isfinite(value)].flat[0]}")
    result, changed = watched(f, "f", arguments, arguments.values)
    here = _number(result)
    if not isfinite(here):
        raise DerivationError(f"f is {here} at these arguments, so it has no slope here")
    again = _number(watched(f, "f", arguments, arguments.values)[0])
    if abs(here - again) > SAME * max(abs(here), abs(again)):
        raise DerivationError(
            f"f is random: at the same arguments it is {here:.6g} and then {again:.6g}; "
            "draw its random numbers once, outside, and pass them in"
        )
    return changed


def _takes_reals(f: Callable[..., Any], arguments: Given, values: Values) -> None:
    """Integers for which a gradient is claimed must be able to move."""
    for one, value in arguments.values.items():
        if values[one].dtype != value.dtype:
            try:
                call(f, "f", arguments, {**arguments.values, one: values[one].copy()})
            except DerivationError as error:
                raise DerivationError(
                    f"g returns a gradient for {one}, which holds integers, and with real numbers "
                    f"there {error.message}; return None for {one}"
                ) from error


def _gradients(
    g: Callable[..., Any], arguments: Given, at: Values
) -> tuple[dict[str, Any], list[str]]:
    """The gradients by leaf name, and the arguments that `g` changed in place."""
    result, changed = watched(g, "g", arguments, at)
    return gradients(result, arguments), changed


def _claims(g: Callable[..., Any], arguments: Given) -> tuple[dict[str, Any], list[str]]:
    """What `g` claims, and what shows when it is called twice."""
    claimed, changed = _gradients(g, arguments, arguments.values)
    if not claimed:
        raise DerivationError("g returned no gradient")
    again, _ = _gradients(g, arguments, arguments.values)
    faults = [f"g changes its argument {one} in place; {COPY}" for one in changed]
    for one, found in claimed.items():
        other = again.get(one, np.array(nan))
        alike = other.shape == found.shape
        apart = np.abs(other - found).max(initial=0.0) if alike else np.inf
        if np.isfinite(found).all() and not apart <= SAME * np.abs(found).max(initial=0.0):
            twice = alike and np.allclose(other, 2 * found, 1e-9)
            what = f"twice the first d{one}" if twice else f"another d{one}"
            why = "adds to what it should start anew" if twice else "keeps something, or is random"
            faults.append(f"g, called again at the same arguments, returns {what}: it {why}")
    return claimed, faults


def _is_turned(found: Any, value: Any) -> bool:
    return found.ndim > 1 and found.shape != value.shape and found.shape == value.shape[::-1]


def _claim_faults(
    name: str, found: Any, shape: tuple[int, ...], agreement: Agreement | None
) -> Iterator[str]:
    """What is wrong with a gradient before any comparison: its shape, or entries that are nan."""
    if found.shape != shape:
        hint = _shape_hint(found, shape, agreement)
        yield f"g returned {_tuple(found.shape)} for {name}, which is {_tuple(shape)}{hint}"
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        first = tuple(map(int, bad[0]))
        more = f", as are {len(bad) - 1} more of its {found.size} entries" if len(bad) > 1 else ""
        yield f"{entry_name(f'd{name}', first)} is {found[first]}{more}"


def _shape_hint(found: Any, shape: tuple[int, ...], agreement: Agreement | None) -> str:
    if agreement is not None:
        return ": transposed; its transpose agrees" if agreement.ok else ": transposed?"
    if found.size == 1:
        return ": summed over too many axes?"
    if found.ndim > len(shape) and found.shape[found.ndim - len(shape) :] == shape:
        return ": not summed over the samples?"
    return ": reshape it?" if found.size == int(np.prod(shape)) else ""


def _tuple(shape: tuple[int, ...]) -> str:
    """A shape as NumPy prints it, without blanks; a single number in words."""
    return str(shape).replace(" ", "") if shape else "a number"
