"""Shapes beside formulas: `(n×k)(k×j) + j → n×j` for a product, plain `n×j` for the rest."""

from __future__ import annotations

from collections.abc import Iterable

from backpass.language.program import Array
from backpass.language.shapes import Shape, size
from backpass.reading import tree
from backpass.reading.plain import UNICODE, tight
from backpass.reading.presentation import Dialect
from backpass.reading.spelling import factors, spell_size


def dims(node: tree.Node | None, target: Array, dialect: Dialect) -> str:
    """What the shapes of a formula do, and what comes out.

    In the `math` dialect a one-label quantity is a column: `3×1`.
    """
    result = shape_text(target.shape, dialect)
    if node is None or not multiplies(node):
        return result
    return f"{_dims(node, dialect)} → {result}"


def shape_text(shape: Shape, dialect: Dialect = "code", *, row: bool = False) -> str:
    """A shape as the dialect sees it: `n×k`, `n×(k+1)`, `scalar`."""
    if len(shape) == 1 and dialect == "math":
        shape = (size(1), shape[0]) if row else (shape[0], size(1))
    if not shape:
        return "scalar"
    parts = [tight(spell_size(axis), UNICODE) for axis in shape]
    if len(parts) > 1:
        parts = [f"({part})" if set("+−·") & set(part) else part for part in parts]
    return "×".join(parts)


def multiplies(node: tree.Node) -> bool:
    """Whether a matrix product shapes the result."""
    match node:
        case tree.Matmul() | tree.Outer():
            return True
        case tree.Add(terms=parts) | tree.Times(factors=parts):
            return any(map(multiplies, parts))
        case tree.Negative(value=value) | tree.Spread(value=value):
            return multiplies(value)
        case tree.Quotient(above=above, below=below):
            return multiplies(above) or multiplies(below)
        case _:
            return False


def _dims(node: tree.Node, dialect: Dialect) -> str:
    """What goes into the products of a node; for whatever is without one, its shape alone."""
    match node:
        case tree.Negative(value=value) | tree.Spread(value=value):
            return _dims(value, dialect)
        case _ if not multiplies(node):
            return shape_text(_shape(node), dialect)
        case tree.Matmul():
            return "".join(_chain(node, dialect))
        case tree.Outer(left=left, right=right):
            left_text = shape_text(_shape(left), dialect)
            return f"({left_text})({shape_text(_shape(right), dialect, row=True)})"
        case tree.Add(terms=terms):
            parts = _arrays(terms, dialect)
            if len(parts) > 3 and len(set(parts)) == 1:
                parts = [parts[0], "…", parts[0]]
            return " + ".join(parts)
        case tree.Times(factors=parts):
            return " ⊙ ".join(_arrays(parts, dialect))
        case tree.Quotient(above=above, below=below):
            return " / ".join(_arrays((above, below), dialect))
        case _:
            return shape_text(_shape(node), dialect)


def _arrays(nodes: Iterable[tree.Node], dialect: Dialect) -> list[str]:
    """The shapes of those parts that are no mere numbers."""
    return [_dims(node, dialect) for node in nodes if node.axes or multiplies(node)]


def _chain(node: tree.Matmul, dialect: Dialect) -> list[str]:
    left, right = factors(node, dialect)
    return [text for side in (left, right) for text in _factor(side, dialect)]


def _factor(node: tree.Node, dialect: Dialect) -> list[str]:
    if isinstance(node, tree.Matmul):
        return _chain(node, dialect)
    row = isinstance(node, tree.Transpose)
    return [f"({shape_text(_shape(node), dialect, row=row)})"]


def _shape(node: tree.Node) -> Shape:
    return tuple(label.size for label in node.axes)
