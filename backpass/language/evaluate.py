"""The reference: run a program's loop nests in NumPy, literally.

Every write is spread over the whole grid of its labels and added entry by entry
(`numpy.add.at`). Nothing is recognised and nothing is fast; every other runner is held to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import numpy as np

from backpass.language.errors import NoRule, UnknownName
from backpass.language.expr import (
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
)
from backpass.language.extent import check_extent
from backpass.language.program import Array, Call, Program, Step, Write
from backpass.language.shapes import bind, evaluate_size

RELATIONS = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
DTYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_}


def evaluate(program: Program, values: Mapping[str, Any]) -> dict[str, Any]:
    """Run a program in float64; the result holds every array by name, inputs included.

    Raises UnknownName for a missing input and ShapeError when the arrays contradict the
    declared shapes.
    """
    arrays = {array.name: _input(array, values) for array in program.inputs}
    sizes = bind((a.name, a.shape, arrays[a.name].shape) for a in program.inputs)
    arrays |= {array.name: np.asarray(value) for array, value in program.constants}
    check_extent(program, sizes)
    for step in program.steps:
        arrays[step.name] = evaluate_step(step, arrays, sizes)
    return arrays


def _input(array: Array, values: Mapping[str, Any]) -> Any:
    if array.name not in values:
        raise UnknownName(f"the input {array.name} was not given")
    return np.asarray(values[array.name], dtype=DTYPES[array.kind])


def evaluate_step(step: Step, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The value of one step, given every array that it reads."""
    if isinstance(step.body, Call):
        return evaluate_call(step.body, arrays, sizes)
    shape = tuple(evaluate_size(axis, sizes) for axis in step.target.shape)
    total = np.zeros(
        shape, dtype=DTYPES["real" if step.target.kind == "bool" else step.target.kind]
    )
    for write in step.body:
        _add(total, write, arrays, sizes)
    return total.astype(bool) if step.target.kind == "bool" else total


def evaluate_call(call: Call, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
    """The value of an array function; NoRule if it was declared and never given."""
    if call.function.value is None:
        raise NoRule(f"{call.function.name} was declared without a body; pass it at the call")
    first = call.args[0].index
    axes = tuple(first.index(label) for label in call.over if label in first)
    return call.function.value(*(arrays[arg.name] for arg in call.args), axes=axes)


def _add(total: Any, write: Write, arrays: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
    bounds = [evaluate_size(label.size, sizes) for label in write.labels]
    grid = dict(zip(write.labels, np.ix_(*map(np.arange, bounds)), strict=True))
    value = np.broadcast_to(_term(write.term, grid, arrays, sizes), bounds)
    left = tuple(
        np.broadcast_to(_term(part, grid, arrays, sizes), bounds).astype(np.intp)
        for part in write.left
    )
    if left:
        np.add.at(total, left, value)
    else:
        total[()] += value.sum()


def _term(
    term: Term, grid: Mapping[Label, Any], arrays: Mapping[str, Any], sizes: Mapping[str, int]
) -> Any:
    def at(part: Term) -> Any:
        return _term(part, grid, arrays, sizes)

    match term:
        case Label():
            return grid[term]
        case Number(value=value):
            return int(value) if value.denominator == 1 else float(value)
        case SizeTerm(size=size):
            return evaluate_size(size, sizes)
        case Read(name=name, index=index):
            array = arrays[name]
            entries = array[tuple(np.asarray(at(part)).astype(np.intp) for part in index)]
            return entries * 1 if array.dtype == bool else entries  # True + True is 2 here
        case Bracket(relation=relation, left=left, right=right):
            return RELATIONS[relation](at(left), at(right)) * 1
        case Apply(function=function, args=args):
            if function.value is None:
                raise NoRule(f"{function.name} was declared without a body; pass it at the call")
            return function.value(*map(at, args))
        case Sum(terms=terms):
            return sum(map(at, terms[1:]), at(terms[0]))
        case Product(factors=factors):
            result = at(factors[0])
            for factor in factors[1:]:
                result = result * at(factor)
            return result
        case Power(base=base, exponent=exponent):
            return np.asarray(at(base), dtype=np.float64) ** at(exponent)
        case _:
            assert_never(term)
