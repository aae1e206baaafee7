"""A recurrent network read back to its author: every line, with the steps of its loops folded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backpass.doctor.annotation import Annotation, annotation
from backpass.doctor.rates import rates
from backpass.doctor.readings import Reading, confirmed, read, scales_of
from backpass.doctor.recurrent.best import Explained, rightly
from backpass.doctor.recurrent.dense import losses, outputs
from backpass.doctor.recurrent.explained import Account
from backpass.doctor.recurrent.judge import network
from backpass.doctor.recurrent.looks import Look
from backpass.doctor.recurrent.named import known
from backpass.doctor.recurrent.through_time import taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.right import top

EXACT = 1e-6
FEW = 3  # steps that are all named; of more, the first two and the last
_STEP = re.compile(r"(?<!\])\[(\d+)\]")
_ENTRY = re.compile(r"(?<=\])\[[\d,:n]+\]")


def read_through_time(found: Sequence[Look]) -> Annotation:
    """The listing of a recurrent network that was seen."""
    best = rightly(found)
    look, moved = best.look, best.moved
    story = best.account.story
    family = next(one for one in losses(look.runs[0]) if one.base == story.family.base)
    probes = look.way.probes
    title, times, rate = _member(best)
    readings: list[dict[int, list[Reading]]] = []
    factor = best.account.scales[0] if best.account.cost == 0 else None
    scales = scales_of(probes[0], None if factor is None else factor / times)
    for probe, one, own in zip(probes, look.runs, moved, strict=True):
        at = top(outputs(one, own), family, times)
        at = at.with_delta(at.through())
        back = taken(one, np.split(at.dZ, len(one.out)), Way())
        readings.append(read(probe, own, known(probe, back, at, family, own), scales))
    said = confirmed(readings[0], readings[1], [one.run for one in probes])
    folded = {place: list(_folded(kept)) for place, kept in said.items()}
    summary = [network(look.seen, look.runs[0]), _names(best), _trained(best, title, rate, times)]
    if best.rule is not None:
        summary.append(best.rule.says)
    return annotation(probes[0].run, _words(best.account), folded, summary)


def _member(best: Explained) -> tuple[str, float, float | None]:
    """The loss whose gradient the updates are a held number times, and that number."""
    one, account = best.look.runs[0], best.account
    family = next(f for f in losses(one) if f.base == account.story.family.base)
    n, m = sum(map(len, one.out)), one.out[0].shape[1]
    members = [(title, float(times(n, m))) for title, times in family.members]
    summed = [own for own in members if "mean" not in own[0] and "aver" not in own[0]]
    if account.cost:
        return *summed[0], None
    numbers = rates([probe.run for probe in best.look.way.probes], best.moved[0])
    near = [rate for own in numbers.near.values() for rate in own]
    held = [1.0] if best.look.way.gradients else list(dict.fromkeys((*near, *numbers.far)))
    for title, times in (*summed, *members):
        for rate in held:
            if abs(rate * times - account.scales[0]) <= EXACT * abs(account.scales[0]):
                return title, times, rate
    return *summed[0], None


def _names(best: Explained) -> str:
    names = [f"{name} is {path}" for name, path in best.seen.paths.items() if name != path]
    steps = best.look.runs[0].steps
    told = f"{', '.join(names)}. " if names else ""
    return (
        f"{told}h[0] is the state before the first step and h[{steps}] that after the last; Z[t] "
        "are the sums that the state of step t is made of, and O[t] those of its outputs. The "
        "sums of every step stood among the numbers of the run, on two sets of random ones."
    )


def _trained(best: Explained, title: str, rate: float | None, times: float) -> str:
    if best.account.cost:
        return (
            "Its updates are no multiple of the gradient through time of any loss known here; the "
            f"names below are those of {title}."
        )
    if best.look.way.gradients:
        scale = best.account.scales[0] / times
        factor = "" if np.isclose(scale, 1) else f"{scale:.4g} times "
        return f"Its gradients through time are {factor}those of {title}, exactly."
    if rate is not None:
        return f"It descends {title}, through time, at the rate {rate:g}, exactly."
    return f"It descends {title}, through time, at a rate that no number of the code tells."


def _words(one: Account) -> dict[str, str]:
    """Why each quantity of the way back is what it is."""
    every = one.at[0].one.seen.every
    own = "the error of its own output through Wyᵀ, and " if every else ""
    into = "a weight that is used at every step has a gradient from each, added up"
    return {
        "dO[t]": "∂L/∂O: the error at the outputs of step t",
        "dh[t]": f"{own}what step t + 1 hands back through Whᵀ",
        "dZ[t]": "dh[t] times the slope of its own step, f′(Z[t])",
        "(dZ[t]·Whᵀ)": "what goes on to the step before, whose state went in through Wh",
        "dWx at [t]": f"x[t] with dZ[t]; {into}",
        "dWh at [t]": f"h[t−1], the state that went in, with dZ[t]; {into}",
        "dWy at [t]": f"h[t] with dO[t]; {into}",
        "db at [t]": "the bias went into each step",
        "dc at [t]": "the bias went into each output",
    }


# ── steps ────────────────────────────────────────────────────────────────────────────────────


def _folded(kept: Sequence[Reading]) -> Iterator[Reading]:
    """Readings that differ by their step alone become one: h[1], h[2] … h[6].

    What may be called by several names is called as the others are.
    """
    usual = Counter(stem for one in kept for stem in {_stem(own) for own in (one, *one.also)})
    chosen = [max((one, *one.also), key=lambda own: usual[_stem(own)]) for one in kept]
    groups: dict[str, list[Reading]] = {}
    for reading in chosen:
        groups.setdefault(_stem(reading), []).append(reading)
    for group in groups.values():
        first = replace(group[0], quantity=_STEP.sub("[t]", group[0].quantity), also=())
        formulas = [one.formula for one in group]
        if len(group) > FEW:
            formulas = [_ENTRY.sub("[…]", text) for text in formulas]
            formulas = [f"{formulas[0]}, {formulas[1]} … {formulas[-1]}"]
        elif not group[0].quantity:  # the user's own expression, said once for all steps
            formulas = [_any_step(text) for text in formulas]
        for text in formulas:
            yield replace(first, formula=text)


def _stem(reading: Reading) -> str:
    """The formula without its steps and its places."""
    return _STEP.sub("[t]", _ENTRY.sub("[…]", reading.formula))


def _any_step(text: str) -> str:
    """A formula with t for the first step in it, and the others counted from that."""
    numbers = [int(one) for one in _STEP.findall(text)]

    def told(one: re.Match[str]) -> str:
        by = int(one[1]) - numbers[0]
        return f"[t{f' + {by}' if by > 0 else f' − {-by}' if by else ''}]"

    return _STEP.sub(told, text)
