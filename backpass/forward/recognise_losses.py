"""Cross-entropy as learners write it: the mean of −log of the probability of what is true."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose, prod

from backpass.forward.graph import Found, Graph, Operand, Patterns, is_number
from backpass.forward.witness import Value, World
from backpass.language.expr import Number, Power, Product, SizeTerm, Term
from backpass.language.shapes import evaluate_size

Joins = tuple[str, ...]  # operations that multiply
Scale = tuple[float, ...]  # a fixed number: −1/n is another one in each run
Matched = tuple[tuple[Operand, Operand], Scale]  # logits and targets, and what stands before them


def _number(term: Term, world: World) -> float | None:
    """What a fixed number is in one run."""
    match term:
        case Number(value=value):
            return float(value)
        case SizeTerm(size=size):
            return evaluate_size(size, world)
        case Product(factors=factors):
            parts = [_number(factor, world) for factor in factors]
            known = [part for part in parts if part is not None]
            return prod(known) if len(known) == len(parts) else None
        case Power(base=base, exponent=exponent):
            a, b = _number(base, world), _number(exponent, world)
            return None if a is None or b is None else a**b
        case _:
            return None


def _scale(graph: Graph, operand: Operand) -> Scale | None:
    """What a number other than 0 is in every run."""
    if isinstance(operand, int):
        return None
    parts = [_number(operand, world) for world in graph.worlds]
    known = tuple(part for part in parts if part)
    return known if len(known) == len(parts) else None


def _times(*scales: Scale) -> Scale:
    return tuple(prod(run) for run in zip(*scales, strict=True))


def _one(graph: Graph) -> Scale:
    return (1.0,) * len(graph.worlds)


def _peel(graph: Graph, operand: Operand) -> tuple[Scale, Operand]:
    """The numbers around a value, and the value inside them."""
    scale = _one(graph)
    while True:
        if args := graph.args(operand, "negative"):
            scale, operand = tuple(-one for one in scale), args[0]
            continue
        for one, other in graph.pair(operand, "multiply"):
            if (factor := _scale(graph, one)) is not None:
                scale, operand = _times(scale, factor), other
                break
        else:
            args = graph.args(operand, "divide")
            if not args or (factor := _scale(graph, args[1])) is None:
                return scale, operand
            scale, operand = _times(scale, tuple(1 / one for one in factor)), args[0]


def _products(
    graph: Graph, operand: Operand, joins: Joins = ("multiply",)
) -> Iterator[tuple[Scale, Operand, Operand]]:
    """The factors a and b of c·a·b, in both orders."""
    outer, inside = _peel(graph, operand)
    for one, other in (pair for join in joins for pair in graph.pair(inside, join)):
        (a, first), (b, second) = _peel(graph, one), _peel(graph, other)
        yield _times(outer, a, b), first, second


def _inside(graph: Graph, operand: Operand, function: str) -> Operand | None:
    """x of function(x)."""
    args = graph.args(operand, function)
    return args[0] if args else None


# What is averaged, and over how many.


def _averaged(graph: Graph, operand: Operand) -> tuple[Operand, Scale] | None:
    """What is added up over all its axes, and with which factor."""
    outer, total = _peel(graph, operand)
    name = graph.op(total)
    if name not in ("sum", "mean") or not isinstance(total, int):
        return None
    (inside,) = graph.values[total].operands
    if graph.axis(total) != tuple(range(graph.rank(inside))):
        return None
    inner, body = _peel(graph, inside)
    scale = _times(outer, inner)
    if name == "mean":
        scale = _times(scale, tuple(1 / prod(shape) for shape in graph.shapes(inside)))
    return body, scale


# The two costs of one sample among classes, and that of one answer.


def _labels(graph: Graph, body: Operand) -> Matched | None:
    """Logits and labels of log(softmax(Z)[arange(n), y]), picked before or after the log."""
    inside = _inside(graph, body, "log")
    if inside is not None:
        picked = _true_class(graph, inside)
        z = _logits(graph, picked[0], "softmax") if picked else None
        return ((z, picked[1]), _one(graph)) if picked and z is not None else None
    picked = _true_class(graph, body)
    if picked is None:
        return None
    scale, logs = _peel(graph, picked[0])
    z = _logits(graph, logs, "log_softmax")
    return None if z is None else ((z, picked[1]), scale)


def _true_class(graph: Graph, operand: Operand) -> tuple[Operand, Operand] | None:
    """The array and the labels of P[arange(n), y]."""
    args = graph.args(operand, "getitem")
    if not args or len(args) != 3 or not isinstance(operand, int):
        return None
    items = graph.values[operand].params["items"]
    if items != (("array", 0), ("array", 1)) or graph.op(args[1]) != "arange":
        return None
    return args[0], args[2]


def _logits(graph: Graph, operand: Operand, function: str) -> Operand | None:
    """The logits Z of softmax(Z) or log_softmax(Z), along the last axis."""
    z = _inside(graph, operand, function)
    return z if z is not None and graph.axis(operand) == (graph.rank(z) - 1,) else None


def _shares(graph: Graph, body: Operand) -> Matched | None:
    """Logits and targets of T · log_softmax(Z), summed over the classes now or before."""
    inner = _inside(graph, body, "sum")
    if inner is not None and graph.axis(body) == (graph.rank(inner) - 1,):
        body = inner
    for scale, target, logs in _products(graph, body):
        z = _logits(graph, logs, "log_softmax")
        if z is not None and graph.rank(target) == graph.rank(z) == 2:
            return (z, target), scale
    return None


# By what the target meets the logarithm: what two such terms are with the sign 1, and with −1.
YES_OR_NO = {
    ("multiply",): ("log_likelihood", "logistic_loss"),
    ("matmul", "dot"): ("total_log_likelihood", "total_logistic_loss"),
}


def _yes_or_no(graph: Graph, value: Value) -> Found | None:
    """t · log σ(z) + (1 − t) · log(1 − σ(z)), or the same with the other sign.

    The products are entry by entry, or inner products of two vectors.
    """
    sign = 1.0 if value.op is not None and value.op.name == "add" else -1.0
    first, second = value.operands
    for joins, names in YES_OR_NO.items():
        for scale, target, z in _log_sigmoid(graph, first, joins):
            found = _log_rest(graph, second, joins, target, z)
            if found is not None and scale == _times(found, _same(sign, found)):
                return _named(names, scale, z, target)
        for scale, target, z in _log_sigmoid(graph, second, joins):
            found = _log_rest(graph, first, joins, target, z)
            if found is not None and found == _times(scale, _same(sign, scale)):
                return _named(names, found, z, target)
    return None


def _log_sigmoid(
    graph: Graph, operand: Operand, joins: Joins
) -> Iterator[tuple[Scale, Operand, Operand]]:
    """c, t and z of c · t · log σ(z)."""
    for scale, target, logarithm in _products(graph, operand, joins):
        p = _inside(graph, logarithm, "log")
        z = None if p is None else _inside(graph, p, "sigmoid")
        vectors = z is not None and graph.rank(z) == graph.rank(target) == 1
        if z is not None and (vectors or joins == ("multiply",)):
            yield scale, target, z


def _log_rest(
    graph: Graph, operand: Operand, joins: Joins, target: Operand, z: Operand
) -> Scale | None:
    """c of c · (1 − t) · log(1 − σ(z))."""
    for scale, rest, logarithm in _products(graph, operand, joins):
        q = _inside(graph, logarithm, "log")
        args = graph.args(q, "subtract") if q is not None else None
        inner = _inside(graph, args[1], "sigmoid") if args and is_number(args[0], 1) else None
        if inner is not None and graph.equal(inner, z) and _is_rest(graph, rest, target):
            return scale
    return None


def _named(names: tuple[str, str], scale: Scale, z: Operand, target: Operand) -> Found | None:
    """The operation for what stands before both logarithms."""
    if scale not in (_same(1.0, scale), _same(-1.0, scale)):
        return None
    return names[scale[0] < 0], (z, target), {}


def _same(number: float, scale: Scale) -> Scale:
    return (number,) * len(scale)


def _is_rest(graph: Graph, operand: Operand, of: Operand) -> bool:
    """Whether an operand is 1 − p."""
    args = graph.args(operand, "subtract")
    return args is not None and is_number(args[0], 1) and graph.equal(args[1], of)


def _cross_entropy(graph: Graph, value: Value) -> Found | None:
    found = _averaged(graph, value.index)
    if found is None:
        return None
    body, outer = found
    for match, name in (
        (_labels, "cross_entropy"),
        (_shares, "cross_entropy_of_weights"),
    ):
        matched = match(graph, body)
        if matched is None:
            continue
        (z, target), inner = matched
        counts = [shape[0] for shape in graph.shapes(z)]
        runs = zip(_times(outer, inner), counts, strict=True)
        if all(isclose(factor, -1 / count, rel_tol=1e-12) for factor, count in runs):
            return name, (z, target), {}
    return None


LOSSES: Patterns = {
    **dict.fromkeys(("negative", "mean", "sum", "divide", "multiply"), (_cross_entropy,)),
    **dict.fromkeys(("add", "subtract"), (_yes_or_no,)),
}
