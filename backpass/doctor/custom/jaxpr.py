"""A function of JAX's, played on traced values: its jaxpr, primitive by primitive.

JAX is the user's, and never imported here. Whatever has no meaning here raises, and the function
is not traced.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from backpass.calculus import elementwise
from backpass.forward.names import source_line
from backpass.forward.tape import NOWHERE, Place, Tape
from backpass.forward.trace import Traced
from backpass.language.program import Line

Spot = tuple[str, int, int, int]  # a file, a line, and where on it


@dataclass(frozen=True, slots=True)
class Held:
    """A value of a jaxpr, not yet broadcast to its `shape`.

    `again` makes it with the axes that a sum or a maximum took, as ones; `parts` are what was put
    together to an index; `below` is the integers that it tells to be negative.
    """

    value: Any
    shape: tuple[int, ...]
    again: Callable[[], Any] | None = None
    axes: tuple[int, ...] = ()
    parts: tuple[Any, ...] = ()
    below: Any = None

    @property
    def whole(self) -> Any:
        """The value in its full shape."""
        return self.value if np.shape(self.value) == self.shape else np.broadcast_to(
            self.value, self.shape
        )  # fmt: skip


def play(closed: Any, given: Sequence[Any]) -> list[Any]:
    """What a closed jaxpr makes of values that are traced."""
    tape = next(one.tape for one in given if isinstance(one, Traced))
    locate = tape.locate
    held = [Held(one, tuple(one.shape)) for one in given]
    try:
        found = _played(closed, held, tape, outermost=True)
    finally:
        tape.locate = locate
    return [one.whole for one in found]


def _played(closed: Any, given: Sequence[Held], tape: Tape, *, outermost: bool) -> list[Held]:
    jaxpr = closed.jaxpr if hasattr(closed, "consts") else closed
    known: dict[Any, Held] = dict(zip(jaxpr.invars, given, strict=True))
    for variable, value in zip(jaxpr.constvars, getattr(closed, "consts", ()), strict=True):
        array = np.asarray(value)
        known[variable] = Held(array, array.shape)

    def read(atom: Any) -> Held:
        if hasattr(atom, "val"):
            return Held(_number(atom.val), np.shape(atom.val))
        return known[atom]

    places = _places(jaxpr.eqns) if outermost and tape.locate is not None else ()
    for number, equation in enumerate(jaxpr.eqns):
        if places:
            tape.locate = lambda _, number=number: places[number]
        start = len(tape.nodes)
        found = _result(equation, [read(one) for one in equation.invars], tape)
        if len(found) == 1 and isinstance(found[0].value, Traced):
            tape.one_line(start, found[0].value.node)
        known.update(zip(equation.outvars, found, strict=True))
    return [read(one) for one in jaxpr.outvars]


def _number(value: Any) -> Any:
    return np.asarray(value).item() if np.ndim(value) == 0 else np.asarray(value)


def _result(equation: Any, args: list[Held], tape: Tape) -> list[Held]:
    name, params = equation.primitive.name, equation.params
    inner = next((params[key] for key in ("jaxpr", "call_jaxpr", "fun_jaxpr") if key in params), 0)
    if inner:
        meaning = _BY_NAME.get(params.get("name", ""))
        if meaning is None:
            return _played(inner, args, tape, outermost=False)
        return [Held(meaning(*(one.value for one in args)), equation.outvars[0].aval.shape)]
    shape = tuple(equation.outvars[0].aval.shape)
    if name in _ENTRIES:
        value = _ENTRIES[name](*(one.value for one in args))
        is_sign = name == "lt" and not np.ndim(args[1].value) and args[1].value is not None
        return [Held(value, shape, below=args[0].value if is_sign else None)]
    if name not in _MOVES:
        raise NotImplementedError(f"{name} of a jaxpr")
    found = _MOVES[name](args, params, shape)
    return [found if isinstance(found, Held) else Held(found, shape)]


# ── entries ──────────────────────────────────────────────────────────────────────────────────


def _larger(a: Any, b: Any) -> Any:
    for one, other in ((a, b), (b, a)):
        if isinstance(one, float) and one == -np.inf:  # the maximum of nothing
            return other
    return np.maximum(a, b)


def _power(a: Any, b: Any) -> Any:
    return np.power(a, b)


_ENTRIES: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in ("exp", "exp2", "log", "log1p", "expm1", "tanh", "sin", "cos", "sqrt", "sign",
                 "square", "abs")
} | {
    "neg": np.negative, "logistic": elementwise.sigmoid, "rsqrt": lambda a: 1 / np.sqrt(a),
    "add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply,
    "div": np.divide, "max": _larger, "min": np.minimum, "pow": _power,
    "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
    "eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or,
    "not": np.logical_not, "tan": lambda a: np.sin(a) / np.cos(a),
    "is_finite": lambda a: np.True_,
}  # fmt: skip

# Functions that JAX spells at length, by the name of what it has compiled.
_BY_NAME: dict[str, Callable[..., Any]] = {
    "relu": elementwise.relu, "softplus": elementwise.softplus, "logaddexp": np.logaddexp,
}  # fmt: skip


# ── axes ─────────────────────────────────────────────────────────────────────────────────────

Params = dict[str, Any]
Ints = tuple[int, ...]


def _same(args: list[Held], params: Params, shape: Ints) -> Held:
    return args[0]


def _choose(args: list[Held], params: Params, shape: Ints) -> Any:
    which, no, yes = args
    if which.below is not None and which.below is no.value:
        return no  # an index counted from the end, if it were negative
    if not isinstance(which.value, Traced) and not np.ndim(which.value):
        return (yes if which.value else no).value
    return np.where(which.value, yes.value, no.value)


def _power_of(args: list[Held], params: Params, shape: Ints) -> Any:
    return args[0].value ** params["y"]


def _reduced(function: Callable[..., Any]) -> Callable[..., Any]:
    def meaning(args: list[Held], params: Params, shape: Ints) -> Held:
        (one,), axes = args, tuple(params["axes"])
        whole = one.whole
        if not np.shape(whole):
            return one

        def again() -> Any:
            return function(whole, axis=axes, keepdims=True)

        return Held(function(whole, axis=axes), shape, again, axes)

    return meaning


def _place(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda args, params, shape: function(args[0].whole, axis=params["axes"][0])


def _broadcast(args: list[Held], params: Params, shape: Ints) -> Any:
    (one,), dims = args[:1], tuple(params["broadcast_dimensions"])
    if not np.ndim(one.value):
        return one.value
    if one.again is not None:
        rest = tuple(place for place in range(len(shape)) if place not in dims)
        if rest == one.axes and all(shape[place] == 1 for place in rest):
            return one.again()
    value = one.whole if np.ndim(one.value) != len(one.shape) else one.value
    kept = [place for place in range(len(shape)) if place in dims]
    first = kept[0] if kept else len(shape)
    key = tuple(slice(None) if place in dims else None for place in range(first, len(shape)))
    return value if None not in key else value[key]


def _dot(args: list[Held], params: Params, shape: Ints) -> Any:
    a, b = (one.whole for one in args)
    ((over_a, over_b), (batch_a, batch_b)) = params["dimension_numbers"]
    if not batch_a and len(over_a) == 1 and a.ndim <= 2 and b.ndim <= 2:
        left = a if over_a[0] == a.ndim - 1 else np.transpose(a)
        return left @ (b if over_b[0] == 0 else np.transpose(b))
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    first = [next(letters) for _ in range(a.ndim)]
    second = [next(letters) for _ in range(b.ndim)]
    for one, other in ((over_a, over_b), (batch_a, batch_b)):
        for at, to in zip(one, other, strict=True):
            second[to] = first[at]
    batch = [first[at] for at in batch_a]
    free = [s for at, s in enumerate(first) if at not in (*over_a, *batch_a)]
    free += [s for at, s in enumerate(second) if at not in (*over_b, *batch_b)]
    text = f"{''.join(first)},{''.join(second)}->{''.join([*batch, *free])}"
    return np.einsum(text, a, b)


def _slice(args: list[Held], params: Params, shape: Ints) -> Any:
    steps = params["strides"] or [1] * len(shape)
    bounds = zip(params["start_indices"], params["limit_indices"], steps, strict=True)
    return args[0].whole[tuple(slice(*map(int, one)) for one in bounds)]


def _joined(args: list[Held], params: Params, shape: Ints) -> Any:
    parts = tuple(one.whole for one in args)
    axis = params["dimension"]
    if all(np.asarray(one).dtype.kind in "iu" if not isinstance(one, Traced)
           else one.node.kind == "int" for one in parts):  # fmt: skip
        columns = tuple(one[..., 0] for one in parts) if axis == len(shape) - 1 else ()
        if columns:
            return Held(None, shape, parts=columns)
    return np.concatenate(parts, axis=axis)


def _gathered(args: list[Held], params: Params, shape: Ints) -> Any:
    """`x[rows, columns]`, with an index for each axis."""
    source, index = args
    numbers = params["dimension_numbers"]
    axes = tuple(range(len(source.shape)))
    if tuple(numbers.collapsed_slice_dims) != axes or tuple(numbers.start_index_map) != axes:
        raise NotImplementedError("a gather of whole slices")
    parts = index.parts or tuple(index.whole[..., axis] for axis in axes)
    return source.whole[parts]


def _iota(args: list[Held], params: Params, shape: Ints) -> Any:
    axis = params["dimension"]
    along = [1] * len(shape)
    along[axis] = shape[axis]
    return np.broadcast_to(np.arange(shape[axis]).reshape(along), shape)


def _one_type(args: list[Held], params: Params, shape: Ints) -> Any:
    (one,) = args
    kind = np.dtype(params["new_dtype"]).kind
    if kind == "f" or isinstance(one.value, Traced):
        return one
    return np.asarray(one.value).astype(params["new_dtype"])[()]


_MOVES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("copy", "copy_p", "stop_gradient", "optimization_barrier", "pvary"), _same),
    "convert_element_type": _one_type, "select_n": _choose, "integer_pow": _power_of,
    "reduce_sum": _reduced(np.sum), "reduce_max": _reduced(np.max), "reduce_min": _reduced(np.min),
    "argmax": _place(np.argmax), "argmin": _place(np.argmin),
    "broadcast_in_dim": _broadcast, "dot_general": _dot, "slice": _slice,
    "concatenate": _joined, "gather": _gathered, "iota": _iota,
    "reshape": lambda args, params, shape: np.reshape(args[0].whole, shape),
    "squeeze": lambda args, params, shape: np.squeeze(
        args[0].whole, axis=tuple(params["dimensions"])
    ),
    "expand_dims": lambda args, params, shape: np.reshape(args[0].whole, shape),
    "transpose": lambda args, params, shape: np.transpose(
        args[0].whole, tuple(params["permutation"])
    ),
    "stack": lambda args, params, shape: np.stack(
        [one.whole for one in args], axis=params["axis"]
    ),
    "clamp": lambda args, params, shape: np.clip(args[1].value, args[0].value, args[2].value),
}  # fmt: skip


# ── names ────────────────────────────────────────────────────────────────────────────────────


def _places(equations: Sequence[Any]) -> list[Place]:
    """What the code calls the result of each equation: the last one of an expression has it."""
    spots = [_spot(one) for one in equations]
    found: list[Place] = []
    for number, spot in enumerate(spots):
        if spot is None:
            found.append(NOWHERE)
            continue
        file, line, *_ = spot
        name = _assigned(spot)
        last = number + 1 == len(spots) or spots[number + 1] != spot
        where = Line(file, line, source_line(file, line))
        found.append(Place(name=name if last else None, into=None if last else name, line=where))
    return found


def _spot(equation: Any) -> Spot | None:
    """Where the user's code stands that made an equation, as far as this JAX tells it."""
    told = sys.modules.get("jax._src.source_info_util")
    info = equation.source_info
    try:
        frame = told.user_frame(getattr(info, "traceback", info)) if told else None
        if frame is None:
            return None
        return frame.file_name, frame.start_line, frame.start_column, frame.end_column
    except Exception:  # not a part of JAX that anybody promised
        return None


def _assigned(spot: Spot) -> str | None:
    """The name on the left of `name = <what stands at this spot>`."""
    file, *where = spot
    return _assignments("".join(linecache.getlines(file))).get(tuple(where))


@lru_cache(maxsize=16)
def _assignments(source: str) -> dict[tuple[int, ...], str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    found: dict[tuple[int, ...], str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[value.lineno, value.col_offset, value.end_col_offset or 0] = name
            case _:
                pass
    return found
