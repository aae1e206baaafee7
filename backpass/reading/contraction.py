"""Products that are summed: which of them are matrix products, and in which order they are written.

Split the labels into batch (on the left, and in every factor), summed (in exactly two factors)
and free (on the left, in one factor). Factors that meet pairwise in one summed label form a
chain with at most one free label at either end; the left's order says which end comes first. One
pattern stands beside these: a stack of matrices times one matrix that all of them share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from backpass.language.expr import Label
from backpass.reading.entrywise import arrange
from backpass.reading.tree import Axes, Matmul, Node


def contract(factors: Sequence[Node], summed: Axes, left: Axes) -> Node | None:
    """The matrix product that Σ over `summed` of these two or more factors is, if it is one."""
    if len(factors) == 2 and len(summed) == 1 and (found := _rows(factors, summed, left)):
        return found
    counts = Counter(label for factor in factors for label in factor.axes)
    batch = tuple(label for label in left if counts[label] > 1)
    if any(counts[label] != 2 for label in summed):
        return None
    if any(counts[label] != len(factors) for label in batch):
        return None
    if any(not _is_matrix(factor, batch) for factor in factors):
        return None
    chain = _chain(factors, batch, summed)
    if chain is None:
        return None
    ends = _free(chain[0], batch, summed), _free(chain[-1], batch, summed)
    kept = tuple(label for label in left if label in (*batch, *ends[0], *ends[1]))
    if kept == (*batch, *ends[1], *ends[0]) and ends[0] + ends[1] and all(ends):
        chain, ends = chain[::-1], ends[::-1]
    if kept != (*batch, *ends[0], *ends[1]):
        return None
    return _multiply(chain, batch, summed)


def _rows(factors: Sequence[Node], summed: Axes, left: Axes) -> Node | None:
    """`X @ W` with rows counted by two labels or more, as the words of many sentences are.

    NumPy multiplies stacks of matrices with one matrix, or one vector, that all of them share.
    """
    for wide, shared in (factors, factors[::-1]):
        rows = tuple(label for label in wide.axes if label not in summed)
        free = tuple(label for label in shared.axes if label not in summed)
        if len(rows) < 2 or len(free) > 1 or not set(rows).isdisjoint(free):
            continue
        if tuple(label for label in left if label in rows + free) != rows + free:
            continue
        one, other = arrange(wide, (*rows, *summed)), arrange(shared, (*summed, *free))
        if one is not None and other is not None and {*summed} <= {*wide.axes} & {*shared.axes}:
            return Matmul(one, other, summed[0], rows + free)
    return None


def _is_matrix(factor: Node, batch: Axes) -> bool:
    """At most two axes, or exactly two behind the batch, which leads in the left's order."""
    rest = len(factor.axes) - len(batch)
    return factor.axes[: len(batch)] == batch and (rest == 2 if batch else rest <= 2)


def _free(factor: Node, batch: Axes, summed: Axes) -> Axes:
    return tuple(label for label in factor.axes if label not in batch and label not in summed)


def _chain(factors: Sequence[Node], batch: Axes, summed: Axes) -> list[Node] | None:
    """The factors in a row, neighbours meeting in a summed label; it starts at the first end."""
    ends = [f for f in factors if sum(label in summed for label in f.axes) == 1]
    if len(ends) != 2:
        return None
    row, rest = [ends[0]], [factor for factor in factors if factor is not ends[0]]
    while rest:
        meets = [f for f in rest if _meeting(row[-1], f, summed)]
        if len(meets) != 1:
            return None
        row.append(meets[0])
        rest = [factor for factor in rest if factor is not meets[0]]
    return row


def _meeting(left: Node, right: Node, summed: Axes) -> Label | None:
    shared = [label for label in left.axes if label in summed and label in right.axes]
    return shared[0] if len(shared) == 1 else None


def _multiply(chain: list[Node], batch: Axes, summed: Axes) -> Node | None:
    """Multiply along the chain, a vector at its right end first: A @ (B @ x) stays cheap."""
    meetings = [_meeting(a, b, summed) for a, b in pairwise(chain)]
    placed: list[Node] = []
    for factor, before, after in zip(chain, [None, *meetings], [*meetings, None], strict=True):
        free = _free(factor, batch, summed)
        inner = (*((before,) if before else free), *((after,) if after else free))
        one = arrange(factor, (*batch, *dict.fromkeys(inner)))
        if one is None:
            return None
        placed.append(one)
    if len(placed[-1].axes) == 1 and len(placed[0].axes) == 2:
        return reduce(lambda right, left: _matmul(left, right), reversed(placed))
    return reduce(_matmul, placed)


def _matmul(left: Node, right: Node) -> Node:
    """The product; the left's last axis meets the right's last but one, or its only one."""
    batch = left.axes[:-2]
    axes = (*left.axes[:-1], *right.axes[len(batch) + 1 :])
    return Matmul(left, right, left.axes[-1], axes)
