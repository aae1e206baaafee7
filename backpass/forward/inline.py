"""Writing one line into another: `T[n,j]` is replaced by what T is where that keeps its meaning."""

from __future__ import annotations

from dataclasses import replace

from backpass.calculus.simplify import tidy
from backpass.language.expr import (
    ZERO,
    Label,
    Number,
    Power,
    Product,
    Read,
    SizeTerm,
    Term,
    add,
    labels,
    multiply,
    reads,
    substitute,
    transform,
    walk,
)
from backpass.language.program import Call, Step, Write, canonical
from backpass.language.shapes import size

LONGEST = 100  # nodes: a longer line is long enough, and thousands would nest too deeply


def inlined(step: Step, source: Step) -> Step | None:
    """`step` with `source` written into it; None where `source` must stay a line of its own.

    It must if it is a call or assigns at computed places, if it is read more than once, if a
    function is applied to its sum, if it would be computed over and over inside a larger loop,
    or if it is long.
    """
    if isinstance(step.body, Call) or isinstance(source.body, Call):
        return None
    if sum(1 for write in source.body for _ in walk(write.term)) > LONGEST:
        return None
    if any(not _whole(write, source) for write in source.body):
        return None
    occurrences = [
        (write, read)
        for write in step.body
        for read in reads(*write.left, write.term)
        if read.name == source.name
    ]
    if len(occurrences) != 1:
        return None
    write, read = occurrences[0]
    if source.name in {one.name for part in write.left for one in reads(part)}:
        return None
    new = _pure(write, read, source) if _is_pure(source) else _summed(write, read, source)
    if new is None:
        return None
    body: list[Write] = []
    for one in step.body:
        if one is write:
            for part in new:
                body += tidy(part)
        else:
            body.append(one)
    return canonical(replace(step, body=tuple(body)))


def is_plain(step: Step) -> bool:
    """Whether a line only copies, or scales, entries of one array or of none."""
    if isinstance(step.body, Call) or len(step.body) != 1:
        return False
    (write,) = step.body
    factors = write.term.factors if isinstance(write.term, Product) else (write.term,)
    arrays = [one for one in factors if isinstance(one, Read)]
    rest = [one for one in factors if not isinstance(one, Read)]
    return len(arrays) <= 1 and all(_fixed(one) for one in rest) and not write.summed


def is_short(step: Step) -> bool:
    """Whether a line reads two entries at most, so that it may stand inside a function."""
    return sum(len(reads(write.term)) for write in step.writes) <= 2


def _fixed(term: Term) -> bool:
    """A number, a size, a label or a comparison of labels: nothing that costs a computation."""
    return not reads(term)


def _whole(write: Write, source: Step) -> bool:
    """Whether a write fills the target entry by entry: bare labels over whole axes.

    An axis of length 1 has one place, 0, which every index of it says.
    """
    labels = [part for part in write.left if isinstance(part, Label)]
    return len(set(labels)) == len(labels) and all(
        part.size == axis if isinstance(part, Label) else part == ZERO and axis == size(1)
        for part, axis in zip(write.left, source.target.shape, strict=True)
    )


def _places(write: Write, index: tuple[Term, ...]) -> dict[Label, Term]:
    """Which index stands for each label of the left."""
    pairs = zip(write.left, index, strict=True)
    return {part: place for part, place in pairs if isinstance(part, Label)}


def _is_pure(source: Step) -> bool:
    return all(not write.summed for write in source.writes)


def _body(source: Step, index: tuple[Term, ...]) -> Term:
    """What a line without sums is at an index."""
    return add(*(substitute(write.term, _places(write, index)) for write in source.writes))


def _pure(write: Write, read: Read, source: Step) -> list[Write] | None:
    covered = set(labels(*read.index))
    wider = any(label not in covered for label in write.labels)
    if wider and not is_plain(source) and reads(*(one.term for one in source.writes)):
        return None
    if any(reads(part) for part in read.index) and not is_plain(source):
        return None  # a gather of a computed array: compute first, then pick
    body = _body(source, read.index)
    return [replace(write, term=transform(write.term, lambda node: body if node is read else None))]


def _summed(write: Write, read: Read, source: Step) -> list[Write] | None:
    """A sum may take the place of a read that is only scaled by numbers: c·Σ = Σ c·."""
    factors = write.term.factors if isinstance(write.term, Product) else (write.term,)
    scale = [factor for factor in factors if factor is not read]
    if len(scale) == len(factors) or not all(_number(factor) for factor in scale):
        return None
    if write.summed and not _sums_one(source) and not _diagonal(read):
        return None
    if write.summed and len(source.writes) > 1:
        return None
    done: list[Write] = []
    for one in source.writes:
        taken = {label.name for label in write.labels}
        inner: dict[Label, Term] = {}
        loops: list[Label] = []
        for label in one.summed:
            name = label.name
            while name in taken:
                name += "′"
            taken.add(name)
            loops.append(Label(name, label.size))
            inner[label] = loops[-1]
        inner |= _places(one, read.index)
        term = multiply(*scale, substitute(one.term, inner))
        done.append(replace(write, term=term, labels=(*write.labels, *loops)))
    return done


def _number(term: Term) -> bool:
    match term:
        case Number() | SizeTerm():
            return True
        case Power(base=base, exponent=exponent):
            return _number(base) and _number(exponent)
        case Read(index=()):
            return True
        case _:
            return False


def _sums_one(source: Step) -> bool:
    """Whether a line sums a single array, so that summing on costs nothing more."""
    return all(len(reads(write.term)) <= 1 for write in source.writes)


def _diagonal(read: Read) -> bool:
    return len(set(read.index)) < len(read.index)
