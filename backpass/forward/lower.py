"""From the recorded graph to a program of the lines that are worth showing.

Every operation states itself in index notation. What the user named is a line; so is what an
activation or a loss is applied to, what is used twice, and what cannot stand inside another
line. The rest is written into the line that uses it.

Networks repeat themselves, so a line is worked out over the places of its operands, once for
all lines that are alike, and the names come last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from backpass.calculus.op import KINDS, RESULT, Op, steps_of
from backpass.forward.inline import inlined, is_plain, is_short
from backpass.forward.label import UNNAMED, Names, is_activation
from backpass.forward.tape import show_line
from backpass.forward.witness import Value
from backpass.language.errors import BackpassError, ShapeError
from backpass.language.expr import Term
from backpass.language.program import Array, Call, Line, Program, Step, rename_step, step_reads
from backpass.language.shapes import show_shape, size


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """A line without names: it reads places, such as "0" for the first operand.

    There is one object for all lines that are alike, so it is hashed by identity.
    """

    step: Step
    places: frozenset[str]


@dataclass(slots=True, eq=False)
class _Line:
    """A line of the program: what it is called, and what stands at the places it reads."""

    name: str
    pattern: _Pattern
    sources: dict[str, str]
    origin: Line | None

    def step(self, new: Mapping[str, str]) -> Step:
        """The line in names, once they are all known."""
        names = {place: new.get(source, source) for place, source in self.sources.items()}
        names[self.pattern.step.name] = new.get(self.name, self.name)
        step = rename_step(self.pattern.step, names)
        return Step(step.target, step.body, self.origin, step.layer, step.notes)


@dataclass(eq=False)
class _Lowering:
    """The state of one pass over the graph."""

    names: Names
    arrays: dict[int, Array] = field(default_factory=dict[int, Array])  # all called RESULT
    lines: list[_Line] = field(default_factory=list[_Line])
    waiting: dict[str, _Line] = field(default_factory=dict[str, _Line])  # not yet lines themselves

    def emit(self, name: str) -> None:
        """Make a waiting value a line."""
        line = self.waiting.pop(name, None)
        if line is not None:
            self.lines.append(line)


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
            state.arrays[value.index] = replace(leaves[value.input], name=RESULT)
        elif value.op is None:
            array = _constant(name, value)
            constants.append((array, value.constant))
            state.arrays[value.index] = replace(array, name=RESULT)
        else:
            _line(state, value, name, uses, result)
    for name in [*state.waiting]:
        state.emit(name)
    new = names.christen([line.name for line in state.lines])
    steps = tuple(line.step(new) for line in state.lines)
    fixed = tuple((replace(a, name=new.get(a.name, a.name)), v) for a, v in constants)
    return Program(tuple(leaves.values()), steps, (names.of(result),), fixed)


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
    shape, kind = tuple(map(size, value.constant.shape)), KINDS[value.constant.dtype.kind]
    return Array(name, shape, kind, value.below)


def _line(state: _Lowering, value: Value, name: str, uses: Mapping[int, int], result: int) -> None:
    """Lower one operation: write its waiting operands into it, or make them lines first."""
    assert value.op is not None
    operands = tuple([state.arrays[one] if isinstance(one, int) else one for one in value.operands])
    places = {
        str(place): state.names.of(one)
        for place, one in enumerate(value.operands)
        if isinstance(one, int)
    }
    try:
        patterns = _patterns(value.op, operands, tuple(sorted(value.params.items())))
    except BackpassError as error:
        raise _located(value, operands, places, error) from None
    state.arrays[value.index] = patterns[-1].step.target
    for pattern in patterns:
        own = name
        if pattern.step.name != RESULT:
            own = state.names.part(pattern.step.name.removesuffix(f"_{RESULT}"), name)
            places[pattern.step.name] = own
        line = _Line(own, pattern, dict(places), value.place.line)
        for place, source in places.items():
            waiting = state.waiting.get(source)
            if waiting is None or place not in pattern.places:
                continue
            joined = _joined(value.op, line.pattern, place, waiting.pattern)
            if joined is None:
                state.emit(source)
            else:
                del state.waiting[source]
                line.pattern = joined
                line.sources |= {_at(place, each): one for each, one in waiting.sources.items()}
        named = value.place.name is not None or value.index == result or is_activation(value.op)
        alone = own == name and uses.get(value.index, 0) == 1 and not named
        if alone and not isinstance(line.pattern.step.body, Call):
            state.waiting[name] = line
        else:
            state.lines.append(line)


@lru_cache(maxsize=4096)
def _patterns(
    op: Op, operands: tuple[Array | Term, ...], params: tuple[tuple[str, Any], ...]
) -> tuple[_Pattern, ...]:
    """The lines of an operation over the places of its operands."""
    placed = tuple(
        replace(one, name=str(place)) if isinstance(one, Array) else one
        for place, one in enumerate(operands)
    )
    return tuple(map(_pattern, steps_of(op, placed, params)))


def _pattern(step: Step) -> _Pattern:
    return _Pattern(step, frozenset(read.name for read in step_reads(step)))


@lru_cache(maxsize=4096)
def _joined(op: Op, outer: _Pattern, place: str, inner: _Pattern) -> _Pattern | None:
    """A line of `op` with another line written into it; None where that must stay for itself."""
    if not _may_hold(op, inner.step):
        return None
    names = {each: _at(place, each) for each in inner.places}
    step = inlined(outer.step, rename_step(inner.step, {**names, inner.step.name: place}))
    return None if step is None else _pattern(step)


def _at(place: str, inner: str) -> str:
    """A place in what stands at a place."""
    return f"{place}.{inner}"


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


def _located(
    value: Value,
    operands: Sequence[Array | Term],
    places: Mapping[str, str],
    error: BackpassError,
) -> BackpassError:
    """An operation's complaint, in the user's names, at the user's line."""
    shown: list[str] = []
    for place, one in enumerate(operands):
        name = places.get(str(place), "a number")
        name = "an array" if name.startswith(UNNAMED) else name
        shown.append(f"{name} ({show_shape(one.shape)})" if isinstance(one, Array) else name)
    assert value.op is not None
    line = value.place.line
    what = f"{value.op.name} of {' and '.join(shown)}"
    if value.op.name == "getitem":
        what = f"the entries of {shown[0]} at {' and '.join(shown[1:])}"
    message = f"{what}: {error.message}"
    kind = ShapeError if isinstance(error, ShapeError) else type(error)
    return kind(message, line=line.text if line else None, where=show_line(line))
