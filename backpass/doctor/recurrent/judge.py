"""What is said of a recurrent network: a verdict for each tensor, and mistakes with their lines."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.again import called_again, remembered
from backpass.doctor.case import Case
from backpass.doctor.evidence import shown, updating
from backpass.doctor.lines import Lines
from backpass.doctor.probe import Probe
from backpass.doctor.rates import rates
from backpass.doctor.recurrent.dense import head, losses, outputs
from backpass.doctor.recurrent.explained import Account, account, twice_mistaken
from backpass.doctor.recurrent.looks import Look, looks, only
from backpass.doctor.recurrent.places import (
    is_right_before,
    last_named,
    left_out,
    row_place,
    way_place,
)
from backpass.doctor.recurrent.repaired import Tried, repaired
from backpass.doctor.recurrent.rows import RIGHT, Row
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.recurrent.through_time import Taken, taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.report import Finding, Report, Tensor, Verdict
from backpass.doctor.rewrite import Place
from backpass.doctor.right import top
from backpass.doctor.rules import Rule, behind
from backpass.doctor.scales import Scales, scales
from backpass.doctor.search import Fit, Story
from backpass.doctor.search import Tensor as Key
from backpass.doctor.verdict import Judged, judge
from backpass.doctor.watched import Moved, Watched
from backpass.doctor.wording import Wording
from backpass.reading.plural import many

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """A look with the best account of what moved, and the rule of the updates if they have one."""

    look: Look
    moved: tuple[Moved, ...]
    account: Account
    rule: Rule | None = None

    @property
    def seen(self) -> Recurrent:
        return self.look.seen

    @property
    def paths(self) -> dict[Key, str]:
        """The outputs' arrays, by what they are called as a layer of their own."""
        named = (("W", "Wy"), ("b", "c"))
        return {(kind, 1): self.seen.paths[n] for kind, n in named if n in self.seen.paths}


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


def explained(found: Sequence[Look]) -> Explained | None:
    """The account with the fewest mistakes; updates may follow a rule that hides the gradients."""
    kept: list[Explained] = []
    for look in found:
        orders = list(look.moved())
        plain = [account(look.seen, look.runs, moved, mistaken=False) for moved in orders]
        costs = [float("inf") if one is None else one.cost for one in plain]
        likely = int(np.argmin(costs))
        moved, one = orders[likely], plain[likely]
        if one is None or one.cost:
            one = account(look.seen, look.runs, moved)
        if one is not None:
            kept.append(Explained(look, moved, one))
            if one.cost == 0:
                return kept[-1]
    if not any(one.account.whole for one in kept):
        look = found[0]
        for way, rule in behind(look.way, look.seen.paths.values()):
            one = account(look.seen, look.runs, way.moved)
            if one is not None and one.whole:
                kept.append(Explained(replace(look, way=way), tuple(way.moved), one, rule))
    best = min(kept, key=lambda one: one.account.cost, default=None)
    if best is not None and not best.account.whole:
        twice = twice_mistaken(best.seen, best.look.runs, best.moved)
        best = best if twice is None else replace(best, account=twice)
    return best


def rightly(found: Sequence[Look]) -> Explained:
    """The account in which most tensors go right, with no mistake looked for."""
    kept: list[Explained] = []
    for look in found:
        for moved in look.moved():
            one = account(look.seen, look.runs, moved, mistaken=False)
            if one is not None:
                kept.append(Explained(look, moved, one))
    look = found[0]
    if not any(one.account.cost == 0 for one in kept):
        for way, rule in behind(look.way, look.seen.paths.values()):
            one = account(look.seen, look.runs, way.moved, mistaken=False)
            if one is not None and one.whole:
                kept.append(Explained(replace(look, way=way), tuple(way.moved), one, rule))
    if not kept:
        nothing = account(look.seen, look.runs, look.way.moved, mistaken=False, any_=True)
        assert nothing is not None
        return Explained(look, look.way.moved, nothing)
    return min(kept, key=lambda one: one.account.cost)


def right_steps(best: Explained, number: int) -> dict[str, Array]:
    """The gradient through time of each array in one of the runs, as the user holds it."""
    one, seen = best.look.runs[number], best.seen
    family = best.account.story.family
    at = top(outputs(one, best.moved[number]), family)
    at = at.with_delta(at.through())
    back = taken(one, np.split(at.dZ, len(one.out)), Way())
    found = {"Wy": at.weight(), "c": at.bias()}
    found |= {name: np.sum(row.terms(back), axis=0) for name, row in RIGHT.items()}
    shapes = {path: value.shape for path, value in best.look.way.probes[0].parameters.items()}
    return {
        held.path: (found[name].T if held.turned else found[name]).reshape(shapes[held.path])
        for name, held in seen.arrays
    }


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
        return _finding(Row(lambda at: [], bug, name, says, fix), place, paths, run.files)

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
    judged = replace(judged, findings=tuple(_by_step(one, best, lines) for one in judged.findings))
    below = list(_findings(best, scale.common, lines))
    signs = [f.scale for f in best.account.fits.values() if f and f.row.bug not in (36, 37)]
    findings = list(_joined([*judged.findings, *below]))
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


# ── mistakes on the way back ─────────────────────────────────────────────────────────────────


def _by_step(found: Finding, best: Explained, lines: Lines) -> Finding:
    """A mistake at the outputs as one of the steps: where an update is missing, or a sample."""
    one = best.account.at[0]
    if found.bug in (36, 37):
        name = next(name for name, path in best.seen.paths.items() if path == found.tensor)
        place = left_out(lines, best.account, best.moved[0], name)
        return found if place is None else _put(found, place, lines)
    if found.bug not in (44, 54) or len(one.one.x[0]) > 1:
        return found
    letter = next(key[0] for key, path in best.paths.items() if path == found.tensor)
    terms = [h.T @ e for h, e in zip(one.one.used, _given(one), strict=True)]
    terms = terms if letter == "W" else [error.sum(axis=0) for error in _given(one)]
    end = "first" if "first" in found.name else "last"
    term = terms[0 if end == "first" else -1]
    hits = lines.late(term, samples=False)
    place = lines.made(hits[0][0]) if hits and letter == "W" else last_named(lines, term)
    if found.bug == 54:
        seen = lines.first(terms[1])
        place = seen and lines.source.loop(seen)
        name, says = f"the {end} step is left out", f"the {end} step does not count for {{W}}"
        row = Row(lambda at: terms, 60, name, says, "add up what every step has")
    else:
        row = Row(
            lambda at: terms, 49, "overwritten where it should be added up",
            f"only the {end} step counts for {{W}}: each turn overwrites what the others left",
            "add up what every step has",
        )  # fmt: skip
    assert found.bug is not None
    run = best.look.way.probes[0].run
    return _finding(row, place, found.tensors, run.files, (found.bug,))


def _put(found: Finding, place: Place, lines: Lines) -> Finding:
    file = lines.run.files[place.number]
    source = linecache.getline(file, place.line).strip()
    return replace(found, line=place.line, source=source, file=file)


def _given(one: Taken) -> list[Array]:
    return [error for error in one.errors if error is not None]


def _joined(findings: Sequence[Finding]) -> Iterator[Finding]:
    """What goes wrong alike for outputs and states is one finding."""
    kept: dict[tuple[int | None, str], Finding] = {}
    for one in findings:
        key = one.bug, one.name
        same = kept.get(key) if one.bug in (49, 60) else None
        tensors = one.tensors if same is None else (*one.tensors, *same.tensors)
        kept[key if same or key not in kept else (one.bug, f"{one.name} {one.tensor}")] = replace(
            one, tensors=tuple(dict.fromkeys(tensors))
        )
    yield from kept.values()


def _findings(best: Explained, common: float, lines: Lines) -> Iterator[Finding]:
    seen, one = best.seen, best.account
    run = best.look.way.probes[0].run
    below = [path for name, path in seen.paths.items() if name in ("Wx", "Wh", "b")]
    for way, other in one.ways:
        place = way_place(lines, one.at[0], way, other)
        yield _finding(_named(way, seen), place, below, run.files, one.also)
    told: dict[str, Finding] = {}
    for name, fit in one.fits.items():
        if fit is None:
            continue
        row, ratio = fit.row, fit.scale / common
        if row.bug == 0:
            if np.isclose(ratio, 1, rtol=1e-5):
                continue
            row = _factor(name, row, ratio, one.at[0].one)
        place = left_out(lines, one, best.moved[0], name) if row.bug in (36, 37) else None
        place = place or row_place(lines, one.at[0], row, name, ratio)
        if row.bug in (2, 4, 9) and is_right_before(lines, one, name):
            path = seen.paths[name]
            place = updating(run, path, best.moved[0][path]) or place
        finding = _finding(row, place, [seen.paths[name]], run.files, fit.also)
        same = told.get(row.name)
        if same is not None and row.bug:  # one mistake of the loop in several tensors
            finding = replace(same, tensors=(*same.tensors, *finding.tensors))
        told[row.name] = finding
    yield from told.values()


def _named(way: Way, seen: Recurrent) -> Way:
    """A way in words that have the user's names for the weights."""
    says, fix = way.says, way.fix
    for name in ("Wh", "Wy"):
        says = says.replace(name, seen.paths[name])
        fix = fix.replace(f"{name}.T", f"{seen.paths[name]}.T")
    named = way.name.replace("Wh", seen.paths["Wh"]).replace("Wy", seen.paths["Wy"])
    return replace(way, name=named, says=says, fix=fix)


def _factor(name: str, row: Row, ratio: float, one: Unrolled) -> Row:
    """A gradient with a factor that the others do not have."""
    sign = bool(np.isclose(ratio, -1))
    counts = {one.steps: "steps", len(one.x[0]): "sequences", one.steps * len(one.x[0]): "rows"}
    for count, what in counts.items():
        if name == "b" and count > 1 and np.isclose(max(ratio, 1 / ratio), count):
            return replace(
                row, bug=9, name="b and W are not averaged alike",
                says=f"the update of {{W}} is {'' if ratio > 1 else '1/'}{count} times what is due "
                f"beside the weights: {count} is the number of {what}",
                fix="both added up, or both averaged",
            )  # fmt: skip
    return replace(
        row, bug=2 if sign else 4,
        name="the sign is flipped in one tensor" if sign else "a local constant",
        says=f"the update of {{W}} is {ratio:.5g} times what belongs to the others",
        fix="the same factor as the others",
    )  # fmt: skip


def _finding(
    one: Way | Row, place: Place | None, paths: Sequence[str], files: Mapping[int, str],
    also: tuple[int, ...] = (),
) -> Finding:  # fmt: skip
    file = "" if place is None else files[place.number]
    source = "" if place is None else linecache.getline(file, place.line).strip()
    says = one.says.replace("{W}", paths[0])
    return Finding(
        one.bug, one.name, paths[0], None if place is None else place.line, source, f"{says}.",
        one.fix, True, tuple(paths), also, file,
    )  # fmt: skip
