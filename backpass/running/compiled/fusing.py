"""Statements put into shared loops: what is made in a turn of a loop is used in the same turn.

A statement joins an earlier loop if whatever both touch, and one of them writes, stands in both
at the loop's own label: then each turn touches entries of its own. It is not carried past a
statement that touches, with a write on either side, what it touches itself. Where threads share
the work, a statement stays out of a loop that they could no longer share with it inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from backpass.language.expr import Label, Read
from backpass.language.expr import labels as labels_of
from backpass.running.compiled.dividing import free_labels
from backpass.running.compiled.nest import (
    Check,
    Cut,
    Item,
    Labels,
    Loop,
    Statement,
    names,
)

CROWDED = 12  # arrays in one innermost loop, above which the registers do not hold their places


def fuse(cut: Cut, *, shared: bool = False) -> list[Item]:
    """The statements in loops, in the order in which they are run, perhaps by several threads."""
    items: list[Item] = []
    fusing = _Fusing(cut, items if shared else None)
    for one in cut.statements:
        if isinstance(one, Statement):
            fusing.insert(items, one, fusing.order(one))
        else:
            items.append(one)
    return items


class _Fusing:
    def __init__(self, cut: Cut, shared: list[Item] | None) -> None:
        self.cut = cut
        self.shared = shared
        self.numbers = count(1)

    def order(self, one: Statement) -> Labels:
        """The loops of a statement from the outside in: the last walks along memory."""
        votes: Counter[Label] = Counter()
        for read, _ in one.accesses():
            for place, part in enumerate(read.index):
                last = place == len(read.index) - 1
                for label in labels_of(part):
                    votes[label] += 1 if last and part is label else -1
        if not one.labels:
            return ()
        wide = [label for label in one.labels if label.size.number != 1] or [*one.labels]
        inner = max(reversed(wide), key=lambda label: votes[label])
        return (*(label for label in one.labels if label is not inner), inner)

    def insert(self, items: list[Item], one: Statement, loops: Labels) -> None:
        """Put a statement, whose `loops` are still open, behind the items or into one of them."""
        for place in range(len(items) - 1, -1, -1):
            item = items[place]
            if isinstance(item, Loop):
                found = self._joined(item, one, loops)
                if found is not None and self._divisible(item, *found):
                    self._enter(item, *found)
                    return
            if self._conflict(item, one):
                break
        if not loops:
            items.append(replace(one, operation="=", fresh=False) if one.fresh else one)
            return
        label = Label(f"{loops[0].name}#{next(self.numbers)}", loops[0].size)
        loop = Loop(label, [])
        items.append(loop)
        self._enter(loop, one.relabel({loops[0]: label}), loops[1:])

    def _divisible(self, loop: Loop, one: Statement, rest: Labels) -> bool:
        """Whether threads that share a loop still can with a statement inside."""
        outermost = self.shared is not None and any(item is loop for item in self.shared)
        if not outermost or not free_labels(loop, self.cut.kept):
            return True
        joined = _copy(loop)
        self._enter(joined, one, rest)
        return bool(free_labels(joined, self.cut.kept))

    def _enter(self, loop: Loop, one: Statement, rest: Labels) -> None:
        """Go on inside a loop; a sum over its turns begins before it."""
        if one.fresh and loop.label not in labels_of(*one.left):
            axes = tuple(label for label in rest if label in labels_of(*one.left))
            self._begin(loop, Statement(one.target, one.left, one.start, axes), axes)
            one = replace(one, fresh=False)
        self.insert(loop.body, one, rest)

    def _begin(self, loop: Loop, start: Statement, axes: Labels) -> None:
        """Let a nest of its own set what a loop gathers into."""
        items: list[Item] = loop.before
        for axis in axes:
            label = Label(f"{axis.name}#{next(self.numbers)}", axis.size)
            start = start.relabel({axis: label})
            inner = Loop(label, [])
            items.append(inner)
            items = inner.body
        items.append(start)

    def _joined(self, loop: Loop, one: Statement, loops: Labels) -> tuple[Statement, Labels] | None:
        """The statement under the label of a loop that it can join, and its loops inside."""
        for label in loops[:-1] or loops:
            if label.size is not loop.label.size:
                continue
            under = one.relabel({label: loop.label})
            if self._alike(loop.body, under, loop.label) and not _crowded(loop, under):
                rest = tuple(other for other in loops if other is not label)
                return under, rest
        return None

    def _alike(self, body: Sequence[Item], one: Statement, label: Label) -> bool:
        """Whether every turn of the loop touches entries of its own."""
        inside = [read for item in body for read, _ in item.accesses()]
        own = [read for read, _ in one.accesses()]
        shared = {read.name for read in inside} & {read.name for read in own}
        for name in shared & (names(body, written=True) | {one.target}):
            found = [read for read in (*inside, *own) if read.name == name]
            if not _at_own_entries(found, label) and not self._gathers_alone(body, one, name):
                return False
        return True

    def _gathers_alone(self, body: Sequence[Item], one: Statement, name: str) -> bool:
        """Whether all that touches an array adds to it, so that the order is free."""
        if one.target != name or one.operation != "+" or one.fresh:
            return False
        return all(
            read.name != name or (isinstance(item, Statement) and item.operation == "+" and writes)
            for item in body
            for read, writes in item.accesses()
        ) and all(read.name != name or writes for read, writes in one.accesses())

    def _conflict(self, item: Item, one: Statement) -> bool:
        """Whether a statement must stay behind an item."""
        if isinstance(item, Check):
            return one.target in self.cut.kept
        reads = {read.name for read, _ in one.accesses()}
        return one.target in names([item]) or not reads.isdisjoint(names([item], written=True))


def _copy(loop: Loop) -> Loop:
    def copied(items: Sequence[Item]) -> list[Item]:
        return [_copy(item) if isinstance(item, Loop) else item for item in items]

    return Loop(loop.label, copied(loop.body), copied(loop.before))


def _at_own_entries(reads: Sequence[Read], label: Label) -> bool:
    """Whether all of them have the label, by itself, in one and the same place."""
    rank = len(reads[0].index)
    return any(all(read.index[place] is label for read in reads) for place in range(rank))


def _crowded(loop: Loop, one: Statement) -> bool:
    """Whether an innermost loop would walk through too many arrays at once."""
    if any(isinstance(item, Loop) for item in loop.body):
        return False
    return len(names([*loop.body, one])) > CROWDED
