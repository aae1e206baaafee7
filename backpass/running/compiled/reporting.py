"""The plan of a compiled step, to be read: products, what shares a loop, what is slow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod

from backpass.language.expr import ONE, ZERO, Label, Read, labels
from backpass.language.expr import Product as Times
from backpass.language.notation import format_term
from backpass.language.program import Array
from backpass.language.shapes import evaluate_size, show_shape
from backpass.language.shapes import names as names_of
from backpass.running.compiled.nest import Check, Item, Loop, Product, Statement, names
from backpass.running.compiled.source import Source
from backpass.running.compiled.terms import ONE_BY_ONE

WIDTH = 80


def report(source: Source, bits: int, sizes: Mapping[str, int], threads: int) -> str:
    """Lines of at most 80 columns where names allow it."""
    known = f", {threads} thread{'s' * (threads > 1)}" if threads else ""
    lines = [f"compiled in float{bits}{known}; a step is, in this order"]
    for item in source.items:
        lines += _item(item, source)
    if source.parts:
        lines += _shared(source)
    slow = sorted(source.functions & ONE_BY_ONE)
    if slow:
        lines += _listed("no fast form, one call for each entry: ", slow)
    sums = [one for one in _statements(source.items) if _is_long(one)]
    if sums:
        lines += _listed("no matrix product, summed in loops: ", [one.target for one in sums])
    return "\n".join([*lines, *_memory(source, bits, sizes)])


def _item(item: Item, source: Source) -> Iterator[str]:
    match item:
        case Product():
            yield f"  matmul {_product(item)}"
        case Loop():
            made = sorted(names([item], written=True), key=list(source.cut.arrays).index)
            yield from _listed(f"  loop   over {_size(item.label)}: ", made)
        case Statement():
            yield f"  entry  {item.target}"
        case Check():
            yield f"  stop   if {item.loss} is not finite"


def _shared(source: Source) -> Iterator[str]:
    """Along which labels the work is divided, and what one thread does alone."""
    by = dict.fromkeys(str(one.label.size) for one in source.parts if one.label is not None)
    yield from _listed("each thread has its range of ", by)
    alone = [one.item for one in source.parts if one.label is None and not one.everyone]
    if alone:
        made = sorted(names(alone, written=True), key=list(source.cut.arrays).index)
        yield from _listed("made by one thread alone: ", made)


def _product(one: Product) -> str:
    factors = [] if one.alpha == ONE else [format_term(one.alpha)]
    text = " * ".join([*factors, _read(one.a), _read(one.b)])
    left = _read(Read(one.target, one.left))
    if one.beta == ZERO:
        return f"{left} = {text}"
    if one.beta == ONE:
        return f"{left} += {text}, in its place"
    return f"{left} = {format_term(one.beta)} * {left} + {text}, in its place"


def _read(read: Read) -> str:
    index = [part.name if isinstance(part, Label) else "…" for part in read.index]
    return f"{read.name}[{','.join(index)}]"


def _size(label: Label) -> str:
    return str(label.size)


def _statements(items: Iterable[Item]) -> Iterator[Statement]:
    for item in items:
        if isinstance(item, Statement):
            yield item
        elif isinstance(item, Loop):
            yield from _statements(item.body)


def _is_long(one: Statement) -> bool:
    """Whether a statement sums over a product, so that a matrix product might have done it."""
    factors = one.term.factors if isinstance(one.term, Times) else ()
    summed = set(one.summed)
    arrays = [f for f in factors if isinstance(f, Read) and not summed.isdisjoint(labels(f))]
    return one.operation == "+" and len(arrays) > 1


def _memory(source: Source, bits: int, sizes: Mapping[str, int]) -> Iterator[str]:
    """The buffers, with their bytes where all sizes are known."""
    buffers = source.given.buffers
    texts = [f"{one.name} {show_shape(one.shape)}" for one in buffers]
    shared = [one for one in source.storage.places.items() if one[0] != one[1]]
    needed = {name for one in buffers for size in one.shape for name in names_of(size)}
    total = ""
    if needed <= set(sizes):
        count = sum(_bytes(one, bits, sizes) for one in buffers)
        total = f", {count:,} bytes"
    yield from _listed(f"{len(buffers)} buffers{total}: ", texts)
    if shared:
        yield from _listed("in turns: ", [f"{name} where {place} was" for name, place in shared])


def _bytes(one: Array, bits: int, sizes: Mapping[str, int]) -> int:
    each = {"real": bits // 8, "int": 8, "bool": 1}[one.kind]
    return each * prod(evaluate_size(size, sizes) for size in one.shape)


def _listed(head: str, words: Iterable[str]) -> Iterator[str]:
    """Words behind a head, broken between words, the rest indented."""
    line = head
    words = list(words)
    for place, word in enumerate(words):
        text = word + (", " if place + 1 < len(words) else "")
        if len(line) + len(text.rstrip()) > WIDTH and line != head:
            yield line.rstrip()
            line = " " * 9
        line += text
    yield line.rstrip()
