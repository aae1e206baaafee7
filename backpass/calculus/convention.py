"""Other statements of the same program: samples as columns, and array functions written out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from backpass.calculus.whole import OWN, Rule, long_steps
from backpass.language.expr import Product, Read, Term, transform
from backpass.language.program import (
    Array,
    Call,
    Program,
    Step,
    Write,
    canonical,
    rename_step,
    step_reads,
)
from backpass.language.shapes import Size


def transposed(program: Program) -> Program:
    """The same computation with every array's axes reversed: rows become columns.

    `Z[n,j] = X[n,k] * W[k,j]` turns into `Z[j,n] = X[k,n] * W[j,k]`, that is W @ X.
    """
    return Program(
        tuple(_turned(array) for array in program.inputs),
        tuple(_turned_step(step) for step in program.steps),
        program.outputs,
        tuple((_turned(array), value.T) for array, value in program.constants),
    )


def _turned(array: Array) -> Array:
    return replace(array, shape=array.shape[::-1])


def _term(term: Term) -> Term:
    def change(node: Term) -> Term | None:
        if isinstance(node, Read):
            return Read(node.name, tuple(_term(part) for part in reversed(node.index)))
        return None

    return transform(term, change)


def _turned_step(step: Step) -> Step:
    target = _turned(step.target)
    if isinstance(step.body, Call):
        args = tuple(Read(arg.name, arg.index[::-1]) for arg in step.body.args)
        body = replace(step.body, args=args, left=step.body.left[::-1])
        return canonical(replace(step, target=target, body=body))
    return canonical(replace(step, target=target, body=tuple(map(_turned_write, step.body))))


def _turned_write(write: Write) -> Write:
    left = tuple(_term(part) for part in reversed(write.left))
    term = _term(write.term)
    if isinstance(term, Product) and write.summed:
        term = Product(_swapped(term.factors))
    return replace(write, left=left, term=term)


def _swapped(factors: tuple[Term, ...]) -> tuple[Term, ...]:
    """The weight before what it is applied to: X·W in rows is W·X in columns."""
    arrays = [factor for factor in factors if isinstance(factor, Read) and factor.index]
    if len(arrays) != 2:
        return factors
    first, second = arrays
    return tuple(second if one is first else first if one is second else one for one in factors)


def convention(program: Program, samples: Size | None, weights: tuple[str, ...]) -> str | None:
    """`rows` or `columns`: where the samples' axis stands, or without one how weights are read."""
    if samples is not None:
        shapes = [array.shape for array in program.arrays.values()
                  if len(array.shape) > 1 and samples in array.shape]  # fmt: skip
        if all(shape[0] == samples for shape in shapes):
            return "rows"
        return "columns" if all(shape[-1] == samples for shape in shapes) else None
    found: set[str] = set()
    for step in program.steps:
        for write in step.writes:
            for read in step_reads(replace(step, body=(write,))):
                if read.name in weights and len(read.index) == 2:
                    summed = [part in write.summed for part in read.index]
                    found |= {"rows"} if summed == [True, False] else set()
                    found |= {"columns"} if summed == [False, True] else set()
    return found.pop() if len(found) == 1 else None


def unfused(program: Program) -> Program:
    """Softmax, cross-entropy and their like written out in elementary steps, each line once."""
    steps: list[Step] = []
    taken = set(program.arrays)
    same: dict[object, str] = {}
    for step in program.steps:
        if not (isinstance(step.body, Call) and isinstance(step.body.function.rule, Rule)):
            steps.append(step)
            continue
        lines = long_steps(step, program.arrays)
        names: dict[str, str] = {}
        for line in lines:
            own, line = line.name, rename_step(line, names)
            if own != lines[-1].name and line.body in same:
                names[own] = same[line.body]
                continue
            last = own == lines[-1].name
            names[own] = step.name if last else _free(own.removeprefix(OWN), taken)
            taken.add(names[own])
            same[line.body] = names[own]
            steps.append(replace(rename_step(line, {own: names[own]}), line=step.line))
    return Program(program.inputs, tuple(steps), program.outputs, program.constants)


def _free(name: str, taken: Collection[str]) -> str:
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name}_{count}"
    return found
