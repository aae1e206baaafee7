"""What is said of a recurrent network: a verdict for each tensor, and mistakes with their lines."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.accuse import Accuser
from backpass.doctor.case import Case
from backpass.doctor.evidence import shown
from backpass.doctor.lines import Lines
from backpass.doctor.probe import Probe
from backpass.doctor.rates import rates
from backpass.doctor.recurrent.dense import head, losses, outputs
from backpass.doctor.recurrent.explained import Account, account
from backpass.doctor.recurrent.looks import Look, looks, only
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.recurrent.through_time import RIGHT, Row, Taken, Way, taken
from backpass.doctor.repair.recheck import Subject
from backpass.doctor.report import Finding, Report, Tensor, Verdict
from backpass.doctor.rewrite import Place
from backpass.doctor.rules import Rule, behind
from backpass.doctor.scales import Scales, scales
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
    return _report(subject, best, 1.0 if best.look.way.gradients else lr)


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
    return min(kept, key=lambda one: one.account.cost, default=None)


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


# ── the outputs, a dense layer; and what is below them ───────────────────────────────────────


def _report(subject: str, best: Explained, lr: float | None) -> Report:
    seen, way, runs = best.seen, best.look.way, best.look.runs
    scale, judged = _outputs(best, lr)
    below = list(_findings(best, scale.common))
    signs = [f.scale for f in best.account.fits.values() if f and f.row.bug not in (36, 37)]
    findings = [*judged.findings, *below]
    if scale.common < 0 and all(one < 0 for one in signs):
        everything = tuple(seen.paths.values())
        findings = [replace(f, tensors=everything) if f.bug == 1 else f for f in findings]
    accused = {path for one in findings if one.accuses for path in one.tensors}
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
    scale = scales(story, wanted, numbers, best.paths, lr)
    wording = Wording(head(best.seen, runs[0]), story, probes[0].run, best.moved[0])
    accuser = Accuser(
        probes[0], story, wording, best.moved[0], best.paths, [scale.common, scale.rate or 1.0]
    )
    return scale, judge(
        Case(probes, story, scale, printed, best.paths, way.gradients), accuser
    )  # fmt: skip


# ── mistakes on the way back ─────────────────────────────────────────────────────────────────


def _findings(best: Explained, common: float) -> Iterator[Finding]:
    seen, one = best.seen, best.account
    run = best.look.way.probes[0].run
    lines = Lines(run, one.at[0].one.out[-1], [common, 1.0])
    below = [path for name, path in seen.paths.items() if name in ("Wx", "Wh", "b")]
    if one.way.bug != 0:
        place = _way_place(lines, one.at[0], one.way)
        yield _finding(_named(one.way, seen), place, below, run.files, one.also)
    told: dict[str, Finding] = {}
    for name, fit in one.fits.items():
        if fit is None:
            continue
        row, ratio = fit.row, fit.scale / common
        if row.bug == 0:
            if np.isclose(ratio, 1, rtol=1e-5):
                continue
            row = _factor(name, row, ratio, one.at[0].one)
        place = _row_place(lines, one.at[0], row, name, ratio)
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
    return replace(way, says=says, fix=fix)


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


def _way_place(lines: Lines, wrong: Taken, way: Way) -> Place | None:
    """Where the first number stood that is not what it should be."""
    errors = [error for error in wrong.errors if error is not None]
    right = taken(wrong.one, errors, Way())
    found: Place | None = None
    if way.forward:
        found = lines.first(wrong.dz[0])
        return found and (lines.source.loop(found) or found)
    for t in wrong.order:
        for name in ("dh", "dz", "carry"):
            value = getattr(wrong, name)[t]
            if found is None and not np.allclose(value, getattr(right, name)[t]):
                found = lines.first(value)
    return found or lines.first(wrong.dz[wrong.order[0]])


def _row_place(lines: Lines, at: Taken, row: Row, name: str, ratio: float) -> Place | None:
    """Where the part that a step adds was made, with its factor; the last step's is made first."""
    whole = None if row.whole is None else row.whole(at)
    made = [] if whole is None else [whole]
    for term in (*made, *reversed(row.terms(at)), *reversed(RIGHT[name].terms(at))):
        if np.any(term):
            hits = lines.late(term, samples=False)
            if hits and row.bug in (2, 4, 9):
                scaled = [hit for hit in hits if np.isclose(hit[1], ratio)]
                hits = scaled or lines.added(term * ratio) or hits
            if hits:
                return lines.made(hits[0][0])
    return None
