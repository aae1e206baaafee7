"""Cross-entropy as learners write it: the mean of −log of the probability of the true class."""

from __future__ import annotations

from math import isclose

from backpass.forward.graph import Found, Graph, Operand, Patterns
from backpass.forward.witness import Value, World
from backpass.language.expr import Number, Power, Product, SizeTerm, Term
from backpass.language.shapes import evaluate_size


def _number(term: Term, world: World) -> float | None:
    """What a fixed number is in one run."""
    match term:
        case Number(value=value):
            return float(value)
        case SizeTerm(size=size):
            return evaluate_size(size, world)
        case Product(factors=factors):
            total = 1.0
            for factor in factors:
                part = _number(factor, world)
                if part is None:
                    return None
                total *= part
            return total
        case Power(base=base, exponent=exponent):
            a, b = _number(base, world), _number(exponent, world)
            return None if a is None or b is None else a**b
        case _:
            return None


def _peel(graph: Graph, operand: Operand) -> tuple[list[float], Operand]:
    """The factors around a value, in each run, and the value inside them."""
    scale = [1.0] * len(graph.worlds)

    def times(term: Operand, exponent: int) -> bool:
        if isinstance(term, int):
            return False
        parts = [_number(term, world) for world in graph.worlds]
        if any(not part for part in parts):
            return False
        for place, part in enumerate(parts):
            scale[place] *= (part or 1.0) ** exponent
        return True

    while isinstance(operand, int):
        if args := graph.args(operand, "negative"):
            scale = [-one for one in scale]
            operand = args[0]
        elif (args := graph.args(operand, "divide")) and times(args[1], -1):
            operand = args[0]
        elif (args := graph.args(operand, "multiply")) and times(args[0], 1):
            operand = args[1]
        elif args and times(args[1], 1):
            operand = args[0]
        else:
            break
    return scale, operand


def _averaged(graph: Graph, operand: Operand) -> tuple[Operand, list[float]] | None:
    """What is added up over all its axes, and with which factor in each run."""
    outer, total = _peel(graph, operand)
    name = graph.op(total)
    if name not in ("sum", "mean") or not isinstance(total, int):
        return None
    value = graph.values[total]
    (inside,) = value.operands
    if not isinstance(inside, int) or value.params["axis"] != tuple(range(graph.rank(inside))):
        return None
    entries = [1.0] * len(graph.worlds)
    if name == "mean":
        for place, shape in enumerate(graph.values[inside].shapes):
            for length in shape:
                entries[place] *= length
    inner, body = _peel(graph, inside)
    return body, [a * b / c for a, b, c in zip(outer, inner, entries, strict=True)]


def _logits(graph: Graph, operand: Operand, logarithm: bool) -> Operand | None:
    """The logits Z of log_softmax(Z), or of softmax(Z), along the last axis."""
    args = graph.args(operand, "log_softmax" if logarithm else "softmax")
    if args and graph.axis(operand) == (graph.rank(args[0]) - 1,):
        return args[0]
    return None


def _true_class(graph: Graph, operand: Operand) -> tuple[Operand, Operand] | None:
    """The array and the labels of P[arange(n), y]."""
    args = graph.args(operand, "getitem")
    if not args or len(args) != 3 or not isinstance(operand, int):
        return None
    items = graph.values[operand].params["items"]
    if items != (("array", 0), ("array", 1)) or graph.op(args[1]) != "arange":
        return None
    return args[0], args[2]


def _labels(graph: Graph, body: Operand) -> tuple[Operand, Operand] | None:
    """Logits and labels of log(softmax(Z)[arange(n), y]), picked before or after the log."""
    if inside := graph.args(body, "log"):
        picked = _true_class(graph, inside[0])
        z = _logits(graph, picked[0], False) if picked else None
    else:
        picked = _true_class(graph, body)
        z = _logits(graph, picked[0], True) if picked else None
    return (z, picked[1]) if picked and z is not None else None


def _weights(graph: Graph, body: Operand) -> tuple[Operand, Operand] | None:
    """Logits and targets of T · log_softmax(Z), summed over the classes now or before."""
    inner = graph.args(body, "sum")
    if inner and isinstance(inner[0], int) and graph.axis(body) == (graph.rank(inner[0]) - 1,):
        body = inner[0]
    for target, logs in graph.pair(body, "multiply"):
        z = _logits(graph, logs, True)
        if z is not None and graph.rank(target) == graph.rank(z) == 2:
            return z, target
    return None


def _cross_entropy(graph: Graph, value: Value) -> Found | None:
    found = _averaged(graph, value.index)
    if found is None:
        return None
    body, scale = found
    for match, name in ((_labels, "cross_entropy"), (_weights, "cross_entropy_of_weights")):
        operands = match(graph, body)
        if operands is None:
            continue
        z = operands[0]
        assert isinstance(z, int)
        shapes = graph.values[z].shapes
        samples = [shape[0] for shape in shapes]
        if all(isclose(one, -1 / n, rel_tol=1e-12) for one, n in zip(scale, samples, strict=True)):
            return name, operands, {}
    return None


LOSSES: Patterns = dict.fromkeys(
    ("negative", "mean", "sum", "divide", "multiply"), (_cross_entropy,)
)
