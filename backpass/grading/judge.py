"""Arrays from a submission beside the key: verdicts and scores come from these numbers alone.

Which mistake it is, the doctor is asked: it looks for one that makes exactly these arrays.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.examine import explain
from backpass.doctor.patience import at_most
from backpass.doctor.report import Finding, Report, Verdict
from backpass.doctor.watched import Watched
from backpass.grading.calling import RATE, RETURNED, Answer
from backpass.grading.contract import spelled
from backpass.grading.graded import Graded, Hint, Tensor
from backpass.grading.key import Drawn, Key

Array = NDArray[Any]
SLACK = 1e-6
COARSE = 1e-4  # of answers in less than float64
SAME = 1e-4  # two scales that are one
LAYOUT = "the other layout"
PATIENCE = 3.0  # seconds of a processor until the name of a mistake is given up


@dataclass(frozen=True)
class _Held:
    """One tensor of a submission beside the key, over all probes."""

    name: str
    path: str
    shape: tuple[int, ...]
    given: tuple[int, ...]  # the shape that was handed in
    seen: list[Array]  # zeros where nothing that fits was
    scale: float | None
    turned: bool  # it fits when it is transposed

    @property
    def fits(self) -> bool:
        return plain(self.given) == plain(self.shape)


def judge(
    name: str, key: Key, drawn: Sequence[Drawn], answers: Sequence[Answer], losses: Array
) -> Graded:
    """What a submission is worth, from what it answered to every probe."""
    rate = _rate(key, answers[0])
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = [_held(key, place, drawn, answers, rate) for place in range(len(key.trained))]
        if rate is None:
            held, rate = _rated(held, key.contract.call is not None)
        graded = _judged(name, key, drawn, held, rate if answers[0].how != RETURNED else None)
    return replace(graded, notes=(*graded.notes, *_of_loss(drawn, losses)))


def _rate(key: Key, answer: Answer) -> float | None:
    """What the steps are divided by; None where nobody says it."""
    if answer.how == RETURNED:
        return 1.0
    return key.contract.rate or (RATE if answer.rated else None)


def _held(
    key: Key, place: int, drawn: Sequence[Drawn], answers: Sequence[Answer], rate: float | None
) -> _Held:
    number, wanted = key.trained[place], [one.gradients[place] for one in drawn]
    shape = wanted[0].shape
    seen, slack = list[Array](), SLACK
    given = answers[0].arrays[place].shape
    turned = _is_turned(given, shape)
    for one, answer in zip(drawn, answers, strict=True):
        array = answer.arrays[place]
        slack = max(slack, COARSE if array.dtype.itemsize < 8 and array.dtype.kind == "f" else 0)
        array = np.asarray(array, float)
        if turned and array.shape == given:
            array = array.T
        fits = plain(array.shape) == plain(shape)
        array = array.reshape(shape) if fits else np.zeros(shape)
        if answer.how != RETURNED and fits:
            before = one.arrays[number]
            array = (before - array) / (rate or 1.0)
            slack = max(slack, _rounded(before, array * (rate or 1.0)))
        seen.append(array)
    scale = _times(seen, wanted, slack)
    path = spelled(key.leaves[number][0])
    return _Held(key.names[place], path, shape, given, seen, scale, turned)


def _times(seen: Sequence[Array], wanted: Sequence[Array], slack: float) -> float | None:
    """What the ones are times the others, over all probes at once; None when they are not."""
    found = np.concatenate([one.ravel() for one in seen])
    right = np.concatenate([one.ravel() for one in wanted])
    size, length = float(np.linalg.norm(found)), float(np.linalg.norm(right))
    if size == 0 or length == 0:
        return 1.0 if size == length else None
    scale = float(found / size @ right / length) * size / length
    if abs(scale) * length < 0.5 * size:  # nothing of the one is in the other
        return None
    return scale if np.linalg.norm(found - scale * right) <= slack * size else None


def plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length 1: (1,5) is as good as (5,)."""
    return tuple(size for size in shape if size != 1)


def _is_turned(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return len(given) == 2 and given == shape[::-1] and plain(given) != plain(shape)


def _rounded(before: Array, step: Array) -> float:
    """What a subtraction has rounded away of a step, relative to it."""
    size = float(np.linalg.norm(step))
    return min(50 * np.finfo(float).eps * float(np.linalg.norm(before)) / size, 1e-3) if size else 0


def _rated(held: list[_Held], trains: bool) -> tuple[list[_Held], float]:
    """With no rate known, a scale that all tensors share is taken for it.

    That is so for what the reference calls to train: who was asked for gradients has a scale.
    """
    common = _common(held)
    if common is None or common <= 0 or not trains:
        return held, 1.0
    return [
        replace(one, seen=[array / common for array in one.seen], scale=1.0) for one in held
    ], common


def _common(held: Sequence[_Held]) -> float | None:
    """The scale that all tensors have, if it is one."""
    scales = [one.scale for one in held]
    first = scales[0]
    if first is None or any(one is None or not _same(one, first) for one in scales):
        return None
    return first


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME)


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────


def _judged(
    name: str, key: Key, drawn: Sequence[Drawn], held: list[_Held], rate: float | None
) -> Graded:
    common = _common(held)
    if common is not None and _same(common, 1) and all(one.fits for one in held):
        return _all_alike(name, held, "correct")
    if all(one.turned or (one.fits and len(plain(one.shape)) < 2) for one in held) and (
        common is not None and _same(common, 1)
    ):
        return _layout(name, held)
    report = _named(key, drawn, held, rate)
    hints = [*_shapes(held), *_added_up(held, drawn), *_hints(held, report)]
    said = () if report is None else report.tensors
    verdicts: dict[str, Verdict] = {one.path: one.verdict for one in said}
    tensors = tuple(
        Tensor(one.name, one.shape, _verdict(one, verdicts.get(one.path)), one.scale)
        for one in held
    )
    whole = _whole(tensors, hints, common, report)
    if whole in ("bug", "unknown"):  # what is true of all tensors is said where it is
        hints = [one for one in hints if one.accuses or one.name == LAYOUT]
    return Graded(name, tensors, tuple(hints), whole)


def _verdict(one: _Held, said: Verdict | None) -> Verdict:
    """The numbers say whether it is right; the doctor, what it is when it is not."""
    if not one.fits:
        return "bug"
    if one.scale is not None and _same(one.scale, 1) and not one.turned:
        return "correct"
    if said is not None and said not in ("correct", "unknown"):
        return said
    if one.scale is not None:
        return "bug" if one.scale < 0 else "correct up to a scale"
    return "bug" if not any(map(np.any, one.seen)) else "unknown"


def _whole(
    tensors: Sequence[Tensor], hints: Sequence[Hint], common: float | None, report: Report | None
) -> Verdict:
    if any(one.accuses for one in hints) or any(one.verdict == "bug" for one in tensors):
        return "bug"
    if any(one.verdict == "unknown" for one in tensors):
        return "unknown"
    if report is not None and report.verdict != "correct":
        return report.verdict
    return "correct up to a scale" if common is not None and common > 0 else "bug"


def _all_alike(name: str, held: Sequence[_Held], verdict: Verdict) -> Graded:
    tensors = tuple(Tensor(one.name, one.shape, verdict, one.scale) for one in held)
    return Graded(name, tensors, (), verdict)


def _layout(name: str, held: Sequence[_Held]) -> Graded:
    tensors = tuple(
        Tensor(one.name, one.shape, "correct in the other layout" if one.turned else "correct", 1.0)
        for one in held
    )
    return Graded(name, tensors, _shapes(held), "correct in the other layout")


# ── what is wrong ────────────────────────────────────────────────────────────────────────────


def _shapes(held: Sequence[_Held]) -> tuple[Hint, ...]:
    """Gradients that are missing, or have another shape than their variable."""
    found: list[Hint] = []
    for one in held:
        if one.fits:
            continue
        wanted, given = _shape(one.shape), _shape(one.given)
        if one.given == (0,):
            says = f"no gradient of {one.name} is handed in"
            found.append(Hint((one.name,), "a gradient is missing", says, f"an array of {wanted}"))
        elif one.turned and one.scale is not None:
            says = f"the gradient of {one.name} is {given}: it is transposed"
            fix = f"transpose it: {one.name} itself is {wanted}"
            found.append(Hint((one.name,), LAYOUT, says, fix, accuses=False))
        else:
            says = f"the gradient of {one.name} is {given}"
            fix = f"the shape of {one.name} itself, {wanted}"
            found.append(Hint((one.name,), "the shape is another", says, fix))
    return tuple(found)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


def _added_up(held: Sequence[_Held], drawn: Sequence[Drawn]) -> list[Hint]:
    """The first call right, and the second one the sum of both: 48 of the catalogue."""
    names: list[str] = []
    for place, one in enumerate(held):
        first, second = (each.gradients[place] for each in drawn[:2])
        if one.scale is None and all(
            _times([seen], [wanted], SLACK) is not None
            for seen, wanted in zip(one.seen[:2], (first, first + second), strict=True)
        ):
            names.append(one.name)
    if not names:
        return []
    return [
        Hint(
            tuple(names), "not zeroed between calls",
            "the second call adds to what the first one has left",
            "begin each call with gradients of 0", 48,
        )
    ]  # fmt: skip


def _named(
    key: Key, drawn: Sequence[Drawn], held: Sequence[_Held], rate: float | None
) -> Report | None:
    """What the doctor says of these gradients, or of these steps at a rate; None for nothing."""
    probes = tuple(one.made for one in drawn)
    moved = tuple(
        {one.path: one.seen[place] * (rate or 1.0) for one in held} for place in range(len(drawn))
    )
    way = Watched(probes, moved, gradients=rate is None)
    try:
        with at_most(PATIENCE):
            report = explain("submission", [way], rate)
    except Exception:  # a stranger's numbers: what they break there is theirs alone
        return None
    return report if report.network.startswith("A ") else None


def _hints(held: Sequence[_Held], report: Report | None) -> list[Hint]:
    """What the doctor found; and the factors that it did not speak of."""
    names = {one.path: one.name for one in held}
    wrong = {one.path for one in held if not one.fits}
    found = [
        _hint(one, names)
        for one in ([] if report is None else report.findings)
        if not wrong & {*(one.tensors or (one.tensor,))}
    ]
    told = {name for one in found for name in one.tensors}
    common = _common(held)
    factors = [
        Hint(
            (one.name,),
            f"a factor {one.scale:.4g}",
            f"this is {one.scale:.4g} times the gradient",
            f"without the factor {one.scale:.4g}",
            accuses=common is None or common < 0,
        )
        for one in held
        if one.fits and one.scale is not None and not _same(one.scale, 1) and one.name not in told
    ]
    return found + factors


def _hint(one: Finding, names: Mapping[str, str]) -> Hint:
    tensors = tuple(names.get(path, path) for path in one.tensors or (one.tensor,))
    return Hint(
        tensors, one.name, _told(one.explanation.removesuffix("."), names), _told(one.fix, names),
        one.bug, one.accuses,
    )  # fmt: skip


_WORDS = {
    "the code computes": "the loss is",
    "and its updates are the gradient of": "and these are the gradients of",
    "all updates are": "all gradients are",
    "these updates are": "these are",
    "this update is": "this is",
    "the update has": "this has",
    "the updates of the weights": "the gradients of the weights",
    "every update goes": "every step goes",
    "is never updated": "gets no gradient",
}


def _told(text: str, names: Mapping[str, str]) -> str:
    """The doctor's sentence, in the words of an assignment, whose loss is the reference's."""
    for path, name in sorted(names.items(), key=lambda one: -len(one[0])):
        text = text.replace(path, name)
    for words, ours in _WORDS.items():
        text = text.replace(words, ours)
    return re.sub(r"^(\S+) -= rate \* d\1, with ", "", text)


def _of_loss(drawn: Sequence[Drawn], losses: Array) -> tuple[str, ...]:
    """A loss of the submission's own is held to the reference's, and never counted."""
    if losses.shape != (len(drawn),):
        return ()
    wanted = np.array([one.value for one in drawn])
    scale = _times([np.asarray(losses, float)], [wanted], SLACK)
    if scale is None:
        return ("its own loss is not the reference's",)
    return () if _same(scale, 1) else (f"its own loss is {scale:.4g} times the reference's",)
