"""What is said of a recurrent network: a verdict for each tensor, and mistakes with their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.again import called_again, remembered
from backpass.doctor.case import Case
from backpass.doctor.evidence import shown
from backpass.doctor.lines import Lines
from backpass.doctor.probe import Probe
from backpass.doctor.rates import rates
from backpass.doctor.recurrent.best import Explained, explained, right_steps
from backpass.doctor.recurrent.dense import head, losses, outputs
from backpass.doctor.recurrent.findings import by_step, finding, joined, on_the_way_back
from backpass.doctor.recurrent.looks import Look, looks, only
from backpass.doctor.recurrent.repaired import Tried, repaired
from backpass.doctor.recurrent.rows import Row
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.report import Finding, Report, Tensor, Verdict
from backpass.doctor.rewrite import Place
from backpass.doctor.scales import Scales, scales
from backpass.doctor.search import Fit, Story
from backpass.doctor.search import Tensor as Key
from backpass.doctor.verdict import Judged, judge
from backpass.doctor.watched import Watched
from backpass.doctor.wording import Wording
from backpass.reading.plural import many

Array = NDArray[np.float64]


def recurrent_report(
    subject: str, ways: Sequence[Watched], lr: float | None, again: Subject | None = None
) -> Report | None:
    """The report on a recurrent network; None where the code is none."""
    found = looks(ways, again)
    if not found:
        return None
    best = explained(found)
    if best is None:
        return _unexplained(subject, found[0])
    report = _report(subject, best, lr)
    if again is not None:
        report = _called_again(report, best, again)
    if again is None or report.verdict != "bug":
        return report
    wanted = [right_steps(best, number) for number in range(len(best.look.runs))]
    tried = Tried(again, best.look.way.probes, wanted, clipped=best.rule is not None)
    return replace(report, findings=tuple(repaired(report.findings, tried)))


def network(seen: Recurrent, one: Unrolled) -> str:
    """A sentence on what was recognised."""
    inputs, width = one.weights["Wx"].shape
    when = "at every step" if seen.every else "at the last step"
    return (
        f"A recurrent network, {inputs} → {width} → {one.weights['Wy'].shape[1]} with {seen.bend} "
        f"and {seen.output} outputs {when}; it was unrolled over {many(one.steps, 'step')}. "
        f"{seen.paths['Wh']} takes each state to the next."
    )


def _unexplained(subject: str, look: Look) -> Report:
    first = look.way.probes[0]
    tensors = tuple(
        _tensor(name, path, first, "unknown") for name, path in look.seen.paths.items()
    )  # fmt: skip
    return Report(
        "unknown", tensors, (), subject, network(look.seen, look.runs[0]),
        "The updates are the gradient through time of no loss that is known here, nor of a "
        "mistake that is.",
    )  # fmt: skip


def _tensor(
    name: str, path: str, one: Probe, verdict: Verdict, scale: float | None = None,
    rate: float | None = None,
) -> Tensor:  # fmt: skip
    return Tensor(name, path, one.parameters[path].shape, verdict, scale, rate)


def _called_again(report: Report, best: Explained, again: Subject) -> Report:
    """The report with what a second call shows: what is added up, and never set to zero."""
    run = best.look.way.probes[0].run
    if best.look.way.gradients or report.verdict == "unknown" or run.stopped:
        return report
    calls = called_again(again.call, again.args, best.seen.paths.values(), again.x, again.y)
    if calls is None:
        return report
    wanted, lines = right_steps(best, 0), Lines(run, best.look.runs[0].out[-1], [1.0])

    def found(
        bug: int, name: str, paths: Sequence[str], place: Place | None, says: str, fix: str
    ) -> Finding:
        return finding(Row(lambda at: [], bug, name, says, fix), place, paths, run.files)

    kept, said = remembered(calls, found, lambda path: lines.first(wanted[path]))
    return replace(
        report, verdict="bug" if kept else report.verdict, notes=(*report.notes, *said),
        findings=(*report.findings, *kept),
    )  # fmt: skip


# ── the outputs, a dense layer; and what is below them ───────────────────────────────────────


def _report(subject: str, best: Explained, lr: float | None) -> Report:
    seen, way, runs = best.seen, best.look.way, best.look.runs
    scale, judged = _outputs(best, lr)
    lines = Lines(way.probes[0].run, runs[0].out[-1], [scale.common, 1.0])
    judged = replace(judged, findings=tuple(by_step(one, best, lines) for one in judged.findings))
    below = list(on_the_way_back(best, scale.common, lines))
    signs = [f.scale for f in best.account.fits.values() if f and f.row.bug not in (36, 37)]
    findings = list(joined([*judged.findings, *below]))
    if scale.common < 0 and all(one < 0 for one in signs):
        everything = tuple(seen.paths.values())
        findings = [replace(f, tensors=everything) if f.bug == 1 else f for f in findings]
    accused = {path for one in findings if one.accuses for path in one.tensors}
    if judged.verdict == "bug" and best.account.story.slips:  # every step gets what outputs send
        accused |= set(seen.paths.values())
    unknown = [seen.paths[name] for name, fit in best.account.fits.items() if fit is None]
    whole = judged.verdict
    if any(one.accuses for one in below):
        whole = "bug"
    elif unknown and whole != "bug":
        whole = "unknown"
    loss = judged.loss
    if unknown:
        loss += f" What {', '.join(unknown)} got is nothing that is known here."
    outer: Verdict = "correct" if whole in ("bug", "unknown") else whole
    own = {one.path: one for one in judged.tensors}
    tensors: list[Tensor] = []
    for name, path in seen.paths.items():
        fit = best.account.fits.get(name)
        verdict: Verdict = "bug" if path in accused else outer
        if path in own:
            verdict = "unknown" if own[path].verdict == "unknown" else verdict
            tensors.append(replace(own[path], name=name, verdict=verdict))
            continue
        wanted = (scale.rate or 1.0) * scale.times
        ratio = None if fit is None or path in accused or scale.rate is None else fit.scale / wanted
        verdict = "unknown" if fit is None else verdict
        tensors.append(_tensor(name, path, way.probes[0], verdict, ratio, scale.rate))
    notes = [*judged.notes]
    notes += [best.rule.says] if best.rule else []
    notes += [gaps] if (gaps := way.probes[0].run.gaps) else []
    if best.rule is not None and not best.rule.known and whole != "bug":
        whole = "unknown"
    if whole == "unknown":
        findings = [one for one in findings if one.accuses]
    return Report(
        whole, tuple(tensors), tuple(findings), subject, network(seen, runs[0]), loss, tuple(notes)
    )  # fmt: skip


def _outputs(best: Explained, lr: float | None) -> tuple[Scales, Judged]:
    """What is said of the last layer: the loss, the rate, and mistakes at the outputs."""
    way, runs, story = best.look.way, best.look.runs, best.account.story
    probes = [only(one, best.seen) for one in way.probes]
    passes = [outputs(one, own) for one, own in zip(runs, best.moved, strict=True)]
    known = {one.base: one for one in losses(runs[0])}
    printed = [
        replace(one, family=known[one.family.base])
        for one in shown(probes, passes)
        if one.family.base in known
    ]
    story = replace(story, family=known[story.family.base])
    numbers = rates([one.run for one in probes], best.moved[0])
    wanted = [one for one in printed if one.family is story.family]
    spoken, held = _spoken(best, story)
    scale = scales(spoken, wanted, numbers, held, lr, way.gradients)
    wording = Wording(head(best.seen, runs[0]), story, probes[0].run, best.moved[0])
    n, m = passes[0].y.shape
    factors = [1.0, float(n), 1 / n, *(times(n, m) for _, times in story.family.members)]
    factors += [times / n for times in factors]
    factors += [times * (rate or 1.0) for times in factors for rate in (scale.common, scale.rate)]
    accuser = Accuser(probes[0], story, wording, best.moved[0], best.paths, factors)
    return scale, judge(
        Case(probes, story, scale, printed, best.paths, way.gradients), accuser
    )  # fmt: skip


def _spoken(best: Explained, story: Story) -> tuple[Story, dict[Key, str]]:
    """Where no output is trained, its scale and rate are what all the steps have."""
    fits, found = story.fits.items(), best.account.scales
    idle = [key for key, fit in fits if fit and fit.slip and fit.slip.mistake.bug in (36, 37)]
    if len(idle) < len(fits) or len(found) != 1:
        return story, best.paths
    path = next(best.seen.paths[name] for name, fit in best.account.fits.items() if fit)
    return replace(story, fits={key: Fit(found[0]) for key in idle}), dict.fromkeys(idle, path)
