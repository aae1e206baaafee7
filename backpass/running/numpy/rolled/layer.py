"""The general layer: lines that become those of every layer, one after another.

Each word of a line runs through a column, its words layer by layer: X, A1, A2 … What such a
column is decides how the loop or the recursion will say it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from backpass.language.program import Array
from backpass.language.shapes import Size, size
from backpass.running.numpy.rolled.shelf import Shelf
from backpass.running.numpy.rolled.statement import Statement

Column = Mapping[int, str]  # by layer


@dataclass(frozen=True, slots=True)
class Same:
    """The same word in every layer."""

    word: str


@dataclass(frozen=True, slots=True)
class Made:
    """What a line makes in the layer that is `offset` further on; `series` numbers the lines."""

    series: int
    offset: int


@dataclass(frozen=True, slots=True)
class Given:
    """What lies on a shelf, its number being the layer's plus `offset`."""

    shelf: int
    offset: int


@dataclass(frozen=True, slots=True)
class Extent:
    """The length of an axis."""

    of: Given
    axis: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A number that counts along with the layers."""

    offset: int


Reference = Same | Made | Given | Extent | Counted


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the general layer, for each of its words what that is.

    `series` is what it makes; `layers` are those that have the line.
    """

    statement: Statement
    references: tuple[Reference, ...]
    series: int
    layers: range


@dataclass
class Columns:
    """What is known of columns while the general layer is made.

    `series` are the words that a line makes, by layer, and `edges` what stands in their place
    before the first layer and behind the last: X for A0.
    """

    shelves: Sequence[Shelf]
    arrays: Mapping[str, Array]
    sizes: Mapping[str, Size]
    count: int
    forward: int  # lines, which come first
    series: list[dict[int, str]] = field(default_factory=list[dict[int, str]])
    edges: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    apart: tuple[str, ...] = ()  # inputs that no number tells apart
    _places: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def add(self, turns: Sequence[Mapping[int, Statement]]) -> list[Line] | None:
        """Lines of the general layer; each is given as its statements by layer.

        None when what the layers do is not the same.
        """
        numbers: list[int] = []
        for turn in turns:
            numbers.append(len(self.series))
            self.series.append({layer: one.word for layer, one in turn.items()})
            self._places |= {one.word: (numbers[-1], layer) for layer, one in turn.items()}
        lines: list[Line] = []
        for number, turn in zip(numbers, turns, strict=True):
            statement = turn[max(turn)]
            found = [
                self.reference({layer: one.words[place] for layer, one in turn.items()})
                for place in range(len(statement.words))
            ]
            if None in found:
                return None
            references = tuple(one for one in found if one is not None)
            lines.append(Line(statement, references, number, range(min(turn), max(turn) + 1)))
        return lines

    def reference(self, column: Column) -> Reference | None:
        """What a column of words is; None when nothing says it for all layers."""
        words = set(column.values())
        if any(word in self._places for word in words):
            return self._made(column)
        if len(words) == 1 and (len(column) > 1 or words.isdisjoint(self.arrays)):
            return Same(words.pop())
        if words <= self.arrays.keys():
            found = self._given(column) or self._alone(column)
            if found is None and not any(words <= one.numbers.keys() for one in self.shelves):
                self.apart = tuple(dict.fromkeys(column.values()))
            return found
        if words.isdisjoint(self.arrays):
            return self._extent(column) or self._counted(column)
        return None

    def _made(self, column: Column) -> Made | None:
        offsets = {
            (series, made - layer)
            for layer, word in column.items()
            if word in self._places
            for series, made in [self._places[word]]
        }
        if len(offsets) != 1:
            return None
        ((number, offset),) = offsets
        for layer, word in column.items():
            if word not in self._places and not self._edge(number, layer + offset, word):
                return None
        return Made(number, offset)

    def _edge(self, number: int, made: int, word: str) -> bool:
        """Whether a word can stand before the first result of a series."""
        before = made < 0 if number < self.forward else made >= self.count
        known = self.edges.setdefault((number, made), word) if before else None
        return word in self.arrays and known == word

    def _alone(self, column: Column) -> Made | Same | None:
        """What only one layer reads: the edge of a series, or just itself."""
        if len(column) > 1:
            return None
        ((layer, word),) = column.items()
        edges = (place for place, edge in self.edges.items() if edge == word)
        found = next(edges, None)
        return Same(word) if found is None else Made(found[0], found[1] - layer)

    def _given(self, column: Column) -> Given | None:
        for number, shelf in enumerate(self.shelves):
            if all(word in shelf.numbers for word in column.values()):
                offsets = {shelf.numbers[word] - layer for layer, word in column.items()}
                if len(offsets) == 1:
                    return Given(number, offsets.pop())
        return None

    def _extent(self, column: Column) -> Extent | None:
        """The sizes of an axis that lie on a shelf, this layer's or those of the one before."""
        sizes = {layer: self.sizes.get(word) or size(int(word)) for layer, word in column.items()}
        for number, shelf in enumerate(self.shelves):
            found = {at: self.arrays[word].shape for word, at in shelf.numbers.items()}
            offsets = range(min(found) - min(column), max(found) - max(column) + 1)
            for offset in reversed(offsets):
                shapes = [(found[layer + offset], sizes[layer]) for layer in column]
                for axis in range(min(len(shape) for shape, _ in shapes)):
                    if all(shape[axis] == one for shape, one in shapes):
                        return Extent(Given(number, offset), axis)
        return None

    def _counted(self, column: Column) -> Counted | None:
        if not all(word.isdigit() for word in column.values()):
            return None
        offsets = {int(word) - layer for layer, word in column.items()}
        return Counted(offsets.pop()) if len(offsets) == 1 else None
