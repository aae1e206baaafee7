"""What must be kept from the forward pass, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backpass.language.errors import DerivationError, UnknownName, choices, whole_number
from backpass.language.program import Array, Call, Step, step_reads
from backpass.language.shapes import evaluate_size, names, product, show_shape
from backpass.reading.passes import Passes

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
        width = max((len(one.name) for one in (*self.kept, *self.given, *self.dropped)), default=0)
        rows = [(one, f"for {', '.join(self.readers[one.name])}") for one in self.kept]
        rows += [(one, f"an input, for {', '.join(self.readers[one.name])}") for one in self.given]
        spared = [(one, self._instead(one.name)) for one in self.dropped]
        entries = " + ".join(show_shape(array.shape).replace("scalar", "1") for array in self.kept)
        return "\n".join(
            [
                "the backward pass reads",
                *(_line(one, width, why) for one, why in rows),
                *(["it never reads"] if spared else []),
                *(_line(one, width, why) for one, why in spared),
                f"numbers to keep: {entries or 'none'}",
            ]
        )

    def _instead(self, name: str) -> str:
        source = self.sources.get(name)
        return f"{source} tells the slope" if source else "nothing needs its value"

    __repr__ = __str__


def _size_names(arrays: Iterable[Array]) -> tuple[str, ...]:
    """The names that the sizes of arrays mention, each once."""
    axes = [axis for array in arrays for axis in array.shape]
    return tuple(dict.fromkeys(name for axis in axes for name in names(axis)))


def _line(array: Array, width: int, why: str) -> str:
    start = f"  {array.name:<{width}}  {show_shape(array.shape):<8}  "
    room = 80 - len(start)
    words, rows = why.split(), [""]
    for word in words:
        if rows[-1] and len(rows[-1]) + 1 + len(word) > room:
            rows.append("")
        rows[-1] += f" {word}" if rows[-1] else word
    return start + ("\n" + " " * len(start)).join(rows)


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
