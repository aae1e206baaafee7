"""From an explanation of the updates to what is said about it: per tensor and for the whole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.case import Case
from backpass.doctor.descended import held, of_loss, partly
from backpass.doctor.evidence import Shown
from backpass.doctor.report import Finding, Tensor, Verdict
from backpass.doctor.scales import known_factors, same
from backpass.doctor.search import Slip
from backpass.doctor.some_loss import is_of_some_loss
from backpass.doctor.stale import Stale
from backpass.doctor.structure import aliased, forward_findings, grown, without_bias

Array = NDArray[np.float64]


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
    bugs = _untrained(_joined([*seen, *_slipped(case, accuser), *scaled]), case)
    penalty, notes = _decay(case, accuser)
    bugs += penalty
    verdict, remarks, loss = of_loss(case, accuser)
    if (open_ := _open(case)) is not None:
        verdict, remarks, loss = _unnamed(case, open_, accuser)
    accused = any(one.accuses for one in bugs)
    if accused and not case.shown and verdict == "correct for another loss":
        verdict, remarks = "correct", []  # what was meant can be asked when the rest is right
    tensors = tuple(_tensors(case, verdict, [*bugs]))
    if accused:
        verdict, loss = "bug", held(case)
    elif case.unexplained:
        verdict, loss, remarks = "unknown", partly(case), []
    remarks = [*remarks, *without_bias(case, accuser)]
    return Judged(verdict, tensors, (*bugs, *remarks), loss, tuple(notes))


def out_of_date(judged: Judged, stale: Stale, case: Case, accuser: Accuser) -> Judged:
    """The verdict on gradients that belong to other weights than those that take the step."""
    used, path, everything = stale.place.text, stale.path, list(case.paths.values())
    says = f"the outputs, and with them all gradients, are made with {used} in the place of {path}"
    if stale.kind == "made":  # on purpose, it may be: rounded weights are trained so
        remark = accuser.remark(
            51, "the forward pass uses other weights", everything, stale.place,
            f"{says}; the gradients are right for the former, and the latter takes the step",
            f"If that is meant, change nothing; if not, multiply with {path} itself.",
        )  # fmt: skip
        verdict = judged.verdict if judged.verdict == "bug" else "unknown"
        return replace(judged, verdict=verdict, findings=(*judged.findings, remark))
    found = accuser.found(
        51, "the forward pass uses other weights", everything, stale.place,
        f"{says}, which takes the step", f"{path} itself, as it is when the step is taken",
    )  # fmt: skip
    tensors = tuple(replace(one, verdict="bug", scale=None) for one in judged.tensors)
    findings = (found, *judged.findings)
    return replace(judged, verdict="bug", tensors=tensors, findings=findings, loss=held(case))


# ── tensors ──────────────────────────────────────────────────────────────────────────────────


def _tensors(case: Case, whole: Verdict, bugs: Sequence[Finding]) -> Iterator[Tensor]:
    """A mistake on the way down is in every gradient below it."""
    accused = {path for one in bugs if one.accuses for path in one.tensors}
    unproven = _open(case)
    deepest = max((slip.layer for slip in case.story.slips if slip is not unproven), default=0)
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


def _open(case: Case) -> Slip | None:
    """An error at the outputs without a name, where no loss is shown that it is wrong for."""
    top = case.story.at[0].run.depth
    for slip in case.story.slips:
        unlisted = all(one.bug is None for one in (slip.mistake, *slip.also))
        if slip.layer == top and slip.stage == "slope" and unlisted and not case.shown:
            return slip
    return None


def _unnamed(case: Case, slip: Slip, accuser: Accuser) -> tuple[Verdict, list[Finding], str]:
    """The verdict on such an error, which may be the gradient of a loss that nobody has named."""
    at, title = case.story.layer(slip.layer)[0], case.scales.title
    found = accuser.slip(slip, list(case.paths.values()))
    held = f"Held to the gradient of {title}, {found.explanation}"
    fix = f"For {title} it should be {found.fix}"
    if is_of_some_loss(at, slip.mistake, case.story.family):
        loss = "The updates descend a loss that is not known here, and that the code does not show."
        says = "The error at the outputs depends on outputs and targets as the gradient of a loss"
        remark = replace(
            found, bug=12, name="which loss is meant?", explanation=f"{says} does. {held}",
            fix=f"If that loss is what you mean, change nothing. {fix}.", accuses=False,
        )  # fmt: skip
        return "correct for another loss", [remark], loss
    loss = "The updates are the gradient of no loss that is known here, and the code shows none."
    remark = replace(
        found, bug=None, name="no loss tells what is meant", explanation=held,
        fix=f"{fix}. As the code shows no loss, this is not proven.", accuses=False,
    )  # fmt: skip
    return "unknown", [remark], loss


def _slipped(case: Case, accuser: Accuser) -> Iterator[Finding]:
    for slip in case.story.slips:
        if slip is _open(case):
            continue
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
                one.line == other.line
                or one.bug in (36, 37, 44, 54)
                or (one.bug == 59 and one.explanation == other.explanation)
            ):
                tensors = tuple(dict.fromkeys((*other.tensors, *one.tensors)))
                also = tuple(dict.fromkeys((*other.also, *one.also)))
                kept[place] = replace(other, tensors=tensors, also=also)
                break
        else:
            kept.append(one)
    return kept


def _untrained(findings: list[Finding], case: Case) -> list[Finding]:
    """Layers that are not trained at all are one finding, and say which they are."""
    layers = {path: layer for (_, layer), path in case.paths.items()}
    found: list[Finding] = []
    frozen = next((one for one in findings if one.bug == 36), None)
    whole = {layers[path] for path in frozen.tensors} if frozen is not None else set[int]()
    for one in findings:
        rest = one.tensors
        if one.bug == 37 and frozen is not None:
            rest = tuple(path for path in rest if layers[path] not in whole)
        if one is frozen:
            own = {path for other in findings if other.bug in (36, 37) for path in other.tensors}
            rest = tuple(path for path, layer in layers.items() if path in own and layer in whole)
        if one.bug in (36, 37) and len(rest) > 1:
            one = replace(
                one,
                tensor=rest[0],
                tensors=rest,
                explanation=f"{', '.join(rest)} are never updated.",
                fix="from each, subtract rate × its gradient",
            )
        if rest:
            found.append(replace(one, tensors=rest))
    return found


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
            "the others go down", "the opposite sign", apart=scales.apart,
        )  # fmt: skip
    if not apart:
        return
    n = run.samples
    biases = {key: ratio for key, ratio in apart.items() if key[0] == "b"}
    averaged = [same(r, n) or same(r, 1 / n) for r in biases.values()]
    if n > 1 and len(biases) == len(apart) and all(averaged):
        ratio = next(iter(biases.values()))
        yield accuser.factor(
            9, "b and W are not averaged alike",
            [case.paths[key] for key in biases], max(k[1] for k in biases), "b",
            f"{'these updates are' if len(biases) > 1 else 'this update is'} "
            f"{_factor(ratio, n)} times what belongs to the updates of the weights",
            "both summed over the samples, or both averaged", ratio=ratio, apart=scales.apart,
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
    known = 1.0
    while apart:
        layer = max(key[1] for key in apart)
        ratio = next(ratio for key, ratio in apart.items() if key[1] == layer)
        alike = [key for key, other in apart.items() if same(other, ratio)]
        here = {key for key in case.paths if key[1] == layer}
        whole = here <= set(alike) and (len(here) > 1 or len(alike) > len(here))
        for key in alike:
            del apart[key]
        masked = max((l for l in range(layer) if run.mask(l) is not None), default=0)
        down = {key for key in case.paths if masked < key[1] <= layer}
        unscaled = _unscaled(case, layer, ratio / known) if down <= set(alike) else None
        if unscaled is not None:
            known = ratio
            yield accuser.factor(
                59, "dropout scales one pass only", [case.paths[key] for key in alike], layer,
                "delta", unscaled, "the same mask in both passes, with its factor or without",
                ratio=ratio,
            )  # fmt: skip
            continue
        yield accuser.factor(
            4, "a local constant", [case.paths[key] for key in alike], layer,
            "delta" if whole else alike[0][0],
            f"{'these updates are' if len(alike) > 1 else 'this update is'} "
            f"{_factor(ratio, n)} times what belongs to the others",
            f"without the factor {_factor(ratio, n)}", ratio=ratio, apart=scales.apart,
        )  # fmt: skip


def _unscaled(case: Case, layer: int, ratio: float) -> str | None:
    """What is wrong where a factor of a layer and all below is that of its dropout mask."""
    mask = case.story.at[0].run.mask(layer)
    if mask is None:
        return None
    kept = float(mask.max())
    if not same(kept, 1):
        if same(ratio, 1 / kept):
            return f"the forward pass multiplies what it keeps by {kept:.4g}, the backward pass not"
        if same(ratio, kept):
            return f"the backward pass multiplies by {kept:.4g} twice, the forward pass once"
        return None
    numbers = {float(e.value) for e in case.probes[0].run.events if not e.value.ndim}
    if any(0 < one < 1 and (same(ratio, 1 / one) or same(ratio, one)) for one in numbers):
        return f"the backward pass multiplies what it keeps by {ratio:.4g}, the forward pass not"
    return None


def _factor(ratio: float, n: int) -> str:
    for value, _, name in known_factors((n, 1)):
        if same(abs(ratio), value) and value != 1:
            return name if ratio > 0 else f"−{name}"
    return f"{ratio:.5g}"


def _decay(case: Case, accuser: Accuser) -> tuple[list[Finding], list[str]]:
    """Weight decay is no mistake unless the loss that is shown has another penalty."""
    fits = {key: fit for key, fit in case.story.fits.items() if fit is not None}
    penalty = next((one for one in case.own if one.decay), None)
    if penalty is not None:
        return list(_unlike(case, accuser, penalty)), []
    decayed = [fit for fit in fits.values() if fit.decay]
    if not decayed:
        return [], []
    decay, rate = decayed[0].decay, case.scales.rate
    if decay < 0:
        return [], ["Each update also adds a part of the weight itself: weights grow, not decay."]
    strength = "" if rate is None else f" with λ = {decay / rate:.4g}"
    return [], [
        f"Each update also takes {decay:.4g} of the weight itself away"
        f"{', but for the biases in it' if decayed[0].bare else ''}. That is weight decay, the "
        f"gradient of a penalty ½λ·Σ W²{strength}, which no loss of the code shows."
    ]


def _unlike(case: Case, accuser: Accuser, penalty: Shown) -> Iterator[Finding]:
    """Weights whose decay is not the gradient of the penalty in the loss."""
    layers = case.story.at[0].run.layers
    for key, fit in case.story.fits.items():
        if fit is None or fit.slip is not None or key[0] != "W":
            continue
        wanted = 2 * penalty.decay * fit.scale / penalty.times
        strengths = [wanted]
        if case.scales.rate is not None:  # right beside a gradient with a wrong factor
            strengths.append(2 * penalty.decay * case.scales.rate)
        is_as_strong = any(math.isclose(fit.decay, one, rel_tol=1e-4) for one in strengths)
        if is_as_strong and (fit.bare == penalty.bare or layers[key[1] - 1].ones is None):
            continue
        path, slope = case.paths[key], 2 * penalty.decay
        has = f"has {slope * fit.decay / wanted:.4g}·{path}" if fit.decay else "has no such part"
        if fit.decay and fit.bare != penalty.bare:
            has += f", {_OF_BIASES[fit.bare]}"
        yield accuser.penalty(
            key, "the gradient of the penalty", f"the loss adds {penalty.decay:.4g}·Σ W²"
            f"{_BARE if penalty.bare else ''}, whose gradient is {slope:.4g}·{path}; "
            f"the update {has}",
            f"the gradient with + {slope:.4g} * {path}"
            f"{', and without that for the biases in it' if penalty.bare else ''}",
        )  # fmt: skip


_BARE = " of all weights but the biases among them"
_OF_BIASES = {True: "without that of its biases", False: "that of its biases too"}
