"""The line that would have been right: edits of the user's own, tried until all updates are."""

from __future__ import annotations

import ast
import linecache
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.observe import seeded
from backpass.doctor.patience import Moment
from backpass.doctor.probe import Probe, data_places
from backpass.doctor.quiet import quiet
from backpass.doctor.repair.edits import Edit, Statement, applied
from backpass.doctor.repair.exchange import exchanged
from backpass.doctor.repair.recheck import EXACT, Subject
from backpass.doctor.report import Finding
from backpass.doctor.returned import leaves
from backpass.doctor.state import Roots

Array = NDArray[np.float64]
SECONDS = 2.0  # of a processor, for a report
EACH = 120  # edits of one line


@dataclass(frozen=True)
class Tried:
    """What was examined, its runs, and what should move each array in them.

    Of updates that are `clipped`, entries below the largest tell how right they are.
    """

    again: Subject
    probes: Sequence[Probe]
    wanted: Sequence[Mapping[str, Array]]
    clipped: bool = False

    def off(self) -> float | None:
        """How far all updates are from one positive multiple of the gradients, if they are."""
        found = [self._off(*both) for both in zip(self.probes, self.wanted, strict=True)]
        return (
            max((one for one in found if one is not None), default=None)
            if all(one is not None for one in found)
            else None
        )

    def _off(self, probe: Probe, wanted: Mapping[str, Array]) -> float | None:
        moved = self._moved(probe, list(wanted))
        first = next(iter(wanted))
        for own in moved[first]:
            some, right = self._below(own, wanted[first])
            length = float(right @ right)
            scale = float(some @ right) / length if length else 0.0
            if not np.isfinite(scale) or scale <= 0:
                continue
            rest = max(
                min((self._apart(one, scale * right) for one in moved[path]), default=np.inf)
                for path, right in wanted.items()
            )
            if rest < EXACT:
                return rest
        return None

    def _below(self, own: Array, right: Array) -> tuple[Array, Array]:
        """The entries that tell: all of them, or those below the largest."""
        size = np.abs(own)
        kept = size < size.max() * (1 - EXACT) if self.clipped else np.ones(own.shape, bool)
        return own[kept], right[kept]

    def _apart(self, one: Array, other: Array) -> float:
        if not np.any(one):
            return 0.0 if not np.any(other) else np.inf
        most = float(np.abs(one).max())
        wanted = np.clip(other, -most, most) if self.clipped else other
        return float(np.linalg.norm(one - wanted) / (np.linalg.norm(wanted) or 1.0))

    def _moved(self, probe: Probe, paths: Sequence[str]) -> dict[str, list[Array]]:
        """What may have moved each array: its update, or what was returned in its shape."""
        call, args = self.again.call, self.again.args
        roots = Roots.of(call, args)
        state = roots.state()
        try:
            for path, value in probe.parameters.items():
                state.replace(path, value)
            given = list(roots.arguments.values())
            places = data_places(call, args, self.again.x, self.again.y)
            for place, data in zip(places, (probe.X, probe.Y), strict=True):
                given[place] = data.tolist() if isinstance(args[place], list) else data.copy()
            with quiet(), seeded(0), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = call(*given)
            after = Roots.of(call, args).state().values
        finally:
            state.restore()
        out = [np.asarray(one, float) for _, one in leaves(result)]
        found: dict[str, list[Array]] = {}
        for path in paths:
            was = probe.parameters[path]
            found[path] = [one for one in out if one.shape == was.shape]
            if path in after and after[path].shape == was.shape:
                found[path].insert(0, was - after[path])
        return found


def repaired(findings: Sequence[Finding], tried: Tried) -> list[Finding]:
    """The findings; where one alone accuses, with the line that makes all updates right."""
    accused = [one for one in findings if one.accuses]
    found = None
    if len(accused) == 1 and accused[0].line is not None:
        found = _repair(accused[0], tried)
    shown, told = "", "This was checked in the algebra only, not in your code."
    if found is not None:
        edit, off = found
        shown, bound = edit.shown, next(one for one in (1e-12, 1e-9, EXACT) if off < one)
        told = (
            "Run again with this line, every update is the gradient through time times one rate, "
            f"to {bound:.0e}."
        )
    return [
        replace(one, repaired=shown, recheck=told) if one.accuses and one.fix else one
        for one in findings
    ]


def _repair(finding: Finding, tried: Tried) -> tuple[Edit, float] | None:
    assert finding.line is not None
    source, begun = "".join(linecache.getlines(finding.file)), Moment()
    try:
        statement = Statement(source, finding.line)
    except SyntaxError:
        return None
    known: set[tuple[str, ...]] = set()
    for edit in islice(_edits(statement, finding), EACH):
        if edit.lines in known:
            continue
        known.add(edit.lines)
        if Moment().since(begun) > SECONDS:
            break
        try:
            roots = [tried.again.call, *tried.again.args]
            with exchanged(roots, finding.file, applied(source, [edit])):
                off = tried.off()
        except Exception:  # whatever an edit may lead to, it is not the one that was looked for
            continue
        if off is not None:
            return edit, off
    return None


# ── edits ────────────────────────────────────────────────────────────────────────────────────


def _edits(statement: Statement, finding: Finding) -> Iterator[Edit]:
    """Steps that are shifted, sums for assignments, loops turned round; then what any line may."""
    node = statement.node
    if finding.bug in (36, 37):
        yield from _updated(statement, finding)
        return
    if 31 in (finding.bug, *finding.also):
        yield from statement.later()
    if isinstance(node, ast.For):
        yield from _turned(statement, node)
        return
    yield from _added(statement)
    yield from _shifted(statement)
    yield from _carried(statement)
    yield from statement.small()
    yield from _bent(statement)


def _updated(statement: Statement, finding: Finding) -> Iterator[Edit]:
    """Below the line, what updates another array, with this one's name and another gradient."""
    around = _around(statement)
    if around is None or statement.node is None:
        return
    names = _given(around)
    others = [
        one for one in ast.walk(around)
        if isinstance(one, ast.AugAssign) and isinstance(one.op, ast.Sub)
        and one.lineno == one.end_lineno
    ]  # fmt: skip
    number = statement.node.lineno
    end = number if hasattr(statement.node, "body") else statement.node.end_lineno or number
    for one in sorted(others, key=lambda one: abs(one.lineno - end)):
        line = statement.lines[one.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        read = [node for node in ast.walk(one.value) if isinstance(node, ast.Name)]
        for node in (node for node in read if node.id in names):
            for name in names:
                value = statement.text(one.value)
                start = node.col_offset - one.value.col_offset
                made = f"{value[:start]}{name}{value[start + len(node.id) :]}"
                new = f"{finding.tensor} -= {made}"
                kept = statement.lines[end - 1]
                shown = f"{new}   # after {kept.strip()}"
                yield Edit(end, end, (kept, f"{indent}{new}\n"), shown)


def _around(statement: Statement) -> ast.FunctionDef | None:
    """The innermost function that a statement is in."""
    assert statement.node is not None
    line = statement.node.lineno
    found = [
        one for one in ast.walk(statement.tree)
        if isinstance(one, ast.FunctionDef) and one.lineno < line <= (one.end_lineno or 0)
    ]  # fmt: skip
    return found[-1] if found else None


def _given(around: ast.FunctionDef) -> dict[str, None]:
    """The names that a function gives."""
    return dict.fromkeys(
        one.id for one in ast.walk(around)
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    )  # fmt: skip


def _turned(statement: Statement, loop: ast.For) -> Iterator[Edit]:
    text = statement.text(loop.iter)
    yield from statement.replaced(loop.iter, f"reversed({text})")
    yield from statement.replaced(loop.iter, f"{text}[::-1]")
    for node in ast.walk(loop.iter):
        match node:
            case ast.Call(func=ast.Name(id="range"), args=[first, last, *step]):
                begin, end = statement.text(first), statement.text(last)
                by = "".join(f", {statement.text(one)}" for one in step)
                yield from statement.replaced(node, f"range({end})" if not step else "range(0)")
                for here, there in ((-1, 0), (1, 0), (0, 1), (0, -1)):
                    start, stop = _moved(begin, here), _moved(end, there)
                    yield from statement.replaced(node, f"range({start}, {stop}{by})")
                yield from statement.replaced(node, f"range({end} - 1, {begin} - 1, -1)")
            case ast.Call(func=ast.Name(id="range"), args=[last]):
                end = statement.text(last)
                yield from statement.replaced(node, f"range({end} - 1, -1, -1)")
                yield from statement.replaced(node, f"range({_moved(end, 1)})")
            case ast.Subscript(slice=ast.Slice()):
                yield from statement.replaced(node, statement.text(node.value))
            case _:
                continue


def _added(statement: Statement) -> Iterator[Edit]:
    """`dW = …` as `dW += …`."""
    node = statement.node
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and node.lineno == node.end_lineno:
        line = statement.lines[node.lineno - 1]
        target = statement.text(node.targets[0])
        if line.lstrip().startswith(f"{target} = "):
            changed = line.replace(f"{target} = ", f"{target} += ", 1)
            yield Edit(node.lineno, node.lineno, (changed,), changed.strip())


def _shifted(statement: Statement) -> Iterator[Edit]:
    """Each index a step before, and a step after."""
    if statement.node is None or not statement.is_simple:
        return
    for node in ast.walk(statement.node):
        if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
            continue
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if isinstance(part, ast.Slice | ast.Constant) and not isinstance(part, ast.Constant):
                continue
            text = statement.text(part)
            for by in (1, -1):
                yield from statement.replaced(part, _moved(text, by))


def _carried(statement: Statement) -> Iterator[Edit]:
    """What is handed from step to step, added: names that get a value and are not read."""
    node = statement.node
    if not isinstance(node, ast.Assign):
        return
    for name in _unread(statement):
        yield from statement.replaced(node.value, f"{statement.text(node.value)} + {name}")


def _bent(statement: Statement) -> Iterator[Edit]:
    """The line with another name of the same function for each of its own."""
    node = statement.node
    if node is None or not statement.is_simple:
        return
    around = _around(statement)
    names = {} if around is None else _given(around)
    value = getattr(node, "value", None)
    for one in ast.walk(value) if isinstance(value, ast.expr) else ():
        if isinstance(one, ast.Name) and one.id in names:
            for other in names:
                if other != one.id:
                    yield from statement.replaced(one, other)


def _unread(statement: Statement) -> list[str]:
    assert statement.node is not None
    line = statement.node.lineno
    found: list[str] = []
    for one in ast.walk(statement.tree):
        if not isinstance(one, ast.FunctionDef) or not one.lineno < line <= (one.end_lineno or 0):
            continue
        names = [node for node in ast.walk(one) if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        given = dict.fromkeys(node.id for node in names if isinstance(node.ctx, ast.Store))
        found += [name for name in given if name not in read]
    return found


def _moved(text: str, by: int) -> str:
    """An index that is so many steps further: `t - 1` becomes `t`."""
    for own, sign in ((" + 1", 1), (" - 1", -1)):
        if text.endswith(own):
            rest = text.removesuffix(own)
            whole = sign + by
            return rest if whole == 0 else f"{rest} {'+' if whole > 0 else '-'} {abs(whole)}"
    if text.lstrip("-").isdigit():
        return str(int(text) + by)
    return text if by == 0 else f"{text} {'+' if by > 0 else '-'} {abs(by)}"
