"""The tape of one run: every operation leaves a node, which knows its shape and no entries.

Shapes are real integers here, chosen by `witness`, and nothing is decided about what they mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from inspect import currentframe
from types import FrameType
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpass.calculus.op import KINDS, Op, steps_of
from backpass.forward.names import caller, library, source_line
from backpass.language.errors import BackpassError, TraceError
from backpass.language.expr import Number, number
from backpass.language.program import Array, Kind, Line
from backpass.language.shapes import Shape, evaluate_size, size

Ints = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What the forward pass calls a value and where it says so."""

    name: str | None = None
    position: int | None = None
    into: str | None = None
    into_position: int | None = None
    depth: int = 0
    line: Line | None = None


NOWHERE = Place()


@dataclass(slots=True, eq=False)
class Node:
    """One recorded operation, or without one an input or an array that the forward pass made."""

    index: int
    op: Op | None
    operands: tuple[Node | int | float, ...]
    params: Mapping[str, Any]
    shape: Ints
    kind: Kind
    place: Place = NOWHERE
    input: str | None = None
    value: NDArray[Any] | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


Operand = Node | int | float


def show_line(line: Line | None) -> str | None:
    """Where a line stands: `model.py:12`."""
    return f"{line.file.rsplit('/', 1)[-1]}:{line.number}" if line else None


def user_line() -> Line | None:
    """The line of the user's code that runs now, with its text when there is a source."""
    frame = caller(currentframe())
    if frame is None:
        return None
    file = frame.f_code.co_filename
    return Line(file, frame.f_lineno, source_line(file, frame.f_lineno))


class Unfit(BackpassError):
    """An operation refuses its operands: told here by one run's numbers, and better by `misfit`."""

    def __init__(self, failed: Node, cause: BackpassError) -> None:
        line = failed.place.line
        super().__init__(cause.message, line=line.text if line else None, where=show_line(line))
        self.failed = failed
        self.cause = cause


@dataclass(slots=True, eq=False)
class Tape:
    """The nodes of one run.

    `locate` tells what the code does with a value, and `line` which line of it runs now.
    """

    lengths: frozenset[int]  # the witnesses of named sizes: no loop may run over these
    counted: set[int] = field(default_factory=set[int])  # those that `len` has told
    locate: Callable[[FrameType], Place] | None = None
    line: Callable[[], Line | None] = user_line
    nodes: list[Node] = field(default_factory=list[Node])

    def input(self, array: Array, shape: Ints) -> Node:
        """An argument of the forward pass, or a part of one."""
        return self._keep(Node(len(self.nodes), None, (), {}, shape, array.kind, input=array.name))

    def constant(self, value: NDArray[Any]) -> Node:
        """An array that the forward pass made itself."""
        kind = KINDS.get(value.dtype.kind)
        if value.dtype == object:
            raise self.refused(
                "a list of traced values is no array; join them with np.stack or np.concatenate"
            )
        if kind is None:
            raise self.refused(f"an array of {value.dtype} cannot take part")
        place = Place(line=self.line())
        kept = value.copy()  # the forward pass may go on to change it
        return self._keep(Node(len(self.nodes), None, (), {}, value.shape, kind, place, value=kept))

    def record(self, op: Op, *operands: object, **params: Any) -> Node:
        """An operation on nodes, arrays and numbers."""
        nodes = tuple([self.operand(one) for one in operands])
        kinds = tuple([(one.shape, one.kind) if isinstance(one, Node) else one for one in nodes])
        params = {name: _plain(value) for name, value in params.items()}
        node = Node(len(self.nodes), op, nodes, params, (), "real")
        try:
            node.shape, node.kind = _result(op, kinds, tuple(sorted(params.items())))
        except BackpassError as error:
            node.place = Place(line=self.line())
            raise Unfit(node, error) from None
        if self.locate is not None and (frame := caller(currentframe())) is not None:
            node.place = self.locate(frame)
        return self._keep(node)

    def one_line(self, start: int, result: Node) -> None:
        """The nodes since `start` make one value together: its name is not theirs as well."""
        for node in self.nodes[start:]:
            place = node.place
            if node is not result and place.name is not None:
                node.place = replace(
                    place,
                    name=None,
                    position=None,
                    into=place.name,
                    into_position=place.position,
                )

    def operand(self, value: object) -> Operand:
        """A value as operations take it: a node, or a plain number."""
        if isinstance(value, Node):
            return value
        if isinstance(value, (int, float)) and math.isfinite(value):
            return int(value) if isinstance(value, bool) else value
        if not _is_data(value):
            raise self.refused(f"a {type(value).__name__} cannot take part in an operation")
        try:
            array = np.asarray(value)
        except ValueError:
            raise self.refused("a list of lists of different lengths is no array") from None
        if array.ndim or array.dtype.kind not in KINDS:
            return self.constant(array)
        single: float = array.item()
        if not math.isfinite(single):
            raise self.refused(f"{single} has no slope; use a large number, such as -1e9, or none")
        return single if array.dtype.kind == "f" else int(single)

    def node(self, value: object) -> Node:
        """A value as an array, a number too."""
        found = self.operand(value)
        return found if isinstance(found, Node) else self.constant(np.asarray(found))

    def refused(self, message: str) -> TraceError:
        """An error that quotes the line of the user's code that runs now."""
        line, other = self.line(), library(currentframe())
        if other is not None:
            message = (
                f"{other} works on plain arrays alone; "
                "use NumPy's functions, or bp's, such as bp.softmax and bp.logsumexp"
            )
        return TraceError(message, line=line.text if line else None, where=show_line(line))

    def _keep(self, node: Node) -> Node:
        self.nodes.append(node)
        return node


def _is_data(value: object) -> TypeGuard[ArrayLike]:
    return isinstance(value, (bool, int, float, complex, np.generic, np.ndarray, list, tuple))


def _plain(value: object) -> Any:
    """Plain integers in the place of the lengths of axes, and of NumPy's integers."""
    if isinstance(value, tuple):
        return tuple(map(_plain, cast("tuple[object, ...]", value)))
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


@lru_cache(maxsize=4096)
def _result(
    op: Op, operands: tuple[tuple[Ints, Kind] | float, ...], params: tuple[tuple[str, Any], ...]
) -> tuple[Ints, Kind]:
    """The shape and kind of what an operation makes of operands of these shapes.

    All that counts is which lengths are equal or 1, so it is worked out once for all shapes that
    are alike; but parameters may be lengths themselves.
    """
    axes = [axis for one in operands if isinstance(one, tuple) and not params for axis in one[0]]
    names = {axis: f"s{place}" for place, axis in enumerate(dict.fromkeys(axes)) if axis > 1}
    alike = tuple(
        (tuple(names.get(axis, axis) for axis in one[0]), one[1]) if isinstance(one, tuple) else one
        for one in operands
    )
    try:
        shape, kind = _target(op, alike, params)
    except BackpassError:
        shape, kind = _target(op, operands, params)  # refuses in numbers
    known = {name: axis for axis, name in names.items()}
    return tuple(evaluate_size(axis, known) for axis in shape), kind


@lru_cache(maxsize=4096)
def _target(
    op: Op,
    operands: tuple[tuple[tuple[int | str, ...], Kind] | float, ...],
    params: tuple[tuple[str, Any], ...],
) -> tuple[Shape, Kind]:
    arrays: list[Array | Number] = []
    for place, one in enumerate(operands):
        if isinstance(one, tuple):
            shape, kind = one
            arrays.append(Array(str(place), tuple(map(size, shape)), kind))
        else:
            arrays.append(number(one))
    target = steps_of(op, tuple(arrays), params)[-1].target
    return target.shape, target.kind
