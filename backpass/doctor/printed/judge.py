"""Each known mistake, run as a program from the stated weights on, and held to printed numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.derive import Derivation
from backpass.doctor.printed.figures import Figure, figures, quantity
from backpass.doctor.printed.programs import (
    Moment,
    Program,
    Said,
    catalogue,
    training,
)
from backpass.doctor.printed.report import Printed, PrintedReport
from backpass.doctor.printed.stated import Stated, Tensor, stated
from backpass.doctor.report import Finding, Verdict
from backpass.doctor.right import chain
from backpass.doctor.search import Story
from backpass.doctor.wording import Wording
from backpass.language.errors import BackpassError
from backpass.nn.network import Network
from backpass.reading.plural import many

Array = NDArray[np.float64]
STEPS = 400_000  # of all programs together: a minute
ENOUGH = 8  # programs that fit; digits that more of them have tell nothing


def judge_printed(
    subject: Derivation | Network,
    given: Sequence[Any],
    printed: Mapping[Any, Any],
    lr: float | None = None,
) -> PrintedReport:
    """Say which program, trained from these weights, prints these numbers."""
    one = stated(subject, given, lr)
    wanted = figures(printed, one)
    right = _run(one, Program(), wanted)
    if right.fits:
        return _report(one, wanted, right, [right], 1)
    search = _Search(one, wanted)
    found = search.once() or search.twice()
    return _report(one, wanted, right, found, search.tried + 1)


@dataclass(frozen=True)
class _Ran:
    """A program, and what it prints in place of each figure, as far as it was run."""

    program: Program
    values: tuple[float, ...]
    fits: bool
    losses: tuple[float, float]  # at the beginning and at the end


def _run(one: Stated, program: Program, wanted: Sequence[Figure], *, stop: bool = False) -> _Ran:
    """Run a program up to the last figure; with `stop`, up to the first that does not fit."""
    values: list[float] = []
    fits, losses = True, [np.nan, np.nan]
    left = list(wanted)
    for steps, moment in enumerate(training(one, program)):
        if steps in (0, wanted[-1].steps):
            losses[steps > 0] = float(_value(one, moment, Figure(steps, "loss", (), "0")))
        while left and left[0].steps == steps:
            figure = left.pop(0)
            values.append(_value(one, moment, figure))
            fits = fits and figure.fits(values[-1])
        if not left or (stop and not fits):
            break
    values += [np.nan] * len(left)
    return _Ran(program, tuple(values), fits and not left, (losses[0], losses[1]))


def _value(one: Stated, moment: Moment, figure: Figure) -> float:
    def gradient(tensor: Tensor) -> Array:
        found = moment.gradients
        return np.full_like(one.weights[tensor], np.nan) if found is None else found[tensor]

    return float(quantity(one, moment.run, gradient, figure.name)[figure.place])


class _Search:
    """The catalogue on one network: single programs first, then two at once."""

    def __init__(self, one: Stated, wanted: Sequence[Figure]) -> None:
        self.one = one
        self.wanted = wanted
        self.programs = list(catalogue(one))
        self.tried = 0

    def once(self) -> list[_Ran]:
        """Programs with one mistake that print the numbers."""
        count = len(self.programs)
        if count * (self.wanted[0].steps + 1) > STEPS:
            steps = many(self.wanted[0].steps, "step")
            raise BackpassError(
                f"the first number was printed after {steps}, to which {count} programs do not "
                "come in a minute; give one that was printed earlier"
            )
        return self._fitting(self.programs)

    def twice(self) -> list[_Ran]:
        """Programs with two mistakes that do, where that takes no longer than a minute."""
        pairs = [
            both
            for first, second in combinations(self.programs, 2)
            if (both := first.with_(second)) is not None
        ]
        if len(pairs) * (self.wanted[0].steps + 1) > STEPS:
            return []
        return self._fitting(pairs)

    def _fitting(self, programs: Iterable[Program]) -> list[_Ran]:
        found: list[_Ran] = []
        for program in programs:
            self.tried += 1
            ran = _run(self.one, program, self.wanted, stop=True)
            if ran.fits:
                found.append(ran)
            if len(found) > ENOUGH:
                break
        return found


# ── what is said ─────────────────────────────────────────────────────────────────────────────


def _report(
    one: Stated, wanted: Sequence[Figure], right: _Ran, found: list[_Ran], tried: int
) -> PrintedReport:
    groups = _alike(found)
    sure = len(groups) == 1
    best = groups[0][0] if sure else None
    numbers = tuple(
        Printed(
            figure.steps, figure.entry, figure.text, figure.shown(value),
            figure.shown(best.values[place]) if best is not None and best is not right else None,
            figure.fits(value),
        )
        for place, (figure, value) in enumerate(zip(wanted, right.values, strict=True))
    )  # fmt: skip
    words = _Words(one)
    findings = tuple(words.findings(groups[0])) if sure else ()
    verdict: Verdict = "unknown"
    if best is not None:
        verdicts: list[Verdict] = [said.verdict for said in best.program.said]
        verdict = "bug" if "bug" in verdicts else verdicts[0] if verdicts else "correct"
    return PrintedReport(
        verdict, findings, numbers, _network(one), tried,
        tuple(_notes(wanted, right, best, groups, tried)),
    )  # fmt: skip


def _alike(found: Sequence[_Ran]) -> list[list[_Ran]]:
    """Programs that print the same, to more digits than were printed, in groups."""
    groups: list[list[_Ran]] = []
    for ran in found:
        for group in groups:
            if np.allclose(group[0].values, ran.values, rtol=1e-12, atol=0):
                group.append(ran)
                break
        else:
            groups.append([ran])
    for group in groups:
        group.sort(key=lambda ran: len(ran.program.said))
    return groups


def _network(one: Stated) -> str:
    widths = [one.X.shape[1], *(layer.units for layer in one.seen.layers)]
    activations = ", ".join(layer.activation for layer in one.seen.layers)
    samples = f"{len(one.X)} samples" if len(one.X) > 1 else "one sample"
    trained = ", ".join(map(one.path, sorted(one.trained, key=lambda t: (t[1], t[0]))))
    return (
        f"A {'-'.join(map(str, widths))} network with {activations} and {one.title}, on {samples}; "
        f"it trains {trained} at the rate {one.rate:g}."
    )


class _Words:
    """Findings about a program, in the names of the derivation."""

    def __init__(self, one: Stated) -> None:
        self.one = one
        lowest = chain(one.numbers, one.family, one.times)[0]
        self.wording = Wording(one.seen, Story(one.family, (lowest,)), one.probe.run)

    def findings(self, group: Sequence[_Ran]) -> Iterator[Finding]:
        best, *others = group
        for place, said in enumerate(best.program.said):
            also = [
                other.program.said[place].bug
                for other in others
                if len(other.program.said) == len(best.program.said)
            ]
            also = [bug for bug in also if bug is not None and bug != said.bug]
            yield replace(self._finding(said), also=tuple(dict.fromkeys(also)))

    def _finding(self, said: Said) -> Finding:
        tensors = tuple(map(self.one.path, said.tensors))
        explanation = self.wording.say(said.says, said.layer)
        return Finding(
            said.bug, said.name, tensors[0] if tensors else "", None, "", f"{explanation}.",
            self.wording.say(said.fix, said.layer), said.verdict == "bug", tensors,
        )  # fmt: skip


def _notes(
    wanted: Sequence[Figure], right: _Ran, best: _Ran | None, groups: list[list[_Ran]], tried: int
) -> Iterator[str]:
    if best is right:
        yield "Correct backpropagation prints these numbers, to the last digit."
        return
    if best is not None:
        yield (
            f"Of {tried:,} programs that were run, this one alone prints "
            f"{'all ' if len(wanted) > 2 else ''}{_count(len(wanted))}, to the last digit."
            if len(groups[0]) == 1
            else f"Of {tried:,} programs that were run, {len(groups[0])} that are one on this "
            f"network print {_count(len(wanted))}, to the last digit."
        )
        yield from _trains(wanted, right, best)
        return
    if groups:
        names = dict.fromkeys(
            " and ".join(f"{said.name} ({said.bug})" for said in ran.program.said)
            for group in groups
            for ran in group
        )
        yield (
            f"Several programs print {_count(len(wanted))}: {'; '.join(names)}. More digits, or "
            "numbers of another step, would tell them apart."
        )
        return
    yield (
        f"None of {tried:,} programs prints {_count(len(wanted))}. Are inputs, first weights, rate "
        "and what is trained as they were?"
    )


def _count(numbers: int) -> str:
    return "this number" if numbers == 1 else f"these {numbers} numbers"


def _trains(wanted: Sequence[Figure], right: _Ran, best: _Ran) -> Iterator[str]:
    """Whether one sees the mistake in training: mostly one does not."""
    first, last = best.losses
    steps = wanted[-1].steps
    if steps < 2 or not np.isfinite([*best.losses, *right.losses]).all():
        return
    numbers = (
        f"fter {steps:,} steps its loss is {last:.4g}, where it began at {first:.4g}; correct "
        f"backpropagation comes to {right.losses[1]:.4g}."
    )
    yield f"It trains all the same: a{numbers}" if last < first / 2 else f"A{numbers}"
