"""Where the arrays of a step live: in registers, in buffers that take turns, or with the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backpass.language.expr import Label, Read, labels
from backpass.language.program import Array, Kind
from backpass.language.shapes import Shape
from backpass.running.compiled.nest import Cut, Item, Loop, Product


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory that a step writes and reads again; arrays of one shape use it one after another."""

    name: str
    shape: Shape
    kind: Kind


@dataclass(frozen=True)
class Storage:
    """`registers` are arrays of which a turn needs one entry alone; `places` are the others."""

    registers: frozenset[str]
    places: dict[str, str]
    buffers: tuple[Buffer, ...]


def plan_storage(items: Sequence[Item], cut: Cut) -> Storage:
    """Decide for every array."""
    registers = {
        name
        for name, reads in _reads(items).items()
        if name not in cut.kept and _is_one_entry(reads)
    }
    registers -= {name for item in _products(items) for name in _of_product(item)}
    registers |= cut.results
    places = {name: name for name in cut.kept}
    free: list[tuple[int, Buffer]] = []
    buffers: list[Buffer] = []
    for name, (first, last) in _lives(items).items():
        if name in registers or name in cut.kept:
            continue
        array = cut.arrays[name]
        # a buffer is free behind the item that read it last
        fit = next((one for one in free if one[0] < first and _fits(one[1], array)), None)
        if fit is None:
            buffer = Buffer(name, array.shape, array.kind)
            buffers.append(buffer)
        else:
            free.remove(fit)
            buffer = fit[1]
        free.append((last, buffer))
        places[name] = buffer.name
    return Storage(frozenset(registers), places, tuple(buffers))


def _fits(buffer: Buffer, array: Array) -> bool:
    return buffer.shape == array.shape and buffer.kind == array.kind


def _reads(items: Sequence[Item]) -> dict[str, set[Read]]:
    """The places at which every array is touched."""
    found: dict[str, set[Read]] = {}
    for item in items:
        for read, _ in item.accesses():
            found.setdefault(read.name, set()).add(read)
    return found


def _is_one_entry(reads: set[Read]) -> bool:
    """Whether an array is touched at one and the same place, in loops that all share it.

    Loops have labels of their own, so the same labels mean the same turn.
    """
    (read, *others) = reads
    plain = all(isinstance(part, Label) or not labels(part) for part in read.index)
    return not others and plain and (not read.index or bool(labels(*read.index)))


def _products(items: Sequence[Item]) -> list[Product]:
    found: list[Product] = []
    for item in items:
        if isinstance(item, Product):
            found.append(item)
        elif isinstance(item, Loop):
            found += _products([*item.before, *item.body])
    return found


def _of_product(one: Product) -> set[str]:
    return {one.target, one.a.name, one.b.name}


def _lives(items: Sequence[Item]) -> dict[str, tuple[int, int]]:
    """From which item to which an array is needed, in the order in which they begin."""
    found: dict[str, tuple[int, int]] = {}
    for place, item in enumerate(items):
        for read, _ in item.accesses():
            found[read.name] = (found.get(read.name, (place, place))[0], place)
    return found
