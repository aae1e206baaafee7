"""The other ways to multiply two factors, and what becomes of each: an error, or a wrong result.

Every claim is read off the labels: an order fails where two different sizes meet, and where
equal sizes of different labels meet it runs, and is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backpass.language.expr import Label
from backpass.language.shapes import size
from backpass.reading import presentation as show
from backpass.reading import tree
from backpass.reading.dims import shape_text
from backpass.reading.presentation import Dialect, Shown
from backpass.reading.spelling import factors, spell_tree
from backpass.reading.words import Words, words

Axes = tuple[Label, ...]
ALONE = Label("1", size(1))  # the second axis of a column


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor of a product: how it is written, and its one or two labels."""

    shown: Shown
    axes: Axes

    @property
    def turned(self) -> Factor:
        """Transposed, or back again; a row of numbers stays as it is."""
        if isinstance(self.shown, show.Transposed):
            return Factor(self.shown.value, self.axes[::-1])
        if len(self.axes) == 1:
            return self
        return Factor(show.Transposed(self.shown), self.axes[::-1])

    @property
    def bare(self) -> Factor:
        """Without a transpose."""
        return self.turned if isinstance(self.shown, show.Transposed) else self


Pair = tuple[Factor, Factor]


def pair(product: tree.Matmul | tree.Outer, dialect: Dialect) -> Pair | None:
    """The two factors as they are written; None for stacks of matrices and for `outer(a, b)`."""
    if isinstance(product, tree.Outer):
        if dialect == "code":
            return None
        return _factor(product.left, dialect), _factor(product.right, dialect).turned
    left, right = (_factor(side, dialect) for side in factors(product, dialect))
    return None if max(len(left.axes), len(right.axes)) > 2 else (left, right)


def _factor(node: tree.Node, dialect: Dialect) -> Factor:
    axes = node.axes
    if len(axes) == 1 and dialect == "math":
        axes = (ALONE, *axes) if isinstance(node, tree.Transpose) else (*axes, ALONE)
    return Factor(spell_tree(node, dialect), axes)


def other_orders(good: Pair) -> list[tuple[Words, Words]]:
    """What people try instead, and what each would give."""
    seen = {written(good)}
    found: list[tuple[Words, Words]] = []
    for tried in _candidates(*good):
        text = written(tried)
        if text not in seen:
            seen.add(text)
            found.append((words("{p}", p=text), _verdict(tried, good)))
    for tried in _turns(*good):
        text = written(tried)
        if text not in seen and is_silent(tried, good):
            seen.add(text)
            found.append((words("{p}", p=text), _verdict(tried, good)))
    return found


def silent(good: Pair) -> bool:
    """Whether a wrong order runs, and nothing tells."""
    return any(is_silent(tried, good) for tried in _turns(*good))


def is_silent(tried: Pair, good: Pair) -> bool:
    """Whether an order runs, has the right shape, and gives other numbers."""
    one, other = tried[0].axes[-1], tried[1].axes[0]
    fits = one.size == other.size and _shape(result(tried)) == _shape(result(good))
    right = one == other == good[0].axes[-1] and result(tried) == result(good)
    return fits and not right


def _candidates(left: Factor, right: Factor) -> Iterator[Pair]:
    """No transpose at all, the factors exchanged, the whole transposed."""
    yield left.bare, right.bare
    yield right.bare, left.bare
    yield right, left
    yield right.turned, left.turned


def _turns(left: Factor, right: Factor) -> Iterator[Pair]:
    """Every order and every transpose."""
    for one, other in ((left, right), (right, left)):
        for first in dict.fromkeys((one, one.turned)):
            for second in dict.fromkeys((other, other.turned)):
                yield first, second


def written(product: Pair) -> Shown:
    """The product of two factors."""
    return show.multiplied("matrix", product[0].shown, product[1].shown)


def result(product: Pair) -> Axes:
    """The labels that are left when the two in the middle have met."""
    return product[0].axes[:-1] + product[1].axes[1:]


def sizes(product: Pair) -> str:
    """`(j×n)(n×m)`."""
    return "".join(f"({_shape(factor.axes)})" for factor in product)


def _shape(axes: Axes) -> str:
    return shape_text(tuple(label.size for label in axes))


def _verdict(tried: Pair, good: Pair) -> Words:
    one, other = tried[0].axes[-1], tried[1].axes[0]
    if one.size != other.size:
        return words(f"{sizes(tried)}: {one.size} meets {other.size}")
    shape = f"{sizes(tried)} → {_shape(result(tried))}"
    same_shape = _shape(result(tried)) == _shape(result(good))
    if one == other == good[0].axes[-1] and result(tried) == result(good):
        return words(f"{shape}: the same numbers, written the other way")
    if one == other == good[0].axes[-1] and result(tried) == result(good)[::-1]:
        silent = ", and the shape does not tell" if same_shape else ""
        return words(f"{shape}: the transpose of what is wanted{silent}")
    if same_shape:
        return words(f"{shape}: it runs, and the result is wrong without a word")
    return words(f"{shape}: it runs, and the result has the wrong shape")
