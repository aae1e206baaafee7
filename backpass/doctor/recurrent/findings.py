"""Mistakes of recurrent networks, each with its line."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import updating
from backpass.doctor.lines import Lines
from backpass.doctor.recurrent.best import Explained
from backpass.doctor.recurrent.places import (
    is_right_before,
    last_named,
    left_out,
    row_place,
    way_place,
)
from backpass.doctor.recurrent.rows import Row
from backpass.doctor.recurrent.seen import Recurrent, Unrolled
from backpass.doctor.recurrent.through_time import Taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]


def by_step(found: Finding, best: Explained, lines: Lines) -> Finding:
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
    return finding(row, place, found.tensors, run.files, (found.bug,))


def _put(found: Finding, place: Place, lines: Lines) -> Finding:
    file = lines.run.files[place.number]
    source = linecache.getline(file, place.line).strip()
    return replace(found, line=place.line, source=source, file=file)


def _given(one: Taken) -> list[Array]:
    return [error for error in one.errors if error is not None]


def joined(findings: Sequence[Finding]) -> Iterator[Finding]:
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


def on_the_way_back(best: Explained, common: float, lines: Lines) -> Iterator[Finding]:
    """What goes wrong from the outputs down, and in the gradients of the weights."""
    seen, one = best.seen, best.account
    run = best.look.way.probes[0].run
    below = [path for name, path in seen.paths.items() if name in ("Wx", "Wh", "b")]
    for way, other in one.ways:
        place = way_place(lines, one.at[0], way, other)
        yield finding(_named(way, seen), place, below, run.files, one.also)
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
        found = finding(row, place, [seen.paths[name]], run.files, fit.also)
        same = told.get(row.name)
        if same is not None and row.bug:  # one mistake of the loop in several tensors
            found = replace(same, tensors=(*same.tensors, *found.tensors))
        told[row.name] = found
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


def finding(
    one: Way | Row, place: Place | None, paths: Sequence[str], files: Mapping[int, str],
    also: tuple[int, ...] = (),
) -> Finding:  # fmt: skip
    """A mistake in the user's names, at the place where it shows."""
    file = "" if place is None else files[place.number]
    source = "" if place is None else linecache.getline(file, place.line).strip()
    says = one.says.replace("{W}", paths[0])
    return Finding(
        one.bug, one.name, paths[0], None if place is None else place.line, source, f"{says}.",
        one.fix, True, tuple(paths), also, file,
    )  # fmt: skip
