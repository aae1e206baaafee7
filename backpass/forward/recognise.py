"""Hand-written functions, recognised in the recorded graph up to the order of operands.

`1 / (1 + exp(-x))` is the sigmoid, whoever wrote it: it is then computed in the stable way and
differentiated by the slope that people know. Each pattern is an identity, so nothing else about
the program changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from backpass.forward.graph import Found, Graph, Operand, Pattern, is_number
from backpass.forward.recognise_losses import LOSSES
from backpass.forward.witness import Value, World
from backpass.language.expr import Number


def recognise(values: Sequence[Value], worlds: Sequence[World]) -> list[Value]:
    """The same graph with hand-written functions in the place of their spellings."""
    graph = Graph(worlds)
    return [graph.enter(value, PATTERNS) for value in values]


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
        largest = graph.keepdims(args[1])
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
    total = graph.keepdims(below)
    summed = graph.args(total, "sum")
    inside = _exp(graph, above)
    if inside is None or not summed or not graph.equal(summed[0], above):
        return None
    axis = _one_axis(graph, total)
    x = _unshifted(graph, inside, axis)
    if axis is None or not _lines_up(graph, value, below, total, axis):
        return None
    return "softmax", (x,), {"axis": axis}


def _lines_up(
    graph: Graph, value: Value, below: Operand, total: Operand, axis: tuple[int, ...]
) -> bool:
    """Whether a sum along `axis` meets the array again along that axis: kept, new, or the first."""
    assert isinstance(total, int)
    assert isinstance(below, int)
    if graph.values[total].params.get("keepdims"):
        return below == total
    if below != total:
        items = graph.values[below].params["items"]
        new = [place for place, item in enumerate(items) if item[0] == "new"]
        return new == list(axis)
    return axis == (0,)


def _logsumexp(graph: Graph, value: Value) -> Found | None:
    (inside,) = value.operands
    summed = graph.args(inside, "sum")
    x = _exp(graph, summed[0]) if summed else None
    if x is None:
        return None
    axis = _one_axis(graph, inside)
    assert isinstance(inside, int)
    if axis is None or graph.values[inside].params.get("keepdims"):
        return None
    return "logsumexp", (x,), {"axis": axis}


def _log_softmax(graph: Graph, value: Value) -> Found | None:
    (inside,) = value.operands
    args = graph.args(inside, "softmax")
    if not args:
        return None
    assert isinstance(inside, int)
    return "log_softmax", args, graph.values[inside].params


def _softplus(graph: Graph, value: Value) -> Found | None:
    x = _exp(graph, _one_plus(graph, value.operands[0]))
    return None if x is None else ("softplus", (x,), {})


def _softplus_log1p(graph: Graph, value: Value) -> Found | None:
    x = _exp(graph, value.operands[0])
    return None if x is None else ("softplus", (x,), {})


PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "divide": (_sigmoid_quotient, _softmax),
    "power": (_sigmoid_power,),
    "multiply": (_sigmoid_tanh_product, _relu_mask),
    "add": (_sigmoid_tanh_sum,),
    "maximum": (_relu_maximum,),
    "where": (_relu_where,),
    "log": (_softplus, _log_softmax, _logsumexp),
    "log1p": (_softplus_log1p,),
}
for _name, _patterns in LOSSES.items():
    PATTERNS[_name] = (*PATTERNS.get(_name, ()), *_patterns)
