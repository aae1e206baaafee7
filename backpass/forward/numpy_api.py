"""What NumPy's functions mean when they are called on traced values.

Each adapter turns NumPy's signature into one of our operations; whatever is not in the tables
is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backpass.calculus import contraction, elementwise, indexing, reduction
from backpass.calculus.op import Op
from backpass.forward.trace import Tape, Traced
from backpass.language.errors import TraceError, nearest

UFUNCS: dict[Any, Op] = {
    np.add: elementwise.add,
    np.subtract: elementwise.subtract,
    np.multiply: elementwise.multiply,
    np.divide: elementwise.divide,
    np.power: elementwise.power,
    np.float_power: elementwise.power,
    np.matmul: contraction.matmul,
    np.negative: elementwise.negative,
    np.positive: elementwise.positive,
    np.square: elementwise.square,
    np.sqrt: elementwise.sqrt,
    np.exp: elementwise.exp,
    np.expm1: elementwise.expm1,
    np.log: elementwise.log,
    np.log1p: elementwise.log1p,
    np.sin: elementwise.sin,
    np.cos: elementwise.cos,
    np.tanh: elementwise.tanh,
    np.absolute: elementwise.absolute,
    np.sign: elementwise.sign,
    np.maximum: elementwise.maximum,
    np.minimum: elementwise.minimum,
    np.fmax: elementwise.maximum,
    np.fmin: elementwise.minimum,
    np.greater: elementwise.greater,
    np.greater_equal: elementwise.greater_equal,
    np.less: elementwise.less,
    np.less_equal: elementwise.less_equal,
    np.equal: elementwise.equal,
    np.not_equal: elementwise.not_equal,
    np.logical_and: elementwise.both,
    np.logical_or: elementwise.either,
    np.logical_not: elementwise.negation,
    np.bitwise_and: elementwise.both,
    np.bitwise_or: elementwise.either,
    np.invert: elementwise.negation,
}


def normal(op: Op, args: Sequence[Any], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Operands and parameters of one of our own operations, as its `build` wants them."""
    if op.name in _LISTS and args and isinstance(args[0], (list, tuple)):
        args = tuple(args[0])
    params = dict(params)
    if "axis" in op.params and op.name not in _LISTS and isinstance(args[0], Traced):
        default = -1 if "keepdims" not in op.params and "arg" not in op.name else None
        params["axis"] = _from_front(args[0], params.get("axis", default))
    if "shape" in params:
        params["shape"] = tuple(params["shape"])
    return tuple(args), params


_LISTS = ("concatenate", "stack")


def call_ufunc(
    tape: Tape, ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """A ufunc on traced values, such as np.tanh or np.add."""
    if kwargs.get("out") is not None:
        raise tape.located(TraceError, "out= changes an array in place; assign the result instead")
    if kwargs.get("where", True) is not True:
        raise tape.located(TraceError, "where= leaves entries undefined; use np.where")
    if method == "reduce" and ufunc is np.add:
        return _sum(tape, *inputs, **{k: v for k, v in kwargs.items() if k in ("axis", "keepdims")})
    if method == "outer" and ufunc is np.multiply:
        return tape.record(contraction.outer, inputs, {})
    if method != "__call__" or ufunc not in UFUNCS:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        known = [one.__name__ for one in UFUNCS]
        raise tape.located(TraceError, f"np.{name} has no derivative here{nearest(name, known)}")
    return tape.record(UFUNCS[ufunc], inputs, {})


def call_function(tape: Tape, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A NumPy function on traced values, such as np.sum or np.concatenate."""
    adapter = FUNCTIONS.get(func)
    if adapter is None:
        known = [one.__name__ for one in FUNCTIONS]
        name = func.__name__
        raise tape.located(TraceError, f"np.{name} has no derivative here{nearest(name, known)}")
    start = len(tape.nodes)
    try:
        result = adapter(tape, *args, **kwargs)
    except TypeError as error:
        raise tape.located(TraceError, f"np.{func.__name__}: {error}") from None
    if isinstance(result, Traced):
        tape.one_line(start, result.node)
    return result


def _axes(axis: Any) -> tuple[int, ...] | None:
    if axis is None:
        return None
    return tuple(int(one) for one in axis) if isinstance(axis, (tuple, list)) else (int(axis),)


def _from_front(a: Traced, axis: Any) -> tuple[int, ...]:
    """The axes counted from the front; all of them for None."""
    axes = _axes(axis)
    if axes is None:
        return tuple(range(a.ndim))
    for one in axes:
        if not -a.ndim <= one < a.ndim:
            raise a.tape.located(TraceError, f"axis {one} of an array with {a.ndim} axes")
    return tuple(sorted({one % a.ndim for one in axes}))


def _reduction(op: Op) -> Callable[..., Any]:
    def adapter(tape: Tape, a: Any, axis: Any = None, keepdims: bool = False, **rest: Any) -> Any:
        rest = {key: value for key, value in rest.items() if value is not None}
        if rest:
            raise tape.located(TraceError, f"{op.name} with {next(iter(rest))}= is not known here")
        (a,) = _all_traced(tape, [a])
        params: dict[str, Any] = {"axis": _from_front(a, axis), "keepdims": bool(keepdims)}
        return tape.record(op, (a,), params)

    return adapter


_sum = _reduction(reduction.sum)


def _place(op: Op) -> Callable[..., Any]:
    def adapter(tape: Tape, a: Any, axis: Any = None) -> Any:
        return tape.record(op, (a,), {"axis": _from_front(a, axis)})

    return adapter


def _clip(tape: Tape, a: Any, a_min: Any = None, a_max: Any = None, **rest: Any) -> Any:
    low, high = rest.get("min", a_min), rest.get("max", a_max)
    if low is None and high is None:
        return a
    if low is None:
        return tape.record(elementwise.minimum, (a, high), {})
    if high is None:
        return tape.record(elementwise.maximum, (a, low), {})
    return tape.record(elementwise.clip, (a, low, high), {})


def _where(tape: Tape, condition: Any, x: Any = None, y: Any = None) -> Any:
    if x is None or y is None:
        raise tape.located(
            TraceError, "np.where with one argument has no shape; give both sides, np.where(c, a, b)"
        )
    return tape.record(elementwise.where, (condition, x, y), {})


def _transpose(tape: Tape, a: Any, axes: Any = None) -> Any:
    if axes is None:
        return a.T
    return tape.record(indexing.transpose, (a,), {"axes": tuple(axes)})


def _swapaxes(tape: Tape, a: Any, axis1: int, axis2: int) -> Any:
    order = list(range(a.ndim))
    if not (-a.ndim <= axis1 < a.ndim and -a.ndim <= axis2 < a.ndim):
        raise tape.located(TraceError, f"axes {axis1} and {axis2} of an array with {a.ndim} axes")
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return tape.record(indexing.transpose, (a,), {"axes": tuple(order)})


def _moveaxis(tape: Tape, a: Any, source: int, destination: int) -> Any:
    order = [one for one in range(a.ndim) if one != source % a.ndim]
    order.insert(destination % a.ndim, source % a.ndim)
    return tape.record(indexing.transpose, (a,), {"axes": tuple(order)})


def _reshape(tape: Tape, a: Any, shape: Any = None, **rest: Any) -> Any:
    if rest.get("order", "C") != "C":
        raise tape.located(TraceError, "reshape counts rows first here (order='C'); transpose first")
    wanted = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    known = int(np.prod([one for one in wanted if one != -1]))
    if wanted.count(-1) > 1 or (-1 in wanted and (known == 0 or a.size % known)):
        raise tape.located(TraceError, f"{a.shape} does not reshape to {wanted}")
    full = tuple(a.size // known if one == -1 else int(one) for one in wanted)
    return tape.record(indexing.reshape, (a,), {"shape": full})


def _ravel(tape: Tape, a: Any, **rest: Any) -> Any:
    return _reshape(tape, a, -1, **rest)


def _squeeze(tape: Tape, a: Any, axis: Any = None) -> Any:
    drop = {p for p, n in enumerate(a.shape) if n == 1} if axis is None else {
        one % a.ndim for one in _axes(axis) or ()}  # fmt: skip
    return index(a, tuple(0 if place in drop else slice(None) for place in range(a.ndim)))


def _expand_dims(tape: Tape, a: Any, axis: Any) -> Any:
    new = {one % (a.ndim + len(_axes(axis) or ())) for one in _axes(axis) or ()}
    total = a.ndim + len(new)
    return index(a, tuple(None if place in new else slice(None) for place in range(total)))


def _atleast_2d(tape: Tape, *arrays: Any) -> Any:
    done = [a if a.ndim > 1 else index(a, (None, None) if a.ndim == 0 else (None, slice(None)))
            for a in arrays]  # fmt: skip
    return done[0] if len(done) == 1 else done


def _atleast_1d(tape: Tape, *arrays: Any) -> Any:
    done = [a if a.ndim else index(a, (None,)) for a in arrays]
    return done[0] if len(done) == 1 else done


def _all_traced(tape: Tape, arrays: Any) -> list[Traced]:
    return [one if isinstance(one, Traced) else tape.constant(np.asarray(one)) for one in arrays]


def _concatenate(tape: Tape, arrays: Any, axis: int | None = 0) -> Any:
    parts = _all_traced(tape, arrays)
    if axis is None:
        parts, axis = [_ravel(tape, one) for one in parts], 0
    return tape.record(indexing.concatenate, tuple(parts), {"axis": int(axis)})


def _stack(tape: Tape, arrays: Any, axis: int = 0) -> Any:
    return tape.record(indexing.stack, tuple(_all_traced(tape, arrays)), {"axis": int(axis)})


def _column_stack(tape: Tape, arrays: Any) -> Any:
    parts = [one if one.ndim > 1 else index(one, (slice(None), None))
             for one in _all_traced(tape, arrays)]  # fmt: skip
    return _concatenate(tape, parts, 1)


def _hstack(tape: Tape, arrays: Any) -> Any:
    parts = [_atleast_1d(tape, one) for one in _all_traced(tape, arrays)]
    return _concatenate(tape, parts, 0 if parts[0].ndim == 1 else 1)


def _vstack(tape: Tape, arrays: Any) -> Any:
    return _concatenate(tape, [_atleast_2d(tape, one) for one in _all_traced(tape, arrays)], 0)


def _take(tape: Tape, a: Any, indices: Any, axis: int | None = None) -> Any:
    (a,) = _all_traced(tape, [a])
    if axis is None:
        a, axis = _ravel(tape, a), 0
    return index(a, (*[slice(None)] * (axis % a.ndim), indices))


def _einsum(tape: Tape, subscripts: Any, *operands: Any, **rest: Any) -> Any:
    if not isinstance(subscripts, str):
        raise tape.located(TraceError, 'einsum takes its subscripts as a text, "nk,kj->nj"')
    return tape.record(contraction.einsum, tuple(_all_traced(tape, operands)), {"subscripts": subscripts})


def _diag(tape: Tape, v: Any, k: int = 0) -> Any:
    if k:
        raise tape.located(TraceError, "diag takes the main diagonal only")
    return tape.record(indexing.spread if v.ndim == 1 else indexing.diagonal, (v,), {})


def _full_like(tape: Tape, a: Any, fill_value: Any, **rest: Any) -> Any:
    return tape.record(indexing.full, (fill_value,), {"shape": a.shape})


def _like(value: float) -> Callable[..., Any]:
    def adapter(tape: Tape, a: Any, **rest: Any) -> Any:
        return _full_like(tape, a, value)

    return adapter


def _plain(op: Op) -> Callable[..., Any]:
    def adapter(tape: Tape, *args: Any) -> Any:
        return tape.record(op, args, {})

    return adapter


def _flip(tape: Tape, m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else [one % m.ndim for one in _axes(axis) or ()]
    return index(m, tuple(slice(None, None, -1 if p in axes else None) for p in range(m.ndim)))


def _var(tape: Tape, a: Any, **rest: Any) -> Any:
    raise tape.located(
        TraceError, "np.var and np.std are not known here; write np.mean((x - np.mean(x)) ** 2)"
    )


FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.sum: _sum,
    np.mean: _reduction(reduction.mean),
    np.max: _reduction(reduction.max),
    np.min: _reduction(reduction.min),
    np.argmax: _place(reduction.argmax),
    np.argmin: _place(reduction.argmin),
    np.clip: _clip,
    np.where: _where,
    np.transpose: _transpose,
    np.swapaxes: _swapaxes,
    np.moveaxis: _moveaxis,
    np.reshape: _reshape,
    np.ravel: _ravel,
    np.squeeze: _squeeze,
    np.expand_dims: _expand_dims,
    np.atleast_1d: _atleast_1d,
    np.atleast_2d: _atleast_2d,
    np.concatenate: _concatenate,
    np.stack: _stack,
    np.column_stack: _column_stack,
    np.hstack: _hstack,
    np.vstack: _vstack,
    np.take: _take,
    np.einsum: _einsum,
    np.diag: _diag,
    np.diagonal: lambda tape, a: tape.record(indexing.diagonal, (a,), {}),
    np.trace: _plain(contraction.trace),
    np.tril: _plain(indexing.tril),
    np.triu: _plain(indexing.triu),
    np.outer: lambda tape, a, b: tape.record(
        contraction.outer, tuple(_ravel(tape, one) for one in _all_traced(tape, (a, b))), {}
    ),
    np.dot: _plain(contraction.dot),
    np.inner: lambda tape, a, b: tape.record(contraction.dot, (a, _all_traced(tape, [b])[0].T), {}),
    np.vdot: lambda tape, a, b: tape.record(
        contraction.dot, tuple(_ravel(tape, one) for one in _all_traced(tape, (a, b))), {}
    ),
    np.flip: _flip,
    np.broadcast_to: lambda tape, a, shape: tape.record(
        indexing.broadcast_to, (a,), {"shape": tuple(shape)}
    ),
    np.ones_like: _like(1.0),
    np.zeros_like: _like(0.0),
    np.full_like: _full_like,
    np.copy: lambda tape, a: a,
    np.shape: lambda tape, a: a.shape,
    np.ndim: lambda tape, a: a.ndim,
    np.size: lambda tape, a: a.size,
    np.var: _var,
    np.std: _var,
}

METHODS: dict[str, Any] = {
    "sum": np.sum,
    "mean": np.mean,
    "max": np.max,
    "min": np.min,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "clip": np.clip,
    "swapaxes": np.swapaxes,
    "ravel": np.ravel,
    "flatten": np.ravel,
    "squeeze": np.squeeze,
    "take": np.take,
    "trace": np.trace,
    "diagonal": np.diagonal,
    "dot": np.dot,
    "copy": np.copy,
    "var": np.var,
    "std": np.std,
}


def method(a: Traced, name: str) -> Any:
    """An array method of a traced value."""
    if name == "reshape":
        return lambda *shape: _reshape(  # pyright: ignore[reportUnknownLambdaType]
            a.tape, a, shape[0] if len(shape) == 1 else shape  # pyright: ignore[reportUnknownArgumentType]
        )
    if name == "transpose":
        return lambda *axes: _transpose(  # pyright: ignore[reportUnknownLambdaType]
            a.tape, a, (axes[0] if isinstance(axes[0], tuple) else axes) if axes else None  # pyright: ignore[reportUnknownArgumentType]
        )
    if name == "astype":
        return lambda *_, **__: a  # pyright: ignore[reportUnknownLambdaType]
    if name in METHODS:
        function = FUNCTIONS[METHODS[name]]
        return lambda *args, **kwargs: function(a.tape, a, *args, **kwargs)  # pyright: ignore[reportUnknownLambdaType]
    if name.startswith("__"):
        raise AttributeError(name)
    known = [*METHODS, "reshape", "transpose", "T", "mT", "shape", "ndim", "size"]
    raise a.tape.located(TraceError, f"an array has no known .{name}{nearest(name, known)}")


def index(a: Traced, key: Any) -> Traced:
    """`a[key]`: None, integers, slices, an ellipsis and integer arrays; a mask is refused."""
    parts = list(key) if isinstance(key, tuple) else [key]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    if taken > a.ndim:
        raise a.tape.located(TraceError, f"{taken} indices for an array with {a.ndim} axes")
    rest: list[Any] = [slice(None)] * (a.ndim - taken)
    spot = next((p for p, part in enumerate(parts) if part is Ellipsis), None)
    parts = [*parts, *rest] if spot is None else [*parts[:spot], *rest, *parts[spot + 1 :]]
    items: list[tuple[Any, ...]] = []
    arrays: list[Any] = []
    axis = 0
    for part in parts:
        if part is None:
            items.append(("new",))
            continue
        length = a.shape[axis]
        axis += 1
        items.append(_item(a, part, length, arrays))
    return a.tape.record(indexing.getitem, (a, *arrays), {"items": tuple(items)})


def _item(a: Traced, part: Any, length: int, arrays: list[Any]) -> tuple[Any, ...]:
    if isinstance(part, slice):
        try:
            start, stop, step = part.indices(length)
        except TypeError:
            raise a.tape.located(TraceError, "a slice needs plain numbers as its bounds") from None
        return ("slice", start, len(range(start, stop, step)), step)
    if isinstance(part, (bool, np.bool_)):
        raise a.tape.located(TraceError, "a truth value is no index; use np.where")
    if isinstance(part, (int, np.integer)):
        place = int(part) + length if part < 0 else int(part)
        if not 0 <= place < length:
            raise a.tape.located(TraceError, f"index {part} is outside an axis of length {length}")
        return ("at", place)
    if isinstance(part, (list, np.ndarray)):
        part = a.tape.constant(np.asarray(part))
    if not isinstance(part, Traced):
        raise a.tape.located(TraceError, f"a {type(part).__name__} is no index")
    if part.node.kind == "bool":
        raise a.tape.located(
            TraceError,
            "X[mask] has as many entries as the mask has ones, so no shape; "
            "use np.where(mask, X, 0), and divide by mask.sum() for a mean",
        )
    if part.node.kind != "int":
        raise a.tape.located(
            TraceError, "an index must be integers; declare it with a bound, like y: n int<m"
        )
    arrays.append(part)
    return ("array", len(arrays) - 1)


