"""The whole source of a compiled step: a function that walks through an epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backpass.language.notation import format_program
from backpass.language.program import Array, Kind, step_sizes
from backpass.language.shapes import Size
from backpass.language.shapes import names as names_of
from backpass.running.compiled.cut import RIGHT, cut_step
from backpass.running.compiled.dividing import Part, divide
from backpass.running.compiled.fusing import fuse
from backpass.running.compiled.nest import Cut, Item, Loop, Statement, names
from backpass.running.compiled.picks import picks_freely
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
    "meet", "share", "room",
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


@dataclass(frozen=True, slots=True)
class Given:
    """What the function takes behind `order, lying, batch, losses, seed, first`, in this order.

    `room` comes before all, for copies of factors. Where threads share the work, `thread, threads,
    meeting, sums` are next: which of them this is, of how many, integers by which they wait for one
    another, and a row for each of the `sums`.

    `sizes` by name; `samples`, whole arrays of which batches are taken; `changed`, the caller's;
    `constants`; `numbers`, one for each step; and `buffers`, which are made once, a batch long
    where they have the samples' size. The first of them are for samples: batches are copied there,
    unless they are `lying` one behind another in the whole arrays, which are then given in their
    place.
    """

    sizes: tuple[str, ...]
    samples: tuple[str, ...]
    changed: tuple[str, ...]
    constants: tuple[str, ...]
    numbers: tuple[str, ...]
    buffers: tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Source text, what its function takes, and of what it was made."""

    text: str
    given: Given
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
    samples = tuple(name for name in stepping.axes if name in touched)
    drawn = tuple(name for name in stepping.drawn if name in touched)
    numbers = tuple(name for name in stepping.numbers if name in touched)
    filled = [cut.arrays[name] for name in (*samples, *drawn)]
    given = Given(
        sizes=_size_names(stepping, cut),
        samples=samples,
        changed=tuple(name for name in stepping.changed if name in touched),
        constants=tuple(one.name for one, _ in stepping.program.constants if one.name in touched),
        numbers=numbers,
        buffers=(*filled, *(Array(one.name, one.shape, one.kind) for one in storage.buffers)),
    )
    words = _words(given, cut, parts, shared=shared)
    registers = storage.registers | set(numbers)
    wide = _wide(items, cut, storage) if bits == 32 else frozenset[str]()
    shifted = {name: stepping.axes[name] for name in samples}
    called = {name: words.arrays[storage.places.get(name, name)] for name in cut.arrays}
    known = words.sizes if cut.samples is None else {**words.sizes, str(cut.samples): "count"}
    writer = Writer(
        cut.arrays, called, registers, known,
        wide=wide, shifted=shifted, ranges=words.ranges, depth=2,
    )  # fmt: skip
    _begin(writer, stepping, cut, given, drawn, words)
    for part in parts:
        writer.share(part)
    if not shared:
        writer.write(items)
    if RIGHT in cut.results:
        writer.line(f"right_of_all += {called[RIGHT]}")
    if shared:
        writer.meet()
    arguments = {one.word: one.type(bits) for one in _arguments(given, cut, words)}
    own = {"room": f"float{bits}[::1]", **(SHARED if shared else {})}
    text = _module(stepping, writer, {**own, **arguments}, bits, versions)
    functions = frozenset(writer.used) - MACHINE
    return Source(text, given, tuple(items), cut, storage, functions, tuple(parts), writer.sums)


def _size_names(stepping: Stepping, cut: Cut) -> tuple[str, ...]:
    """The names of sizes that are told when it runs, but for the number of samples."""
    program = stepping.program
    sizes = [size for array in program.inputs for size in array.shape]
    sizes += [size for step in program.steps for size in step_sizes(step)]
    found = dict.fromkeys(name for size in sizes for name in names_of(size))
    return tuple(name for name in found if name != str(cut.samples))


@dataclass(frozen=True, slots=True)
class Words:
    """What all is called in the text: arrays, those `whole` ones of which steps take a part, sizes.

    `ranges` are the two ends of what a thread takes of so many turns.
    """

    arrays: Mapping[str, str]
    whole: Mapping[str, str]
    sizes: Mapping[str, str]
    ranges: Mapping[Size, tuple[str, str]]


def _words(given: Given, cut: Cut, parts: Sequence[Part], *, shared: bool) -> Words:
    whole = {name: f"{name} of all" for name in (*given.samples, *given.numbers)}
    length = {name: f"size {name}" for name in given.sizes}  # an array may be called n, too
    divided = dict.fromkeys(one.label.size for one in parts if one.label is not None)
    if shared and cut.samples is not None:
        divided[cut.samples] = None
    ends = {size: (f"from {k}", f"to {k}") for k, size in enumerate(divided, 1)}
    told = [*whole.values(), *length.values(), *(word for pair in ends.values() for word in pair)]
    words = assign([*told, *cut.arrays], OWN)
    return Words(
        {name: words[name] for name in cut.arrays},
        {name: words[text] for name, text in whole.items()},
        {name: words[text] for name, text in length.items()},
        {size: (words[low], words[high]) for size, (low, high) in ends.items()},
    )


def _arguments(given: Given, cut: Cut, words: Words) -> Iterator[Argument]:
    """What the function takes, in the order of `Given`."""
    for name in given.sizes:
        yield Argument(words.sizes[name], "int", None)
    for name in (*given.samples, *given.changed, *given.constants):
        array = cut.arrays[name]
        word = words.whole[name] if name in given.samples else words.arrays[name]
        yield Argument(word, array.kind, len(array.shape))
    for name in given.numbers:
        yield Argument(words.whole[name], "real", 1)
    for one in given.buffers:
        yield Argument(words.arrays[one.name], one.kind, len(one.shape))


def _begin(
    writer: Writer, stepping: Stepping, cut: Cut, given: Given, drawn: Sequence[str], words: Words
) -> None:
    """The numbers of a step, the ranges of a thread, the samples of the batch, and masks."""
    for name in given.numbers:
        writer.line(f"{words.arrays[name]} = {words.whole[name]}[step]")
    for size, (low, high) in words.ranges.items():
        writer.line(f"{low}, {high} = share({writer.spelling.size(size)}, thread, threads)")
    mine = words.ranges.get(cut.samples) if cut.samples is not None else None
    turns = ", ".join(mine) if mine else "count"
    if given.samples:
        writer.line("at = order[start] if lying else 0")
        writer.line("if not lying:")
        writer.depth += 1
        for name in given.samples:
            _take(writer, cut.arrays[name], stepping.axes[name], words.whole[name], turns)
        if mine:
            writer.meet()
        writer.depth -= 1
    for name in drawn:
        _draw(writer, cut.arrays[name], stepping.drawn[name], turns)
    if drawn and mine:
        writer.meet()


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
    stepping: Stepping, writer: Writer, arguments: Mapping[str, str], bits: int, versions: str
) -> str:
    """The text of the file."""
    functions = sorted(writer.used - MACHINE)
    given = ["int64[::1]", "int64", "int64", f"float{bits}[::1]", "int64", "int64"]
    head = HEAD.format(
        versions=versions,
        bits=bits,
        functions="\n".join(f'{one}_ = FUNCTIONS[{bits}]["{one}"]' for one in functions),
        comments="\n".join(map(as_comment, format_program(stepping.program).splitlines())),
        types=", ".join([*given, *arguments.values()]),
        arguments=", ".join(arguments),
        boundscheck=picks_freely(stepping.program),
    )
    return head + "\n".join(writer.lines) + "\n" + TAIL
