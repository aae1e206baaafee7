"""Formulas for Jacobians, such as diag(p) − p pᵀ of softmax, held to the derived array."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from backpass.calculus.library import FUNCTIONS
from backpass.checking.points import draw_inputs, size_names
from backpass.doctor.formula.alignment import Alignment
from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.explain import Explained
from backpass.doctor.formula.points import Ground, Point
from backpass.doctor.formula.reading import Read, read
from backpass.doctor.formula.report import FormulaReport
from backpass.doctor.formula.scale import Scale
from backpass.doctor.formula.spelling import plainly
from backpass.doctor.formula.tree import Called, Joined, Name, Tree, Turned
from backpass.doctor.formula.values import flat, same
from backpass.doctor.formula.verdict import Judge, Repair
from backpass.forward.quantity import Quantity
from backpass.jacobian import Arrays, jacobian
from backpass.language.errors import DerivationError, choices
from backpass.language.evaluate import evaluate
from backpass.language.notation import format_step
from backpass.language.program import Program

_HEAD = re.compile(r"^\s*[d∂][^=;\n]*=(?!=)")  # d softmax =, ∂p/∂z =
PRIMES = 5, 7, 11, 13, 17, 19, 23, 29


def claim_verdict(
    text: str, of: Arrays | str, called: Mapping[str, str] | None = None
) -> FormulaReport:
    """Hold a formula to a Jacobian: one that was derived, or that of a function p = f(z) by name.

    Raises DerivationError for a Jacobian that is no matrix.
    """
    whole = jacobian(f"p = {_function(of)}(z)", "z: m") if isinstance(of, str) else of
    if len(whole.results) != 1:
        raise DerivationError("a formula is for one Jacobian; derive it by one input alone")
    ((wrt,), target), *_ = [(path[-1:], name) for path, name in whole.results.items()]
    if len(whole.program.arrays[target].shape) != 2:
        raise DerivationError("a formula is for the Jacobian of a vector by a vector")
    base = Ground(whole.passes, {}, tuple(_point(whole, turn) for turn in (0, 1)))
    found = read(plainly(_HEAD.sub("", text, count=1), base, called or {}), base)
    return _Claim(base, found, wrt, target, whole).report()


def _function(name: str) -> str:
    """A function that a vector can be put into."""
    stem = {"σ": "sigmoid"}.get(name, name)
    if stem not in FUNCTIONS:
        raise DerivationError(
            f"{name} is no function known here{choices(name, FUNCTIONS, 'known')}"
        )
    return stem


def _point(whole: Arrays, turn: int) -> Point:
    names = size_names(whole.program.inputs)
    sizes = {name: PRIMES[(place + turn) % len(PRIMES)] for place, name in enumerate(names)}
    random = np.random.default_rng(turn)
    inputs = draw_inputs(whole.program.inputs, sizes, random, positive=False)
    steps = (*whole.forward.steps, *whole.backward)  # the forward lines too, needed or not
    outputs, constants = whole.program.outputs, whole.forward.constants
    program = Program(whole.forward.inputs, steps, outputs, constants)
    return Point(sizes, evaluate(program, inputs))


class _Claim(Judge):
    """A formula beside a Jacobian; there is no way of steps, so only small changes repair it."""

    def __init__(self, base: Ground, found: Read, wrt: str, target: str, whole: Arrays) -> None:
        super().__init__(base, found, wrt, target)
        self.whole = whole
        self.of = whole.forward.outputs[0]
        self.said = _Said(base, found, self.derived, target)

    def report(self) -> FormulaReport:
        special = self.diagonal()
        report = special if special is not None else super().report()
        known = self.softmax()
        if known is not None:
            return replace(report, derived=self.said.text(known))
        step = next(one for one in self.whole.program.steps if one.name == self.gradient)
        derived = format_step(step, self.whole.program.arrays)
        return replace(report, index=derived)

    def softmax(self) -> Tree | None:
        """diag(p) − p pᵀ, where that is the Jacobian."""
        p = Name(self.of)
        matrix = Joined(self.found.style.matrix, p, Turned(p))
        whole = Joined("-", Called("diag", (p,)), matrix)
        return whole if self.right(whole) else None

    def repair_of(self, node: Tree) -> Repair | None:
        repair, known = super().repair_of(node), self.softmax()
        if repair is None and known is not None:
            return Repair(known, (Edit("replaced", self.found.node, known),))
        return repair

    def diagonal(self) -> FormulaReport | None:
        """A vector that is the diagonal of the Jacobian, or a matrix that has no more than that."""
        node, values = self.found.node, self.values
        pairs = [(one.quantity(node), one.quantity(Name(self.gradient))) for one in values]
        if not all(self._on_diagonal(own, target) for own, target in pairs):
            return self.beside(*pairs[0])
        own, target = pairs[0]
        assert own is not None
        assert target is not None
        if self._is_diagonal(target):
            if own.rank == 2:
                return None
            sentence = (
                "It is the diagonal of the Jacobian, and all else is 0: a product with the matrix "
                "is a product with this vector entry by entry, ⊙."
            )
            return self.finished("correct", (sentence,))
        sentence = (
            f"It is only the diagonal of the Jacobian. Every entry of {self.of} depends on every "
            f"entry of {self.wrt}, so the other entries are not 0, and ⊙ is not enough."
        )
        repair = self.repair() if own.rank == 2 else self.repair_of(_matrix(node))
        return self.finished("bug", (sentence,), repair)

    def beside(self, own: Quantity | None, target: Quantity | None) -> FormulaReport | None:
        """A vector that is to be the diagonal of a diagonal Jacobian, and is not."""
        if own is None or target is None or own.rank != 1 or len(set(target.sizes)) != 1:
            return None
        if own.sizes[0] != target.sizes[0] or not self._is_diagonal(target):
            return None
        repair = self.repair_of(_matrix(self.found.node))
        sentence = "The Jacobian is diagonal, and these are not the numbers on its diagonal."
        return self.finished("unknown" if repair is None else "bug", (sentence,), repair)

    @staticmethod
    def _is_diagonal(target: Quantity) -> bool:
        return same(flat(target), np.diag(np.diag(flat(target))))

    @staticmethod
    def _on_diagonal(own: Quantity | None, target: Quantity | None) -> bool:
        if own is None or target is None or len(set(target.sizes)) != 1 or not own.rank:
            return False
        diagonal = np.diag(flat(target))
        if own.rank == 1:
            return same(own.value, diagonal)
        return same(flat(own), np.diag(diagonal))


def _matrix(node: Tree) -> Tree:
    return Called("diag", (node,))


class _Said(Explained):
    """What is said of a Jacobian where a gradient would be told otherwise."""

    def correct(self) -> tuple[str, ...]:
        target = self.values.quantity(Name(self.gradient))
        both = target is not None and same(flat(target), flat(target).T)
        turned = " It is its own transpose, so it is right in every layout." if both else ""
        return (f"It equals the derived Jacobian at random numbers.{turned}",)

    def turned(self) -> tuple[str, ...]:
        return (
            "It is the transpose of the Jacobian in numerator layout, which has a row for each "
            "result: this is denominator layout, where chains grow to the left.",
        )

    def nearest(self, aligned: Alignment | None) -> tuple[str, ...]:
        return ("No small change makes it the Jacobian.",)

    def scaled(self, times: Scale) -> tuple[str, ...]:
        return (f"It is {times.text} times the Jacobian.",)

    def wrong(self, value: Quantity, times: Scale | None) -> str:
        target = self.values.quantity(Name(self.gradient))
        assert target is not None
        if times is not None:
            return f"It is {times.text} times the Jacobian."
        if value.sizes != target.sizes:
            return f"It comes out as {self.sizes(value.sizes)}, not {self.sizes(target.sizes)}."
        return "The shapes fit, but the entries are not those of the Jacobian."
