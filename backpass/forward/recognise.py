"""Hand-written functions, recognised in the recorded graph up to the order of operands.

`1 / (1 + exp(-x))` is the sigmoid, whoever wrote it: it is then computed in the stable way and
differentiated by the slope that people know. Each pattern is an identity, so nothing else about
the program changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import count

from backpass.calculus.op import OPS
from backpass.forward.graph import Found, Graph, Operand, Pattern, is_number
from backpass.forward.recognise_losses import LOSSES
from backpass.forward.witness import Value, World
from backpass.language.expr import Number


def recognise(values: Sequence[Value], worlds: Sequence[World]) -> list[Value]:
    """The same graph with hand-written functions in the place of their spellings."""
    graph = Graph(worlds)
    return [graph.enter(value, PATTERNS) for value in _signs_outside(values)]


def _signs_outside(values: Sequence[Value]) -> Iterator[Value]:
    """The graph with exp(−(X @ W)) where it says exp(-X @ W), which is exp((−X) @ W) to Python."""
    raised = {value.operands[0] for value in values if _is(value, "exp")}
    negated: dict[Operand, Operand] = {
        value.index: value.operands[0] for value in values if _is(value, "negative")
    }
    new = count(max((value.index for value in values), default=0) + 1)
    for value in values:
        if value.index in raised and _is(value, "matmul", "dot") and value.operands[0] in negated:
            left, right = value.operands
            place = replace(value.place, name=None)
            inner = replace(value, index=next(new), operands=(negated[left], right), place=place)
            yield inner
            value = replace(value, op=OPS["negative"], operands=(inner.index,), params={})
        yield value


def _is(value: Value, *names: str) -> bool:
    return value.op is not None and value.op.name in names


def _one_plus(graph: Graph, operand: Operand) -> Operand | None:
    """x of 1 + x."""
    for one, other in graph.pair(operand, "add"):
        if is_number(one, 1):
            return other
    return None


def _exp(graph: Graph, operand: Operand | None) -> Operand | None:
    """x of exp(x)."""
    args = graph.args(operand, "exp") if operand is not None else None
    return args[0] if args else None


def _sigmoid_quotient(graph: Graph, value: Value) -> Found | None:
    above, below = value.operands
    exponential = _one_plus(graph, below)
    inside = _exp(graph, exponential)
    if inside is None or exponential is None:
        return None
    if is_number(above, 1):  # 1 / (1 + exp(−x))
        x = graph.negated(inside)
        return None if x is None else ("sigmoid", (x,), {})
    if graph.equal(above, exponential):  # exp(x) / (1 + exp(x))
        return "sigmoid", (inside,), {}
    return None


def _sigmoid_power(graph: Graph, value: Value) -> Found | None:
    base, exponent = value.operands
    inside = _exp(graph, _one_plus(graph, base))
    x = None if inside is None or not is_number(exponent, -1) else graph.negated(inside)
    return None if x is None else ("sigmoid", (x,), {})


def _half_of(graph: Graph, operand: Operand) -> Operand | None:
    """x of ½·x and of x / 2."""
    for one, other in graph.pair(operand, "multiply"):
        if is_number(one, Fraction(1, 2)):
            return other
    args = graph.args(operand, "divide")
    return args[0] if args and is_number(args[1], 2) else None


def _half_tanh(graph: Graph, operand: Operand) -> Operand | None:
    args = graph.args(operand, "tanh")
    return _half_of(graph, args[0]) if args else None


def _sigmoid_tanh_product(graph: Graph, value: Value) -> Found | None:
    inner = _half_of(graph, value.index)  # ½·(1 + tanh(x/2))
    tanh = _one_plus(graph, inner) if inner is not None else None
    x = _half_tanh(graph, tanh) if tanh is not None else None
    return None if x is None else ("sigmoid", (x,), {})


def _sigmoid_tanh_sum(graph: Graph, value: Value) -> Found | None:
    for one, other in graph.pair(value.index, "add"):  # ½ + ½·tanh(x/2)
        half = _half_of(graph, other) if is_number(one, Fraction(1, 2)) else None
        x = _half_tanh(graph, half) if half is not None else None
        if x is not None:
            return "sigmoid", (x,), {}
    return None


def _positive(graph: Graph, condition: Operand) -> Operand | None:
    """x of x > 0 and of 0 < x."""
    args = graph.args(condition, "greater")
    if args and is_number(args[1], 0):
        return args[0]
    args = graph.args(condition, "less")
    return args[1] if args and is_number(args[0], 0) else None


def _relu_maximum(graph: Graph, value: Value) -> Found | None:
    for x, other in graph.pair(value.index, "maximum"):
        if is_number(other, 0):
            return "relu", (x,), {}
        for slope, same in graph.pair(other, "multiply"):  # maximum(x, a·x) with 0 < a < 1
            if isinstance(slope, Number) and 0 < slope.value < 1 and graph.equal(same, x):
                return "leaky_relu", (x, slope), {}
    return None


def _relu_where(graph: Graph, value: Value) -> Found | None:
    condition, yes, no = value.operands
    x = _positive(graph, condition)
    if x is None or not graph.equal(x, yes):
        return None
    if is_number(no, 0):
        return "relu", (x,), {}
    for slope, same in graph.pair(no, "multiply"):
        if not isinstance(slope, int) and graph.equal(same, x):
            return "leaky_relu", (x, slope), {}
    return None


def _relu_mask(graph: Graph, value: Value) -> Found | None:
    for x, mask in graph.pair(value.index, "multiply"):
        inside = _positive(graph, mask)
        if inside is not None and graph.equal(inside, x):
            return "relu", (x,), {}
    return None


def _unshifted(graph: Graph, operand: Operand, axis: tuple[int, ...] | None) -> Operand:
    """x of x − m with m the largest x along the axis; else the operand itself."""
    args = graph.args(operand, "subtract")
    if args:
        largest = graph.bare(args[1])
        inner = graph.args(largest, "max")
        everything = inner and graph.axis(largest) == tuple(range(graph.rank(args[0])))
        if inner and graph.equal(inner[0], args[0]) and (everything or graph.axis(largest) == axis):
            return args[0]
    return operand


def _one_axis(graph: Graph, total: Operand) -> tuple[int, ...] | None:
    """The axis of a sum along one axis."""
    axis = graph.axis(total)
    return axis if axis is not None and len(axis) == 1 else None


def _softmax(graph: Graph, value: Value) -> Found | None:
    above, below = value.operands
    total = graph.bare(below)
    summed = graph.args(total, "sum")
    inside = _exp(graph, above)
    if inside is None or not summed or not graph.equal(summed[0], above):
        return None
    axis = _one_axis(graph, total)
    if axis is None or not _lines_up(graph, above, below, axis):
        return None
    return "softmax", (_unshifted(graph, inside, axis),), {"axis": axis}


def _lines_up(graph: Graph, array: Operand, along: Operand, axis: tuple[int, ...]) -> bool:
    """Whether what was computed along one axis of an array meets the array along that axis."""
    (place,) = axis
    return all(
        thin in ((*full[:place], 1, *full[place + 1 :]), full[1:] if place == 0 else None)
        for full, thin in zip(graph.shapes(array), graph.shapes(along), strict=True)
    )


def _log_of_sum(graph: Graph, operand: Operand) -> tuple[Operand, tuple[int, ...]] | None:
    """x and the axis of log(Σ exp(x)), with or without its axes of length 1."""
    inside = graph.bare(operand)
    if args := graph.args(inside, "logsumexp"):
        return args[0], graph.axis(inside) or ()
    if logarithm := graph.args(inside, "log"):
        total = graph.bare(logarithm[0])
        summed = graph.args(total, "sum")
        x, axis = (_exp(graph, summed[0]), _one_axis(graph, total)) if summed else (None, None)
        if x is not None and axis is not None:
            return x, axis
    return None


def _logsumexp(graph: Graph, value: Value) -> Found | None:
    found = _log_of_sum(graph, value.index)
    if found is None or graph.rank(found[0]) == graph.rank(value.index):
        return None
    x, axis = found
    return "logsumexp", (x,), {"axis": axis}


def _largest(graph: Graph, operand: Operand) -> tuple[object, object] | None:
    """Of what a value is the largest entry, and along which axes."""
    inside = graph.bare(operand)
    args = graph.args(inside, "max")
    return (graph.first_like(args[0]), graph.axis(inside)) if args else None


def _logsumexp_shifted(graph: Graph, value: Value) -> Found | None:
    for sums, largest in graph.pair(value.index, "add"):  # m + log Σ exp(x − m)
        args = graph.args(sums, "logsumexp")
        axis = graph.axis(sums) if args else None
        shift = graph.args(args[0], "subtract") if args else None
        if not shift or not args or axis is None:
            continue
        x = _unshifted(graph, args[0], axis)
        same = _largest(graph, shift[1]) == _largest(graph, largest)
        if same and x != args[0] and graph.shapes(value.index) == graph.shapes(sums):
            return "logsumexp", (x,), {"axis": axis}
    return None


def _log_softmax(graph: Graph, value: Value) -> Found | None:
    (inside,) = value.operands  # log(softmax(x))
    args = graph.args(inside, "softmax")
    return ("log_softmax", args, {"axis": graph.axis(inside)}) if args else None


def _log_softmax_difference(graph: Graph, value: Value) -> Found | None:
    above, below = value.operands  # x − log Σ exp(x)
    found = _log_of_sum(graph, below)
    if found is None or not graph.equal(found[0], above):
        return None
    _, axis = found
    if not _lines_up(graph, above, below, axis):
        return None
    return "log_softmax", (_unshifted(graph, above, axis),), {"axis": axis}


def _softplus(graph: Graph, value: Value) -> Found | None:
    x = _exp(graph, _one_plus(graph, value.operands[0]))
    return None if x is None else ("softplus", (x,), {})


def _softplus_logaddexp(graph: Graph, value: Value) -> Found | None:
    for zero, x in graph.pair(value.index, "logaddexp"):
        if is_number(zero, 0):
            return "softplus", (x,), {}
    return None


def _softplus_log1p(graph: Graph, value: Value) -> Found | None:
    x = _exp(graph, value.operands[0])
    return None if x is None else ("softplus", (x,), {})


PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "divide": (_sigmoid_quotient, _softmax, _sigmoid_tanh_product),
    "power": (_sigmoid_power,),
    "multiply": (_sigmoid_tanh_product, _relu_mask),
    "add": (_sigmoid_tanh_sum, _logsumexp_shifted),
    "subtract": (_log_softmax_difference,),
    "maximum": (_relu_maximum,),
    "where": (_relu_where,),
    "log": (_softplus, _log_softmax, _logsumexp),
    "log1p": (_softplus_log1p,),
    "logaddexp": (_softplus_logaddexp,),
}
for _name, _patterns in LOSSES.items():
    PATTERNS[_name] = (*PATTERNS.get(_name, ()), *_patterns)
