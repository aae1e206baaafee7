"""Ordered statements that update weights: sign, rate and order, `W <- W - η dW`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.doctor.formula.meaning import Meanings
from backpass.doctor.formula.points import Ground, Point, ground
from backpass.doctor.formula.reading import translated
from backpass.doctor.formula.report import Change, FormulaReport, Product
from backpass.doctor.formula.tree import Hand, Name, Tree, hand, names, tree
from backpass.doctor.formula.values import KNOWN, Failure, Values, ratio
from backpass.doctor.report import Verdict
from backpass.forward.quantity import Misfit
from backpass.forward.statements import parse
from backpass.forward.syntax import Statement
from backpass.language.errors import UnknownName, choices

Array = NDArray[np.float64]
RATES = ("η", "eta", "lr", "α", "alpha", "rate", "learning_rate", "ε", "epsilon")
TRIED = 0.1, 0.01


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that ran: what it came to, or why it did not."""

    statement: Statement
    value: Array | None
    moved: Array | None = None  # of an update: what it takes away
    trouble: str = ""


def updates(text: str, of: Derivation, called: Mapping[str, str] | None = None) -> bool:
    """Whether a text changes something, and is no formula for one gradient."""
    statements = parse(translated(text, called or {}), KNOWN, of.program.arrays)
    return any(one.updates for one in statements)


def algorithm_verdict(
    text: str, of: Derivation, called: Mapping[str, str] | None = None
) -> FormulaReport:
    """Hold every update of an algorithm to the rate times the derived gradient, in its order.

    η, eta, lr and their like are the rate. A name may be bound again. Raises an error of the
    family for a text that cannot be read, and for an unknown name.
    """
    base = ground(of)
    text = translated(text, called or {})
    statements = parse(text, KNOWN, [*base.points[0].arrays, *base.points[0].sizes])
    return _Algorithm(base, statements, hand(text)).report(text)


class _Algorithm:
    def __init__(self, base: Ground, statements: Sequence[Statement], style: Hand) -> None:
        self.base, self.statements, self.style = base, statements, style
        self.point = base.points[0]
        self.rate = next((rate for rate in RATES if rate in self._read()), "η")

    def _read(self) -> set[str]:
        return {name for one in self.statements for name in names(tree(one.body, {}))}

    # ── running ──────────────────────────────────────────────────────────────────────────────

    def run(self, rate: float, *, held: bool = False) -> list[Step]:
        """The statements in order; `held` keeps every weight as the forward pass had it."""
        arrays: dict[str, Array] = dict(self.point.arrays)
        arrays.update((name, np.asarray(rate)) for name in RATES if name not in arrays)
        steps: list[Step] = []
        for statement in self.statements:
            values = Values(Point(self.point.sizes, arrays), self.style)
            node = tree(statement.body, {})
            self._known(node, values)
            found = values.of(node)
            if isinstance(found, Failure):
                steps.append(Step(statement, None, trouble=self._trouble(found)))
                continue
            value = np.asarray(found.value, float)
            value = value.reshape(found.sizes) if found.row else value
            target, moved = statement.target, None
            if statement.updates and target is not None and target in self.point.arrays:
                moved = arrays[target] - value if arrays[target].shape == value.shape else None
            steps.append(Step(statement, value, moved))
            if target is not None and not (statement.updates and held):
                arrays[target] = value
        return steps

    def _known(self, node: Tree, values: Values) -> None:
        known = values.point.arrays
        for name in sorted(names(node)):
            if name not in known and name not in values.point.sizes:
                hint = choices(name, known, "known are")
                raise UnknownName(f"{name} is not known{hint}")

    def _trouble(self, failure: Failure) -> str:
        letters = self.base.letters(self.point)
        error = failure.error
        if isinstance(error, Misfit):
            return error.sentence(lambda size: letters.get(size, str(size)))
        return error.message

    # ── judging ──────────────────────────────────────────────────────────────────────────────

    def report(self, text: str) -> FormulaReport:
        fast, slow = (self.run(rate) for rate in TRIED)
        held = self.run(TRIED[0], held=True)
        products: list[Product] = []
        changes: list[Change] = []
        verdicts: list[Verdict] = []
        for place, step in enumerate(fast):
            if not step.statement.updates or step.trouble:
                products.append(self._plain(step))
                if step.trouble:
                    verdicts.append("bug")
                continue
            verdict, means, change = self._judged(step, slow[place], held[place], fast[:place])
            verdicts.append(verdict)
            trouble = "" if verdict.startswith("correct") else means
            means = means if verdict.startswith("correct") else ""
            products.append(Product(step.statement.text, self._shape(step.value), means, trouble))
            changes += [change] if change else []
        worst = _ORDER[min(map(_ORDER.index, verdicts), default=1)]
        sentence = _SENTENCES[worst]
        shown = "; ".join(one.text for one in self.statements)
        return FormulaReport(worst, "", shown, (sentence,), tuple(products), tuple(changes))

    def _plain(self, step: Step) -> Product:
        """A statement that names a value: which quantity that is."""
        text = step.statement.text
        if step.value is None:
            return Product(text, "", trouble=step.trouble)
        arrays = {**self.point.arrays, "": step.value}
        meant = Meanings(self.base, Values(Point(self.point.sizes, arrays), self.style)).of(
            Name("")
        )
        return Product(text, self._shape(step.value), meant.text if meant else "")

    def _judged(
        self, step: Step, slow: Step, held: Step, before: Sequence[Step]
    ) -> tuple[Verdict, str, Change | None]:
        name, text = step.statement.target or "", step.statement.text
        gradient = self.point.arrays.get(f"d{name}")
        right = f"{name} <- {name} - {self.rate} d{name}"
        if gradient is None or step.moved is None or slow.moved is None:
            return "unknown", f"no gradient by {name} is of this shape", None
        found = ratio(step.moved, gradient), ratio(slow.moved, gradient)
        if found[0] is not None and found[1] is not None:
            times = [one / rate for one, rate in zip(found, TRIED, strict=True) if one]
            if abs(times[0] - times[1]) < 1e-9 * abs(times[0]):
                return self._scaled(times[0], name, text, right)
            return self._without_rate(found[0], name, text, right)
        if held.moved is not None and (times := ratio(held.moved, gradient)) is not None:
            early = [one.statement for one in before if one.statement.updates]
            return self._early(step, slow, gradient, early, downhill=times > 0)
        return "unknown", f"this is no multiple of d{name}", None

    def _scaled(
        self, times: float, name: str, text: str, right: str
    ) -> tuple[Verdict, str, Change | None]:
        shown = "" if abs(abs(times) - 1) < 1e-9 else f"{abs(times):.6g} "
        if times < 0:
            why = f"The gradient points uphill, so d{name} must be subtracted."
            return (
                "bug",
                f"this climbs: {name} + {shown}{self.rate} d{name}",
                Change(text, right, why),
            )
        verdict: Verdict = "correct up to a scale" if shown else "correct"
        return verdict, f"{name} − {shown}{self.rate} d{name}", None

    def _without_rate(
        self, times: float, name: str, text: str, right: str
    ) -> tuple[Verdict, str, Change | None]:
        shown = "" if abs(abs(times) - 1) < 1e-9 else f"{abs(times):.6g} "
        if times < 0:
            why = (
                f"The gradient points uphill, so d{name} must be subtracted; and without a rate "
                "the step is as long as the gradient."
            )
            return "bug", f"this climbs: {name} + {shown}d{name}", Change(text, right, why)
        why = "Without a rate the step is as long as the gradient, which may be far too long."
        return "correct up to a scale", f"{name} − {shown}d{name}", Change(text, right, why)

    def _early(
        self, step: Step, slow: Step, gradient: Array, early: list[Statement], *, downhill: bool
    ) -> tuple[Verdict, str, Change | None]:
        """What flowed back through weights that had been updated already."""
        name = step.statement.target or ""
        damages: list[str] = []
        for one, rate in zip((step, slow), TRIED, strict=True):
            assert one.moved is not None
            sign = 1 if downhill else -1
            off = np.linalg.norm(one.moved / rate - sign * gradient) / np.linalg.norm(gradient)
            damages.append(f"{off:.1e} at {self.rate} = {rate:g}")
        weights = ", ".join(str(one.target) for one in early)
        why = (
            f"The error goes back through updated weights: {weights} moved before "
            f"d{name} was computed, and the gradient is that of the weights of the forward pass. "
            f"d{name} is off by {damages[0]} and by {damages[1]}, in proportion to the rate. With "
            f"every update after the last δ it is right{'' if downhill else ', but for its sign'}."
        )
        change = Change("; ".join(one.text for one in early), "the same, after the last δ", why)
        return "bug", f"d{name} goes through updated weights", change

    def _shape(self, value: Array | None) -> str:
        if value is None:
            return ""
        letters = self.base.letters(self.point)
        sizes = (*value.shape, 1) if value.ndim == 1 else value.shape
        return "×".join(letters.get(size, str(size)) for size in sizes) or "a number"


_ORDER: list[Verdict] = ["bug", "unknown", "correct up to a scale", "correct"]
_SENTENCES: dict[Verdict, str] = {
    "bug": "Not every weight goes down its gradient.",
    "unknown": "Not every update is a multiple of the gradient.",
    "correct up to a scale": "Every weight goes down its gradient, some not by the rate alone.",
    "correct": "Every weight goes down its own gradient, by the rate times it.",
}
