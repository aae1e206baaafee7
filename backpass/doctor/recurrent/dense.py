"""The parts of an unrolled network as dense layers, whose mistakes are in the tables already.

The outputs are a layer over states, and each step is one over its inputs and over the state before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.bank import Family, Times, families
from backpass.doctor.infer import Seen
from backpass.doctor.layers import Layer
from backpass.doctor.mistake import At
from backpass.doctor.passes import Pass
from backpass.doctor.recurrent.seen import Recurrent, Unrolled

Array = NDArray[np.float64]
Moved = Mapping[str, Array]


def laid(seen: Recurrent, name: str, step: Array) -> Array:
    """What moved a tensor, as its weight stands here: in×out, a bias in one line."""
    if name in ("b", "c"):
        return np.ravel(step)
    held = dict(seen.arrays)[name]
    matrix = np.atleast_2d(step)
    return matrix.T if held.turned else matrix


def head(seen: Recurrent, one: Unrolled) -> Seen:
    """The outputs as a network of one layer, whose samples are states."""
    return Seen(seen.turned, len(one.weights["Wy"]), (_layer(seen, "Wy"),), np.concatenate(one.out))


def outputs(one: Unrolled, moved: Moved) -> Pass:
    """The outputs as that layer, with a row for each step and sequence."""
    seen = one.seen
    into = np.concatenate(one.used)
    W, c = one.weights["Wy"], one.weights.get("c")
    Z = into @ W if c is None else into @ W + c.ravel()
    steps = {("W", 1): laid(seen, "Wy", moved[seen.paths["Wy"]])}
    if c is not None:
        steps["b", 1] = laid(seen, "c", moved[seen.paths["c"]])
    return Pass(
        (_layer(seen, "Wy"),), np.concatenate(one.y), (into, np.concatenate(one.out)), (into, Z),
        (into, into), (into, W), (None, None if c is None else c.ravel()), steps,
        masks=(None, None),
    )  # fmt: skip


def through(one: Unrolled, t: int, weight: str, up: Array, moved: Moved) -> At:
    """The state after step t, with ∂L/∂Z of what it went into: outputs, or the step after."""
    name, W = ("Wh", one.weights["Wh"]) if weight == "Wh" else ("Wy", one.weights["Wy"])
    step = moved.get(one.seen.paths[name])
    moving = {} if step is None else {("W", 2): laid(one.seen, name, step)}
    above = one.h[t + 2] if weight == "Wh" else one.out[t - one.steps + len(one.out)]
    Z = one.Z[t + 1] if weight == "Wh" else one.h[t + 1] @ W
    run = Pass(
        (_layer(one.seen, "Wx"), _layer(one.seen, name)), one.y[0], (one.x[t], one.h[t + 1], above),
        (one.x[t], one.Z[t], Z), (one.x[t], one.x[t], one.h[t + 1]),
        (one.x[t], one.weights["Wx"], W), (None, None, None), moving, masks=(None, None, None),
    )  # fmt: skip
    return At(run, 1, up, above=At(run, 2, up, carry=up, delta=up))


def at_step(one: Unrolled, t: int, dh: Array) -> At:
    """One step as a layer over its inputs, with what reaches its state."""
    run = Pass(
        (_layer(one.seen, "Wx"),), one.y[0], (one.x[t], one.h[t + 1]), (one.x[t], one.Z[t]),
        (one.x[t], one.x[t]), (one.x[t], one.weights["Wx"]), (None, None), {}, masks=(None, None),
    )  # fmt: skip
    return At(run, 1, dh, carry=dh)


def all_steps(one: Unrolled, name: str, dh: Sequence[Array], dz: Sequence[Array]) -> At:
    """All steps as one layer, over inputs or over the states before."""
    into = np.concatenate(one.h[:-1] if name == "Wh" else one.x)
    h, Z = np.concatenate(one.h[1:]), np.concatenate(one.Z)
    weight = "Wh" if name == "Wh" else "Wx"
    run = Pass(
        (_layer(one.seen, weight),), h, (into, h), (into, Z), (into, into),
        (into, one.weights[weight]), (None, one.weights.get("b", np.zeros(h.shape[1])).ravel()),
        {}, masks=(None, None),
    )  # fmt: skip
    back = np.concatenate(dh)
    return At(run, 1, back, carry=back, delta=np.concatenate(dz))


def losses(one: Unrolled) -> list[Family]:
    """The losses of such outputs; a mean may be over the steps alone, or the sequences."""
    steps, sequences = len(one.out), len(one.out[0])
    found: list[Family] = []
    for family in families(one.seen.output):
        whole = next(
            times for title, times in family.members if "mean" not in title and "aver" not in title
        )
        members = [
            (f"{family.name}, averaged over {what}", _times(whole, k / count))
            for what, count in (("steps", steps), ("sequences", sequences))
            if 1 < count < steps * sequences
            for k in (1, 2)
        ]
        found.append(replace(family, members=(*family.members, *members)))
    return found


def _times(whole: Times, factor: float) -> Times:
    return lambda n, m: factor * whole(n, m)


def _layer(seen: Recurrent, name: str) -> Layer:
    held = dict(seen.arrays)
    bias = {"Wx": "b", "Wy": "c"}.get(name)
    return Layer(
        held[name].path, held[name].turned, held[bias].path if bias in held else None, None,
        seen.output if name == "Wy" else seen.bend, 0,
    )  # fmt: skip
