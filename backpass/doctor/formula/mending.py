"""An algorithm put right: which statement is at fault, its repair, and the order of updates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from backpass.doctor.formula.changes import Changes
from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.meaning import Meanings
from backpass.doctor.formula.ordered import Goal, Ordered
from backpass.doctor.formula.points import Point
from backpass.doctor.formula.reading import read, taken, without_rate
from backpass.doctor.formula.report import Change
from backpass.doctor.formula.spelling import Spelled
from backpass.doctor.formula.tree import Joined, Name, Tree, tree, turned, written
from backpass.doctor.formula.values import Values
from backpass.doctor.formula.verdict import Judge, Repair, gradient_of
from backpass.doctor.report import Verdict

MOST = 8  # statements that are repaired at most
RATE = 0.1  # any: with weights held, a step is in proportion to it


@dataclass
class Mended:
    """What became of an algorithm: its statements, the changes, and what each should have been."""

    statements: list[str]
    changes: list[Change] = field(default_factory=list[Change])
    said: list[str] = field(default_factory=list[str])
    verdicts: dict[int, Verdict] = field(default_factory=dict[int, Verdict])
    wanted: dict[int, str] = field(default_factory=dict[int, str])  # by place: dz1
    complete: bool = False  # every goal is right then, weights held

    @property
    def text(self) -> str:
        return "; ".join(self.statements)


def mended(algorithm: Ordered) -> Mended:
    """Repair the first wrong statement, until every goal is a positive multiple of its gradient."""
    done = Mended([one.text for one in algorithm.statements])
    for _ in range(MOST):
        steps = algorithm.run(RATE, held=True)
        wrong = next((one for one in algorithm.goals() if not _right(algorithm, one, steps)), None)
        if wrong is None:
            done.complete = True
        if wrong is None or not _mend(algorithm, wrong, done):
            break
        algorithm = Ordered.of(done.text, algorithm.base)
    return done


def in_order(algorithm: Ordered, style: str) -> str:
    """The same algorithm with every gradient made where it was, and all updates at the end."""
    first: list[str] = []
    last: list[str] = []
    for one in algorithm.statements:
        if not one.updates:
            first.append(one.text)
            continue
        name = one.target or ""
        body = tree(one.body, {})
        sign = body.sign if isinstance(body, Joined) else "-"
        first.append(f"d{name} = {written(taken(body), algorithm.style)}")
        last.append(
            f"{name} <- {name} {'−' if sign == '-' else '+'} {algorithm.rate}{style}d{name}"
        )
    return "; ".join([*first, *last])


def _right(algorithm: Ordered, goal: Goal, steps: list) -> bool:
    times = algorithm.times(goal, steps)
    return times is not None and times > 0


def _mend(algorithm: Ordered, wrong: Goal, done: Mended) -> bool:
    """Repair the statement that makes a goal wrong; False if none can be found."""
    statement = algorithm.statements[wrong.place]
    body = tree(statement.body, {})
    steps = algorithm.run(RATE, held=True)
    times = algorithm.times(wrong, steps)
    if times is not None and statement.updates and _adds(body):
        minus = "-" if algorithm.style.code else "−"
        done.statements[wrong.place] = statement.text.replace("+", minus, 1)
        done.verdicts[wrong.place] = "bug"
        why = f"The gradient points uphill, so {wrong.gradient} must be subtracted."
        done.changes.append(Change(statement.text, done.statements[wrong.place], why))
        return True
    place, aim = _culprit(algorithm, wrong)
    found = read(Spelled(algorithm.text), algorithm.base, place)
    judge = Judge(algorithm.base, found, aim[1:], aim)
    report = judge.report()
    done.verdicts[place] = "bug"
    if report.verdict == "correct for another loss":
        done.verdicts[place] = report.verdict
        done.said.append(report.explanation[0])
    done.wanted[place] = aim
    repair = judge.repair()
    if report.verdict == "correct in the other layout":
        repair = Repair(turned(found.node), (Edit("turned", found.node, turned(found.node)),))
    if repair is None:
        done.verdicts[place] = "unknown"
        return False
    culprit = algorithm.statements[place]
    done.statements[place] = _rewritten(algorithm, place, repair.formula)
    head = (
        "" if len(algorithm.statements) == 1 else f"In {culprit.text.split('=')[0].split('<')[0]}"
    )
    for change in Changes(judge.said).of(repair.formula, repair.edits):
        where = f"{head.strip()}: " if head else ""
        done.changes.append(Change(change.before, change.after, f"{where}{change.reason}"))
    return True


def _adds(node: Tree) -> bool:
    """W + something."""
    return isinstance(node, Joined) and node.sign == "+" and isinstance(node.left, Name)


def _rewritten(algorithm: Ordered, place: int, new: Tree) -> str:
    """A statement with another gradient in it."""
    statement, style = algorithm.statements[place], algorithm.style
    if not statement.updates:
        return f"{statement.target} = {written(new, style)}"
    body = tree(statement.body, {})
    sign, rated = "-", True
    if isinstance(body, Joined) and body.sign in ("+", "-"):
        sign, rated = body.sign, without_rate(body.right) != body.right
    step = Joined("*" if style.code else "", Name(algorithm.rate), new) if rated else new
    name = statement.target or ""
    return f"{name} <- {written(Joined(sign, Name(name), step), style)}"


# ── who is at fault ──────────────────────────────────────────────────────────────────────────


def _culprit(algorithm: Ordered, wrong: Goal) -> tuple[int, str]:
    """The first statement that would make the goal right, if it were another gradient."""
    arrays = algorithm.base.points[0].arrays
    uphill = algorithm.times(wrong, algorithm.run(RATE, held=True)) is not None
    for place in range(wrong.place):
        for gradient in _suspected(algorithm, place):
            steps = algorithm.run(RATE, held=True, instead={place: arrays[gradient]})
            times = algorithm.times(wrong, steps)
            if times is not None and (times > 0 or not uphill):
                return place, gradient
    return wrong.place, wrong.gradient


def _suspected(algorithm: Ordered, place: int) -> Iterator[str]:
    """The gradients that a statement may have been meant to be, what its name says first."""
    base, statement = algorithm.base, algorithm.statements[place]
    if statement.updates:
        return
    named = gradient_of(base, statement.target)
    value = algorithm.run(RATE, held=True)[place].value
    if value is not None:
        point = base.points[0]
        arrays = {**point.arrays, "": value}
        values = Values(Point(point.sizes, arrays, point.functions), algorithm.style)
        meant = Meanings(base, values).of(Name(""))
        if meant is not None and meant.exact and (named is None or meant.name == f"d{named}"):
            return
    if named is not None:
        yield f"d{named}"
    yield from (name for name in base.backward if name[1:] != named and name[:1] == "d")
