"""Random programs of loop nests: every kind of index on either side, sums, products, functions."""

from random import Random

import numpy as np

from backpass.language.expr import (
    Apply,
    Bracket,
    Function,
    Label,
    Number,
    Read,
    SizeTerm,
    Term,
    add,
    multiply,
    negate,
    number,
    power,
    size_term,
)
from backpass.language.program import Array, Program, Step, Write
from backpass.language.shapes import Size, evaluate_size, size

NAMED = [size(name) for name in "abc"]
TANH = Function("tanh", np.tanh)
EXP = Function("exp", np.exp)
MAXIMUM = Function("maximum", np.maximum)
RELATIONS = ["==", "!=", "<", "<=", ">", ">="]


def combined(x: Size, y: Size) -> list[Size]:
    """Sizes that an index of two labels may fill: concatenation, groups, strides, windows."""
    return [x + y, x * y, x * 2, x + y - 1, x * 2 + y - 2]


class Maker:
    """Makes the parts of one program; all choices come from one random generator."""

    def __init__(self, seed: int, lengths: dict[str, int]) -> None:
        self.random = Random(seed)
        self.lengths = lengths
        self.arrays: dict[str, Array] = {}
        self.axes = [*NAMED, *NAMED, size(1)]
        for x in NAMED:
            for y in NAMED:
                # no window fits into an axis that is shorter than the window
                empty = 0 in (evaluate_size(x, lengths), evaluate_size(y, lengths))
                self.axes += combined(x, y)[: 3 if empty else 5]

    def program(self) -> Program:
        inputs = [Array("sizes", tuple(NAMED))]
        inputs += [Array(name, self.shape(3)) for name in "ABCDE"]
        for name, below in zip("uvw", NAMED, strict=True):
            empty = not evaluate_size(below, self.lengths)  # no integer is below 0
            inputs.append(Array(name, (below,) if empty else self.shape(1), "int", below))
        inputs.append(Array("mask", (NAMED[0],), "bool"))
        self.arrays = {one.name: one for one in inputs}
        steps = [self.step(f"Z{number}") for number in range(self.random.randint(1, 3))]
        return Program(tuple(inputs), tuple(steps), tuple(step.name for step in steps))

    def values(self, program: Program) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(self.random.randrange(2**32))

        def value(array: Array) -> np.ndarray:
            shape = [evaluate_size(axis, self.lengths) for axis in array.shape]
            if array.kind == "int":
                bound = evaluate_size(array.below, self.lengths)
                return rng.integers(max(bound, 1), size=shape)
            numbers = rng.normal(size=shape)
            return numbers > 0 if array.kind == "bool" else numbers

        return {array.name: value(array) for array in program.inputs}

    def shape(self, rank: int) -> tuple[Size, ...]:
        return tuple(self.random.choice(self.axes) for _ in range(self.random.randint(0, rank)))

    # ── steps ────────────────────────────────────────────────────────────────────────────────

    def step(self, name: str) -> Step:
        target = Array(name, self.shape(3))
        writes = tuple(self.write(target) for _ in range(self.random.choice([1, 1, 1, 2, 3])))
        self.arrays[name] = target
        return Step(target, writes)

    def write(self, target: Array) -> Write:
        labels: list[Label] = []
        left = tuple(self.index(axis, labels, gathers=0.15) for axis in target.shape)
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            self.label(self.random.choice(NAMED), labels, 0)
        term = self.term(labels, self.random.choice([0, 1, 1, 2]))
        if self.random.random() < 0.2:
            self.label(self.random.choice(NAMED), labels, 0)  # it only counts
        return Write(left, term, tuple(labels))

    def label(self, bound: Size, labels: list[Label], reuse: float = 0.6) -> Label:
        old = [label for label in labels if label.size == bound]
        if old and (self.random.random() < reuse or len(labels) > 4):
            return self.random.choice(old)
        labels.append(Label(f"{'ijklmnop'[len(labels)]}", bound))
        return labels[-1]

    def index(self, axis: Size, labels: list[Label], gathers: float, reuse: float = 0.2) -> Term:
        """An index that stays inside an axis of this size; new labels join the list."""
        choice = self.random.random()
        arrays = [a for a in self.arrays.values() if a.below == axis]
        if arrays and choice < gathers:
            ids = self.random.choice(arrays)
            return Read(ids.name, tuple(self.index(one, labels, 0, reuse) for one in ids.shape))
        if axis == size(1):
            return number(0) if choice < 0.6 else self.label(axis, labels, reuse)
        if axis in NAMED:
            label = self.label(axis, labels, reuse)
            return add(size_term(axis), number(-1), negate(label)) if choice > 0.9 else label
        pairs = [(x, y) for x in NAMED for y in NAMED if axis in combined(x, y)]
        x, y = self.random.choice(pairs)
        i = self.label(x, labels, reuse)
        if axis == x * 2:
            return add(multiply(number(2), i), number(self.random.randint(0, 1)))
        if axis == x + y:
            return i if choice < 0.4 else add(size_term(y), i)
        j = self.label(y, [*labels], 0) if x == y else self.label(y, labels, reuse)
        if j not in labels:
            labels.append(j)
        if axis == x * y:
            return add(multiply(size_term(y), i), j)
        if axis == x + y - 1:
            return add(i, j)
        return add(multiply(number(2), i), j)

    # ── terms ────────────────────────────────────────────────────────────────────────────────

    def term(self, labels: list[Label], depth: int) -> Term:
        pick = self.random.choice
        if depth == 0:
            return self.leaf(labels)

        def below() -> Term:
            return self.term(labels, depth - 1)

        kind = pick(["product"] * 5 + ["sum", "sum", "function", "power", "quotient", "bracket"])
        match kind:
            case "product":
                return multiply(*(below() for _ in range(pick([2, 2, 3]))))
            case "sum":
                return add(*(pick([below(), negate(below())]) for _ in range(pick([2, 3]))))
            case "function":
                inner = Apply(TANH, (below(),))
                return pick([inner, Apply(EXP, (inner,)), Apply(MAXIMUM, (below(), number(0)))])
            case "power":
                return power(Apply(TANH, (below(),)), number(pick([2, 3])))
            case "quotient":
                return multiply(below(), power(add(number(2), Apply(TANH, (below(),))), number(-1)))
            case _:
                return multiply(Bracket(pick(RELATIONS), below(), below()), below())

    def leaf(self, labels: list[Label]) -> Term:
        choice = self.random.random()
        if choice < 0.05:
            return Number(number(self.random.choice([2, 0.5, -1, 3])).value)
        if choice < 0.1:
            return SizeTerm(self.random.choice(NAMED))
        if choice < 0.15 and labels:
            return self.random.choice(labels)
        array = self.random.choice([a for a in self.arrays.values() if a.name != "sizes"])
        for _ in range(5):  # rather an array that the labels at hand can index
            trial = list(labels)
            index = tuple(self.index(axis, trial, 0.3, 0.9) for axis in array.shape)
            if len(trial) <= max(len(labels), 4):
                break
            array = self.random.choice([a for a in self.arrays.values() if len(a.shape) < 2])
        else:
            return number(2)
        labels[:] = trial
        return Read(array.name, index)
