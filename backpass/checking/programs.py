"""Check a derived program: against the user's own function, by differences, step by step.

The gradients are those of the derived program, by the literal runner and by the fast one. The
slopes are those of the function as its user wrote it, so that recording it is checked too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any, cast

import numpy as np

from backpass.checking.gradients import Agreement, Trial, Values, examine, merge
from backpass.checking.points import Sizes, draw_inputs, draw_sizes, size_names, work
from backpass.checking.report import Check, both, power
from backpass.checking.stand_ins import Functions
from backpass.checking.transposes import Law, laws
from backpass.language.errors import DerivationError, UnknownName, choices, whole_number
from backpass.language.evaluate import evaluate
from backpass.language.program import Program
from backpass.language.shapes import bind, show_shape

LITERAL = 2_000_000  # terms that the literal runner is asked to add up
SAME = 1e-9  # two ways to compute one number agree to this part of it
LOST = 1e-4  # so much smaller than the largest number met, a result has lost digits on the way


@dataclass(frozen=True)
class Subject:
    """What is checked: a forward pass as its user wrote it, and what was derived from it."""

    program: Program  # forward and backward; the value comes out first
    gradients: Mapping[str, str]  # leaf -> what its gradient is called
    functions: Functions  # bodies for those that were only declared
    stand_ins: bool  # whether nobody gave these
    own: Callable[[Values], Any]  # the user's own function, on arrays by leaf name
    run: Callable[[Values], tuple[Any, Values]]  # the fast runner: the value, gradients by leaf

    def value(self, at: Values) -> float:
        """The user's own value."""
        with np.errstate(all="ignore"):
            result = self.own(at)
        return float(np.asarray(result).reshape(()))

    def fast(self, at: Values) -> tuple[float, Values]:
        """The value and the gradients by the fast runner."""
        with np.errstate(all="ignore"):
            value, gradients = self.run(at)
        return float(value), gradients

    def literal(self, at: Values) -> Values:
        """Every array by the literal runner."""
        with np.errstate(all="ignore"):
            return evaluate(self.program, at)

    def gradients_in(self, arrays: Values) -> Values:
        """The gradients by leaf, out of all arrays."""
        return {leaf: arrays[called] for leaf, called in self.gradients.items()}


@dataclass(frozen=True, slots=True)
class Point:
    """Where a program is tried."""

    sizes: Sizes
    values: Values
    drawn: bool = True
    positive: bool = False

    def __str__(self) -> str:
        sizes = " ".join(f"{name}={length}" for name, length in self.sizes.items())
        return f"{sizes or 'the declared sizes'}{'' if self.drawn else ' (given)'}"


@dataclass
class _Findings:
    """What has been found so far."""

    points: list[Point] = field(default_factory=list[Point])
    agreements: dict[str, list[Agreement]] = field(default_factory=dict[str, list[Agreement]])
    faults: list[str] = field(default_factory=list[str])
    laws: list[Law] = field(default_factory=list[Law])
    value: float = 0.0
    literal: bool = True


def check_program(
    subject: Subject,
    at: Values | None = None,
    *,
    sizes: Sizes | None = None,
    seed: int = 0,
    entries: bool = False,
    times: int = 3,
) -> Check:
    """Check at `times` points of random sizes, and at the arrays `at` when they are given.

    Raises DerivationError when no inputs are found at which the value is finite, UnknownName for
    a size that does not exist.
    """
    fixed = _fixed(sizes, subject.program)
    if at is None and whole_number("times", times) < 1:
        raise DerivationError("there is nothing to check: no arrays are given, and times is 0")
    random = np.random.default_rng(whole_number("seed", seed))
    findings = _Findings()
    if at is not None:
        point = _given(subject, at)
        _try(subject, point, Trial(max(times, 1), entries, random, str(point)), findings)
    for count in range(times):
        positive = any(point.positive for point in findings.points)
        point = _draw(subject, fixed, random, one=count == 1, positive=positive)
        _try(subject, point, Trial(1, entries, random, str(point)), findings)
        if not count and findings.literal:
            arrays = subject.literal(point.values)
            findings.laws = laws(subject.program, subject.functions, arrays, point.sizes, random)
    return Check(
        gradients=tuple(merge(found) for found in findings.agreements.values()),
        faults=tuple(findings.faults),
        remarks=tuple(_remarks(subject, findings)),
        laws=tuple(findings.laws),
        value=findings.value,
        points=tuple(map(str, findings.points)),
        says="backpass uses {} (0 at a kink, the first of tied maxima)",
    )


# ── points ───────────────────────────────────────────────────────────────────────────────────


def _given(subject: Subject, at: Values) -> Point:
    """The arrays of a call, in double precision; refused if they do not fit what was declared."""
    subject.fast(at)
    inputs = subject.program.inputs
    values = {one.name: np.array(at[one.name], np.float64 if one.kind == "real" else None)
              for one in inputs}  # fmt: skip
    value = subject.value(values)
    if not isfinite(value):
        raise DerivationError(f"the forward pass returns {value} at these arguments")
    sizes = bind((one.name, one.shape, values[one.name].shape) for one in inputs)
    return Point(sizes, values, drawn=False)


def _fixed(sizes: object, program: Program) -> Sizes:
    """The sizes that are fixed by name, refused unless inputs have them."""
    known = size_names(program.inputs)
    try:
        given = dict(cast("Sizes", sizes or {}))
    except (TypeError, ValueError):
        example = known[0] if known else "n"
        raise DerivationError(f'sizes fixes sizes by name, sizes={{"{example}": 4}}') from None
    for name in given:
        if name not in known:
            hint = choices(name, known, "the sizes are")
            raise UnknownName(f"there is no size {name}{hint}")
    return {name: whole_number(f"the size {name}", length) for name, length in given.items()}


def _draw(
    subject: Subject, fixed: Sizes, random: np.random.Generator, *, one: bool, positive: bool
) -> Point:
    """Random sizes and inputs at which the value and the gradients are numbers.

    Longer axes are tried where a forward pass takes no short ones (`X[:, 4]`), and positive
    numbers where it takes no negative ones.
    """
    wanted = size_names(subject.program.inputs)
    reason = "is no finite number"
    for longer in (0, 0, 4, 12):
        drawn = draw_sizes(wanted, random, one=one)
        sizes = {name: fixed.get(name, length + longer) for name, length in drawn.items()}
        one = False  # the first time only
        for sign in (True,) if positive else (False, True):
            values = draw_inputs(subject.program.inputs, sizes, random, positive=sign)
            try:
                value, gradients = subject.value(values), subject.fast(values)[1]
            except Exception as error:  # whatever the user's function raises at these sizes
                reason = f"raises {type(error).__name__}: {error},"
                break
            if isfinite(value) and all(np.isfinite(found).all() for found in gradients.values()):
                return Point(sizes, values, positive=sign)
    raise DerivationError(f"the forward pass {reason} at random inputs; give arrays of your own")


# ── one point ────────────────────────────────────────────────────────────────────────────────


def _try(subject: Subject, point: Point, trial: Trial, findings: _Findings) -> None:
    """Compare the user's function, the literal and the fast runner, and differences."""
    findings.points.append(point)
    here = point.values
    value, gradients = subject.fast(here)
    largest = 0.0
    literal = work(subject.program, point.sizes) <= LITERAL
    findings.literal &= literal
    if literal:
        arrays = subject.literal(here)
        largest = max(float(np.abs(array).max(initial=0)) for array in arrays.values())
        by_runner, gradients = gradients, subject.gradients_in(arrays)
        value = float(arrays[subject.program.outputs[0]])
        findings.faults += _runner_faults(subject, gradients, by_runner, largest, trial.at)
    own = subject.value(here)
    apart = abs(value - own) / (max(abs(value), abs(own), LOST * largest) or 1.0)
    findings.value = max(findings.value, apart)
    if not apart <= SAME:
        shown = both(value, own)
        findings.faults.append(
            f"the program returns {shown[0]} and the function itself {shown[1]} at {trial.at}: "
            "what was recorded is not what the function computes"
        )

    def slope(at: Values) -> Values:
        if at is here:
            return gradients
        return subject.gradients_in(subject.literal(at)) if literal else subject.fast(at)[1]

    def loss(at: Values) -> float:
        try:
            return subject.value(at)
        except Exception:  # a step too far for the user's function
            return nan

    names: dict[str, tuple[str, str]] = {}
    for leaf, called in subject.gradients.items():
        if np.isfinite(gradients[leaf]).all():
            names[leaf] = (called, show_shape(subject.program.arrays[leaf].shape))
        else:
            findings.faults.append(f"{called} is not finite at {trial.at}, and the value is")
    for leaf, found in zip(names, examine(loss, slope, here, names, trial), strict=True):
        findings.agreements.setdefault(leaf, []).append(found)


def _runner_faults(
    subject: Subject, literal: Values, fast: Values, largest: float, at: str
) -> Iterator[str]:
    for leaf, called in subject.gradients.items():
        size = max(float(np.abs(literal[leaf]).max(initial=0.0)), LOST * largest)
        apart = float(np.abs(fast[leaf] - literal[leaf]).max(initial=0.0))
        if not apart <= SAME * size and np.isfinite(literal[leaf]).all():
            yield (
                f"{called} as it runs differs from its loop nests by {power(apart / size)} of its "
                f"size at {at}"
            )


def _remarks(subject: Subject, findings: _Findings) -> Iterator[str]:
    if any(point.positive for point in findings.points):
        yield (
            "at random inputs around 0 the value is no number (the logarithm or a root of a "
            "negative one?), so inputs between 0.1 and 0.9 were drawn"
        )
    names = [name for name in subject.functions if name.isidentifier()]
    if names and subject.stand_ins:
        yield f"{' and '.join(names)}: declared without a body, so a smooth function stood in"
    if not findings.literal:
        yield "at the larger sizes only the fast runner was tried: the literal one takes too long"
