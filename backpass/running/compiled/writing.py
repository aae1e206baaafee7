"""Loops, statements and matrix products as lines of source."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from backpass.language.expr import Label, Read, labels
from backpass.language.program import Array
from backpass.language.shapes import Size
from backpass.running.compiled.dividing import Part
from backpass.running.compiled.nest import (
    STARTS,
    Check,
    Item,
    Labels,
    Loop,
    Operation,
    Product,
    Statement,
)
from backpass.running.compiled.terms import Spelling

LETTERS = ("i", "j", "k", "l", "p", "q", "r", "s", "u", "v", "w")
GATHERS: dict[Operation, str] = {"+": "plus", "max": "larger", "min": "smaller"}


@dataclass
class Writer:
    """Writes the body of a step; `words` are what arrays are called, `registers` those in none.

    A batch begins at the place `at` of an array that is `shifted`, along the axis that is told. A
    thread's range of a label is between the two words in `ranges`, where the label is `divided`.
    """

    arrays: Mapping[str, Array]
    words: Mapping[str, str]
    registers: frozenset[str]
    sizes: Mapping[str, str]
    lines: list[str] = field(default_factory=list[str])
    depth: int = 0
    loops: dict[Label, str] = field(default_factory=dict[Label, str])
    known: dict[Read, str] = field(default_factory=dict[Read, str])
    carried: dict[Read, str] = field(default_factory=dict[Read, str])
    wide: frozenset[str] = frozenset()
    shifted: Mapping[str, int] = field(default_factory=dict[str, int])
    used: set[str] = field(default_factory=set[str])
    ranges: Mapping[Size, tuple[str, str]] = field(default_factory=dict[Size, tuple[str, str]])
    divided: Label | None = None
    sums: int = 0

    def __post_init__(self) -> None:
        self.spelling = Spelling(self.arrays, self.loops, self.sizes, self._entry, self.used)

    def line(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def write(self, items: Sequence[Item]) -> None:
        """Everything in order; what was just computed is not fetched from memory again."""
        before = dict(self.known)
        for place, item in enumerate(items):
            match item:
                case Statement():
                    self._statement(item, items[place + 1 :])
                case Loop():
                    self._forget(item)
                    self._loop(item)
                    self._forget(item)
                case Product():
                    self._product(item)
                    self._forget(item)
                case Check():
                    self.check(item.loss)
        self.known.clear()
        self.known.update(before)

    def share(self, part: Part) -> None:
        """An item as threads share it, and what each gathered put together in all of them."""
        if part.meets:
            self.meet()
        self.divided = part.label
        depth = self.depth
        if part.gathered:
            self.line("if thread:")
            for name, operation in part.gathered:
                start = self._value(Statement(name, (), STARTS[operation], ()))
                self.line(f"    {self.words[name]} = {start}")
        if part.label is None and not part.everyone:
            self.line("if thread == 0:")
            self.depth += 1
        self.write([part.item])
        self.depth, self.divided = depth, None
        if part.gathered:
            self._gather(part)

    def meet(self) -> None:
        """Threads wait here for one another."""
        self.used.add("meet")
        self.line("meet(meeting, thread, threads)")

    def _gather(self, part: Part) -> None:
        """Every thread adds up the same numbers in the same order."""
        places = {name: self.sums + place for place, (name, _) in enumerate(part.gathered)}
        self.sums += len(places)
        for name, place in places.items():
            self.line(f"sums[thread, {place}] = np.float64({self.words[name]})")
        self.meet()
        for name, operation in part.gathered:
            word, kind = self.words[name], self.arrays[name].kind
            cast = "int" if kind != "real" else "np.float64" if name in self.wide else "real"
            self.used.add(GATHERS[operation])
            self.line(f"{word} = {cast}(sums[0, {places[name]}])")
            self.line("for i in range(1, threads):")
            other = f"{cast}(sums[i, {places[name]}])"
            self.line(f"    {word} = {GATHERS[operation]}({word}, {other})")

    def check(self, loss: str) -> None:
        """A loss that is not finite ends the epoch before anything has changed."""
        text = self.spelling.real(Read(loss, ()))
        self.line(f"losses[step] = {text}")
        self.line("if not np.isfinite(losses[step]):")
        self.line("    return step, right_of_all")

    # ── entries ──────────────────────────────────────────────────────────────────────────────

    def _entry(self, read: Read) -> str:
        if read in self.known:
            return self.known[read]
        if read in self.carried:
            return self.carried[read]
        text = self._place(read)
        return f"real({text})" if read.name in self.wide else text

    def _place(self, read: Read) -> str:
        """Where an entry lives."""
        if read in self.carried:
            return self.carried[read]
        word = self.words[read.name]
        if read.name in self.registers:
            return word
        index = [*map(self.spelling.whole, read.index)]
        if read.name in self.shifted:
            axis = self.shifted[read.name]
            index[axis] = f"at + {index[axis]}"
        return f"{word}[{', '.join(index) or 0}]"

    def _forget(self, item: Item) -> None:
        written = {read.name for read, writes in item.accesses() if writes}
        for read in [read for read in self.known if read.name in written]:
            del self.known[read]

    # ── statements ───────────────────────────────────────────────────────────────────────────

    def _statement(self, one: Statement, later: Sequence[Item]) -> None:
        target = Read(one.target, one.left)
        value = self._value(one)
        place = self._place(target)
        wide = one.target in self.wide
        if one.operation != "=":
            held = place if wide else self.known.get(target, place)
            if one.operation == "+" and not one.summed:
                value = f"{held} + {value}"
            else:
                self.used.add(GATHERS[one.operation])
                value = f"{GATHERS[one.operation]}({held}, {value})"
        own = target in self.carried or one.target in self.registers
        again = any(
            read == target and isinstance(item, Statement)
            for item in later
            for read, _ in item.accesses()
        )
        for read in [read for read in self.known if read.name == one.target]:
            del self.known[read]
        if own or not again:
            self.line(f"{place} = {value}")
            return
        word = f"{self.words[one.target]}_here"
        self.line(f"{word} = {value}")
        self.line(f"{place} = {word}")
        self.known[target] = word

    def _value(self, one: Statement) -> str:
        kind = self.arrays[one.target].kind
        if kind == "real":
            text = self.spelling.real(one.term)
            return f"np.float64({text})" if one.target in self.wide else text
        if kind == "bool":
            return self.spelling.truth(one.term)
        whole = self.spelling.is_whole(one.term)
        return self.spelling.whole(one.term) if whole else f"int({self.spelling.real(one.term)})"

    def _loop(self, loop: Loop) -> None:
        self.write(loop.before)
        sums = self._sums(loop)
        for read, word in sums.items():
            self.line(f"{word} = {self._entry(read)}")
        places = {read: self._place(read) for read in sums}
        self.carried |= sums
        with self.inside([loop.label]):
            self.write(loop.body)
        for read, word in sums.items():
            del self.carried[read]
            self.line(f"{places[read]} = {word}")

    @contextmanager
    def inside(self, around: Sequence[Label]) -> Generator[None]:
        """Loops over labels, around what is written meanwhile."""
        for label in around:
            letter = LETTERS[len(self.loops)]
            self.line(f"for {letter} in range({self._range(label)}):")
            self.loops[label] = letter
            self.depth += 1
        yield
        for label in reversed(around):
            del self.loops[label]
            self.depth -= 1

    def _range(self, label: Label) -> str:
        if label is self.divided:
            return ", ".join(self.ranges[label.size])
        return self.spelling.size(label.size)

    def _sums(self, loop: Loop) -> dict[Read, str]:
        """Entries in memory that the loop gathers into, and that stay the same all along."""
        found: dict[str, set[Read]] = {}
        gathers: set[str] = set()
        inner: set[Label] = set()
        for item in _all(loop.body):
            if isinstance(item, Loop):
                inner.add(item.label)
                continue
            for read, _ in item.accesses():
                found.setdefault(read.name, set()).add(read)
            if isinstance(item, Statement) and item.operation != "=":
                gathers.add(item.target)
        sums: dict[Read, str] = {}
        for name in sorted(gathers - self.registers):
            (read, *others) = found[name]
            mentioned = set(labels(*read.index))
            plain = all(isinstance(p, Label) or not labels(p) for p in read.index)
            if not others and plain and mentioned <= set(self.loops) and read not in self.carried:
                sums[read] = f"{self.words[name]}_sum"
        return sums

    # ── matrix products ──────────────────────────────────────────────────────────────────────

    def _product(self, one: Product) -> None:
        self.used.add("gemm")
        alpha = self.spelling.real(one.alpha)
        beta = self.spelling.real(one.beta)
        target = Read(one.target, one.left)
        m, n, k = (self._length(group) for group in (one.rows, one.columns, one.summed))
        with self.inside(one.batch):
            depth = len(one.batch)
            turned_a = one.a.index[depth] not in one.rows
            turned_b = one.b.index[depth] not in one.summed
            a = self._matrix(one.a, depth, one.summed if not turned_a else one.rows)
            b = self._matrix(one.b, depth, one.columns if not turned_b else one.summed)
            c = self._matrix(target, depth, one.columns)
            self.line(
                f"gemm({turned_a}, {turned_b}, {m}, {n}, {k}, {alpha}, {a}, {b}, {beta}, {c}, room)"
            )

    def _length(self, group: Labels) -> str:
        if self.divided in group:
            low, high = self.ranges[group[0].size]
            return f"{high} - {low}"
        return " * ".join(self.spelling.size(label.size) for label in group)

    def _matrix(self, read: Read, depth: int, inner: Labels) -> str:
        """The array, the entry that a matrix of it begins at, and how far apart its rows are."""
        word, rank = self.words[read.name], len(read.index)
        starts: list[str] = []
        for place in range(depth):
            part = read.index[place]
            stride = self._stride(read.name, range(place + 1, rank))
            starts.append(f"{self.spelling.whole(part)} * {stride}")
        if read.name in self.shifted:
            starts.append(
                f"at * {self._stride(read.name, range(self.shifted[read.name] + 1, rank))}"
            )
        if self.divided in read.index:
            axis = read.index.index(self.divided)
            low, _ = self.ranges[self.divided.size]
            starts.append(f"{low} * {self._stride(read.name, range(axis + 1, rank))}")
        apart = self._stride(read.name, range(rank - len(inner), rank))
        return f"{word}, {' + '.join(starts) or 0}, {apart}"

    def _stride(self, name: str, axes: range) -> str:
        """How many entries these axes of an array hold, where it is as long as it may become."""
        shape = self.arrays[name].shape
        parts = [
            f"{self.words[name]}.shape[{axis}]" if shape[axis].number is None else str(shape[axis])
            for axis in axes
        ]
        return " * ".join(parts) or "1"


def _all(items: Sequence[Item]) -> Iterator[Item]:
    for item in items:
        yield item
        if isinstance(item, Loop):
            yield from _all(item.before)
            yield from _all(item.body)
