"""Which line would have been right: edits of the user's own, tried until all updates are."""

from __future__ import annotations

import ast
import linecache
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np

from backpass.doctor.evidence import updating
from backpass.doctor.lines import Lines
from backpass.doctor.repair.edits import Edit, Statement, applied
from backpass.doctor.repair.recheck import EXACT, Subject
from backpass.doctor.repair.synthesis import FEW, Names, rewritten, slopes
from backpass.doctor.report import Finding
from backpass.doctor.rewrite import Place
from backpass.doctor.search import Slip, Story

SECONDS = 4.0  # of a processor, for all findings of a report
EACH = 60  # edits of one line


@dataclass(frozen=True)
class Repair:
    """An explained run, with what is needed to run it again."""

    subject: Subject
    story: Story
    lines: Lines
    moved: Mapping[str, np.ndarray]
    paths: Mapping[tuple[str, int], str]


def repaired(findings: Sequence[Finding], case: Repair) -> tuple[Finding, ...]:
    """The findings, each accusation with its repaired line where one was found.

    The lines are tried together: what is repaired is the whole of the update.
    """
    accused = [one for one in findings if one.accuses]
    files = {one.file for one in accused}
    if not accused or len(files) != 1 or None in {one.line for one in accused}:
        return _in_algebra(findings)
    file = accused[0].file
    source = "".join(linecache.getlines(file))
    try:
        choices = [list(islice(_edits(one, case, source), EACH)) for one in accused]
    except SyntaxError:
        return _in_algebra(findings)
    layers = case.story.at[0].run.layers
    deadline = time.thread_time() + SECONDS
    for edits in _together(choices):
        if time.thread_time() > deadline:
            break
        found = case.subject.again(file, applied(source, edits), case.story.family, layers)
        if found is not None:
            told = ["" for _ in accused[1:]] + [_told(found, len(accused))]  # said once, at the end
            done = zip(accused, edits, told, strict=True)
            lines = {id(one): (edit.shown, words) for one, edit, words in done}
            return tuple(
                replace(one, repaired=lines[id(one)][0], recheck=lines[id(one)][1])
                if one.accuses
                else one
                for one in findings
            )
    return _in_algebra(findings)


def _told(found: float, count: int) -> str:
    these = "this line" if count == 1 else "these lines together"
    bound = next(bound for bound in (1e-12, 1e-9, EXACT) if found < bound)
    return f"Run again with {these}, every update equals the gradient, to {bound:.0e}."


def _in_algebra(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    told = "This was checked in the algebra only, not in your code."
    return tuple(replace(one, recheck=told) if one.accuses and one.fix else one for one in findings)


def _together(choices: Sequence[Sequence[Edit]]) -> Iterator[tuple[Edit, ...]]:
    """One edit for each finding, the likeliest first, and none of them twice on a line."""
    if len(choices) > 3:
        return
    ranked = sorted(
        product(*(list(enumerate(one)) for one in choices)),
        key=lambda picked: sum(place for place, _ in picked),
    )
    for picked in ranked:
        edits = tuple(edit for _, edit in picked)
        if not any(a.meets(b) for place, a in enumerate(edits) for b in edits[:place]):
            yield edits


# ── edits for one finding ────────────────────────────────────────────────────────────────────


def _edits(finding: Finding, case: Repair, source: str) -> Iterator[Edit]:
    seen: set[tuple[str, ...]] = set()
    for edit in _all(finding, case, source):
        if edit.lines not in seen:
            seen.add(edit.lines)
            yield edit


def _all(finding: Finding, case: Repair, source: str) -> Iterator[Edit]:
    assert finding.line is not None
    statement = Statement(source, finding.line)
    slips = [slip for slip in _slips(case.story) if _is(slip, finding)]
    if any(slip.mistake.bug == 31 for slip in slips):
        yield from _later(finding, case, source)
        yield from statement.known_before()
    if finding.bug in (36, 37):
        yield from _added(finding, case, source)
    if finding.bug == 43:
        yield from _constant(statement, case, finding.line)
    both = [list(_rewritten(slip, case, statement, finding.line)) for slip in slips]
    small = list(statement.small())
    for made in both:
        yield from made[:12]
    yield from small
    for made in both:
        yield from made[12:]


def _slips(story: Story) -> Iterator[Slip]:
    yield from story.slips
    for fit in story.fits.values():
        if fit is not None and fit.slip is not None:
            yield from (fit.slip, *fit.more)


def _is(slip: Slip, finding: Finding) -> bool:
    bugs = {slip.mistake.bug, *(other.bug for other in slip.also)}
    return bool({finding.bug, *finding.also} & bugs) or {finding.bug} | bugs >= {10, 16}


def _rewritten(slip: Slip, case: Repair, statement: Statement, line: int) -> Iterator[Edit]:
    """The line with the right expression where the mistaken number stands in it."""
    at = case.story.layer(slip.layer)[0]
    for place in _standing(slip, case, line):
        node = statement.at(place.line, place.column, place.end_column)
        if node is None:
            continue
        lead = statement.text(_first(node))  # a rate before the product, as most people write it
        for text in dict.fromkeys(rewritten(slip, at, case.lines, place)):
            if text != place.text:
                yield from statement.replaced(node, text)
                yield from statement.replaced(node, f"{lead} * {text}")
    for place in _inside(case, statement, line):  # `def slope(a): return 1 - a`
        node = statement.at(place.line, place.column, place.end_column)
        names = Names(case.lines, place.function)
        if node is not None:
            for text in dict.fromkeys(slopes(at, names)):
                yield from statement.replaced(node, text)


def _standing(slip: Slip, case: Repair, line: int) -> Iterator[Place]:
    at = case.story.layer(slip.layer)[0]
    with np.errstate(all="ignore"):
        value = slip.mistake.value(at)
        factor = value / at.dA if value is not None and value.shape == at.a.shape else None
    for one in (value, factor):
        if one is None or not np.isfinite(one).all():
            continue
        for number, _ in case.lines.seen(one):
            place = case.lines.place(number)
            if place.line == line == place.end_line and place.moment == "value":
                yield place


def _inside(case: Repair, statement: Statement, line: int) -> Iterator[Place]:
    """What a function returns on this line, the first time that it does."""
    if not isinstance(statement.node, ast.Return) or statement.node.value is None:
        return
    for event in case.lines.run.events:
        place = case.lines.run.places[event.place]
        if place.line == line == place.end_line and place.parent is None:
            yield place
            return


def _constant(statement: Statement, case: Repair, line: int) -> Iterator[Edit]:
    """A column of ones where one stands on the line that is none."""
    columns: dict[tuple[int, int], Place] = {}
    for event in case.lines.run.events:
        place, shape = case.lines.run.places[event.place], event.value.shape
        if place.line == line == place.end_line and place.moment == "value" and 1 in shape:
            columns.setdefault((place.column, place.end_column), place)
    texts = sorted((one.text for one in columns.values()), key=len)
    for (begin, end), _ in sorted(columns.items(), key=lambda one: one[0][0] - one[0][1]):
        node = statement.at(line, begin, end)
        if node is not None:
            for text in texts[:FEW]:
                yield from statement.replaced(node, f"{text} * 0 + 1")


# ── statements ───────────────────────────────────────────────────────────────────────────────


def _later(finding: Finding, case: Repair, source: str) -> Iterator[Edit]:
    """The updates above a line that sends the error back, moved to below it."""
    assert finding.line is not None
    tree = ast.parse(source)
    bodies: Iterable[list[ast.stmt]] = (
        body
        for node in ast.walk(tree)
        for field in ("body", "orelse")
        if isinstance(body := getattr(node, field, None), list)
    )
    places = [updating(case.lines.run, path, step) for path, step in case.moved.items()]
    moved = {place.line for place in places if place is not None}
    lines = source.splitlines(keepends=True)
    for body in bodies:
        spans = [(one.lineno, one.end_lineno or one.lineno) for one in body]
        here = [n for n, (first, last) in enumerate(spans) if first <= finding.line <= last]
        before = [
            n for n, (first, last) in enumerate(spans)
            if here and n < here[0] and any(first <= line <= last for line in moved)
        ]  # fmt: skip
        for chosen in ([*before], before[-1:]):
            if not chosen:
                continue
            taken = [spans[n] for n in chosen]
            first, last = taken[0][0], spans[here[0]][1]
            kept = [
                lines[number - 1] for number in range(first, last + 1)
                if not any(start <= number <= end for start, end in taken)
            ]  # fmt: skip
            late = [lines[n - 1] for start, end in taken for n in range(start, end + 1)]
            shown = f"{lines[finding.line - 1].strip()}   # before {late[0].strip()}"
            yield Edit(first, last, (*kept, *late), shown)


def _added(finding: Finding, case: Repair, source: str) -> Iterator[Edit]:
    """An update that is missing: below the line, as the user writes another, or in its place."""
    assert finding.line is not None
    statement = Statement(source, finding.line)
    node = statement.node
    key = next((key for key, path in case.paths.items() if path == finding.tensor), None)
    places = case.lines.run.places.values()
    place = next((one for one in places if one.line == finding.line), None)
    if key is None or place is None:
        return
    slip = next((one for one in _slips(case.story) if _is(one, finding)), None)
    if slip is None:
        return
    at = case.story.layer(key[1])[0]
    texts = dict.fromkeys(rewritten(slip, at, case.lines, place))
    if isinstance(node, ast.Assign):
        for text in texts:
            yield from statement.replaced(node.value, text)
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
        line, end = statement.lines[finding.line - 1], node.end_lineno or node.lineno
        indent = line[: len(line) - len(line.lstrip())]
        rate = statement.text(_first(node.value))
        for text in texts:
            new = f"{indent}{finding.tensor} -= {rate} * {text}\n"
            yield Edit(end, end, (statement.lines[end - 1], new), new.strip())


def _first(node: ast.expr) -> ast.expr:
    """The first factor of a product: the rate, as most people write it."""
    while isinstance(node, ast.BinOp):
        node = node.left
    return node
