"""From the recorded graph to a program of the lines that are worth showing.

Every operation states itself in index notation. What the user named is a line; so is what an
activation or a loss is applied to, what is used twice, and what cannot stand inside another
line. The rest is written into the line that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backpass.calculus.op import RESULT, Op, steps_of
from backpass.forward.inline import inlined, is_plain, is_short
from backpass.forward.label import Names, is_activation
from backpass.forward.tape import show_line
from backpass.forward.witness import Value
from backpass.language.errors import BackpassError, ShapeError
from backpass.language.program import Array, Call, Program, Step, rename_step, step_reads
from backpass.language.shapes import show_shape, size


@dataclass(eq=False)
class _Lowering:
    """The state of one pass over the graph."""

    names: Names
    arrays: dict[str, Array] = field(default_factory=dict[str, Array])
    steps: list[Step] = field(default_factory=list[Step])
    waiting: dict[str, Step] = field(default_factory=dict[str, Step])  # not yet a line of their own

    def emit(self, name: str) -> None:
        """Make a waiting value a line."""
        step = self.waiting.pop(name, None)
        if step is not None:
            self.steps.append(step)


def lower(
    values: Sequence[Value], recorded: Sequence[Value], leaves: Mapping[str, Array], result: int
) -> Program:
    """The program of a graph whose value `result` is what the forward pass returns.

    `recorded` is the graph before hand-written functions were recognised in it.
    """
    values = _needed(values, recorded, result)
    uses = _uses(values)
    names = Names(values, leaves, result)
    state = _Lowering(names)
    constants: list[tuple[Array, Any]] = []
    for value in values:
        name = names.of(value.index)
        if value.input is not None:
            state.arrays[name] = leaves[value.input]
        elif value.op is None:
            constants.append((_constant(name, value), value.constant))
            state.arrays[name] = constants[-1][0]
        else:
            _line(state, value, name, uses, result)
    for name in [*state.waiting]:
        state.emit(name)
    steps, new = names.christen(state.steps)
    fixed = tuple((replace(a, name=new.get(a.name, a.name)), v) for a, v in constants)
    return Program(tuple(leaves.values()), tuple(steps), (names.of(result),), fixed)


def _needed(values: Sequence[Value], recorded: Sequence[Value], result: int) -> list[Value]:
    """The result, the inputs, what the result is computed from, and lines for themselves.

    A named line that nothing uses any more is shown if the user's code never used it either, or
    if it is an activation (the P of a softmax whose loss was recognised as a whole).
    """
    used = {one for value in recorded for one in value.operands if isinstance(one, int)}
    wanted = {result}
    for value in reversed(values):
        named = value.place.name is not None and value.place.depth == 0
        whole = is_activation(value.op)
        if value.index in wanted or (named and (whole or value.index not in used)):
            wanted.add(value.index)
            wanted.update(one for one in value.operands if isinstance(one, int))
    return [value for value in values if value.index in wanted or value.input is not None]


def _uses(values: Sequence[Value]) -> dict[int, int]:
    count: dict[int, int] = {}
    for value in values:
        for one in value.operands:
            if isinstance(one, int):
                count[one] = count.get(one, 0) + 1
    return count


def _constant(name: str, value: Value) -> Array:
    kinds = {"f": "real", "i": "int", "u": "int", "b": "bool"}
    kind: Any = kinds[value.constant.dtype.kind]
    return Array(name, tuple(map(size, value.constant.shape)), kind, value.below)


def _line(state: _Lowering, value: Value, name: str, uses: Mapping[int, int], result: int) -> None:
    """Lower one operation: write its waiting operands into it, or make them lines first."""
    assert value.op is not None
    sources = [state.names.of(one) if isinstance(one, int) else "" for one in value.operands]
    operands = tuple(
        _called(state.arrays[source], str(place)) if source else one
        for place, (source, one) in enumerate(zip(sources, value.operands, strict=True))
    )
    try:
        steps = steps_of(value.op, operands, tuple(sorted(value.params.items())))
    except BackpassError as error:
        raise _located(value, sources, state, error) from None
    placed = {str(place): source for place, source in enumerate(sources) if source}
    placed[RESULT] = name
    for step in steps:
        if step.name != RESULT:
            placed[step.name] = state.names.part(step.name.removesuffix(f"_{RESULT}"), name)
        step = rename_step(step, placed)
        step = Step(step.target, step.body, value.place.line, step.layer, step.notes)
        for source in dict.fromkeys(sources):
            waiting = state.waiting.get(source)
            if waiting is None or not _reads(step, source):
                continue
            new = None
            if _may_hold(value.op, waiting):
                new = inlined(step, waiting)
            if new is None:
                state.emit(source)
            else:
                del state.waiting[source]
                step = new
        state.arrays[step.name] = step.target
        own = value.place.name is not None or value.index == result
        own = own or is_activation(value.op)
        alone = step.name == name and uses.get(value.index, 0) == 1 and not own
        if alone and not isinstance(step.body, Call):
            state.waiting[name] = step
        else:
            state.steps.append(step)


def _called(array: Array, name: str) -> Array:
    return Array(name, array.shape, array.kind, array.below)


# Operations that copy, add, scale or move entries; all others bend what they are applied to.
# fmt: off
STRAIGHT = frozenset((
    "add", "subtract", "multiply", "divide", "negative", "positive", "sum", "mean", "getitem",
    "transpose", "reshape", "broadcast_to", "concatenate", "stack", "matmul", "dot", "outer",
    "einsum", "trace", "diagonal", "spread", "tril", "triu",
))
# fmt: on


def _may_hold(op: Op, waiting: Step) -> bool:
    """Whether an operation may be applied to a whole line instead of to its name.

    The argument of an activation is a line of its own unless it only scales an array; inside
    other functions a short one may stand: its slope will read it again.
    """
    if is_activation(op):
        return is_plain(waiting)
    return op.name in STRAIGHT or is_short(waiting)


def _reads(step: Step, name: str) -> bool:
    return any(read.name == name for read in step_reads(step))


def _located(
    value: Value, sources: Sequence[str], state: _Lowering, error: BackpassError
) -> BackpassError:
    """An operation's complaint, in the user's names, at the user's line."""
    shown = [
        f"{source} ({show_shape(state.arrays[source].shape)})" if source else "a number"
        for source in sources
    ]
    assert value.op is not None
    line = value.place.line
    message = f"{value.op.name} of {' and '.join(shown)}: {error.message}"
    kind = ShapeError if isinstance(error, ShapeError) else type(error)
    return kind(message, line=line.text if line else None, where=show_line(line))
