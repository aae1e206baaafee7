"""What is put to the doctor, and what is true of it: the numbers, the tensors and the lines."""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.doctor import corpus, marked
from benchmarks.doctor.marked import Variation
from benchmarks.doctor.witness import Arrays

SCALES = frozenset({3, 5, 6, 8})  # one positive factor, common to all tensors
LOSSES = frozenset({10, 11, 12})  # the gradient of another loss
SAME_STEPS = (
    (20, 16),  # a derivative of 1 everywhere is none
    (40, 17),  # a bias that is summed from da lacks f′ as it would by 17
    (44, 49),  # the last sample's share is the one that is not overwritten
    (50, 18),  # z that was overwritten with a is a
    (54, 60),  # of one sequence, a sample is a step
    (60, 54),
)
MANY = 12  # programs with at least so many mistakes are varied; others show all in one variation
PAIRS = 2  # of each variation of such a program


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of a case: any of the numbers is right, as nothing tells them apart there."""

    key: str
    numbers: frozenset[int]
    tensors: frozenset[str]  # whose updates are wrong: W1, b1, …
    lines: frozenset[int]


@dataclass(frozen=True, slots=True)
class Case:
    """A program with none, one or two mistakes."""

    variation: Variation
    mistakes: tuple[Mistake, ...]
    text: str

    @property
    def name(self) -> str:
        return " + ".join([self.variation.name, *(one.key for one in self.mistakes)])

    @property
    def verdict(self) -> str:
        """What the whole should be called; the worst of its mistakes decides."""
        numbers = [one.numbers for one in self.mistakes]
        if not numbers:
            return "correct"
        if all(one & SCALES for one in numbers):
            return "correct up to a scale"
        if all(one & LOSSES for one in numbers):
            return "correct for another loss"
        return "bug"


def same(one: Arrays, other: Arrays) -> bool:
    """Whether two programs take the same steps."""
    return not changed(one, other)


def changed(one: Arrays, other: Arrays) -> set[int]:
    """Which of the parameters are changed differently."""
    return {
        i
        for i, (a, b) in enumerate(zip(one, other, strict=True))
        if not np.allclose(a, b, rtol=1e-6, atol=1e-12)
    }


def tensors(variation: Variation) -> list[str]:
    """The names of the parameters in the order of `corpus.paths`."""
    if "parts" in variation.head:
        return variation.head["parts"].split()
    separate = variation.head.get("bias", "separate") == "separate"
    kinds = ("W", "b") if separate else ("W",)
    count = len(corpus.paths(variation)) // len(kinds)
    return [f"{kind}{i}" for i in range(1, count + 1) for kind in kinds]


def by_factor(variation: Variation, update: Arrays, right: Arrays) -> set[int]:
    """The numbers of the scales that this update is off by, if one factor explains it all."""
    factor = float(np.vdot(update[0], right[0]) / np.vdot(right[0], right[0]))
    if not same(update, [factor * one for one in right]):
        return set()
    width = int(variation.head["sizes"].split()[-1])
    n = corpus.rows(variation)
    factors = ((3, 2), (3, 0.5), (5, n), (6, 1 / n), (8, 1 / width))
    return {number for number, one in factors if np.isclose(one, factor)}


def blamed(text: str, lines: Iterable[int]) -> frozenset[int]:
    """The lines of the statements on these lines; of a small function also the calls of it."""
    found = set(lines)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            span = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            found |= span if span & found else set()
    for small in [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]:
        inside = set(range(small.lineno, (small.end_lineno or small.lineno) + 1))
        if len(small.body) <= 4 and inside & set(lines):
            found |= {
                node.lineno
                for node in ast.walk(tree)
                if (isinstance(node, ast.Name) and node.id == small.name)
                or (isinstance(node, ast.Attribute) and node.attr == small.name)
            }
    return frozenset(found)


class Bench:
    """Every program of the folder with every mistake that is marked in it, run once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = itertools.count()
        self.right: dict[Variation, Arrays] = {}
        self.single: dict[tuple[Variation, str], Arrays] = {}
        for variation in marked.variations():
            self.right[variation] = self.run(variation, ())
            for key in marked.keys(variation):
                self.single[variation, key] = self.run(variation, (key,))

    def run(self, variation: Variation, keys: tuple[str, ...]) -> Arrays:
        text = marked.written(variation, keys).text
        return corpus.updates(variation, text, self.folder, f"tried_{next(self.count)}")

    def mistake(self, variation: Variation, key: str, lines: frozenset[int], text: str) -> Mistake:
        update, right = self.single[variation, key], self.right[variation]
        alike = {
            marked.number(other)
            for other in marked.keys(variation)
            if same(update, self.single[variation, other])
        }
        alike |= {marked.number(key)} | {b for a, b in SAME_STEPS if a in alike}
        if {16, 18} <= alike:
            alike |= {20}  # a slope at a that is 1 everywhere: ≥ on the output, however written
        wrong = changed(update, right)
        if 16 in alike:
            # f′ is left out after the statement before; of one tensor alone, 17 says the same
            alike |= {17} if len(wrong) == 1 else set()
            lines |= frozenset({min(lines) - 1})
        names = tensors(variation)
        return Mistake(
            key,
            frozenset(alike | by_factor(variation, update, right)),
            frozenset(names[i] for i in wrong),
            blamed(text, lines),
        )

    def case(self, variation: Variation, keys: tuple[str, ...]) -> Case:
        source = marked.written(variation, keys)
        lines = source.lines
        made = tuple(self.mistake(variation, key, lines[key], source.text) for key in keys)
        return Case(variation, made, source.text)

    def correct(self) -> list[Case]:
        return [self.case(variation, ()) for variation in self.right]

    def singles(self) -> list[Case]:
        """Each mistake of each file once, in one variation after the other."""
        chosen: list[Case] = []
        for _, group in itertools.groupby(self.right, lambda variation: variation.file):
            ways = list(group)
            keys = list(dict.fromkeys(key for way in ways for key in marked.keys(way)))
            for turn, key in enumerate(keys):
                fits = [way for way in ways if key in marked.keys(way)]
                chosen.append(self.case(fits[turn % len(fits)], (key,)))
        return chosen

    def pairs(self) -> list[Case]:
        """Some pairs in each variation that has many mistakes, both of them visible."""
        return [
            self.case(variation, pair)
            for variation in self.right
            if len(marked.keys(variation)) >= MANY
            for pair in itertools.islice(self.visible(variation), PAIRS)
        ]

    def visible(self, variation: Variation) -> Iterable[tuple[str, str]]:
        pairs = list(itertools.combinations(marked.keys(variation), 2))
        random.Random(variation.name).shuffle(pairs)
        for pair in pairs:
            origins = marked.written(variation, pair).origins
            one, other = (self.single[variation, key] for key in pair)
            apart = not origins[pair[0]] & origins[pair[1]] and not same(one, other)
            if apart and not any(hides(*both) for both in (pair, pair[::-1])):
                update = self.run(variation, pair)
                if not any(same(update, u) for u in (one, other, self.right[variation])):
                    yield pair


def hides(one: str, other: str) -> bool:
    """Whether a number makes another meaningless: what is not trained has no other mistake."""
    return marked.number(one) in (36, 38) or marked.number(one) == marked.number(other)
