"""Ordered statements that update weights: sign, rate and order, `W <- W - η dW`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.formula.meaning import Meanings
from backpass.doctor.formula.mending import Mended, in_order, mended
from backpass.doctor.formula.ordered import Goal, Ordered, Step
from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.report import Change, FormulaReport, Product
from backpass.doctor.formula.spelling import Spelled
from backpass.doctor.formula.tree import Name
from backpass.doctor.formula.values import Values
from backpass.doctor.report import Verdict
from backpass.forward.syntax import Statement

Array = NDArray[np.float64]
TRIED = 0.1, 0.01


def algorithm_verdict(spelled: Spelled, base: Ground) -> FormulaReport:
    """Hold every update of an algorithm to the rate times the derived gradient, in its order.

    η, eta, lr and their like are the rate. A name may be bound again. Statements without an update
    are held to the gradients that they name. Raises an error of the family for a text that cannot
    be read, and for an unknown name.
    """
    return _Algorithm(Ordered.of(spelled.text, base)).report(spelled.notes)


class _Algorithm:
    def __init__(self, ordered: Ordered) -> None:
        self.ordered, self.base = ordered, ordered.base
        self.point, self.rate = ordered.base.points[0], ordered.rate
        self.fast, self.slow = (ordered.run(rate) for rate in TRIED)
        self.held = ordered.run(TRIED[0], held=True)
        self.goals = {goal.place: goal for goal in ordered.goals()}

    # ── judging ──────────────────────────────────────────────────────────────────────────────

    def report(self, notes: Sequence[str]) -> FormulaReport:
        mend = mended(self.ordered)
        products: list[Product] = []
        changes = list(mend.changes)
        verdicts: list[Verdict] = []
        for place, step in enumerate(self.fast):
            row, verdict, change = self._row(place, step, mend)
            products.append(row)
            if verdict == "unknown" and mend.changes and mend.complete:
                verdict = None  # it is the consequence of what was repaired
            if verdict is not None:
                verdicts.append(verdict)
            changes += [change] if change and change not in changes else []
        verdicts += mend.verdicts.values()
        worst = _ORDER[min(map(_ORDER.index, verdicts), default=1)]
        steps = self._mended(mend, changes) if worst in _ORDER[:3] and changes else ()
        shown = "; ".join(one.text for one in self.ordered.statements)
        told = _SENTENCES[self.ordered.updates][_ORDER.index(worst)]
        sentences = (told, *mend.said, *notes, *self.ordered.notes)
        return FormulaReport(
            worst, "", shown, tuple(dict.fromkeys(sentences)), tuple(products), tuple(changes),
            "; ".join(one.text for one in steps), steps,
        )  # fmt: skip

    def _row(
        self, place: int, step: Step, mend: Mended
    ) -> tuple[Product, Verdict | None, Change | None]:
        """A statement in the table, what it is judged as, and a change beside those of `mend`."""
        goal = self.goals.get(place)
        text, shape = step.statement.text, self._shape(step.value)
        wanted = mend.wanted.get(place)
        if step.trouble or goal is None or not step.statement.updates:
            return self._plain(place, step, wanted)
        verdict, means, change = self._judged(goal, step)
        good = verdict.startswith("correct")
        row = Product(text, shape, means if good else "", "" if good else means)
        return row, verdict, change

    def _plain(
        self, place: int, step: Step, wanted: str | None
    ) -> tuple[Product, Verdict | None, Change | None]:
        """A statement that names a value, or that has none: which quantity that is."""
        text, goal = step.statement.text, self.goals.get(place)
        if step.value is None:
            return Product(text, "", trouble=step.trouble), "bug", None
        if step.statement.updates:
            return Product(text, self._shape(step.value), trouble=_NONE), "unknown", None
        arrays = {**self.point.arrays, "": step.value}
        values = Values(Point(self.point.sizes, arrays, self.point.functions), self.ordered.style)
        meant = Meanings(self.base, values).of(Name(""))
        verdict: Verdict | None = None
        means, trouble = meant.text if meant else "", ""
        if goal is not None and self.ordered.times(goal, self.held) is None:
            trouble, verdict = f"this is not {goal.gradient}", "unknown"
        elif goal is not None:
            times = self.ordered.times(goal, self.held) or 0
            exact = abs(times - 1) < 1e-9
            verdict = "bug" if times < 0 else "correct" if exact else "correct up to a scale"
            means = goal.gradient if exact else means or f"{times:.6g} {goal.gradient}"
        if wanted is not None and not trouble:
            trouble = f"this is not {wanted}"
        return Product(text, self._shape(step.value), means, trouble), verdict, None

    def _judged(self, goal: Goal, step: Step) -> tuple[Verdict, str, Change | None]:
        name, text = goal.of, step.statement.text
        right = f"{name} <- {name} - {self.rate} d{name}"
        times = [self.ordered.times(goal, steps) for steps in (self.fast, self.slow)]
        if times[0] is not None and times[1] is not None:
            rated = [one / rate for one, rate in zip(times, TRIED, strict=True) if one]
            if abs(rated[0] - rated[1]) < 1e-9 * abs(rated[0]):
                return self._scaled(rated[0], name)
            return self._without_rate(times[0], name, text, right)
        held = self.ordered.times(goal, self.held)
        if held is not None:
            before = self.ordered.statements[: goal.place]
            return self._early(goal, [one for one in before if one.updates], downhill=held > 0)
        return "unknown", f"this is no multiple of d{name}", None

    def _scaled(self, times: float, name: str) -> tuple[Verdict, str, Change | None]:
        shown = "" if abs(abs(times) - 1) < 1e-9 else f"{abs(times):.6g} "
        if times < 0:
            return "bug", f"this climbs: {name} + {shown}{self.rate} d{name}", None
        verdict: Verdict = "correct up to a scale" if shown else "correct"
        return verdict, f"{name} − {shown}{self.rate} d{name}", None

    def _without_rate(
        self, times: float, name: str, text: str, right: str
    ) -> tuple[Verdict, str, Change | None]:
        shown = "" if abs(abs(times) - 1) < 1e-9 else f"{abs(times):.6g} "
        why = "Without a rate the step is as long as the gradient, which may be far too long."
        if times < 0:
            return "bug", f"this climbs: {name} + {shown}d{name}", Change(text, right, why)
        return "correct up to a scale", f"{name} − {shown}d{name}", Change(text, right, why)

    def _early(
        self, goal: Goal, early: list[Statement], *, downhill: bool
    ) -> tuple[Verdict, str, Change | None]:
        """What flowed back through weights that had been updated already."""
        name, gradient = goal.of, self.point.arrays[goal.gradient]
        damages: list[str] = []
        for steps, rate in zip((self.fast, self.slow), TRIED, strict=True):
            moved = steps[goal.place].moved
            assert moved is not None
            sign = 1 if downhill else -1
            off = np.linalg.norm(moved / rate - sign * gradient) / np.linalg.norm(gradient)
            damages.append(f"{off:.1e} at {self.rate} = {rate:g}")
        why = (
            f"{_through(early, name)} d{name} is off by {damages[0]} and by {damages[1]}, in "
            "proportion to the rate. With every update after the last δ it is right"
            f"{'' if downhill else ', but for its sign'}."
        )
        change = Change("; ".join(one.text for one in early), "the same, after the last δ", why)
        return "bug", f"d{name} goes through updated weights", change

    # ── the whole, put right ─────────────────────────────────────────────────────────────────

    def _mended(self, mend: Mended, changes: list[Change]) -> tuple[Product, ...]:
        """The repaired statements, run again: told only if all of them then are right."""
        ordered = Ordered.of(mend.text, self.base)
        again = _Algorithm(ordered)
        if not again.right() and ordered.updates:
            wrong = next((one for one in again.goals.values() if not again.is_right(one)), None)
            early = (
                [one for one in ordered.statements[: wrong.place] if one.updates] if wrong else []
            )
            if wrong and early and not any("through updated" in one.reason for one in changes):
                change = Change(
                    early[-1].text, "the same, after the last δ", _through(early, wrong.of)
                )
                changes.append(change)
            between = " * " if ordered.style.code else " "
            again = _Algorithm(Ordered.of(in_order(ordered, between), self.base))
        if not again.right():
            return ()
        rows = (again._row(place, step, Mended([]))[0] for place, step in enumerate(again.fast))
        return tuple(rows)

    def is_right(self, goal: Goal) -> bool:
        steps = [self.fast, self.slow] if self.ordered.updates else [self.held]
        times = [self.ordered.times(goal, one) for one in steps]
        return all(one is not None and one > 0 for one in times)

    def right(self) -> bool:
        """Whether every goal is a positive multiple of its gradient, in the order of the text."""
        return bool(self.goals) and all(map(self.is_right, self.goals.values()))

    def _shape(self, value: Array | None) -> str:
        if value is None:
            return ""
        letters = self.base.letters(self.point)
        sizes = (*value.shape, 1) if value.ndim == 1 else value.shape
        return "×".join(letters.get(size, str(size)) for size in sizes) or "a number"


def _through(early: list[Statement], name: str) -> str:
    weights = ", ".join(str(one.target) for one in early)
    return (
        f"The error goes back through updated weights: {weights} moved before d{name} was "
        "computed, and the gradient is that of the weights of the forward pass."
    )


_NONE = "nothing here has this gradient"
_ORDER: list[Verdict] = [
    "bug", "unknown", "correct for another loss", "correct up to a scale", "correct"
]  # fmt: skip
_SENTENCES = {
    True: (
        "Not every weight goes down its gradient.",
        "Not every update is a multiple of the gradient.",
        "Not every weight goes down the gradient of this loss.",
        "Every weight goes down its gradient, some not by the rate alone.",
        "Every weight goes down its own gradient, by the rate times it.",
    ),
    False: (
        "Not every gradient is what it is said to be.",
        "Not every gradient is what it is said to be.",
        "Not every gradient is that of this loss.",
        "Every gradient is what it is said to be, some times a number.",
        "Every gradient is what it is said to be.",
    ),
}
