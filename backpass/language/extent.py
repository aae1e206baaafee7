"""Whether a program can run at given sizes: loops have a length, and what is read exists.

Shapes alone do not tell. `x[:3]` of an `x: n` is read for three entries whatever n is, and where
n is 2 NumPy would silently take two of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import assert_never

from backpass.language.errors import ShapeError
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
    reads,
)
from backpass.language.program import Array, Call, Program, Step, Write
from backpass.language.shapes import Size, evaluate_size, names

Range = tuple[int, int]  # the lowest and the highest that an index becomes


def check_extent(program: Program, sizes: Mapping[str, int]) -> None:
    """ShapeError where a step of the program has no meaning at these sizes."""
    for step in program.steps:
        for size in _lengths(step):
            if evaluate_size(size, sizes) < 0:
                raise ShapeError(f"{step.name} runs over {size}, and {_here(size, sizes)}")
        if isinstance(step.body, Call):
            _check_call(step, step.body, sizes)
            continue
        for write in step.body:
            if any(evaluate_size(label.size, sizes) == 0 for label in write.labels):
                continue
            for array, place, part in _places(program, step, write):
                _check_place(step, array, place, _range(part, sizes), sizes)


def _lengths(step: Step) -> Iterator[Size]:
    """How long the loops and axes of a step are, where a difference tells it."""
    loops = [step.body] if isinstance(step.body, Call) else []
    labels = [label for call in loops for label in (*call.left, *call.over)]
    labels += [label for write in step.writes for label in write.labels]
    for size in (*step.target.shape, *(label.size for label in labels)):
        if not size.is_name and size.number is None:
            yield size


def _check_call(step: Step, call: Call, sizes: Mapping[str, int]) -> None:
    """A function such as argmax needs entries.

    A loss runs over samples as well; of no samples it is the mean of nothing, as in NumPy.
    """
    if len(call.over) == 1 and evaluate_size(call.over[0].size, sizes) == 0:
        name = call.function.name
        raise ShapeError(f"{step.name}: {name} runs over {call.over[0].size}, which is 0 here")


def _places(program: Program, step: Step, write: Write) -> Iterator[tuple[Array, int, Term]]:
    """Where a write reads or puts entries, but for labels that run along a whole axis."""
    found = [Read(step.name, write.left), *reads(*write.left, write.term)]
    for read in found:
        array = program.arrays[read.name]
        for place, part in enumerate(read.index):
            if not isinstance(part, Label) or part.size is not array.shape[place]:
                yield array, place, part


def _check_place(
    step: Step, array: Array, place: int, reached: Range | None, sizes: Mapping[str, int]
) -> None:
    length = evaluate_size(array.shape[place], sizes)
    if reached is not None and not 0 <= reached[0] <= reached[1] < length:
        entry = reached[0] if reached[0] < 0 else reached[1]
        axis = f" along axis {place}" if len(array.shape) > 1 else ""
        raise ShapeError(
            f"{step.name} needs entry {entry} of {array.name}{axis}, and there are {length} here, "
            "counted from 0"
        )


def _here(size: Size, sizes: Mapping[str, int]) -> str:
    """`n is 2 here`."""
    return " and ".join(f"{name} is {sizes[name]}" for name in names(size)) + " here"


def _range(term: Term, sizes: Mapping[str, int]) -> Range | None:
    """What an index runs through while its labels do; None where only the entries tell."""
    match term:
        case Label():
            return 0, evaluate_size(term.size, sizes) - 1
        case Number(value=value):
            return int(value), int(value)
        case SizeTerm(size=size):
            number = evaluate_size(size, sizes)
            return number, number
        case Sum(terms=parts):
            ranges = [_range(part, sizes) for part in parts]
            known = [one for one in ranges if one is not None]
            if len(known) < len(ranges):
                return None
            return sum(low for low, _ in known), sum(high for _, high in known)
        case Product(factors=factors):
            low, high = 1, 1
            for factor in factors:
                found = _range(factor, sizes)
                if found is None:
                    return None
                ends = [a * b for a in (low, high) for b in found]
                low, high = min(ends), max(ends)
            return low, high
        case Read() | Apply() | Power() | Bracket():
            return None
        case _:
            assert_never(term)
