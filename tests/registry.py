"""Every operation of the registry on operands that it takes: a new operation is found by itself.

Operands are tried until `build` accepts them. What cannot be guessed, such as the new shape of a
reshape, stands in GIVEN; an operation that is in neither way covered fails `test_laws.py`.
"""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from backpass.calculus.library import FILES
from backpass.calculus.op import OPS, Op, steps_of
from backpass.language.errors import BackpassError
from backpass.language.expr import Label, Read, multiply
from backpass.language.program import Array, Call, Program, Step, Write, axis_labels
from backpass.language.shapes import evaluate_size, size

assert FILES  # importing them fills OPS

Shapes = tuple[str, ...]  # an operand's sizes, such as "n k"; with "int<k", whole numbers


@dataclass(frozen=True)
class Case:
    """An operation on operands X0, X1 …, as the program that computes `out`."""

    op: Op
    operands: Shapes
    params: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        shown = [f"({text})" for text in self.operands]
        shown += [f"{key}={value}" for key, value in self.params]
        return f"{self.op.name} of {', '.join(shown) or 'nothing'}"

    @property
    def program(self) -> Program:
        inputs = tuple(operand(f"X{place}", text) for place, text in enumerate(self.operands))
        steps = steps_of(self.op, inputs, self.params)
        # an array that nothing reads, so that every size is known
        return Program((*inputs, operand("known", "n k m")), steps, (steps[-1].name,))

    @property
    def ranges(self) -> list[tuple[float, float, int]]:
        """Ends of the operands, and the least of whole numbers: probabilities, any numbers."""
        positive, wide = (0.15, 0.85, 1), (-2.0, 2.0, 0)
        return [positive] if self.op.name in POSITIVE else [positive, wide]

    @property
    def reals(self) -> list[str]:
        inputs = self.program.inputs[:-1]
        return [array.name for array in inputs if array.kind == "real"]


def operand(name: str, text: str) -> Array:
    shape, whole, below = text.partition("int<")
    sizes = tuple(map(size, shape.split()))
    return Array(name, sizes, "int", size(below)) if whole else Array(name, sizes)


SHAPES = ["", "n", "n k", "1 k", "n n", "m n k"]
AXES: list[Any] = [None, (0,), (1,), (0, 1)]
N, K = size("n"), size("k")
POSITIVE = {"huber_entry"}  # its second operand is a distance
SLICE_N, SLICE_K = ("slice", 0, N, 1), ("slice", 0, K, 1)
GIVEN: dict[str, list[tuple[Shapes, dict[str, Any]]]] = {
    "einsum": [
        (("n k", "k m"), {"subscripts": "ij,jk->ik"}),
        (("n k", "n k"), {"subscripts": "ij,ij"}),
        (("n n",), {"subscripts": "ii->i"}),
        (("m n k", "k n"), {"subscripts": "...ij,jk->...ik"}),
        (("n k", "k m", "m n"), {"subscripts": "ij,jk,kl->il"}),
    ],
    "transpose": [(("m n k",), {"axes": (1, 2, 0)}), (("n k",), {"axes": (-2, -1)})],
    "reshape": [
        (("n k",), {"shape": (N * K,)}),
        (("n k",), {"shape": (K, N)}),
        (("m n k",), {"shape": (size("m"), K * N, 1)}),
        (("2*n",), {"shape": (2, N)}),
    ],
    "getitem": [
        (("n k",), {"items": (("at", N - 1), SLICE_K)}),
        (("n k",), {"items": (("slice", N - 1, N, -1), ("slice", 1, K - 1, 1))}),
        (("n k",), {"items": (SLICE_N, ("new",), ("at", 0))}),
        (("n k", "m int<n"), {"items": (("array", 0), SLICE_K)}),
        (("n k", "n int<k"), {"items": (SLICE_N, ("array", 0))}),
        (("n k", "m int<n", "m int<k"), {"items": (("array", 0), ("array", 1))}),
        (("m n k", "k int<m", "k int<k"), {"items": (("array", 0), SLICE_N, ("array", 1))}),
    ],
    "broadcast_to": [(("k",), {"shape": (N, K)}), (("1 k",), {"shape": (size("m"), N, K)})],
    "concatenate": [
        (("n k", "m k"), {"axis": 0}),
        (("n k", "n 1", "n m"), {"axis": -1}),
    ],
    "stack": [(("n k", "n k"), {"axis": 1})],
    "arange": [((), {"length": N}), ((), {"length": N, "axis": 1, "rank": 3})],
    "one_hot": [(("n int<k",), {"classes": K}), (("m n int<3",), {"classes": 3})],
    "triangle": [
        *(((), {"rows": N, "columns": K, "relation": r}) for r in ("<=", "<", ">=", ">")),
        ((), {"rows": N, "columns": K, "relation": ">=", "offset": -2}),
        (("",), {"rows": N, "columns": K, "relation": "<"}),
    ],
    "eye": [((), {"rows": N, "columns": K})],
    "full": [(("",), {"shape": (N, K)})],
    "huber": [(("n k", "n k"), {"delta": 0.3})],
    "softmax": [(("m n k",), {"axis": 1})],
    "log_softmax": [(("m n k",), {"axis": 1})],
    "logsumexp": [(("m n k",), {"axis": 1})],
}


def cases(op: Op) -> list[Case]:
    """The given cases, and some of those that `build` accepts."""
    given = [Case(op, shapes, tuple(sorted(p.items()))) for shapes, p in GIVEN.get(op.name, [])]
    found = [case for case in guesses(op) if accepted(case)]
    return given + found[:: len(found) // 8 + 1]


def guesses(op: Op) -> Iterator[Case]:
    """Operands of every count and shape; the last may be whole numbers."""
    parameters = inspect.signature(op.build).parameters.values()
    plain = [one for one in parameters if one.name not in op.params]
    needed = [one for one in parameters if one.name in op.params and one.default is one.empty]
    if needed:
        return
    many = any(one.kind is one.VAR_POSITIONAL for one in plain)
    for count in range(1, 4) if many else [len(plain)]:
        for shapes in product(SHAPES, repeat=count):
            below = shapes[0].split()[-1] if shapes[0] else "k"
            for last in (shapes[-1], f"{shapes[-1]} int<{below}".strip()):
                for options in choices(op):
                    yield Case(op, (*shapes[:-1], last), options)


def choices(op: Op) -> list[tuple[tuple[str, Any], ...]]:
    """The parameters that every reduction has, and nothing."""
    if "keepdims" in op.params:
        return [(("axis", axis), ("keepdims", keep)) for axis in AXES for keep in (False, True)]
    return [()]


def fits(case: Case, sizes: dict[str, int]) -> bool:
    """Whether every index has a place at these sizes, and every extreme an entry to find."""
    program = case.program
    lengths = [array.below for array in program.inputs if array.below is not None]
    lengths += [step.body.over[-1].size for step in program.steps if isinstance(step.body, Call)]
    items = dict(case.params).get("items", ())
    lengths += [size(item[1]) + 1 for item in items if item[0] == "at"]
    return all(evaluate_size(length, sizes) > 0 for length in lengths)


def accepted(case: Case) -> bool:
    try:
        return bool(case.program)
    except BackpassError:
        return False


CASES = {name: cases(op) for name, op in OPS.items()}

# Numbers for the operands, and the gradient of an operation along given directions.


def numbers(
    case: Case, sizes: dict[str, int], low: float = 0.2, high: float = 0.8, least: int = 0
) -> dict[str, Any]:
    """Random operands between `low` and `high`, whole numbers from `least`."""
    random = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for array in case.program.inputs:
        shape = [evaluate_size(axis, sizes) for axis in array.shape]
        if array.below is not None:
            below = evaluate_size(array.below, sizes)
            found[array.name] = random.integers(min(least, below - 1), below, size=shape)
        else:
            found[array.name] = random.uniform(low, high, size=shape)
    return found


def along(program: Program, pairs: dict[str, str], name: str) -> Program:
    """The program with the number `name`: the sum of every array times a new input."""
    vectors = tuple(Array(vector, program.arrays[one].shape) for one, vector in pairs.items()
                    if vector not in program.arrays)  # fmt: skip
    writes: list[Write] = []
    for one, vector in pairs.items():
        labels: tuple[Label, ...] = axis_labels(program.arrays[one].shape)
        writes.append(Write((), multiply(Read(vector, labels), Read(one, labels)), labels))
    step = Step(Array(name, ()), tuple(writes))
    return Program((*program.inputs, *vectors), (*program.steps, step), (name,))
