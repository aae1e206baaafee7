"""The whole source of a compiled step: a function that walks through an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backpass.language.expr import Read, Term, reads
from backpass.language.notation import format_program
from backpass.language.program import Array, Kind, Program, step_reads, step_sizes
from backpass.language.shapes import Size
from backpass.language.shapes import names as names_of
from backpass.running.compiled.cut import RIGHT, cut_step
from backpass.running.compiled.dividing import Part, divide
from backpass.running.compiled.fusing import fuse
from backpass.running.compiled.nest import Cut, Item, Loop, Statement, names
from backpass.running.compiled.products import with_products
from backpass.running.compiled.storage import Storage, plan_storage
from backpass.running.compiled.writing import LETTERS, Writer
from backpass.running.epoch import Drawn, Stepping
from backpass.running.identifiers import as_comment, assign

# fmt: off
OWN = (
    *LETTERS, "order", "lying", "batch", "losses", "seed", "first", "step", "start", "count", "at",
    "np", "real", "right_of_all", "gemm", "plus", "larger", "smaller", "njit", "Apart", "epoch",
    "kept", "key", "drawn_key", "BOUND", "FUNCTIONS", "thread", "threads", "meeting", "sums",
    "meet", "share",
)
# fmt: on
MACHINE = frozenset(("gemm", "plus", "larger", "smaller", "drawn_key", "kept", "meet"))
TYPES: dict[Kind, str] = {"real": "float{}", "int": "int64", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Argument:
    """What the function takes: an array of a kind and rank, or with rank None a size."""

    word: str
    kind: Kind
    rank: int | None

    def type(self, bits: int) -> str:
        """How numba calls it; a single number is an array of one."""
        if self.rank is None:
            return "int64"
        axes = [":"] * (max(self.rank, 1) - 1) + ["::1"]
        return f"{TYPES[self.kind].format(bits)}[{', '.join(axes)}]"


@dataclass(frozen=True)
class Source:
    """Source text, and what its function takes behind `order, lying, batch, losses, seed, first`.

    Where threads share the work, `thread, threads, meeting, sums` come next: which of them this is,
    of how many, integers by which they wait for one another, and a row for each of the `sums`.

    The others are, in this order: `sizes` by name; `samples`, whole arrays of which batches are
    taken; `changed`, the caller's; `constants`; `numbers`, one for each step; and `buffers`, which
    are made once, a batch long where they have the samples' size. The first of them are for
    samples: batches are copied there, unless they are `lying` one behind another in the whole
    arrays, which are then given in their place.
    """

    text: str
    sizes: tuple[str, ...]
    samples: tuple[str, ...]
    changed: tuple[str, ...]
    constants: tuple[str, ...]
    numbers: tuple[str, ...]
    buffers: tuple[Array, ...]
    items: tuple[Item, ...]
    cut: Cut
    storage: Storage
    functions: frozenset[str]
    parts: tuple[Part, ...]
    sums: int


def cut_stepping(stepping: Stepping) -> Cut:
    """The statements and products of a step, from which its source is written."""
    return with_products(cut_step(stepping))


def write_source(
    stepping: Stepping, cut: Cut, bits: int, versions: str, *, shared: bool = False
) -> Source:
    """The source of an epoch in float32 or float64; `versions` are told in its first lines.

    `shared` is for several threads that run it together.
    """
    items = fuse(cut, shared=shared)
    storage = plan_storage(items, cut)
    parts = divide(items, cut, storage) if shared else []
    touched = names(items)
    constants = tuple(one.name for one, _ in stepping.program.constants if one.name in touched)
    changed = tuple(name for name in stepping.changed if name in touched)
    numbers = tuple(name for name in stepping.numbers if name in touched)
    samples = tuple(name for name in stepping.axes if name in touched)
    drawn = {name: one for name, one in stepping.drawn.items() if name in touched}
    filled = [cut.arrays[name] for name in (*samples, *drawn)]
    buffers = [*filled, *(Array(one.name, one.shape, one.kind) for one in storage.buffers)]

    whole = {name: f"{name} of all" for name in (*samples, *numbers)}
    sizes = _size_names(stepping, cut)
    length = {name: f"size {name}" for name in sizes}  # an array may be called n, too
    divided = dict.fromkeys(one.label.size for one in parts if one.label is not None)
    if shared and cut.samples is not None:
        divided[cut.samples] = None
    ends = {size: (f"from {k}", f"to {k}") for k, size in enumerate(divided, 1)}
    own = [word for pair in ends.values() for word in pair]
    words = assign([*whole.values(), *length.values(), *own, *cut.arrays], OWN)
    called = {name: words[storage.places.get(name, name)] for name in cut.arrays}
    known = {name: words[length[name]] for name in sizes}
    if cut.samples is not None:
        known[str(cut.samples)] = "count"
    registers = storage.registers | set(numbers)
    wide = _wide(items, cut, storage) if bits == 32 else frozenset[str]()
    shifted = {name: stepping.axes[name] for name in samples}
    ranges = {size: (words[low], words[high]) for size, (low, high) in ends.items()}
    writer = Writer(
        cut.arrays, called, registers, known, wide=wide, shifted=shifted, ranges=ranges, depth=2
    )
    for name in numbers:
        writer.line(f"{called[name]} = {words[whole[name]]}[step]")
    for size, (low, high) in ranges.items():
        writer.line(f"{low}, {high} = share({writer.spelling.size(size)}, thread, threads)")
    turns = ", ".join(ranges[cut.samples]) if cut.samples in ranges else "count"
    if samples:
        writer.line("at = order[start] if lying else 0")
        writer.line("if not lying:")
        writer.depth += 1
    for name in samples:
        _take(writer, cut.arrays[name], stepping.axes[name], words[whole[name]], turns)
    if samples and shared:
        writer.meet()
    writer.depth = 2
    for name, one in drawn.items():
        _draw(writer, cut.arrays[name], one, turns)
    if drawn and shared:
        writer.meet()
    for part in parts:
        writer.share(part)
    if not shared:
        writer.write(items)
    if RIGHT in cut.results:
        writer.line(f"right_of_all += {called[RIGHT]}")
    if shared:
        writer.meet()

    def argument(name: str) -> Argument:
        array = cut.arrays[name]
        return Argument(words[name], array.kind, len(array.shape))

    arguments = [
        *(Argument(words[length[name]], "int", None) for name in sizes),
        *(Argument(words[whole[n]], cut.arrays[n].kind, len(cut.arrays[n].shape)) for n in samples),
        *map(argument, changed),
        *map(argument, constants),
        *(Argument(words[whole[name]], "real", 1) for name in numbers),
        *(Argument(words[one.name], one.kind, len(one.shape)) for one in buffers),
    ]
    own = SHARED if shared else {}
    text = _module(stepping, writer, own, arguments, bits, versions)
    given = (sizes, samples, changed, constants, numbers, tuple(buffers))
    functions = frozenset(writer.used) - MACHINE
    return Source(text, *given, tuple(items), cut, storage, functions, tuple(parts), writer.sums)


def _size_names(stepping: Stepping, cut: Cut) -> tuple[str, ...]:
    """The names of sizes that are told when it runs, but for the number of samples."""
    program = stepping.program
    sizes = [size for array in program.inputs for size in array.shape]
    sizes += [size for step in program.steps for size in step_sizes(step)]
    found = dict.fromkeys(name for size in sizes for name in names_of(size))
    return tuple(name for name in found if name != str(cut.samples))


def _picks(program: Program) -> Iterator[tuple[Term, Size, Mapping[str, Array]]]:
    """Every index with an entry of an array in it, and the length of the axis that it is for."""
    for step in program.steps:
        lefts = [Read(step.name, write.left) for write in step.writes]
        for read in (*lefts, *step_reads(step)):
            for part, axis in zip(read.index, program.arrays[read.name].shape, strict=True):
                if reads(part):
                    yield part, axis, program.arrays


def picks_freely(program: Program) -> bool:
    """Whether only the values of integers tell that all entries exist that are read."""
    return any(map(_picks_freely, _picks(program)))


def _picks_freely(picked: tuple[Term, Size, Mapping[str, Array]]) -> bool:
    """Whether only the entries tell that what an index picks exists; then every one is asked."""
    part, axis, arrays = picked
    below = arrays[part.name].below if isinstance(part, Read) else None
    if below is None or any(reads(*read.index) for read in reads(part)):
        return True
    known = below.number is not None and axis.number is not None and below.number <= axis.number
    return below is not axis and not known


def _wide(items: Sequence[Item], cut: Cut, storage: Storage) -> frozenset[str]:
    """Sums over everything, which go through more terms than float32 can tell apart."""
    return frozenset(
        one.target
        for one in _statements(items)
        if one.operation == "+" and not one.left
        and one.target in storage.registers and cut.arrays[one.target].kind == "real"
    )  # fmt: skip


def _statements(items: Sequence[Item]) -> list[Statement]:
    found: list[Statement] = []
    for item in items:
        if isinstance(item, Statement):
            found.append(item)
        elif isinstance(item, Loop):
            found += _statements([*item.before, *item.body])
    return found


def _take(writer: Writer, array: Array, axis: int, whole: str, turns: str) -> None:
    """Copy the samples of a batch together."""
    letters: list[str] = [*LETTERS[: len(array.shape)]]
    along = [axis, *(place for place in range(len(letters)) if place != axis)]
    depth = writer.depth
    for place in along:
        length = turns if place == axis else writer.spelling.size(array.shape[place])
        writer.line(f"for {letters[place]} in range({length}):")
        writer.depth += 1
    index = ", ".join(letters)
    letters[axis] = f"order[start + {letters[axis]}]"
    writer.line(f"{writer.words[array.name]}[{index}] = {whole}[{', '.join(letters)}]")
    writer.depth = depth


def _draw(writer: Writer, array: Array, drawn: Drawn, turns: str) -> None:
    """Fill a mask: entries are counted along the units of a sample, then the samples."""
    writer.used |= {"drawn_key", "kept"}
    units = writer.spelling.size(array.shape[1 - drawn.axis])
    index = "i, j" if drawn.axis == 0 else "j, i"
    writer.line(f"key = drawn_key(seed, first + step, {drawn.layer})")
    writer.line(f"for i in range({turns}):")
    writer.line(f"    for j in range({units}):")
    here = f"kept(key, i * {units} + j, {drawn.threshold})"
    value = f"real({1 / drawn.keep!r}) if {here} else real(0.0)"
    writer.line(f"        {writer.words[array.name]}[{index}] = {value}")


SHARED = {
    "thread": "int64", "threads": "int64", "meeting": "int64[::1]", "sums": "float64[:, ::1]",
}  # fmt: skip
HEAD = '''"""A step of training, written by backpass; changes here are lost.

{versions}
"""

import numpy as np
from numba import njit

from backpass.running.compiled.functions import FUNCTIONS, drawn_key, kept
from backpass.running.compiled.machine import Apart, gemm, larger, meet, plus, share, smaller

real = np.float{bits}
BOUND = 2**63 - 1
{functions}

{comments}


@njit(
    "UniTuple(int64, 2)({types})",
    pipeline_class=Apart, error_model="numpy", fastmath={{"contract"}}, boundscheck={boundscheck},
    no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False,
)
def epoch(order, lying, batch, losses, seed, first, {arguments}):
    right_of_all = 0
    step = 0
    for start in range(0, order.size, batch):
        count = min(batch, order.size - start)
'''
TAIL = """        step += 1
    return step, right_of_all
"""


def _module(
    stepping: Stepping,
    writer: Writer,
    own: Mapping[str, str],
    arguments: Sequence[Argument],
    bits: int,
    versions: str,
) -> str:
    """The text of the file."""
    functions = sorted(writer.used - MACHINE)
    given = ["int64[::1]", "int64", "int64", f"float{bits}[::1]", "int64", "int64"]
    head = HEAD.format(
        versions=versions,
        bits=bits,
        functions="\n".join(f'{one}_ = FUNCTIONS[{bits}]["{one}"]' for one in functions),
        comments="\n".join(map(as_comment, format_program(stepping.program).splitlines())),
        types=", ".join([*given, *own.values(), *(one.type(bits) for one in arguments)]),
        arguments=", ".join([*own, *(one.word for one in arguments)]),
        boundscheck=picks_freely(stepping.program),
    )
    return head + "\n".join(writer.lines) + "\n" + TAIL
