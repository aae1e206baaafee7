"""Every number of an unrolled network and of its way back, by names such as h[3] and dZ[3]."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family
from backpass.doctor.probe import Probe
from backpass.doctor.readings import Known
from backpass.doctor.recurrent.dense import Moved
from backpass.doctor.recurrent.rows import RIGHT
from backpass.doctor.recurrent.through_time import Taken, slope_of
from backpass.doctor.search import At

Array = NDArray[np.float64]
MANY = 10_000  # numbers of an array of the user's that is looked for as it was before the run


def known(probe: Probe, at: Taken, top: At, family: Family, moved: Moved) -> Known:
    """The quantities of a run as the user's code has them: its weights' way round, and columns."""
    one = at.one
    wide = len(one.x[0]) > 1
    found = {name: np.asarray(probe.parameters[p], float) for name, p in one.seen.paths.items()}
    axes: dict[str, int] = {}
    for name, value in _by_row(at, top, family):
        rows = value if wide else value[0]
        found[name] = rows.T if wide and one.seen.turned else rows
        if wide:
            axes[name] = 1 if one.seen.turned else 0
    for name, value in _gradients(at, top):
        found[name] = _held(at, name, value)
    for name, path in one.seen.paths.items():
        if np.any(moved[path]):
            found[f"{name}′"] = found[name] - moved[path]
    for name, value in (("X", probe.X), ("Y", probe.Y)):
        if value.dtype.kind == "f":
            found[name] = np.asarray(value, float)
    found |= dict(_stacked(at, wide))
    for name, value in _losses(at, family):
        found[name] = np.asarray(value)
    others = {f"({name} − {name}′)": moved[path] for name, path in one.seen.paths.items()}
    for path, value in probe.run.before.items():
        small = value.ndim and value.size <= MANY and value.dtype.kind == "f"
        if small and path not in probe.parameters and not np.any(np.isnan(value)):
            others[f"{path} of before"] = value
    return Known({name: v for name, v in found.items() if np.any(v)}, others, axes, zero="0")


def _by_row(at: Taken, top: At, family: Family) -> Iterator[tuple[str, Array]]:
    """What has a row for each sequence, step by step; h[0] is the state before the first."""
    one, W = at.one, at.one.weights
    b, c = (np.ravel(W.get(name, np.zeros(1))) for name in "bc")
    yield "h[0]", one.h[0]
    yield from ((f"x[{t}]", x) for t, x in enumerate(one.x, 1))
    first = one.steps - len(one.out)
    sums = np.split(top.z, len(one.out))
    raw = np.split(top.dA, len(one.out))
    for t in range(1, one.steps + 1):
        yield f"h[{t}]", one.h[t]
        yield f"Z[{t}]", one.Z[t - 1]
        yield f"(x[{t}]·Wx)", one.x[t - 1] @ W["Wx"]
        yield f"(h[{t - 1}]·Wh)", one.h[t - 1] @ W["Wh"]
        if "b" in W:
            yield f"(Z[{t}] − b)", one.Z[t - 1] - b
            yield f"(x[{t}]·Wx + b)", one.x[t - 1] @ W["Wx"] + b
            yield f"(h[{t - 1}]·Wh + b)", one.h[t - 1] @ W["Wh"] + b
        place = t - 1 - first
        if place >= 0:
            O, P = sums[place], one.out[place]
            yield f"O[{t}]", O
            if one.seen.output != "linear":
                yield f"P[{t}]", P
            if "c" in W:
                yield f"(O[{t}] − c)", O - c
            yield f"y[{t}]", one.y[place]
            yield from _exponentials(t, O)
            error = at.errors[t - 1]
            if error is not None:
                yield f"dO[{t}]", error
                yield f"dP[{t}]", raw[place]
                yield f"(dO[{t}]·Wyᵀ)", error @ W["Wy"].T
            if "entropy" in family.name:
                yield f"(y[{t}] ⊙ log P[{t}])", one.y[place] * np.log(np.abs(P) + 1e-300)
    for t in range(one.steps, 0, -1):
        yield f"dZ[{t}]", at.dz[t - 1]
        yield f"dh[{t}]", at.dh[t - 1]
        yield f"(dZ[{t}]·Whᵀ)", at.carry[t - 1]
        if one.seen.bend != "linear":
            yield f"{one.seen.bend}′(Z[{t}])", slope_of(one.seen.bend, one.h[t])
        if one.seen.bend == "tanh":
            yield f"h[{t}]²", one.h[t] ** 2


def _exponentials(t: int, O: Array) -> Iterator[tuple[str, Array]]:
    top = O.max(axis=1, keepdims=True)
    yield f"max O[{t}]", top
    yield f"(O[{t}] − max O[{t}])", O - top
    for name, value in ((f"exp(O[{t}] − max O[{t}])", O - top), (f"exp(O[{t}])", O)):
        made = np.exp(np.minimum(value, 700))
        yield name, made
        yield f"Σ {name}", made.sum(axis=1, keepdims=True)


def _gradients(at: Taken, top: At) -> Iterator[tuple[str, Array]]:
    """Gradients, what each step adds to them, and the sums so far, from both ends."""
    one = at.one
    into = np.split(top.into, len(one.out))
    errors = [error for error in at.errors if error is not None]
    first = one.steps - len(errors)
    each = {name: row.terms(at) for name, row in RIGHT.items() if name in one.weights}
    each["Wy"] = [h.T @ error for h, error in zip(into, errors, strict=True)]
    if "c" in one.weights:
        each["c"] = [error.sum(axis=0) for error in errors]
    for name, terms in each.items():
        begun = first if name in ("Wy", "c") else 0
        yield f"d{name}", np.sum(terms, axis=0)
        for place, term in enumerate(terms if len(terms) > 1 else []):
            yield f"d{name} at [{begun + place + 1}]", term
        for place in range(len(terms) if len(terms) > 1 else 0):
            yield f"d{name} from [{begun + place + 1}] on", np.sum(terms[place:], axis=0)
            yield f"d{name} up to [{begun + place + 1}]", np.sum(terms[: place + 1], axis=0)


def _held(at: Taken, name: str, value: Array) -> Array:
    """A gradient as the user holds its weight."""
    tensor = name.split()[0].removeprefix("d")
    held = dict(at.one.seen.arrays)[tensor]
    return value.T if held.turned and value.ndim == 2 else value


def _stacked(at: Taken, wide: bool) -> Iterator[tuple[str, Array]]:
    """All steps in one array, filled step by step or whole."""
    one = at.one

    def held(each: Sequence[Array]) -> Array:
        if not wide:
            return np.array([row[0] for row in each])
        return np.array([row.T if one.seen.turned else row for row in each])

    rows: dict[str, Sequence[Array]] = {"h": one.h[1:], "x": one.x, "Z": one.Z}
    rows |= {"P": one.out, "y": one.y, "dO": [e for e in at.errors if e is not None]}
    for name, each in rows.items():
        if len(each) < 2:
            continue
        made = held(each)
        start = held(one.h[:1])
        yield name, made
        for count in range(1, len(made) + 1):
            part = made.copy()
            part[count:] = 0
            told = name if count == len(made) else f"{name}[1]…[{count}]"
            yield told, part
            if name == "h":  # with the state before the first step at either end
                yield f"{told} with h[0]", np.concatenate([start, part])
                yield f"{told} and h[0]", np.concatenate([part, start])


def _losses(at: Taken, family: Family) -> Iterator[tuple[str, Array]]:
    """The loss of each step, and of the steps so far."""
    one = at.one
    begun = one.steps - len(one.out) + 1
    losses: list[float] = []
    for out, y in zip(one.out, one.y, strict=True):
        n, m = out.shape
        member = next(
            t for title, t in family.members if "mean" not in title and "aver" not in title
        )
        losses.append(member(n, m) * family.value(out, y))
    yield "L", np.asarray(sum(losses))
    for place, value in enumerate(losses, begun):
        yield f"L[{place}]", np.asarray(value)
        yield f"L up to [{place}]", np.asarray(sum(losses[: place - begun + 1]))
