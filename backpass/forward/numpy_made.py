"""NumPy's functions that are made of others: the variance of a mean, the norm of a sum.

Each leaves the operations that it is made of, so that what is printed shows them.
"""

from __future__ import annotations

from backpass.calculus import elementwise, reduction
from backpass.forward.numpy_shapes import WHOLE, Adapter, Axis, from_front
from backpass.forward.subscript import subscript
from backpass.forward.tape import Node, Tape


def _var(
    tape: Tape, a: object, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False
) -> Node:
    a = tape.node(a)
    axes = tuple(sorted(from_front(tape, a.ndim, axis)))
    mean = tape.record(reduction.mean, a, axis=axes, keepdims=True)
    squares = tape.record(elementwise.square, tape.record(elementwise.subtract, a, mean))
    if not ddof:
        return tape.record(reduction.mean, squares, axis=axes, keepdims=keepdims)
    total = tape.record(reduction.sum, squares, axis=axes, keepdims=keepdims)
    count = 1
    for place in axes:
        count *= a.shape[place]
    return tape.record(elementwise.divide, total, count - ddof)


def _std(
    tape: Tape, a: object, axis: Axis = None, *, ddof: int = 0, keepdims: bool = False
) -> Node:
    return tape.record(elementwise.sqrt, _var(tape, a, axis, ddof=ddof, keepdims=keepdims))


def _norm(
    tape: Tape, x: object, ord: object = None, axis: Axis = None, keepdims: bool = False
) -> Node:
    x = tape.node(x)
    axes = tuple(sorted(from_front(tape, x.ndim, axis)))
    if ord not in (None, "fro") and (ord != 2 or len(axes) != 1):
        raise tape.refused(
            "np.linalg.norm is the root of a sum of squares here; "
            "write np.sum(np.abs(x)) or np.max(np.abs(x)) for others"
        )
    squares = tape.record(elementwise.square, x)
    total = tape.record(reduction.sum, squares, axis=axes, keepdims=keepdims)
    return tape.record(elementwise.sqrt, total)


def _diff(tape: Tape, a: object, n: int = 1, axis: int = -1) -> Node:
    a = tape.node(a)
    (place,) = from_front(tape, a.ndim, axis)
    for _ in range(n):
        before: list[object] = [WHOLE] * a.ndim
        after = list(before)
        before[place], after[place] = slice(None, -1), slice(1, None)
        ends = (subscript(tape, a, tuple(after)), subscript(tape, a, tuple(before)))
        a = tape.record(elementwise.subtract, *ends)
    return a


MADE: dict[str, Adapter] = {"var": _var, "std": _std, "diff": _diff}
LINALG: dict[str, Adapter] = {"norm": _norm}
