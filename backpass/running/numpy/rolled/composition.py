"""One function to be written: its rolled up statements, and what everything in it is called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backpass.running.identifiers import assign
from backpass.running.numpy import frame
from backpass.running.numpy.frame import Nest
from backpass.running.numpy.layout import Row
from backpass.running.numpy.rolled.layer import Counted, Extent, Given, Line, Reference, Same
from backpass.running.numpy.rolled.rolling import Rolled
from backpass.running.numpy.rolled.setting import (
    Inputs,
    Kept,
    Names,
    Outputs,
    inputs,
    nested,
    on_lists,
    outputs,
)
from backpass.running.numpy.rolled.shelf import Shelf
from backpass.running.numpy.rolled.statement import Draft, Statement, temporaries
from backpass.running.numpy.rolled.widths import Widths, plus, table_of

Texts = Mapping[str, str]  # how words are written outside the layers


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the function is to take and to give back, and what it is called.

    `arguments` are nests of words; `gradients` tells the gradient of a leaf, `fixed` are the
    arrays that come behind the arguments, and `made` those that are written out.
    """

    name: str
    value: str
    arguments: Mapping[str, Nest]
    gradients: Mapping[str, str]
    fixed: Sequence[str]
    made: Mapping[str, Any]

    @property
    def returned(self) -> list[str]:
        """The arrays that come out."""
        return [self.value, *self.gradients.values()]


@dataclass(frozen=True, slots=True)
class Composition:
    """One function, but for what its style decides: `arguments` are as the function takes them.

    The layer's `variable` counts from `base`.
    """

    wanted: Wanted
    draft: Draft
    rolled: Rolled
    arguments: Mapping[str, Nest]
    inputs: Inputs
    outputs: Outputs
    names: Names
    variable: str
    base: int
    widths: Widths

    @property
    def rest(self) -> list[Statement]:
        """The statements around the layers."""
        return [*self.rolled.before, *self.rolled.between, *self.rolled.after]

    @property
    def lines(self) -> list[Line]:
        """The lines of the general layer."""
        return [*self.rolled.forward, *self.rolled.backward]


def composed(draft: Draft, rolled: Rolled, shelves: Sequence[Shelf], wanted: Wanted) -> Composition:
    """Names for everything that does not depend on the style."""
    lines = [*rolled.forward, *rolled.backward]
    statements = [*rolled.before, *rolled.between, *rolled.after, *(one.statement for one in lines)]
    names = Names({*frame.reserved(wanted.name), *draft.functions, *temporaries(statements)})
    used = {
        one.of.shelf if isinstance(one, Extent) else one.shelf: None
        for one in references(lines)
        if isinstance(one, Given | Extent)
    }
    arguments = nested(wanted.arguments, [shelves[at] for at in used])
    kept = {at: on_lists(shelves[at], wanted.arguments) for at in used}
    given = inputs(arguments, wanted.fixed, kept, names, wanted.made)
    made = {word for series in rolled.series for word in series.values()}
    found = outputs(arguments, wanted.gradients, given.kept.values(), made, names)
    variable, base = names.new("l"), _base(rolled)
    shapes = (
        {at: draft.arrays[word].shape for at, word in series.items()} for series in rolled.series
    )
    (table,) = assign(["d"], {*draft.arrays, *draft.sizes}).values()
    widths = Widths(table_of(shapes), table, variable, base)
    return Composition(
        wanted, draft, rolled, arguments, given, found, names, variable, base, widths
    )


def _base(rolled: Rolled) -> int:
    """The number of the first layer, such that `W[l]` is what it reads."""
    offsets = (
        one.offset
        for kind in (Given, Counted)
        for one in references(rolled.forward)
        if isinstance(one, kind)
    )
    return next(offsets, 0)


def references(lines: Iterable[Line]) -> Iterator[Reference]:
    """What the words of lines are."""
    for line in lines:
        yield from line.references


# ── inside the layers ────────────────────────────────────────────────────────────────────────


def index(whole: Composition, offset: int) -> str:
    """The number of the layer that is `offset` further on."""
    return plus(whole.variable, offset - whole.base)


def given(whole: Composition, one: Same | Given | Extent | Counted, texts: Texts) -> str:
    """What the general layer does not make itself."""
    match one:
        case Same(word=word):
            return texts.get(word, word)
        case Given(shelf=shelf, offset=offset):
            return whole.inputs.kept[shelf].at(index(whole, offset))
        case Extent(of=of, axis=axis):
            return f"{given(whole, of, texts)}.shape[{axis}]"
        case Counted(offset=offset):
            number = index(whole, offset)
            return number if number == whole.variable else f"({number})"


def shelf_of(whole: Composition, series: int) -> Kept | None:
    """The shelf of gradients that the results of a line are put on."""
    words = whole.rolled.series[series].values()
    return next((one for one in whole.outputs.kept if one.shelf.numbers.keys() & words), None)


def on_shelf(whole: Composition, kept: Kept, series: int, offset: int) -> str:
    """The gradient on a shelf that the general layer has put there."""
    layer, word = next(iter(whole.rolled.series[series].items()))
    return kept.at(index(whole, kept.shelf.numbers[word] - layer + offset))


def shape_note(whole: Composition, line: Line) -> str:
    """The shape of a line's result, for whatever layer."""
    words = whole.rolled.series[line.series]
    return whole.widths.shape({at: whole.draft.arrays[word].shape for at, word in words.items()})


def rows(lines: Sequence[str], note: str) -> list[Row]:
    """The lines of one statement, the first of them with a comment."""
    depths = [(len(line) - len(line.lstrip())) // 4 for line in lines]
    return [
        Row(line.strip(), "" if place else note, depth)
        for place, (line, depth) in enumerate(zip(lines, depths, strict=True))
    ]
