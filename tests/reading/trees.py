"""A tree of matrix notation, computed node by node, as its docstrings say and no cleverer."""

from dataclasses import fields
from typing import Any

import numpy as np

from backpass.language.evaluate import RELATIONS
from backpass.language.expr import Function, Label, Number, SizeTerm
from backpass.language.program import ArrayFunction
from backpass.language.shapes import Size, evaluate_size
from backpass.reading import tree


class Runner:
    """Computes nodes; `checked` makes sure that every node has the shape that its axes say."""

    def __init__(self, arrays: dict[str, Any], sizes: dict[str, int]) -> None:
        self.arrays, self.sizes = arrays, sizes

    def size(self, size: Size) -> int:
        return evaluate_size(size, self.sizes)

    def shape(self, axes: tuple[Label, ...]) -> tuple[int, ...]:
        return tuple(self.size(label.size) for label in axes)

    def __call__(self, node: tree.Node) -> Any:
        value = np.asarray(self.value(node))
        assert value.shape == self.shape(node.axes), node
        return value

    def value(self, node: tree.Node) -> Any:
        match node:
            case tree.Name():
                return self.arrays[node.name]
            case tree.Scalar(value=Number(value=value)):
                assert value >= 0
                return int(value) if value.denominator == 1 else float(value)
            case tree.Scalar(value=size):
                return self.size(size.size)
            case tree.Ramp(axes=(label,)):
                return np.arange(self.size(label.size))
            case tree.Transpose():
                return np.swapaxes(self(node.value), -1, -2)
            case tree.Matmul():
                assert node.left.axes[-1] == node.summed
                assert node.right.axes[-2:][0] == node.summed
                return self(node.left) @ self(node.right)
            case tree.Outer():
                assert node.axes == node.left.axes + node.right.axes
                return np.outer(self(node.left), self(node.right))
            case tree.Add():
                return sum(self.meet(term, node) for term in node.terms)
            case tree.Negative():
                return -self(node.value)
            case tree.Times():
                lead = [bool(factor.axes) for factor in node.factors]
                assert len(lead) > 1
                assert lead == sorted(lead)
                return np.prod(np.broadcast_arrays(*(self.meet(f, node) for f in node.factors)), 0)
            case tree.Quotient():
                return self.meet(node.above, node) / self.meet(node.below, node)
            case tree.Powered():
                return self.meet(node.base, node) ** self.meet(node.exponent, node)
            case tree.Applied():
                return node.function.value(*(self.meet(arg, node) for arg in node.args))
            case tree.Compared():
                sides = self.meet(node.left, node), self.meet(node.right, node)
                return RELATIONS[node.relation](*sides) * 1
            case tree.Total():
                value = self(node.value)
                return value.sum(axis=tuple(node.value.axes.index(label) for label in node.over))
            case tree.Spread():
                return self.spread(node)
            case tree.Picked():
                return self(node.value)[tuple(self.index(one) for one in node.index)]
            case tree.Thin():
                kept = [label in node.axes for label in node.value.axes]
                return self(node.value)[tuple(slice(None) if keep else 0 for keep in kept)]
            case tree.OneHot():
                grid = np.arange(self.size(node.hot.size))
                last = (self(node.value)[..., None] == grid) * 1
                return np.moveaxis(last, -1, node.axes.index(node.hot))
            case tree.Diagonal():
                return np.diagonal(self(node.value))
            case tree.DiagonalMatrix():
                return np.diag(self(node.value))
            case tree.Stacked():
                return np.concatenate([self(part) for part in node.parts], axis=node.axis)
            case tree.Reshaped():
                return self(node.value).reshape(self.shape(node.axes))
            case tree.Called():
                axes = tuple(
                    node.args[0].axes.index(a) for a in node.over if a in node.args[0].axes
                )
                return node.function.value(*map(self, node.args), axes=axes)

    def meet(self, operand: tree.Node, node: tree.Node) -> Any:
        """An operand of an entry-by-entry node, which must be one of the three kinds."""
        assert not operand.axes or operand.axes == node.axes
        return self(operand)

    def spread(self, node: tree.Spread) -> Any:
        value = self(node.value)
        if node.trailing:
            thin = isinstance(node.value, tree.Thin)
            value = self(node.value.value) if thin else value
        else:
            kept = [label in node.value.axes for label in node.axes]
            value = value[tuple(slice(None) if keep else None for keep in kept)]
        return np.broadcast_to(value, self.shape(node.axes))

    def index(self, one: tree.Slice | tree.Node) -> Any:
        if not isinstance(one, tree.Slice):
            return self(one)[()]
        start, count = self.size(one.start), self.size(one.count)
        assert not one.whole or (start, one.step) == (0, 1)
        stop = start + count * one.step
        return slice(start, None if stop < 0 else stop, one.step)


def outline(part: Any) -> str:
    """A tree as its nodes' names, without axes: `Add(Matmul(X, W), Spread(b))`."""
    match part:
        case tree.Name(name=name):
            return name
        case tree.Slice(whole=True):
            return ":"
        case tree.Slice(start=start, count=count, step=step):
            return f"{start}:{step}×{count}"
        case Size() | str():
            return str(part)
        case tuple():
            return ", ".join(map(outline, part))
        case Number(value=value):
            return str(value)
        case Label(name=name) | Function(name=name) | ArrayFunction(name=name):
            return name
        case SizeTerm(size=size):
            return str(size)
        case tree.Scalar(value=value):
            return outline(value)
    hidden = {"axes", "axis", "summed", "hot"}
    shown = [field.name for field in fields(part) if field.name not in hidden]
    return f"{type(part).__name__}({', '.join(outline(getattr(part, name)) for name in shown)})"
