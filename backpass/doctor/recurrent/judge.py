"""What is said of a recurrent network: a verdict for each tensor, and mistakes with their lines."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import rates
from backpass.doctor.lines import Lines
from backpass.doctor.probe import Probe
from backpass.doctor.recurrent.explained import Account, account
from backpass.doctor.recurrent.seen import Recurrent, Unrolled, recurrent
from backpass.doctor.recurrent.through_time import RIGHT, Row, Taken, Way, taken
from backpass.doctor.report import Finding, Report, Tensor, Verdict
from backpass.doctor.rewrite import Place
from backpass.doctor.watched import Watched
from backpass.reading.words import many

Array = NDArray[np.float64]


def recurrent_report(subject: str, way: Watched, lr: float | None) -> Report | None:
    """The report on a recurrent network; None where the code is none."""
    found = recurrent(way.probes)
    if not found:
        return None
    accounts = [
        (account(seen, runs, way.moved), seen, runs)
        for seen, runs in found
    ]  # fmt: skip
    known = [(one, seen, runs) for one, seen, runs in accounts if one is not None]
    if not known:
        seen, runs = found[0]
        return _unexplained(subject, way.probes[0], seen, runs[0])
    best, seen, runs = min(known, key=lambda one: one[0].cost)
    return _report(subject, way, seen, runs, best, lr)


def network(seen: Recurrent, one: Unrolled) -> str:
    """A sentence on what was recognised."""
    inputs, width = one.weights["Wx"].shape
    when = "at every step" if seen.every else "at the last step"
    return (
        f"A recurrent network, {inputs} → {width} → {one.weights['Wy'].shape[1]} with {seen.bend} "
        f"and {seen.output} outputs {when}; it was unrolled over {many(one.steps, 'step')}. "
        f"{seen.paths['Wh']} takes each state to the next."
    )


def _unexplained(subject: str, first: Probe, seen: Recurrent, one: Unrolled) -> Report:
    tensors = tuple(_tensor(name, path, first, "unknown") for name, path in seen.paths.items())
    return Report(
        "unknown", tensors, (), subject, network(seen, one),
        "The updates are the gradient through time of no loss that is known here, nor of a "
        "mistake that is.",
    )  # fmt: skip


def _tensor(
    name: str, path: str, one: Probe, verdict: Verdict, scale: float | None = None,
    rate: float | None = None,
) -> Tensor:  # fmt: skip
    return Tensor(name, path, one.parameters[path].shape, verdict, scale, rate)


def _report(
    subject: str, way: Watched, seen: Recurrent, runs: Sequence[Unrolled], best: Account,
    lr: float | None,
) -> Report:  # fmt: skip
    first = way.probes[0]
    numbers = rates([one.run for one in way.probes], way.moved[0])
    held = [rate for near in numbers.near.values() for rate in near] + list(numbers.far)
    scales = best.scales
    common = scales[0] if scales else 1.0
    title, rate = _loss(best, runs[0], common, [lr] if lr is not None else held)
    findings = list(_findings(way, seen, best, common))
    unknown = [name for name, fit in best.fits.items() if fit is None]
    whole: Verdict = "correct" if rate is not None else "correct up to a scale"
    if findings:
        whole = "bug"
    elif unknown:
        whole = "unknown"
    accused = {path for one in findings for path in one.tensors}
    tensors: list[Tensor] = []
    for name, path in seen.paths.items():
        fit = best.fits[name]
        verdict: Verdict = "unknown" if fit is None else "bug" if path in accused else whole
        if fit is not None and path not in accused and whole in ("bug", "unknown"):
            verdict = "correct" if rate is not None else "correct up to a scale"
        told = None if fit is None or path in accused or rate is None else fit.scale / common
        tensors.append(_tensor(name, path, first, verdict, told, rate))
    return Report(
        whole, tuple(tensors), tuple(findings), subject, network(seen, runs[0]),
        _held(title, rate, unknown, seen), tuple([first.run.gaps] if first.run.gaps else []),
    )  # fmt: skip


def _held(title: str, rate: float | None, unknown: Sequence[str], seen: Recurrent) -> str:
    at = "" if rate is None else f", at the rate {rate:.6g}"
    text = f"Updates are held to the gradient through time of {title}{at}."
    if rate is None:
        text += " They have a factor that no number of the code tells."
    if unknown:
        paths = ", ".join(seen.paths[name] for name in unknown)
        text += f" What {paths} got is nothing that is known here."
    return text


def _loss(
    best: Account, one: Unrolled, common: float, held: Sequence[float]
) -> tuple[str, float | None]:
    """The loss and the rate that the scale comes from, None where no number of the code is it."""
    n, m = sum(len(out) for out in one.out), one.out[0].shape[1]
    members = [(title, times(n, m)) for title, times in best.family.members]
    steps, sequences = len(one.out), len(one.out[0])
    whole = next(times for title, times in members if "mean" not in title and "aver" not in title)
    name = best.family.name
    members += [
        (f"{name}, averaged over {what}", times / count)
        for what, count in (("steps", steps), ("sequences", sequences))
        for times in (whole, 2 * whole)
    ]
    for rate in held:
        for title, times in members:
            if np.isclose(common, rate * times, rtol=1e-5):
                return title, rate
    return members[0][0], None


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────


def _findings(way: Watched, seen: Recurrent, best: Account, common: float) -> Iterator[Finding]:
    one = best.at[0].one
    run = way.probes[0].run
    lines = Lines(run, one.out[-1], [common, 1.0])
    below = [path for name, path in seen.paths.items() if name in ("Wx", "Wh", "b")]
    if best.way.bug:
        place = _way_place(lines, best.at[0], best.way)
        yield _finding(best.way, place, below, run.files)
    told: dict[str, Finding] = {}
    for name, fit in best.fits.items():
        if fit is None:
            continue
        row, ratio = fit.row, fit.scale / common
        if not row.bug:
            if np.isclose(ratio, 1, rtol=1e-5):
                continue
            row = _factor(row, ratio)
        place = _row_place(lines, best.at[0], row, name, ratio)
        finding = _finding(row, place, [seen.paths[name]], run.files, fit.also)
        same = told.get(row.name)
        if same is not None and row.bug:  # one mistake of the loop in several tensors
            finding = replace(same, tensors=(*same.tensors, *finding.tensors))
        told[row.name] = finding
    yield from told.values()
    if common < 0:
        yield _finding(
            Way(1, "the sign is flipped everywhere", "every update goes up the slope of the loss",
                "subtract rate × gradient"),
            None, list(seen.paths.values()), run.files,
        )  # fmt: skip


def _factor(row: Row, ratio: float) -> Row:
    """A gradient with a factor that the others do not have."""
    sign = bool(np.isclose(ratio, -1))
    return Row(
        row.terms, 2 if sign else 4,
        "the sign is flipped in one tensor" if sign else "a local constant",
        f"the update of {{W}} is {ratio:.5g} times what belongs to the others",
        "the same factor as the others",
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
    for term in (*reversed(row.terms(at)), *reversed(RIGHT[name].terms(at))):
        if np.any(term):
            hits = lines.late(term, samples=False)
            if hits and row.bug in (2, 4):
                scaled = [hit for hit in hits if np.isclose(hit[1], ratio)]
                hits = scaled or lines.added(term * ratio) or hits
            if hits:
                return lines.made(hits[0][0])
    return None
