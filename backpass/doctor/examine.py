"""Somebody's training code, examined: probes, the network, the explanation, the verdict."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.activations import meant
from backpass.doctor.again import called_again, remembered, skipped
from backpass.doctor.bank import Family, families
from backpass.doctor.case import Case
from backpass.doctor.evidence import Shown, shown
from backpass.doctor.finite import lost
from backpass.doctor.infer import Seen
from backpass.doctor.layers import joined
from backpass.doctor.masks import told
from backpass.doctor.nearest import nearest
from backpass.doctor.numbers import Numbers
from backpass.doctor.observe import observe
from backpass.doctor.pairs import in_rows, unpaired
from backpass.doctor.passes import Pass
from backpass.doctor.patience import Exhausted, at_most
from backpass.doctor.probe import Probe, Where, are_two, data_places
from backpass.doctor.raised import raised
from backpass.doctor.rates import rates
from backpass.doctor.recurrent.beyond import beyond
from backpass.doctor.recurrent.judge import recurrent_report
from backpass.doctor.remarks import remarks
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.repair.repair import Repair, repaired
from backpass.doctor.report import Report, Tensor
from backpass.doctor.rules import Rule, behind, of_first_sample
from backpass.doctor.scales import Scales, scales
from backpass.doctor.search import Story, stories
from backpass.doctor.stale import Stale, may_be_stale, other_weights
from backpass.doctor.stored import with_data
from backpass.doctor.structure import broadcast
from backpass.doctor.trained import trained
from backpass.doctor.verdict import judge, out_of_date
from backpass.doctor.watched import Watched, watched
from backpass.doctor.wording import Wording
from backpass.language.errors import BackpassError

Array = NDArray[np.float64]


@np.errstate(all="ignore")
def examine(
    call: Callable[..., Any],
    args: Sequence[Any],
    lr: float | None = None,
    x: Where = None,
    y: Where = None,
    *,
    gradients: bool = False,
) -> Report:
    """Probe code that updates, or that returns gradients, and say what they are."""
    named = call.args[-1] if isinstance(call, functools.partial) and call.args else call
    subject = getattr(named, "__qualname__", None) or repr(named)
    free = x is None and y is None and not gradients
    try:
        if free:
            call, args = with_data(*unpaired(call, args))
        ways = watched(call, args, x, y, gradients=gradients)
    except BackpassError:
        raise
    except Exception as error:
        run = observe(call, args)
        if run.failure is None or not run.failure.line:
            raise BackpassError(f"{subject} raises {type(error).__name__}: {error}") from error
        return raised(subject, run)
    report = explain(subject, ways, lr, Subject(call, args, x, y, gradients))
    rows = in_rows(call, args) if free and report.verdict == "unknown" else None
    if rows is None:
        return report
    again = explain(subject, watched(*rows, None, None), lr, Subject(*rows, None, None, gradients))
    return report if again.verdict == "unknown" else again


def explain(
    subject: str, ways: Sequence[Watched], lr: float | None = None, again: Subject | None = None
) -> Report:
    """Say what updates or gradients are that were seen, by the way that explains them best.

    Code that can be run `again` is, with its mistakes repaired. Several mistakes in a layer are
    looked for as long as there is patience; then those that were found are told.
    """
    through_time = recurrent_report(subject, ways, lr, again)
    if through_time is not None:
        return through_time
    found = [one for way in ways for one in _explained(way)]
    if again is not None and not any(one.story.right for one in found):
        found = _on_labels(again) or found
    if found and not any(one.story.whole for one in found):
        layers = found[0].seen.layers
        weights = {path for one in layers for path in (one.weight, one.bias) if path}
        for way, rule in behind(ways[0], weights):
            found += [
                replace(one, rule=rule)
                for one in _explained(way)
                if rule.known or one.story.whole  # else it would explain anything, a little
            ]
    if not any(one.story.whole for one in found):
        sooner = [way for given in ways if (way := of_first_sample(given)) is not None]
        found += [one for way in sooner for one in _explained(way) if one.story.whole]
    if not any(one.story.whole and not one.is_idle for one in found):
        found += _elsewhere(ways)
    if not found:
        return _unread(subject, ways[0].probes[0])
    best = min(found, key=lambda one: one.story.cost)
    if not best.story.whole:
        with suppress(Exhausted), at_most(PATIENCE):
            best = best.deeper()
    report = _judged(subject, best, lr, again)
    first = ways[0].probes[0]
    if first.ends:
        report = replace(report, notes=(first.ends, *report.notes))
    elif report.verdict == "unknown" and (ends := lost(first.run)):
        report = replace(report, notes=(ends,))
    return report if again is None else _called_again(report, best, again)


def _elsewhere(ways: Sequence[Watched]) -> list[_Explained]:
    """The best story of a network whose forward pass is not that of what it trains."""
    found = [
        replace(one, stale=stale)
        for given in ways
        for way, stale in (*other_weights(given), (replace(given, is_mixed=True), ()))
        for one in _explained(way)
    ]
    whole = [one for one in found if one.story.whole]
    return [min(whole, key=lambda one: (one.story.cost, one.story.spread))] if whole else []


def _called_again(report: Report, one: _Explained, subject: Subject) -> Report:
    """The report with what other calls show: what is kept between them, and samples left out."""
    paths = [tensor.path for tensor in report.tensors]
    if (one.way.gradients and one.rule is None) or not one.story.whole:
        return report
    call, args, x, y = subject.call, subject.args, subject.x, subject.y
    accuser, first = one.accuser(), one.way.probes[0]
    findings, notes = list(report.findings), list(report.notes)
    arrays = all(path in first.run.before and first.run.before[path].ndim for path in paths)
    if arrays and not first.run.stopped:  # unwatched, it may go on for ever
        calls = called_again(call, args, paths, x, y)
        if calls is not None:
            gradients = one.gradients()
            kept, said = remembered(
                calls, accuser.found, lambda path: accuser.lines.first(gradients[path])
            )
            findings += kept
            notes += said
    left = None if any(f.bug == 54 for f in findings) else skipped(call, args, x, y, first)
    if left is not None:
        end = "last" if left.last else "first"
        what = "sample is" if left.count == 1 else f"batch of {left.count} samples is"
        findings.append(
            accuser.found(
                54, f"the {end} {what} dropped", paths, left.place,
                f"the {end} {what} never looked at, however many there are",
                "take all samples",
            )
        )  # fmt: skip
    if len(findings) == len(report.findings):
        return replace(report, notes=tuple(notes))
    return replace(report, verdict="bug", findings=tuple(findings), notes=tuple(notes))


def _on_labels(subject: Subject) -> list[_Explained]:
    """What is right on labels: code may ask which of two a target is, and has no third."""
    given = subject.args[data_places(subject.call, subject.args, subject.x, subject.y)[1]]
    if not are_two(np.asarray(given)):
        return []
    for seeds in ((0, 1), (2, 3), (4, 5)):  # a sample far enough on its side moves nothing
        ways = watched(
            subject.call, subject.args, subject.x, subject.y,
            gradients=subject.gradients, labels=True, seeds=seeds,
        )  # fmt: skip
        for way in (*ways, *(_recoded(way, *codes) for way in ways for codes in CODES)):
            found = list(_explained(way))
            if any(one.story.right for one in found):
                return found
    return []


CODES = ((-1.0, 1.0), (0.0, 1.0))


def _recoded(way: Watched, low: float, high: float) -> Watched:
    """The same where code makes other numbers of two labels before it compares with them."""
    probes = tuple(
        replace(one, Y=np.where(np.min(one.Y) == one.Y, low, high)) for one in way.probes
    )
    return replace(way, probes=probes)


PATIENCE = 60.0  # seconds of a processor


@dataclass(frozen=True)
class _Explained:
    """A way to see the gradients, and the best story of them."""

    way: Watched
    seen: Seen
    passes: list[Pass]
    printed: list[Shown]
    bank: list[Family]
    story: Story
    rule: Rule | None = None  # how the updates were made of the gradients that were seen
    stale: tuple[Stale, ...] = ()  # weights that the forward pass did not use

    def deeper(self) -> _Explained:
        """The same with everything tried that is known, and what nobody has listed too."""
        return replace(self, story=stories(self.passes, self.bank)[0])

    @property
    def is_idle(self) -> bool:
        """Whether a weight that is not trained may stand for one that is."""
        return may_be_stale(self.way, [layer.weight for layer in self.seen.layers])

    @property
    def paths(self) -> dict[tuple[str, int], str]:
        """The arrays of the layers, by what they are called here."""
        layers = list(enumerate(self.seen.layers, 1))
        found = {("W", place): layer.weight for place, layer in layers}
        found |= {("b", place): layer.bias for place, layer in layers if layer.bias}
        return dict(sorted(found.items(), key=lambda item: (item[0][1], item[0][0])))

    def accuser(self, scale: Scales | None = None) -> Accuser:
        """What puts findings on lines; with the scales that numbers of loops may have."""
        wording = Wording(self.seen, self.story, self.way.probes[0].run, self.way.moved[0])
        n, m = self.passes[0].y.shape
        factors = [1.0, float(n), 1 / n, *(times(n, m) for _, times in self.story.family.members)]
        factors += [times / n for times in factors]
        rates = (scale.common, scale.rate or 1.0) if scale is not None else (1.0,)
        factors += [times * rate for times in factors for rate in rates]
        return Accuser(
            self.way.probes[0], self.story, wording, self.way.moved[0], self.paths, factors
        )

    def gradients(self) -> dict[str, Array]:
        """The gradient of each array as the story has it."""
        found: dict[str, Array] = {}
        for (letter, layer), path in self.paths.items():
            at = self.story.layer(layer)[0]
            found[path] = at.weight() if letter == "W" else at.bias()
        return found


def _explained(way: Watched) -> Iterator[_Explained]:
    """The story on the samples that were used, else on others that may have been."""
    seen = way.networks()
    if not seen:
        return
    for passes in way.passes(seen):
        if any(one.y.shape != one.A[-1].shape for one in passes):
            return
        data = np.shape(way.probes[0].X)
        count = data[seen[0].turned] if len(data) == 2 else 0
        printed, last = shown(way.probes, passes, count), seen[0].layers[-1]
        signed = all(np.all(np.abs(one.y) == 1) for one in passes)
        bank = sorted(
            families(meant(last.activation), last.units, rare=True),
            key=lambda one: (all(own.family is not one for own in printed), one.signs != signed),
        )
        stories_found = stories(passes, bank, deep=False)
        if stories_found and not printed and not stories_found[0].listed:
            # what no loss says is the gradient of one may be the mistaken one of another
            others = stories(passes, bank, deep=False, mistaken=True)
            stories_found = [one for one in others if one.listed] or stories_found
        if stories_found:
            yield _Explained(way, seen[0], passes, printed, bank, stories_found[0])
            if stories_found[0].right:
                return


def _judged(subject: str, one: _Explained, lr: float | None, again: Subject | None) -> Report:
    seen, story, first = one.seen, one.story, one.way.probes[0]
    paths = one.paths
    wanted = [shown for shown in one.printed if shown.family is story.family]
    numbers = rates([probed.run for probed in one.way.probes], one.way.moved[0], first.cut)
    scale = scales(story, wanted, numbers, paths, lr, one.way.gradients)
    accuser = one.accuser(scale)
    runs = [probed.run for probed in one.way.probes]
    crossed = broadcast(runs, [p.A[-1] for p in one.passes], [p.Y for p in one.way.probes])
    case = Case(one.way.probes, story, scale, one.printed, paths, one.way.gradients)
    judged = judge(case, accuser)
    findings = judged.findings
    if crossed is not None:
        n = one.passes[0].samples
        findings = (accuser.found(
            45, "(n,1) − (n,) is broadcast", list(paths.values()), crossed,
            f"the outputs are {n}×1 and the targets {n}: their difference is {n}×{n}, every output "
            "with every target", "targets of the outputs' shape, as .reshape(-1, 1) makes them",
        ),)  # fmt: skip
        judged = replace(
            judged,
            verdict="bug",
            tensors=tuple(replace(t, verdict="bug", scale=None) for t in judged.tensors),
            loss="What the updates follow is the gradient of no loss of outputs and targets.",
        )
    for each in one.stale:
        judged = out_of_date(judged, each, case, accuser)
        findings = judged.findings
    verdict, notes = judged.verdict, (*judged.notes, *told(first.run, one.passes[0].masks))
    near = nearest(story, one.passes, one.bank, accuser.wording, paths)
    if near is not None and crossed is None:
        notes = (*notes, near)
    notes = (*notes, *remarks(first.run))
    if one.rule is not None:
        notes = (*notes, one.rule.says)
        if not one.rule.known and verdict != "bug":
            verdict = "unknown"
    report = Report(
        verdict, judged.tensors, findings, subject, _network(seen, one.passes[0]),
        judged.loss, notes,
    )  # fmt: skip
    if again is None or crossed is not None or report.verdict != "bug":
        return report
    repair = Repair(again, story, accuser.lines, one.way.moved[0], paths)
    report = replace(report, findings=repaired(findings, repair))
    return _trained(report, one, again, abs(scale.common))


def _trained(report: Report, one: _Explained, again: Subject, rate: float) -> Report:
    """The report, with what comes of training with such updates where they can be let run."""
    if one.way.gradients or one.rule is not None or one.way.probes[0].run.stopped:
        return report
    if one.stale or one.way.is_mixed:  # what is as it should be is another network
        return report
    data = data_places(again.call, again.args, again.x, again.y)
    first, moved = one.way.probes[0], one.way.moved[0]
    told = trained(
        again.call, again.args, data, first, moved, one.seen, one.story.family, rate
    )  # fmt: skip
    return replace(report, notes=(*report.notes, told)) if told else report


def _network(seen: Seen, passed: Pass) -> str:
    widths = [passed.A[0].shape[1], *(layer.units for layer in seen.layers)]
    activations = ", ".join(layer.activation for layer in seen.layers)
    side, more = "columns" if seen.columns else "rows", joined(seen.layers)
    path = "-".join(map(str, widths))
    return f"A {path} network with {activations}; samples are {side} in its products.{more}"


def _unread(subject: str, one: Probe) -> Report:
    """The report on a run without a network: what it changes, but for what it keeps for later.

    A cache is overwritten, whatever was in it; what an update starts from is looked at.
    """
    changed = {path: one.parameters[path] for path in one.parameters if path not in one.frozen}
    asked = Numbers(one)
    read = [path for path, value in changed.items() if asked.has(np.atleast_2d(value))]
    tensors = tuple(
        Tensor(path, path, changed[path].shape, "unknown", None) for path in read or changed
    )
    return Report(
        "unknown", tensors, (), subject,
        beyond(one) or lost(one.run)
        or "No network of dense layers was recognised among the numbers of the run. "
        "bp.check(loss, gradients, *args) holds gradients of any code to differences of a loss.",
        "",
    )  # fmt: skip
