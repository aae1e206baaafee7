"""Terms that act entry by entry, as nodes over whole arrays: sums, products, functions, powers.

Such a node is recognised only if one of its operands carries all of its axes; the others are
copied along those that they lack. (`u[i] * v[j]` is the one exception: an outer product.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from backpass.language.expr import (
    Apply,
    Bracket,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Sum,
    Term,
    power,
)
from backpass.language.program import Array
from backpass.reading.indexing import pick
from backpass.reading.tree import (
    Add,
    Applied,
    Axes,
    Compared,
    Negative,
    Node,
    OneHot,
    Outer,
    Powered,
    Quotient,
    Ramp,
    Scalar,
    Spread,
    Thin,
    Times,
    Transpose,
)

Arrays = Mapping[str, Array]


def entrywise(term: Term, arrays: Arrays, order: Axes = ()) -> Node | None:
    """The node for a term in which nothing is summed, its axes in `order` as far as that says."""
    match term:
        case Label():
            return Ramp((term,))
        case Number(value=value):
            return _signed(value, Scalar(Number(abs(value))))
        case SizeTerm():
            return Scalar(term)
        case Read():
            return pick(term, arrays)
        case Bracket(relation=relation, left=left, right=right):
            sides = entrywise(left, arrays), entrywise(right, arrays)
            hot = _one_hot(*sides, order) if relation == "==" else None
            return hot or _binary(partial(Compared, relation), *sides, order)
        case Apply(function=function, args=args):
            row = _align([entrywise(arg, arrays) for arg in args], order)
            return row and Applied(function, row.nodes, row.axes)
        case Sum(terms=terms):
            return total([entrywise(part, arrays) for part in terms], order)
        case Product():
            return split(term).node(arrays, order)
        case Power(base=base, exponent=exponent):
            if isinstance(exponent, Number) and exponent.value < 0:
                return split(term).node(arrays, order)
            return _binary(Powered, entrywise(base, arrays), entrywise(exponent, arrays), order)


def total(terms: Sequence[Node | None], order: Axes = ()) -> Node | None:
    """The sum of nodes, flat."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Add) else (term,))]
    row = _align([part and unspread(part) for part in flat], order)
    return row and Add(row.nodes, row.axes)


def _binary(
    make: Callable[[Node, Node, Axes], Node], left: Node | None, right: Node | None, order: Axes
) -> Node | None:
    row = _align([left, right], order)
    return row and make(row.nodes[0], row.nodes[1], row.axes)


# ── products and quotients ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Factors:
    """A product taken apart: a number, what stands above the line and what stands below."""

    number: Fraction
    above: tuple[Term, ...]
    below: tuple[Term, ...]

    def node(self, arrays: Arrays, order: Axes = ()) -> Node | None:
        """The product of these factors, entry by entry."""
        above = [entrywise(factor, arrays) for factor in self.above]
        below = [entrywise(factor, arrays) for factor in self.below]
        return quotient(self.number, above, below, order)


def split(term: Term) -> Factors:
    """Take a product apart; `X * n**-1` has the n below the line."""
    number, above, below = Fraction(1), list[Term](), list[Term]()
    for factor in term.factors if isinstance(term, Product) else (term,):
        match factor:
            case Number(value=value):
                number *= value
            case Power(base=base, exponent=Number(value=value)) if value < 0:
                below.append(power(base, Number(-value)))
            case _:
                above.append(factor)
    return Factors(number, tuple(above), tuple(below))


def quotient(
    number: Fraction,
    above: Iterable[Node | None],
    below: Iterable[Node | None],
    order: Axes = (),
) -> Node | None:
    """`number · above / below`, the number in front; ½ over n becomes 1 over 2n."""
    upper, lower = list(above), list(below)
    size = abs(number)
    if lower and size.denominator < 10:  # 0.01/n stays as it was written
        lower = [*_unless_one(size.denominator), *lower]
        size = Fraction(size.numerator)
    upper = [*_unless_one(size), *upper] or [Scalar(Number(size))]
    over = _times(upper, order)
    if over is None or not lower:
        return _signed(number, over)
    return _signed(number, _binary(Quotient, over, _times(lower, order), order))


def _unless_one(value: Fraction | int) -> list[Node | None]:
    return [Scalar(Number(Fraction(value)))] if value != 1 else []


def _signed(number: Fraction, node: Node | None) -> Node | None:
    return Negative(node, node.axes) if node is not None and number < 0 else node


def _times(nodes: Sequence[Node | None], order: Axes) -> Node | None:
    if len(nodes) == 1:
        return nodes[0] and arrange(nodes[0], order)
    row = _align(sorted(nodes, key=lambda node: bool(node and node.axes)), order)
    return Times(row.nodes, row.axes) if row else _outer(nodes, order)


def _outer(nodes: Sequence[Node | None], order: Axes) -> Node | None:
    """Scalars times two vectors of different labels, each perhaps a product itself."""
    vectors: dict[Axes, list[Node]] = {}
    scalars: list[Node] = []
    for node in nodes:
        if node is None or len(node.axes) > 1:
            return None
        (vectors.setdefault(node.axes, []) if node.axes else scalars).append(node)
    if len(vectors) != 2:
        return None
    left, right = (_times(group, ()) for group in vectors.values())
    assert left is not None
    assert right is not None
    product = arrange(Outer(left, right, left.axes + right.axes), order)
    return _times([*scalars, product], order) if scalars else product


def _one_hot(left: Node | None, right: Node | None, order: Axes) -> Node | None:
    """`[k == y[n]]`, whichever side the bare label is on."""
    for ramp, value in ((left, right), (right, left)):
        if isinstance(ramp, Ramp) and value and value.axes and not isinstance(value, Ramp):
            hot = ramp.axes[0]
            axes = (*value.axes, hot)
            if order:
                axes = _sorted(axes, order)
            # the integers' own axes cannot be exchanged here
            kept = tuple(label for label in axes if label != hot)
            if hot not in value.axes and kept == value.axes:
                return OneHot(value, hot, axes)
    return None


# ── axes ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Row:
    """Operands that meet entry by entry, and the axes on which they do."""

    nodes: tuple[Node, ...]
    axes: Axes


def _align(nodes: Iterable[Node | None], order: Axes) -> _Row | None:
    """Bring operands to the axes of the one that has them all; None when none has."""
    found: list[Node] = []
    for node in nodes:
        if node is None:
            return None
        found.append(node)
    widest = max(found, key=lambda node: len(node.axes))  # the first of those
    axes = _sorted(widest.axes, order)
    placed: list[Node] = []
    for node in found:
        turned = arrange(node, axes)
        if turned is None or not set(node.axes) <= set(axes):
            return None
        placed.append(spread(turned, axes) if node.axes else turned)
    return _Row(tuple(placed), axes)


def _sorted(axes: Axes, order: Axes) -> Axes:
    """The axes in the order given, when that speaks of all of them."""
    return tuple(axis for axis in order if axis in axes) if set(axes) <= set(order) else axes


def arrange(node: Node, order: Axes) -> Node | None:
    """The node with its axes in this order: as it is, or transposed; None if neither does it."""
    axes = _sorted(node.axes, order)
    if axes == node.axes:
        return node
    if axes != (*node.axes[:-2], node.axes[-1], node.axes[-2]):
        return None
    match node:
        case Transpose(value=value):
            return value
        case Outer(left=left, right=right):
            return Outer(right, left, axes)
        case Negative(value=value):
            return Negative(Transpose(value, axes), axes)
        case _:
            return Transpose(node, axes)


def spread(node: Node, axes: Axes) -> Node:
    """The node copied along the axes that it lacks, beside another that has them all.

    What is made of `Thin` arrays is made while they are thin: the copying in `X - M / k` is M's,
    and NumPy does it by itself.
    """
    return _spread(node, axes, lambda one: isinstance(one.value, Thin) and one.trailing)


def spread_whole(node: Node, axes: Axes) -> Node:
    """The same where nothing else has all the axes, as for a whole step.

    A mean that keeps its axis is the sum that keeps it, divided.
    """
    return _spread(node, axes, lambda one: one.keeps)


def _spread(node: Node, axes: Axes, inside: Callable[[Spread], bool]) -> Node:
    if node.axes == axes:
        return node
    if isinstance(node, Negative):  # a minus stays outside
        return Negative(_spread(node.value, axes, inside), axes)
    copied = Spread(node, axes)
    operands = _operands(node)
    wide = [one for one in operands if one.axes]
    if not wide or any(one.axes != node.axes for one in wide):
        return copied
    lifted = [_spread(unspread(one), axes, inside) if one.axes else one for one in operands]

    def fits(one: Node) -> bool:
        if isinstance(one, Negative):
            return fits(one.value)
        return inside(one) if isinstance(one, Spread) else True

    if not all(fits(one) for one in lifted if one.axes):
        return copied
    return _rebuilt(node, tuple(lifted), axes)


def _operands(node: Node) -> tuple[Node, ...]:
    """What an entry-by-entry node is made of; nothing for any other."""
    match node:
        case Add(terms=operands) | Times(factors=operands) | Applied(args=operands):
            return operands
        case Quotient(above=left, below=right) | Powered(base=left, exponent=right):
            return (left, right)
        case Negative(value=value):
            return (value,)
        case _:
            return ()


def _rebuilt(node: Node, operands: tuple[Node, ...], axes: Axes) -> Node:
    """An entry-by-entry node over other operands."""
    match node:
        case Add():
            return Add(operands, axes)
        case Times():
            return Times(operands, axes)
        case Applied(function=function):
            return Applied(function, operands, axes)
        case Quotient():
            return Quotient(operands[0], operands[1], axes)
        case Powered():
            return Powered(operands[0], operands[1], axes)
        case _:
            return Spread(node, axes)


def unspread(node: Node) -> Node:
    """The node before it was copied; a minus stays outside."""
    match node:
        case Spread(value=value):
            return value
        case Negative(value=Spread(value=value)):
            return Negative(value, value.axes)
        case _:
            return node
