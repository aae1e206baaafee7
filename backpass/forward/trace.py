"""Recording a forward pass: arrays that are never filled, and the operations done to them.

The function runs on `Traced` values, which have a shape of real integers and no entries. Every
operation leaves a `Node` on the tape; nothing about sizes is decided here (see witness.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from backpass.calculus import contraction, elementwise, indexing
from backpass.calculus.op import OPS, Op, steps_of
from backpass.language.errors import BackpassError, TraceError
from backpass.language.expr import number
from backpass.language.program import Array, Kind, Line
from backpass.language.shapes import show_shape, size

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
    """One recorded operation; `operands` are earlier nodes or numbers, `params` plain values."""

    index: int
    op: Op | None  # None for an input or a constant array
    operands: tuple[Any, ...]
    params: dict[str, Any]
    shape: Ints
    kind: Kind
    below: Any = None
    place: Place = NOWHERE
    value: Any = None  # of a constant array


@dataclass(slots=True, eq=False)
class Tape:
    """The nodes of one run; `locate` tells what the code does with a value, if anyone asks."""

    lengths: frozenset[int]  # the witnesses of named sizes: no loop may run over these
    locate: Callable[[FrameType], Place] | None = None
    nodes: list[Node] = field(default_factory=list[Node])

    def input(self, array: Array, shape: Ints) -> Traced:
        node = Node(len(self.nodes), None, (), {"input": array.name}, shape, array.kind, array.below)
        self.nodes.append(node)
        return Traced(self, node)

    def record(self, op: Op, operands: tuple[Any, ...], params: dict[str, Any]) -> Traced:
        """Leave a node for an operation on traced values, arrays and numbers."""
        nodes = tuple([self._operand(one) for one in operands])
        kinds = tuple([(n.shape, n.kind) if isinstance(n, Node) else n for n in nodes])
        try:
            shape, kind, below = _result(op, kinds, tuple(sorted(params.items())))
        except BackpassError as error:
            raise self.located(type(error), _sentence(op, nodes, error)) from None
        place = self.locate(_user_frame()) if self.locate else NOWHERE
        node = Node(len(self.nodes), op, nodes, params, shape, kind, below, place)
        self.nodes.append(node)
        return Traced(self, node)

    def one_line(self, start: int, result: Node) -> None:
        """The nodes since `start` make one value together: its name is not theirs as well."""
        for node in self.nodes[start:]:
            if node is not result and node.place.name is not None:
                place = node.place
                node.place = replace(place, name=None, position=None, into=place.name,
                                     into_position=place.position)  # fmt: skip

    def _operand(self, value: Any) -> Any:
        """A node, or a plain number."""
        if isinstance(value, Traced):
            return value.node
        if isinstance(value, (bool, int, float, np.number, np.bool_)):
            return float(value) if isinstance(value, (float, np.floating)) else int(value)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return self._operand(value[()])
        if isinstance(value, (np.ndarray, list, tuple)):
            return self.constant(np.asarray(value)).node
        raise self.located(TraceError, f"a {type(value).__name__} cannot take part in an operation")

    def constant(self, value: Any) -> Traced:
        """An array that the forward pass made itself."""
        if value.dtype == object:
            raise self.located(
                TraceError,
                "a list of traced values is no array; use np.stack or np.concatenate to join them",
            )
        kinds: dict[str, Kind] = {"f": "real", "i": "int", "u": "int", "b": "bool"}
        if value.dtype.kind not in kinds:
            raise self.located(TraceError, f"an array of {value.dtype} cannot take part")
        kind = kinds[value.dtype.kind]
        node = Node(len(self.nodes), None, (), {}, value.shape, kind, value=value)
        if kind == "int" and value.size:
            node.below = int(value.max()) + 1
        self.nodes.append(node)
        return Traced(self, node)

    def located(self, kind: type[BackpassError], message: str) -> BackpassError:
        """An error that quotes the user's line."""
        line = frame_line(_user_frame())
        return kind(message, line=line.text, where=show_line(line))


@lru_cache(maxsize=4096)
def _result(
    op: Op, operands: tuple[Any, ...], params: tuple[tuple[str, Any], ...]
) -> tuple[Ints, Kind, Any]:
    """Shape, kind and bound of what an operation makes of operands of these shapes."""
    arrays = tuple(
        Array(str(place), tuple(map(size, one[0])), one[1]) if isinstance(one, tuple) else number(one)
        for place, one in enumerate(operands)
    )
    target = steps_of(op, arrays, params)[-1].target
    return tuple(axis.number or 0 for axis in target.shape), target.kind, target.below


def show_line(line: Line | None) -> str | None:
    """Where a line stands: `model.py:12`."""
    return f"{line.file.rsplit('/', 1)[-1]}:{line.number}" if line else None


OWN = ("backpass.forward", "backpass.calculus", "backpass.language", "numpy")


def _user_frame() -> FrameType:
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(OWN):
        frame = frame.f_back
    return frame


def frame_line(frame: FrameType) -> Line:
    """The line that a frame stands at, with its text when there is a source."""
    import linecache

    file, at = frame.f_code.co_filename, frame.f_lineno
    return Line(file, at, linecache.getline(file, at).strip() or None)


def _sentence(op: Op, operands: tuple[Any, ...], error: BackpassError) -> str:
    shapes = " and ".join(
        show_shape(one.shape) if isinstance(one, Node) else str(one) for one in operands
    )
    return f"{op.name} of {shapes}: {error.message}"


class Traced:
    """A value inside a forward pass: it has a shape and no entries.

    It takes part in NumPy operations as an array does. What would need its entries (a truth
    value, a float, a mask) raises TraceError with the spelling to use.
    """

    __slots__ = ("node", "tape")
    __array_priority__ = 1000

    def __init__(self, tape: Tape, node: Node) -> None:
        self.tape = tape
        self.node = node

    # What an array knows of itself.

    @property
    def shape(self) -> Ints:
        return self.node.shape

    @property
    def ndim(self) -> int:
        return len(self.node.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.node.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype({"real": float, "int": np.int64, "bool": bool}[self.node.kind])

    def __len__(self) -> int:
        if not self.shape:
            raise self.tape.located(TraceError, "a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Traced]:
        if not self.shape:
            raise self.tape.located(TraceError, "a single number cannot be iterated over")
        if self.shape[0] in self.tape.lengths:
            raise self.tape.located(
                TraceError,
                "a loop over an axis whose length is not fixed; write it for whole arrays "
                "(one line for all rows), or declare the length as a number",
            )
        return iter([self[place] for place in range(self.shape[0])])

    def __repr__(self) -> str:
        return f"<traced {show_shape(self.shape)}>"

    # Operations.

    def __backpass__(self, op: Op, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        from backpass.forward.numpy_api import normal

        operands, params = normal(op, args, params)
        return self.tape.record(op, operands, params)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from backpass.forward.numpy_api import call_ufunc

        return call_ufunc(self.tape, ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from backpass.forward.numpy_api import call_function

        return call_function(self.tape, func, args, kwargs)

    @property
    def T(self) -> Traced:
        return self.tape.record(indexing.transpose, (self,), {}) if self.ndim > 1 else self

    @property
    def mT(self) -> Traced:
        return self.swapaxes(-1, -2)

    def __getitem__(self, key: Any) -> Traced:
        from backpass.forward.numpy_api import index

        return index(self, key)

    def __getattr__(self, name: str) -> Any:
        from backpass.forward.numpy_api import method

        return method(self, name)

    def __neg__(self) -> Traced:
        return self.tape.record(elementwise.negative, (self,), {})

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return self.tape.record(OPS["abs"], (self,), {})

    def __invert__(self) -> Traced:
        if self.node.kind != "bool":
            raise self.tape.located(TraceError, "~ is for masks; it flips the bits of integers")
        return self.tape.record(elementwise.negation, (self,), {})

    # What would need entries.

    def _no(self, message: str) -> NoReturn:
        raise self.tape.located(TraceError, message)

    def __bool__(self) -> bool:
        self._no(
            "a traced value is neither true nor false: its entries are not known yet; "
            "use np.where(condition, a, b) instead of if"
        )

    def __float__(self) -> float:
        self._no("a traced value is no number yet; leave out float(), the result stays an array")

    __int__ = __index__ = __complex__ = __float__  # pyright: ignore[reportAssignmentType]

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        self._no(
            "a traced value cannot be turned into a plain array; leave out np.array(), and take "
            "rows of a constant array E by traced integers with np.take(E, y, axis=0)"
        )

    def __setitem__(self, key: Any, value: Any) -> None:
        self._no(
            "a traced array cannot be changed in place; build a new one: "
            "z[z < 0] = 0 is np.where(z < 0, 0, z)"
        )

    def __hash__(self) -> int:
        return id(self)


def _operator(op: Op, flip: bool) -> Callable[[Traced, Any], Any]:
    def forward(self: Traced, other: Any) -> Any:
        return self.tape.record(op, (other, self) if flip else (self, other), {})

    return forward


def _in_place(op: Op, sign: str) -> Callable[[Traced, Any], Any]:
    def forward(self: Traced, other: Any) -> Any:
        if self.shape:
            raise self.tape.located(
                TraceError,
                f"{sign}= changes an array in place, and others may still read it; "
                f"write A = A {sign} B",
            )
        return self.tape.record(op, (self, other), {})  # numbers cannot be changed in place

    return forward


_OPERATORS = {
    "add": (elementwise.add, "+"),
    "sub": (elementwise.subtract, "-"),
    "mul": (elementwise.multiply, "*"),
    "truediv": (elementwise.divide, "/"),
    "pow": (elementwise.power, "**"),
    "matmul": (contraction.matmul, "@"),
}
for _name, (_op, _sign) in _OPERATORS.items():
    setattr(Traced, f"__{_name}__", _operator(_op, False))
    setattr(Traced, f"__r{_name}__", _operator(_op, True))
    setattr(Traced, f"__i{_name}__", _in_place(_op, _sign))
for _name, _op in {
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "eq": elementwise.equal,
    "ne": elementwise.not_equal,
    "and": elementwise.both,
    "rand": elementwise.both,
    "or": elementwise.either,
    "ror": elementwise.either,
}.items():
    setattr(Traced, f"__{_name}__", _operator(_op, False))

