"""What must be kept from the forward pass, and what that costs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backpass.language.errors import DerivationError, UnknownName, choices, whole_number
from backpass.language.program import Array, Call, Step, step_reads
from backpass.language.shapes import evaluate_size, names, product, show_shape
from backpass.reading.fold import Layers, folded
from backpass.reading.lines import WIDTH
from backpass.reading.passes import Passes
from backpass.reading.runs import runs, seen_from
from backpass.reading.signs import same_sign

BYTES = {"float64": 8, "float32": 4, "float16": 2}


@dataclass(frozen=True)
class Saved:
    """The forward values that the backward pass reads.

    `kept` are computed by the forward pass, `given` are inputs that must stay as they are, and
    `dropped` are values that no backward step reads: sigmoid's slope, for one, is read off its
    output, so its input may go.
    """

    kept: tuple[Array, ...]
    given: tuple[Array, ...]
    dropped: tuple[Array, ...]
    readers: dict[str, tuple[str, ...]]  # who reads each of them
    sources: dict[str, str]  # dropped value -> the value that is kept instead, where there is one
    signs: dict[str, str]  # value read for its sign alone -> a kept value with the same sign
    layers: tuple[Layers, ...] = ()  # equal layers of the forward pass, said once when printed

    def bytes(self, dtype: str = "float64", **sizes: int) -> int:
        """What the kept values take, for given sizes: `d.saved.bytes(n=64, k=784, j=128)`.

        Raises DerivationError when a size is missing, UnknownName for one that no value has.
        """
        known = _size_names((*self.kept, *self.given, *self.dropped))
        needed = _size_names(self.kept)
        if dtype not in BYTES:
            raise UnknownName(f"there is no dtype {dtype}{choices(dtype, BYTES, 'there are')}")
        for name in sizes:
            if name not in known:
                raise UnknownName(f"there is no size {name}{choices(name, known, 'the sizes are')}")
        missing = [name for name in needed if name not in sizes]
        if missing:
            call = ", ".join(f"{name}=…" for name in needed)
            raise DerivationError(f"the size {missing[0]} is missing: d.saved.bytes({call})")
        lengths = {name: whole_number(f"the size {name}", sizes[name]) for name in needed}
        entries = sum(evaluate_size(product(array.shape), lengths) for array in self.kept)
        return entries * BYTES[dtype]

    def __str__(self) -> str:
        kept = self._rows(self.kept, self._readers)
        given = self._rows(self.given, lambda name: f"an input, {self._readers(name)}")
        spared = self._rows(self.dropped, self._instead)
        numbers = [_times(row.shape.replace("scalar", "1"), row.span) for row in kept]
        rows = [*kept, *given, *spared]
        width = max((len(row.name) for row in rows), default=0)
        room = max([8, *(len(row.shape) for row in rows if len(row.shape) <= 16)])
        lines = ["the backward pass reads", *(_line(row, width, room) for row in (*kept, *given))]
        if spared:
            lines += ["it never reads", *(_line(row, width, room) for row in spared)]
        keep = " + ".join(numbers) if all(not row.span for row in kept) else ", ".join(numbers)
        lines.append(_filled("numbers to keep: ", keep or "none", 2))
        sizes = {name: of for one in self.layers for name, of in one.sizes}
        if sizes and any(row.span for row in rows):
            values = ", ".join(map(str, sizes.values()))
            lines.append(_filled(f"{next(iter(sizes))} … {list(sizes)[-1]} = ", values, 2))
        return "\n".join(lines)

    def _rows(self, arrays: Sequence[Array], told: Callable[[str], str]) -> list[_Row]:
        """A row for each array, or for as many as differ by the number of their layer alone."""
        shapes = {array.name: array.shape for array in arrays}

        def seen(name: str, number: int) -> str:
            return seen_from(told(name), number)

        rows: list[_Row] = []
        for one in runs(shapes, self.layers, seen):
            if isinstance(one, str):
                rows.append(_Row(one, show_shape(shapes[one]), told(one)))
            else:
                shape = show_shape(one.layers.passes.arrays[one.name].shape)
                span = f"l = {one.first} … {one.last}"
                rows.append(_Row(one.name, shape, seen(one.start, one.first), span))
        return rows

    def _readers(self, name: str) -> str:
        told = f"for {', '.join(self.readers[name])}"
        return f"{told}; {self.signs[name]} > 0 would tell it too" if name in self.signs else told

    def _instead(self, name: str) -> str:
        source = self.sources.get(name)
        return f"{source} tells the slope" if source else "nothing needs its value"

    __repr__ = __str__


def _size_names(arrays: Iterable[Array]) -> tuple[str, ...]:
    """The names that the sizes of arrays mention, each once."""
    axes = [axis for array in arrays for axis in array.shape]
    return tuple(dict.fromkeys(name for axis in axes for name in names(axis)))


@dataclass(frozen=True, slots=True)
class _Row:
    """A value, what it is read for, and for which layers this is said; "" for a single value."""

    name: str
    shape: str
    told: str
    span: str = ""


def _line(row: _Row, width: int, room: int) -> str:
    start = f"  {row.name:<{width}}  {row.shape:<{room}}  "
    return _filled(start, row.told + (f" ({row.span})" if row.span else ""), len(start))


def _times(shape: str, span: str) -> str:
    return f"{shape} for {span}" if span else shape


def _filled(start: str, words: str, indent: int) -> str:
    """Words behind `start`, as many on a line as it holds."""
    return textwrap.fill(
        words, WIDTH, initial_indent=start, subsequent_indent=" " * indent, break_long_words=False
    )


def saved(passes: Passes) -> Saved:
    """Find what the backward steps read of the forward pass."""
    readers: dict[str, dict[str, None]] = {}
    for step in passes.backward:
        for read in step_reads(step):
            readers.setdefault(read.name, {})[step.name] = None
    computed = {step.name: step for step in passes.forward.steps}
    kept = [step.target for name, step in computed.items() if name in readers]
    given = [array for array in passes.forward.inputs if array.name in readers]
    dropped = [step.target for name, step in computed.items()
               if name not in readers and name not in passes.forward.outputs]  # fmt: skip
    names = {name: tuple(found) for name, found in readers.items()}
    sources = {one.name: _instead(one.name, passes, names) for one in dropped}
    return Saved(
        tuple(kept), tuple(given), tuple(dropped), names,
        {name: instead for name, instead in sources.items() if instead},
        {one.name: other for one in kept if (other := same_sign(passes, one.name)) in readers},
        tuple(part for part in folded(passes)[0] if isinstance(part, Layers)),
    )  # fmt: skip


def _instead(name: str, passes: Passes, readers: dict[str, tuple[str, ...]]) -> str | None:
    """The kept value that is computed from this one alone, entry by entry."""
    for step in passes.forward.steps:
        if step.name in readers and _only_reads(step, name):
            return step.name
    return None


def _only_reads(step: Step, name: str) -> bool:
    if isinstance(step.body, Call) or len(step.body) != 1 or step.body[0].summed:
        return False
    return {read.name for read in step_reads(step)} == {name}
