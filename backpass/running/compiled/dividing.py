"""The items of a step divided among threads, and where these wait for one another.

Every thread walks through the whole step and does its part of each item: a range of one label,
along which no turn touches what another one writes. Numbers that are gathered over that label are
added up behind it. What cannot be divided is done by the first thread. Threads meet only where one
is about to touch what another may still be at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from backpass.language.expr import Label, Read
from backpass.language.shapes import Size
from backpass.running.compiled.nest import (
    Cut,
    Item,
    Labels,
    Loop,
    Operation,
    Product,
    Statement,
)
from backpass.running.compiled.storage import Storage

NARROW = 32  # a label with fewer turns leaves most of them to one thread
USUAL = 64  # turns of a label whose length is told later: the samples of a batch

Gathered = tuple[tuple[str, Operation], ...]  # numbers, each with what puts its parts together
# How an array is touched: in ranges along an axis of some size, by the first thread alone, or all
# of it by everyone
Touch = tuple[int, Size] | Literal["first", "whole"]
Touches = list[tuple[str, Touch, bool]]  # where, how, and whether it is written
Pending = dict[str, list[tuple[Touch, bool]]]


@dataclass(frozen=True, slots=True)
class Part:
    """An item as threads share it.

    Each takes its range of `label`; without one, the first thread does the item, or where it only
    sets numbers that every thread has for itself, `everyone`. `meets` says that they wait for one
    another before, and `gathered` are the numbers that are put together afterwards.
    """

    item: Item
    label: Label | None
    everyone: bool
    meets: bool
    gathered: Gathered = ()


def divide(items: Sequence[Item], cut: Cut, storage: Storage) -> list[Part]:
    """The items in order, what stands before a loop on its own."""
    parts: list[Part] = []
    pending: Pending = {}
    for item in _apart(items):
        everyone = _only_numbers(item, storage.registers)
        choices = () if everyone else free_labels(item, cut.kept)
        found = [(one, _touches(item, one, everyone, storage)) for one in (*choices, None)]
        label, touches = min(found, key=lambda one: _rank(item, *one, pending))
        meets = _clash(touches, pending)
        gathered = _gathered(item, cut.kept)
        if meets or gathered:  # for they meet again to put the numbers together
            pending.clear()
        if not gathered:
            for place, touch, writes in touches:
                pending.setdefault(place, []).append((touch, writes))
        parts.append(Part(item, label, everyone, meets, gathered))
    return parts


def _apart(items: Iterable[Item]) -> Iterator[Item]:
    for item in items:
        if isinstance(item, Loop):
            yield from _apart(item.before)
            yield Loop(item.label, item.body)
        else:
            yield item


def _only_numbers(item: Item, registers: frozenset[str]) -> bool:
    """Whether an item sets numbers alone that every thread has for itself, if it sets any."""
    if isinstance(item, Loop | Product):
        return False
    return all(read.name in registers for read, writes in item.accesses() if writes)


# ── along which label ────────────────────────────────────────────────────────────────────────


def free_labels(item: Item, kept: frozenset[str]) -> Labels:
    """The labels of which threads may take ranges, from the outside in."""
    match item:
        case Product():
            return tuple(group[0] for group in (item.rows, item.columns) if len(group) == 1)
        case Loop():
            found = [*_statements(item.body, (item.label,))]
            around = dict.fromkeys(label for _, labels in found for label in labels)
            return tuple(label for label in around if _is_free(label, found, kept))
        case _:
            return ()


Placed = tuple[Statement, Labels]  # a statement and the labels of the loops around it


def _statements(items: Iterable[Item], around: Labels) -> Iterator[Placed]:
    for item in items:
        if isinstance(item, Loop):
            yield from _statements(item.before, around)
            yield from _statements(item.body, (*around, item.label))
        elif isinstance(item, Statement):
            yield item, around


def _is_free(label: Label, statements: Sequence[Placed], kept: frozenset[str]) -> bool:
    """Whether every turn writes entries of its own, and touches no other turn's."""
    touched: dict[str, list[Read]] = {}
    written: set[str] = set()
    numbers: set[str] = set()
    for one, around in statements:
        if label not in around:
            return False
        accesses = [*one.accesses()]
        if _is_part(one, kept):
            numbers.add(one.target)
            accesses = accesses[1:]
        for read, writes in accesses:
            touched.setdefault(read.name, []).append(read)
            if writes:
                written.add(read.name)
    # a number is there when all turns are over, so nobody may read it among them
    return numbers.isdisjoint(touched) and all(
        axis_of(label, touched[name]) is not None for name in written
    )


def _is_part(one: Statement, kept: frozenset[str]) -> bool:
    """Whether a statement gathers into a single number, of which threads can have parts."""
    return one.operation != "=" and not one.left and one.target not in kept


def axis_of(label: Label, reads: Sequence[Read]) -> int | None:
    """The axis of an array at which all reads have a label, and nothing else."""
    for place in range(len(reads[0].index)):
        if all(read.index[place] is label for read in reads):
            return place
    return None


def _gathered(item: Item, kept: frozenset[str]) -> Gathered:
    """The single numbers that a loop gathers."""
    if not isinstance(item, Loop):
        return ()
    found: dict[str, Operation] = {}
    for one, _ in _statements(item.body, ()):
        if _is_part(one, kept):
            found[one.target] = one.operation
    return tuple(found.items())


# ── meetings ─────────────────────────────────────────────────────────────────────────────────


def _touches(item: Item, label: Label | None, everyone: bool, storage: Storage) -> Touches:
    """Where an item reads and writes memory that threads share, and how."""
    reads: dict[str, list[Read]] = {}
    written: set[str] = set()
    for read, writes in item.accesses():
        if read.name not in storage.registers:
            reads.setdefault(read.name, []).append(read)
            written |= {read.name} if writes else set()
    found: Touches = []
    for name, places in reads.items():
        touch: Touch = "whole" if everyone or label else "first"
        if label is not None and (axis := axis_of(label, places)) is not None:
            touch = axis, label.size
        found.append((storage.places.get(name, name), touch, name in written))
    return found


def _clash(touches: Touches, pending: Pending) -> bool:
    """Whether a thread would touch what another one may still be at."""
    return any(
        (writes or wrote) and (touch != other or touch == "whole")
        for place, touch, writes in touches
        for other, wrote in pending.get(place, ())
    )


def _rank(
    item: Item, label: Label | None, touches: Touches, pending: Pending
) -> tuple[int | bool, ...]:
    """What is to be as small as can be, of all that an item may be divided along."""
    if label is None:
        return (2,)
    turns = label.size.number
    narrow = turns is not None and turns < NARROW
    if isinstance(item, Product):  # what stays whole is prepared for it by every thread
        return (narrow, -(turns or USUAL))
    return (narrow, _clash(touches, pending))
