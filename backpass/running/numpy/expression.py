"""Matrix notation in NumPy: a tree as one expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from backpass.language.expr import Label, Number
from backpass.language.shapes import Size
from backpass.reading import tree
from backpass.running.numpy import code
from backpass.running.numpy.code import ATOM, Code, Desk


def expression(node: tree.Node, desk: Desk) -> Code:
    """The array that a node stands for; a `Spread` inside may leave the copying to NumPy."""

    def at(part: tree.Node) -> Code:
        return expression(part, desk)

    match node:
        case tree.Name(name=name):
            return desk.array(name)
        case tree.Scalar(value=value):
            return code.number(value.value) if isinstance(value, Number) else desk.size(value.size)
        case tree.Ramp(axes=axes):
            return Code(f"np.arange({desk.size(axes[0].size).text})", holds="int")
        case tree.Transpose(value=value):
            inner = at(value)
            turn = ".T" if len(node.axes) == 2 else ".mT"
            return inner.view(inner.at(ATOM) + turn)
        case tree.Matmul(left=left, right=right):
            return code.matmul(at(left), at(right), desk)
        case tree.Outer(left=left, right=right):
            sides = code.cast(at(left), desk), code.cast(at(right), desk)
            return Code(f"np.outer({sides[0].text}, {sides[1].text})")
        case tree.Add(terms=terms):
            signs = [isinstance(term, tree.Negative) for term in terms]
            bare = [t.value if isinstance(t, tree.Negative) else t for t in terms]
            return code.total([at(term) for term in bare], desk, signs)
        case tree.Negative(value=value):
            return code.negative(at(value), desk)
        case tree.Times(factors=factors):
            return code.product([at(factor) for factor in factors], desk)
        case tree.Quotient(above=above, below=below):
            return code.quotient(at(above), at(below), desk)
        case tree.Powered(base=base, exponent=exponent):
            return code.power(at(base), at(exponent), desk)
        case tree.Applied(function=function, args=args):
            return code.apply(function.name, [at(arg) for arg in args], desk)
        case tree.Compared(relation=relation, left=left, right=right):
            sides = expression(left, desk.plain()), expression(right, desk.plain())
            return code.compare(sides[0], relation, sides[1])
        case tree.Total(value=tree.Diagonal(value=square)):
            return Code(f"np.trace({code.cast(at(square), desk).text})")
        case tree.Total():
            return code.add_up(at(node.value), _places(node) if node.axes else None, desk)
        case tree.Spread():
            return _spread(node, desk)
        case tree.Picked():
            return _picked(node, desk)
        case tree.Thin():
            index = [Code(":") if axis in node.axes else Code("0") for axis in node.value.axes]
            return subscript(at(node.value), index)
        case tree.OneHot():
            return _one_hot(node, desk)
        case tree.Diagonal(value=value):
            return Code(f"{at(value).text}.diagonal()", shared=True)
        case tree.DiagonalMatrix(value=value):
            return Code(f"np.diag({code.cast(whole(value, desk), desk).text})")
        case tree.Stacked(parts=parts, axis=axis):
            texts = [code.cast(whole(part, desk), desk).text for part in parts]
            return Code(f"np.concatenate([{', '.join(texts)}], axis={axis})")
        case tree.Reshaped(value=value):
            return reshape(whole(value, desk), [label.size for label in node.axes], desk)
        case tree.Called(function=function, args=args):
            axes = tuple(args[0].axes.index(label) for label in node.over if label in args[0].axes)
            axis = str(axes[0] if len(axes) == 1 else axes)
            texts = [at(arg).text for arg in args]
            return code.function(function.name, texts, desk, axis)
        case _:
            assert_never(node)


def whole(node: tree.Node, desk: Desk) -> Code:
    """The same, with every axis really there: what a line assigns."""
    match node:
        case tree.Negative(value=tree.Spread(value=value, axes=axes)):
            return whole(tree.Spread(tree.Negative(value, value.axes), axes), desk)
        case tree.Spread(value=value):
            if node.keeps:
                return expression(node, desk)
            if not value.axes:
                return full(expression(value, desk), node.axes, desk)
            if any(axis.size != tree.ONE for axis in node.along):
                return broadcast(expression(node, desk), node.axes, desk)
            return inserted(expression(value, desk), value.axes, node.axes)
        case _:
            return expression(node, desk)


def full(value: Code, axes: tree.Axes, desk: Desk) -> Code:
    """One value everywhere."""
    shape = desk.shape(axis.size for axis in axes)
    if value.text in ("0", "1"):
        return Code(f"np.{'ones' if value.text == '1' else 'zeros'}({shape}, {desk.dtype()})")
    value = code.cast(value, desk)
    dtype = f", {desk.dtype()}" if value.holds == "number" else ""
    return Code(f"np.full({shape}, {value.text}{dtype})")


def broadcast(value: Code, axes: Sequence[Label], desk: Desk) -> Code:
    """A view of the value under all of these axes."""
    shape = desk.shape(axis.size for axis in axes)
    return Code(f"np.broadcast_to({value.text}, {shape})", holds=value.holds, shared=True)


def reshape(value: Code, shape: Sequence[Size], desk: Desk) -> Code:
    """The same entries in another shape; a view where NumPy can make one."""
    sizes = ", ".join(desk.size(size).text for size in shape) or "()"
    return value.view(f"{value.at(ATOM)}.reshape({sizes})")


def subscript(value: Code, index: Sequence[Code]) -> Code:
    """A part of an array; whole axes at the end go without saying."""
    texts = [one.text for one in index]
    while len(texts) > 1 and texts[-1] == ":":
        texts.pop()
    gathers = any(one.holds == "int" for one in index)
    text = f"{value.at(ATOM)}[{', '.join(texts)}]"
    return Code(text, holds=value.holds, shared=value.shared and not gathers)


def inserted(value: Code, own: tree.Axes, axes: tree.Axes) -> Code:
    """A view with an axis of length 1 for each of `axes` that the value does not have."""
    index = [Code(":") if axis in own else Code("None") for axis in axes]
    if all(one.text == ":" for one in index):
        return value
    return subscript(value, index)


def _spread(node: tree.Spread, desk: Desk) -> Code:
    if node.keeps and isinstance(node.value, tree.Total):
        inner = expression(node.value.value, desk)
        return code.add_up(inner, _places(node.value), desk, keep=True)
    if node.trailing:
        return expression(_meant(node.value), desk)
    first = next(place for place, axis in enumerate(node.axes) if axis in node.value.axes)
    return inserted(expression(node.value, desk), node.value.axes, node.axes[first:])


def _meant(node: tree.Node) -> tree.Node:
    """What NumPy copies by itself: an array with its axes of length 1."""
    return node.value if isinstance(node, tree.Thin) else node


def _places(node: tree.Total) -> list[int]:
    return sorted(node.value.axes.index(label) for label in node.over)


def _one_hot(node: tree.OneHot, desk: Desk) -> Code:
    value = inserted(expression(node.value, desk.plain()), node.value.axes, node.axes)
    behind = len(node.axes) - 1 - node.axes.index(node.hot)
    places = Code(f"np.arange({desk.size(node.hot.size).text})")
    if behind:
        places = subscript(places, [Code(":"), *[Code("None")] * behind])
    return code.compare(value, "==", places)


def _picked(node: tree.Picked, desk: Desk) -> Code:
    index: list[Code] = []
    for one, axis in zip(node.index, node.value.axes, strict=True):
        if isinstance(one, tree.Slice):
            index.append(Code(slice_text(one, axis.size, desk)))
        else:
            index.append(expression(one, desk.plain()))
    return subscript(expression(node.value, desk), index)


def slice_text(one: tree.Slice, length: Size, desk: Desk) -> str:
    """A slice of an axis of this length: `:`, `1:k`, `::2`, `::-1`."""
    if one.whole:
        return ":"
    start, end = one.start, one.start + one.count * one.step
    if one.step > 0:
        first = desk.size(start).text if start.terms else ""
        last = desk.size(end).text if end != length else ""
    else:
        first = desk.size(start).text if start != length - 1 else ""
        last = desk.size(end).text if end.number is None or end.number >= 0 else ""
        if end.number is None:  # below zero it would count from the end
            last = f"({last} if {last} >= 0 else None)"
    return f"{first}:{last}" + (f":{one.step}" if one.step != 1 else "")
