"""A program cut into statements: what of it is needed, and which new values may take old places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backpass.language.expr import (
    ZERO,
    Bracket,
    Label,
    Number,
    Read,
    Term,
    add,
    labels,
    number,
    reads,
    substitute,
)
from backpass.language.program import (
    Array,
    Call,
    Program,
    Step,
    Write,
    axis_labels,
    bare,
    canonical,
    rename_step,
    step_reads,
)
from backpass.reading.left import laid_out
from backpass.running.compiled.calls import cut_call, place
from backpass.running.compiled.desk import Desk
from backpass.running.compiled.nest import Check, Cut
from backpass.running.epoch import Answers, Stepping

RIGHT = "right"  # what counts the right answers of a step
HALF = Number(number(0.5).value)


def cut_step(stepping: Stepping) -> Cut:
    """The statements of one step of training, new values written into the places of the old."""
    program = stepping.program
    loss, output, *new = program.outputs
    places = dict(zip(new, stepping.changed, strict=True))
    wanted = {loss, *new, *([output] if stepping.answers else [])}
    forward = _needed(program, {loss, output} & wanted)
    early = {step.name for step in forward}
    steps = [*forward, *(step for step in _needed(program, wanted) if step.name not in early)]
    steps, after = _placed(steps, places)
    desk = Desk({**program.arrays, **{one.name: one.target for one in steps}})
    changed, untold = False, {loss, output}
    for step in steps:
        touches = step.name in stepping.changed
        if touches and not changed:
            desk.statements.append(Check(loss))
            changed = True
        cut_one(step, desk)
        untold -= {step.name}
        if not untold and stepping.answers is not None and RIGHT not in desk.arrays:
            _count(output, stepping, stepping.answers, desk)  # where the outputs are still at hand
    if not changed:
        desk.statements.append(Check(loss))
    for source, goal in after:
        axes = axis_labels(desk.arrays[goal].shape)
        desk.add(Read(goal, axes), Read(source, axes), axes)
    kept = {one.name for one in program.inputs} | {one.name for one, _ in program.constants}
    samples = program.arrays["X"].shape[stepping.axes["X"]] if "X" in stepping.axes else None
    results = frozenset({loss, RIGHT} if stepping.answers else {loss})
    return Cut(tuple(desk.statements), desk.arrays, frozenset(kept), results, samples)


def _needed(program: Program, wanted: Iterable[str]) -> list[Step]:
    """The steps that lead to what is wanted."""
    needed, found = set(wanted), list[Step]()
    for step in reversed(program.steps):
        if step.name in needed:
            found.append(step)
            needed |= {read.name for read in step_reads(step)}
    return found[::-1]


def _placed(
    steps: Sequence[Step], places: Mapping[str, str]
) -> tuple[list[Step], list[tuple[str, str]]]:
    """Steps that write a new value where the old one stood, and what is copied there at the end.

    A new value takes the place at once if nobody reads the old one later, and if its own step
    reads it entry by entry alone.
    """
    last = {read.name: at for at, step in enumerate(steps) for read in step_reads(step)}
    taken: dict[str, str] = {}
    for at, step in enumerate(steps):
        old = places.get(step.name)
        if (
            old
            and list(places.values()).count(old) == 1
            and last.get(old, -1) <= at
            and _entry_by_entry(step, old)
        ):
            taken[step.name] = old
    after = [(new, old) for new, old in places.items() if new not in taken and new != old]
    return [rename_step(step, taken) for step in steps], after


def _entry_by_entry(step: Step, old: str) -> bool:
    """Whether a step reads the old value only at the place that it is about to write."""
    if old not in {read.name for read in step_reads(step)}:
        return True
    return isinstance(step.body, tuple) and all(
        not write.summed
        and bare(write.left) is not None
        and all(
            read.index == write.left for read in reads(*write.left, write.term) if read.name == old
        )
        for write in step.body
    )


def cut_one(step: Step, desk: Desk) -> None:
    """Put one step on the desk."""
    if isinstance(step.body, Call):
        cut_call(step, step.body, desk)
        return
    step = canonical(step)
    target = step.target
    if target.kind == "bool" and (len(step.writes) != 1 or step.writes[0].summed):
        axes = axis_labels(target.shape)
        count = desk.array(f"count_{target.name}", axes, "int")
        _cut_writes(desk.arrays[count.name], step.writes, desk)
        desk.add(Read(target.name, axes), Bracket("!=", count, ZERO), axes)
        return
    _cut_writes(target, step.writes, desk)


def _cut_writes(target: Array, writes: Sequence[Write], desk: Desk) -> None:
    """Nests that sum come first, then everything that acts entry by entry, in one nest."""
    covering = [write for write in writes if _covers(write, target)]
    others = [write for write in writes if not _covers(write, target)]
    sums = [write for write in covering if write.summed]
    plain = [write for write in covering if not write.summed]
    begun = False
    for write in sums:
        begun = _add(target, write, desk, begun=begun)
    if plain:
        axes = tuple(part for part in plain[0].left if isinstance(part, Label))
        terms = [_under(write, axes) for write in plain]
        read = Read(target.name, axes)
        desk.add(read, add(*terms), axes, "+" if begun else "=", fresh=False)
        begun = True
    if not begun and _end_to_end(others, target, desk):
        for write in others:
            desk.add(Read(target.name, write.left), write.term, write.labels)
        return
    if not begun:
        axes = axis_labels(target.shape)
        desk.add(Read(target.name, axes), ZERO, axes)
    for write in others:
        desk.add(Read(target.name, write.left), write.term, write.labels, "+", fresh=False)


def _add(target: Array, write: Write, desk: Desk, *, begun: bool) -> bool:
    read = Read(target.name, write.left)
    desk.add(read, write.term, write.labels, "+", fresh=not begun)
    return True


def _covers(write: Write, target: Array) -> bool:
    """Whether the left is plain labels that run along whole axes."""
    axes = bare(write.left)
    return axes is not None and tuple(label.size for label in axes) == target.shape


def _under(write: Write, axes: tuple[Label, ...]) -> Term:
    """The term of a write under other labels on its left."""
    own = tuple(part for part in write.left if isinstance(part, Label))
    return substitute(write.term, dict(zip(own, axes, strict=True)))


def _end_to_end(writes: Sequence[Write], target: Array, desk: Desk) -> bool:
    """Whether writes lie side by side and fill the target, so that none meets another."""
    if any(write.summed for write in writes) or not writes:
        return False
    if any(set(write.labels) != set(labels(*write.left)) for write in writes):
        return False
    found = laid_out(writes, target.shape, desk.arrays)
    return found is not None and all(len(piece) == 1 for piece in found[1])


def _count(output: str, stepping: Stepping, answers: Answers, desk: Desk) -> None:
    """Count the samples whose outputs are right; of equal outputs the first is the largest."""
    out = axis_labels(desk.arrays[output].shape)
    n, k = out[answers.axis], out[1 - answers.axis]
    y = desk.arrays["y"]
    goal = Read("y", out if len(y.shape) == 2 else (n,))
    desk.arrays[RIGHT] = Array(RIGHT, (), "int")
    if answers.kind == "above":
        decided = number(answers.decided)
        sides = Bracket(">", Read(output, out), decided), Bracket(">", goal, HALF)
        missed = desk.array("missed", (n,), "int")
        desk.add(missed, Bracket("!=", *sides), (n, k), "max")
        correct = Bracket("==", missed, ZERO)
    else:
        answer = desk.array("answer", (n,), "int")
        place(Read(output, out), k, answer, desk)
        if len(y.shape) == 2:
            meant = desk.array("meant", (n,), "int")
            place(goal, k, meant, desk)
            goal = meant
        correct = Bracket("==", answer, goal)
    desk.add(Read(RIGHT, ()), correct, (n,), "+")
