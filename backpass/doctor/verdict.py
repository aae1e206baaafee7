"""From an explanation of the updates to what is said about it: per tensor and for the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.activations import meant
from backpass.doctor.bank import crossed
from backpass.doctor.evidence import Shown, penalised
from backpass.doctor.probe import Probe
from backpass.doctor.report import Finding, Tensor, Verdict
from backpass.doctor.scales import Scales, known_factors, same
from backpass.doctor.search import Story
from backpass.doctor.search import Tensor as Key
from backpass.doctor.structure import aliased, forward_findings, grown

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """All that is known when the verdict is made."""

    probes: Sequence[Probe]
    story: Story
    scales: Scales
    shown: Sequence[Shown]
    paths: Mapping[Key, str]
    gradients: bool = False  # what was seen are gradients, not updates


@dataclass(frozen=True)
class Judged:
    """The verdict, with a sentence about the loss."""

    verdict: Verdict
    tensors: tuple[Tensor, ...]
    findings: tuple[Finding, ...]
    loss: str
    notes: tuple[str, ...]


def judge(case: Case, accuser: Accuser) -> Judged:
    """What is to be said of an explanation."""
    whole = all(fit is not None for fit in case.story.fits.values())
    seen = forward_findings(case.story.at[0].run, case.paths, accuser) if whole else []
    falls = any(one.bug == 53 for one in seen)  # its sign goes into every gradient below
    scaled = list(_scaled(_unsigned(case) if falls else case, accuser))
    bugs = _joined([*seen, *_slipped(case, accuser), *scaled])
    penalty, notes = _decay(case, accuser)
    bugs += penalty
    verdict, remarks, loss = _of_loss(case, accuser)
    tensors = tuple(_tensors(case, verdict, [*bugs]))
    if any(one.accuses for one in bugs):
        verdict = "bug"
    elif any(fit is None for fit in case.story.fits.values()):
        verdict = "unknown"
    return Judged(verdict, tensors, (*bugs, *remarks), loss, tuple(notes))


# ── tensors ──────────────────────────────────────────────────────────────────────────────────


def _tensors(case: Case, whole: Verdict, bugs: Sequence[Finding]) -> Iterator[Tensor]:
    """A mistake on the way down is in every gradient below it."""
    accused = {path for one in bugs if one.accuses for path in one.tensors}
    deepest = max((slip.layer for slip in case.story.slips), default=0)
    for (letter, layer), path in case.paths.items():
        fit = case.story.fits.get((letter, layer))
        if fit is None:
            verdict: Verdict = "unknown"
        elif path in accused or layer <= deepest:
            verdict = "bug"
        else:
            verdict = whole
        scale = None
        if fit is not None and fit.slip is None and layer > deepest:
            wanted = (case.scales.rate or 1.0) * case.scales.times
            scale = fit.scale / wanted if case.scales.rate is not None else None
        shape = case.probes[0].parameters[path].shape
        yield Tensor(f"{letter}{layer}", path, shape, verdict, scale, case.scales.rate)


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────


def _slipped(case: Case, accuser: Accuser) -> Iterator[Finding]:
    for slip in case.story.slips:
        finding = accuser.slip(
            slip, [path for (_, l), path in case.paths.items() if l == slip.layer]
        )
        yield aliased(finding, slip, case.story.at[0].run, accuser)
    for key, fit in case.story.fits.items():
        if case.paths[key] in case.probes[0].fixed:
            continue  # one number for several units, which is given and not learnt
        if fit is not None and fit.slip is not None:
            for slip in (fit.slip, *fit.more):
                yield grown(accuser.slip(slip, [case.paths[key]]), accuser)


def _joined(findings: list[Finding]) -> list[Finding]:
    """One mistake in several tensors, on one line or of one kind, is one finding."""
    kept: list[Finding] = []
    for one in findings:
        for place, other in enumerate(kept):
            if (one.bug, one.name) == (other.bug, other.name) and (
                one.line == other.line or one.bug in (36, 37, 44, 54)
            ):
                tensors = tuple(dict.fromkeys((*other.tensors, *one.tensors)))
                also = tuple(dict.fromkeys((*other.also, *one.also)))
                kept[place] = replace(other, tensors=tensors, also=also)
                break
        else:
            kept.append(one)
    return kept


def _unsigned(case: Case) -> Case:
    """The case with all scales positive."""
    found = {key: abs(ratio) for key, ratio in case.scales.apart.items() if not same(abs(ratio), 1)}
    scales = replace(case.scales, common=abs(case.scales.common), apart=found)
    return replace(case, scales=scales)


def _scaled(case: Case, accuser: Accuser) -> Iterator[Finding]:
    """Mistakes that are factors: signs, and what differs from tensor to tensor."""
    scales, run = case.scales, case.story.at[0].run
    everything = list(case.paths.values())
    if scales.common < 0:
        yield accuser.factor(
            1, "the sign is flipped everywhere", everything, run.depth, "sign",
            "every update goes up the slope of the loss, not down",
            "subtract rate × gradient, or turn the error round: outputs − targets",
        )  # fmt: skip
    apart = dict(scales.apart)
    flipped = [key for key, ratio in apart.items() if same(ratio, -1)]
    for key in flipped:
        del apart[key]
        yield accuser.factor(
            2, "the sign is flipped in one tensor", [case.paths[key]], key[1], key[0],
            f"the update of {case.paths[key]} goes up the slope of the loss, "
            "the others go down", "the other sign",
        )  # fmt: skip
    if not apart:
        return
    n = run.samples
    biases = {key: ratio for key, ratio in apart.items() if key[0] == "b"}
    averaged = [same(r, n) or same(r, 1 / n) for r in biases.values()]
    if n > 1 and len(biases) == len(apart) and all(averaged):
        ratio = next(iter(biases.values()))
        yield accuser.factor(
            9, "b is averaged and W summed" if ratio < 1 else "b is summed and W averaged",
            [case.paths[key] for key in biases], max(k[1] for k in biases), "b",
            f"{'these updates are' if len(biases) > 1 else 'this update is'} "
            f"{_factor(ratio, n)} times what belongs to the updates of the weights",
            "both summed over the samples, or both averaged", ratio=ratio,
        )  # fmt: skip
        return
    by_depth = all(same(ratio, n ** -float(run.depth - key[1])) for key, ratio in apart.items())
    lower = {key for key in case.paths if key[1] < run.depth}
    if n > 1 and by_depth and set(apart) == lower:
        layer = max(key[1] for key in apart)
        yield accuser.factor(
            7, "divided by N at every layer", [case.paths[key] for key in apart], layer, "delta",
            f"each layer divides by N = {n} again on the way down",
            "divide by N once, at the outputs or in each gradient", ratio=1 / n,
        )  # fmt: skip
        return
    while apart:
        layer = max(key[1] for key in apart)
        ratio = next(ratio for key, ratio in apart.items() if key[1] == layer)
        alike = [key for key, other in apart.items() if same(other, ratio)]
        here = {key for key in case.paths if key[1] == layer}
        whole = here <= set(alike) and (len(here) > 1 or len(alike) > len(here))
        for key in alike:
            del apart[key]
        yield accuser.factor(
            4, "a local constant", [case.paths[key] for key in alike], layer,
            "delta" if whole else alike[0][0],
            f"{'these updates are' if len(alike) > 1 else 'this update is'} "
            f"{_factor(ratio, n)} times what belongs to the others",
            f"without the factor {_factor(ratio, n)}", ratio=ratio,
        )  # fmt: skip


def _rounded(ratio: float) -> float:
    return float(f"{ratio:.5g}")


def _factor(ratio: float, n: int) -> str:
    for value, _, name in known_factors((n, 1)):
        if same(abs(ratio), value) and value != 1:
            return name if ratio > 0 else f"−{name}"
    return f"{ratio:.5g}"


def _decay(case: Case, accuser: Accuser) -> tuple[list[Finding], list[str]]:
    """Weight decay is no mistake unless the loss that is shown has another penalty."""
    decayed = {
        key: fit.decay for key, fit in case.story.fits.items() if fit is not None and fit.decay
    }
    if not decayed:
        return [], []
    key, decay = next(iter(decayed.items()))
    rate = case.scales.rate or 1.0
    note = (
        f"Each update also takes {decay:.4g} of the weight itself away: weight decay, the gradient "
        f"of ½·{decay / rate:.4g}·Σ W² at the rate {rate:.4g}."
    )
    passes = [at.run for at in case.story.at]
    found = penalised(case.probes, passes, case.story.family, abs(decay) / rate)
    for one in found:
        wanted = 2 * one.decay * case.scales.rate if case.scales.rate else None
        if wanted is not None and same(one.times, case.scales.times) and not same(decay, wanted):
            bug = accuser.factor(
                52, "the factor of the L2 gradient", [case.paths[k] for k in decayed], key[1],
                key[0], f"the loss adds {one.decay:.4g}·Σ W², whose gradient is "
                f"{2 * one.decay:.4g}·W; the update has {decay / rate:.4g}·W",
                f"{2 * one.decay:.4g}·W",
            )  # fmt: skip
            return [bug], []
    if decay < 0:
        note = "Each update also adds a part of the weight itself: weights grow, not decay."
    return [], [note]


# ── the loss ─────────────────────────────────────────────────────────────────────────────────


def _of_loss(case: Case, accuser: Accuser) -> tuple[Verdict, list[Finding], str]:
    scales, family = case.scales, case.story.family
    shown = [one for one in case.shown if one.family is family]
    rate = (
        f"at the rate {scales.rate:.6g}" + (f" ({scales.rate_name})" if scales.rate_name else "")
        if scales.rate is not None
        else "at a rate that no number of the code tells, so that its scale is left open"
    )
    everything = list(case.paths.values())
    does = f"The updates descend {scales.title}, {rate}"
    if case.gradients:
        does = f"The gradients are those of {scales.title}"
    if case.shown and not shown:
        named = case.shown[0]
        remark = accuser.remark(
            crossed(family.name, named.family.name), "the gradient belongs to another loss",
            everything, None,
            f"the code computes {named.title}, and its updates are the gradient of "
            f"{scales.title}", f"they would agree with {family.name} as the loss",
        )  # fmt: skip
        return (
            "correct for another loss",
            [remark],
            f"{does}; the code shows {named.title}.",
        )
    loss = f"{does}."
    activation = meant(case.story.layer(case.story.at[0].run.depth)[0].f)
    own = activation in family.fits and "entropy" in family.name
    if case.shown:
        loss += " That is the loss which the code shows."
        if not same(scales.factor, 1):
            return _off(case, accuser, loss)
        return "correct", [], loss
    loss += " The code shows no loss."
    if family.name == "squared error" and scales.title != family.members[0][0]:
        n, m = case.story.at[0].run.y.shape
        factor = scales.times * scales.factor / family.members[0][1](n, m)
        if scales.rate is not None:
            return _off(case, accuser, loss, factor=factor)
    elif not same(scales.factor, 1):
        return _off(case, accuser, loss)
    if (own and activation != "sigmoid") or family.name == "squared error":
        return "correct", [], loss
    remark = accuser.remark(
        10 if "entropy" in family.name else 12, "the gradient belongs to another loss", everything,
        None, f"this is the gradient of {scales.title}; if ½Σ(a − y)² was meant, σ′ of the outputs "
        "is missing", "nothing, if that loss is meant",
    )  # fmt: skip
    return "correct for another loss", [remark], loss


def _off(
    case: Case, accuser: Accuser, loss: str, factor: float | None = None
) -> tuple[Verdict, list[Finding], str]:
    """The gradient of the loss but for one factor."""
    factor = case.scales.factor if factor is None else factor
    size = case.story.at[0].run.y.shape
    bug, name = next(
        ((bug, name) for value, bug, name in known_factors((size[0], size[1]))
         if same(factor, value) and value != 1), (None, f"{factor:.5g}")
    )  # fmt: skip
    wanted = case.scales.title if case.shown else case.story.family.members[0][0]
    penalty = any(fit is not None and fit.decay for fit in case.story.fits.values())
    harm = (
        "That is not harmless here: weight decay is not multiplied by it."
        if penalty
        else "That is harmless: a learning rate that is as much smaller makes up for it."
    )
    remark = accuser.remark(
        bug, f"a factor {name}", list(case.paths.values()), None,
        f"all updates are {name} times the gradient of {wanted}. {harm}",
        f"divide the gradient by {name}, or leave it and know the loss that is descended",
    )  # fmt: skip
    return "correct up to a scale", [remark], loss
