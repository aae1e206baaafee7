"""What NumPy's functions mean when they are called on traced values.

A table holds what has a meaning here; whatever is not in it is refused by name, with the
spelling to use or the nearest name that is known.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backpass.calculus import contraction, elementwise, indexing, reduction
from backpass.calculus.op import OPS, Op, bound
from backpass.forward.numpy_shapes import MOVES, Adapter, Axis, from_front, nodes, ravel
from backpass.forward.tape import Ints, Node, Tape
from backpass.language.errors import nearest

# Functions of numbers, by NumPy's names, most of which are ours.

UFUNCS: dict[str, Op] = {
    name: OPS[name]
    for name in (
        "add", "subtract", "multiply", "divide", "power", "negative", "positive", "square", "sqrt",
        "matmul", "exp", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "sin", "cos",
        "tanh", "sign", "maximum", "minimum", "greater", "greater_equal", "less", "less_equal",
        "equal", "not_equal",
    )
} | {
    "absolute":    elementwise.absolute,
    "fabs":        elementwise.absolute,
    "float_power": elementwise.power,
    "fmax":        elementwise.maximum,
    "fmin":        elementwise.minimum,
    "logical_and": elementwise.both,
    "logical_or":  elementwise.either,
    "logical_not": elementwise.negation,
    "bitwise_and": elementwise.both,
    "bitwise_or":  elementwise.either,
    "invert":      elementwise.negation,
}  # fmt: skip


# Sums and extremes.


def _reduction(op: Op) -> Adapter:
    def adapter(
        tape: Tape, a: object, axis: Axis = None, keepdims: bool = False, **rest: object
    ) -> Node:
        for name, value in rest.items():
            if value is not None:
                raise tape.refused(f"np.{op.name} with {name}= is not known here; leave it out")
        a = tape.node(a)
        axes = tuple(sorted(from_front(tape, a.ndim, axis)))
        return tape.record(op, a, axis=axes, keepdims=bool(keepdims))

    return adapter


def _place(op: Op) -> Adapter:
    def adapter(tape: Tape, a: object, axis: Axis = None) -> Node:
        a = tape.node(a)
        return tape.record(op, a, axis=from_front(tape, a.ndim, axis))

    return adapter


_sum = _reduction(reduction.sum)


# Choices.


def _clip(tape: Tape, a: object, a_min: object = None, a_max: object = None, *,
          min: object = None, max: object = None) -> Node:  # fmt: skip
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    match low, high:
        case None, None:
            return tape.node(a)
        case None, _:
            return tape.record(elementwise.minimum, a, high)
        case _, None:
            return tape.record(elementwise.maximum, a, low)
        case _:
            return tape.record(elementwise.clip, a, low, high)


def _where(tape: Tape, condition: object, x: object = None, y: object = None) -> Node:
    if x is None or y is None:
        raise tape.refused("np.where of one argument has no shape; give both sides, (c, a, b)")
    return tape.record(elementwise.where, condition, x, y)


# Products.


def _outer(tape: Tape, a: object, b: object) -> Node:
    return tape.record(contraction.outer, ravel(tape, a), ravel(tape, b))


def _inner(tape: Tape, a: object, b: object) -> Node:
    b = tape.node(b)
    turned = tape.record(indexing.transpose, b) if b.ndim > 1 else b
    return tape.record(contraction.dot, a, turned)


def _vdot(tape: Tape, a: object, b: object) -> Node:
    return tape.record(contraction.dot, ravel(tape, a), ravel(tape, b))


def _einsum(tape: Tape, subscripts: object, *operands: object) -> Node:
    if not isinstance(subscripts, str):
        raise tape.refused('einsum takes its subscripts as a text, "nk,kj->nj"')
    return tape.record(contraction.einsum, *nodes(tape, operands), subscripts=subscripts)


def _plain(op: Op) -> Adapter:
    def adapter(tape: Tape, *args: object) -> Node:
        return tape.record(op, *args)

    return adapter


# What an array knows of itself.


def _copy(tape: Tape, a: object) -> Node:
    return tape.node(a)


def _shape(tape: Tape, a: object) -> Ints:
    return tape.node(a).shape


def _ndim(tape: Tape, a: object) -> int:
    return tape.node(a).ndim


def _size(tape: Tape, a: object, axis: int | None = None) -> int:
    a = tape.node(a)
    return a.size if axis is None else a.shape[axis]


FUNCTIONS: dict[str, Adapter] = MOVES | {
    "sum": _sum,
    "mean": _reduction(reduction.mean),
    "max": _reduction(reduction.max),
    "min": _reduction(reduction.min),
    "amax": _reduction(reduction.max),
    "amin": _reduction(reduction.min),
    "argmax": _place(reduction.argmax),
    "argmin": _place(reduction.argmin),
    "clip": _clip,
    "where": _where,
    "dot": _plain(contraction.dot),
    "outer": _outer,
    "inner": _inner,
    "vdot": _vdot,
    "einsum": _einsum,
    "trace": _plain(contraction.trace),
    "tril": _plain(indexing.tril),
    "triu": _plain(indexing.triu),
    "copy": _copy,
    "shape": _shape,
    "ndim": _ndim,
    "size": _size,
}

METHODS: dict[str, Adapter] = {
    name: FUNCTIONS[name]
    for name in (
        "sum", "mean", "max", "min", "argmax", "argmin", "clip", "swapaxes", "ravel", "squeeze",
        "take", "trace", "diagonal", "dot", "copy", "reshape", "transpose",
    )
} | {"flatten": ravel}  # fmt: skip

# What is often wanted and not known, and how to say it with what is.

INSTEAD = {
    "var": "np.mean((x - np.mean(x)) ** 2)",
    "std": "np.sqrt(np.mean((x - np.mean(x)) ** 2))",
    "norm": "np.sqrt(np.sum(x ** 2))",
    "prod": "np.exp(np.sum(np.log(x))) for positive entries",
    "cumsum": "np.tril(np.ones((len(x), len(x)))) @ x",
    "average": "np.mean(x), or np.sum(w * x) / np.sum(w)",
    "reciprocal": "1 / x",
    "exp2": "2 ** x",
    "hypot": "np.sqrt(x ** 2 + y ** 2)",
    "cross": "its three products",
    "tensordot": "np.einsum",
    "append": "np.concatenate([a, b])",
    "pad": "np.concatenate with np.zeros",
    "repeat": "np.broadcast_to, or an index such as x[[0, 0, 1, 1]]",
    "tile": "np.broadcast_to, or np.concatenate([x, x])",
    "nan_to_num": "np.where",
    "sort": "np.take(x, order) with an order that is passed in",
    "argsort": "an order that is passed in",
    "any": "np.max(mask)",
    "all": "np.min(mask)",
    "item": "the array itself: a result of one entry is a number already",
    "tolist": "the array itself",
    "fill": "np.full_like(x, value)",
}


def call_ufunc(
    tape: Tape, ufunc: np.ufunc, method: str, inputs: Sequence[object], options: Mapping[str, Any]
) -> Node:
    """A ufunc on traced values, such as np.tanh or np.add."""
    if options.get("out") is not None:
        raise tape.refused("out= changes an array in place; assign the result instead")
    if options.get("where", True) is not True:
        raise tape.refused("where= leaves entries undefined; use np.where")
    if method == "reduce" and ufunc is np.add:
        return _sum(tape, *inputs, **{"axis": 0, **options})
    if method == "outer" and ufunc is np.multiply:
        return tape.record(contraction.outer, *inputs)
    name = ufunc.__name__
    if method != "__call__":
        raise tape.refused(f"np.{name}.{method} is not known here")
    if name not in UFUNCS:
        raise tape.refused(_unknown(f"np.{name}", name, [*UFUNCS, *FUNCTIONS]))
    return tape.record(UFUNCS[name], *inputs)


def call_function(
    tape: Tape, function: Callable[..., Any], args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """A NumPy function on traced values, such as np.sum or np.concatenate."""
    name = function.__name__
    shown = f"{function.__module__}.{name}".replace("numpy", "np", 1)
    if function is not getattr(np, name, None):  # such as np.linalg.inv
        raise tape.refused(_unknown(shown, name, []))
    if name not in FUNCTIONS:
        raise tape.refused(_unknown(shown, name, [*UFUNCS, *FUNCTIONS]))
    return _adapted(tape, shown, FUNCTIONS[name], args, options)


def call_method(tape: Tape, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A method of an array, such as `.sum` or `.reshape`; the array comes first."""
    if name in ("reshape", "transpose") and len(args) > 2:
        args = (args[0], args[1:])  # a.reshape(2, 3) is a.reshape((2, 3))
    return _adapted(tape, f".{name}", METHODS[name], args, options)


def _adapted(
    tape: Tape, shown: str, adapter: Adapter, args: Sequence[Any], options: Mapping[str, Any]
) -> Any:
    """Call an adapter; arguments that it does not take are refused in a sentence."""
    try:
        inspect.signature(adapter).bind(tape, *args, **options)
    except TypeError as error:
        raise tape.refused(f"{shown} here: {error}") from None
    start = len(tape.nodes)
    result = adapter(tape, *args, **options)
    if isinstance(result, Node):
        tape.one_line(start, result)
    return result


def call_op(tape: Tape, op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """One of our own operations, `bp.softmax(Z, axis=1)`; NumPy's are called as NumPy's."""
    if op.name in FUNCTIONS:
        return _adapted(tape, f"bp.{op.name}", FUNCTIONS[op.name], args, params)
    try:
        operands, given = bound(op, args, params)
        inspect.signature(op.build).bind(*operands, **given)
    except TypeError as error:
        raise tape.refused(f"bp.{op.name} here: {error}") from None
    if any(isinstance(value, Node) for value in given.values()):
        raise tape.refused(f"bp.{op.name} takes plain numbers for {', '.join(op.params)}")
    if "axis" in op.params:
        given["axis"] = from_front(tape, tape.node(operands[0]).ndim, given.get("axis", -1))
    return tape.record(op, *operands, **given)


def no_such_attribute(tape: Tape, name: str) -> Exception:
    """What to say of an array method or attribute that is not known."""
    return tape.refused(_unknown(f".{name} of an array", name, [*METHODS, "T", "mT", "shape"]))


def _unknown(shown: str, name: str, known: Sequence[str]) -> str:
    if name in INSTEAD:
        return f"{shown} is not known here; write {INSTEAD[name]}"
    return f"{shown} is not known here{nearest(name, known)}"
