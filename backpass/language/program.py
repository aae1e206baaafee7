"""A program: steps that assign one name each, in loop nests; everything else is a reading of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Literal

from backpass.language.expr import (
    Label,
    Read,
    Term,
    labels,
    parts,
    reads,
    rename,
    substitute,
)
from backpass.language.shapes import Shape, Size, names

Kind = Literal["real", "int", "bool"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the user's source."""

    file: str
    number: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a write of a backward pass comes from.

    `step` is the forward step that was differentiated, `read` the read in it that moved to
    the left, `adjoint` the quantity that flows in (`dZ2`).
    """

    step: str
    read: Read
    adjoint: str


@dataclass(frozen=True, slots=True)
class Note:
    """Data that a later reading turns into words, such as `Note("cancelled", ("2", "½"))`."""

    kind: str
    data: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """One loop nest: for every value of every label, `target[left] += term`.

    `labels` are the loops. Those that the left does not mention are summed over, whether or
    not the term mentions them; those that the term does not mention are copied along.
    """

    left: tuple[Term, ...]
    term: Term
    labels: tuple[Label, ...]
    origin: Origin | None = field(default=None, compare=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)

    @property
    def summed(self) -> tuple[Label, ...]:
        """The labels that are not on the left."""
        kept = set(labels(*self.left))
        return tuple(label for label in self.labels if label not in kept)


@dataclass(frozen=True, slots=True)
class ArrayFunction:
    """A function of whole arrays that index notation cannot spell, such as argmax or softmax.

    `value(*arrays, axes=…)` computes it; `axes` are the positions, in the first
    array, of the labels that the call runs over. None when it was only declared. `rule` is how
    it is differentiated; the language carries it and never asks.
    """

    name: str
    value: Callable[..., Any] | None = field(default=None, compare=False, repr=False)
    rule: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An array function applied: `P[n,k] = softmax(Z[n,k] over k)`.

    Every index is a bare label that runs over its whole axis. `left` are the labels of the
    target's axes and `over` those that the function sees as one.
    """

    function: ArrayFunction
    args: tuple[Read, ...]
    left: tuple[Label, ...]
    over: tuple[Label, ...]
    origin: Origin | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Array:
    """A name with its shape and kind of numbers; integers of an index stay under `below`."""

    name: str
    shape: Shape
    kind: Kind = "real"
    below: Size | None = None


class _Reader:
    __slots__ = ("_reads",)  # what `step_reads` found; a step never changes
    _reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Step(_Reader):
    """The assignment of one name: a sum of writes that starts at zero, or a call."""

    target: Array
    body: tuple[Write, ...] | Call
    line: Line | None = field(default=None, compare=False)
    layer: int | None = field(default=None, compare=False)  # which turn of a loop made it
    notes: tuple[Note, ...] = field(default=(), compare=False)

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def writes(self) -> tuple[Write, ...]:
        """The loop nests; none for a call."""
        return () if isinstance(self.body, Call) else self.body


@dataclass(frozen=True)
class Program:
    """Inputs, fixed arrays, steps in order, and the names that come out."""

    inputs: tuple[Array, ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    constants: tuple[tuple[Array, Any], ...] = field(default=(), compare=False)
    arrays: Mapping[str, Array] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = {array.name: array for array in self.inputs}
        table |= {array.name: array for array, _ in self.constants}
        for step in self.steps:
            if step.name in table:
                raise ValueError(f"{step.name} is assigned twice")
            table[step.name] = step.target
        object.__setattr__(self, "arrays", table)

    def step(self, name: str) -> Step:
        """The step that assigns `name`; KeyError if none does."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


def step_reads(step: Step) -> tuple[Read, ...]:
    """Every read of a step, once for each appearance, those inside left indices included."""
    try:
        return step._reads  # pyright: ignore[reportPrivateUsage]
    except AttributeError:
        pass
    if isinstance(step.body, Call):
        found = step.body.args
    else:
        found = tuple([read for write in step.body for read in reads(*write.left, write.term)])
    object.__setattr__(step, "_reads", found)
    return found


def step_sizes(step: Step) -> tuple[Size, ...]:
    """Every size that the step's shape, loops and terms mention."""
    if isinstance(step.body, Call):
        loops = step.body.left + step.body.over
        return (*step.target.shape, *[label.size for label in loops])
    found = step.target.shape
    for write in step.body:
        found += tuple([label.size for label in write.labels])
        for term in (*write.left, write.term):
            found += parts(term).sizes
    return found


def relabel(write: Write, new: Mapping[Label, Label]) -> Write:
    """The same nest with other loop variables."""
    if not new:
        return write
    return Write(
        tuple([substitute(part, new) for part in write.left]),
        substitute(write.term, new),
        tuple([new.get(label, label) for label in write.labels]),
        write.origin,
        write.notes,
    )


def rename_step(step: Step, new: Mapping[str, str]) -> Step:
    """The same step over other names, its target's included."""
    target = step.target
    if step.name in new:
        target = Array(new[step.name], target.shape, target.kind, target.below)
    body = step.body
    if isinstance(body, Call):
        args = tuple(Read(new.get(arg.name, arg.name), arg.index) for arg in body.args)
        body = replace(body, args=args)
    else:
        body = tuple(
            [
                Write(
                    tuple([rename(part, new) for part in write.left]),
                    rename(write.term, new),
                    write.labels,
                    write.origin,
                    write.notes,
                )
                for write in body
            ]
        )
    return Step(target, body, step.line, step.layer, step.notes)


LETTERS = tuple("ijklpqrstuvw")


def fresh(name: str, taken: Iterable[str]) -> str:
    """`name`, primed as often as it takes to differ from every name in `taken`."""
    taken = set(taken)
    while name in taken:
        name += "′"
    return name


def axis_labels(
    shape: Iterable[Size], taken: Iterable[str] = (), before: Iterable[str] = ()
) -> tuple[Label, ...]:
    """One label for each axis, a letter of its size or else i, j, k and so on.

    A letter that is `taken` is primed. `before` are the names that the axes had: a letter that
    says nothing of a size is kept, so that a line and its gradient use the same ones.
    """
    return _axis_labels(tuple(shape), frozenset(taken), tuple(before))


@lru_cache(maxsize=4096)
def _axis_labels(shape: Shape, taken: frozenset[str], before: tuple[str, ...]) -> tuple[Label, ...]:
    used = set(taken)
    result: list[Label] = []
    for axis, old in zip_longest(shape, before):
        if axis.is_name and len(str(axis)) == 1:
            name = fresh(str(axis), used)
        elif old in LETTERS and old not in used:
            name = old
        else:
            name = next((letter for letter in LETTERS if letter not in used), fresh("i", used))
        used.add(name)
        result.append(Label(name, axis))
    return tuple(result)


def bare(left: tuple[Term, ...]) -> tuple[Label, ...] | None:
    """The labels of a left side that is nothing but distinct labels; None for any other."""
    found = tuple(part for part in left if isinstance(part, Label))
    if len(found) != len(left) or len(set(found)) != len(found):
        return None
    return found


def canonical(step: Step) -> Step:
    """Name the loops of every write anew: the target's axes first, then the summed ones.

    The writes of a step then share the labels of the left wherever they are bare, and a label
    is called like its size, or i, j, k … for a number.
    """
    if isinstance(step.body, Call):
        return replace(step, body=_canonical_call(step.body, step.target.shape))
    others = [size for size in step_sizes(step) if not size.is_name and size.number is None]
    taken = frozenset([name for size in others for name in names(size)])
    first = step.body[0].left if step.body else ()
    before = [part.name if isinstance(part, Label) else "" for part in first]
    axes = axis_labels(step.target.shape, taken, before)
    taken |= {axis.name for axis in axes}
    writes = tuple([_canonical(write, axes, taken) for write in step.body])
    return Step(step.target, writes, step.line, step.layer, step.notes)


def _canonical(write: Write, axes: tuple[Label, ...], taken: frozenset[str]) -> Write:
    new, order = _loops(write.left, write.labels, axes, taken)
    write = relabel(write, new)
    if order == write.labels:
        return write
    return Write(write.left, write.term, order, write.origin, write.notes)


@lru_cache(maxsize=4096)
def _loops(
    left: tuple[Term, ...],
    loops: tuple[Label, ...],
    axes: tuple[Label, ...],
    taken: frozenset[str],
) -> tuple[Mapping[Label, Label], tuple[Label, ...]]:
    """Which loops of a write are called otherwise, and the order in which all of them stand."""
    new: dict[Label, Label] = {}
    for part, axis in zip(left, axes, strict=True):
        if isinstance(part, Label) and part not in new and part.size is axis.size:
            new[part] = axis
    placed = [*new.values()]
    front = [axis for axis in axes if axis in placed]
    rest = [label for label in loops if label not in new]
    named = axis_labels([one.size for one in rest], taken, [one.name for one in rest])
    new |= zip(rest, named, strict=True)
    changed = {old: label for old, label in new.items() if old is not label}
    return changed, (*front, *named)


def _canonical_call(call: Call, shape: Shape) -> Call:
    axes = axis_labels(shape)
    rest = [label for arg in call.args for label in labels(*arg.index) if label not in call.left]
    rest = [*dict.fromkeys(rest)]
    named = axis_labels((label.size for label in rest), {label.name for label in axes})
    new = dict(zip((*call.left, *rest), (*axes, *named), strict=True))
    args = tuple(
        Read(arg.name, tuple(substitute(part, new) for part in arg.index)) for arg in call.args
    )
    return replace(call, args=args, left=axes, over=tuple(new[label] for label in call.over))
