"""Shapes of the general layer: sizes that change from layer to layer as `d[l]`, `d[l + 1]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backpass.language.shapes import Shape, Size
from backpass.running.numpy.frame import shortened

Sizes = Mapping[int, Size]  # of one axis, by layer
PLACES = [(added, offset) for added in (0, 1) for offset in (1, 0, -1, 2)]


def plus(word: str, number: int) -> str:
    """`l + 1`, `l`, `l - 1`."""
    return f"{word} {'+' if number > 0 else '-'} {abs(number)}" if number else word


@dataclass(frozen=True, slots=True)
class Widths:
    """The sizes from layer to layer: behind layer l there are `table[l + 1]`.

    `name` is what comments call the table, and `variable` is the layer's number plus `base`.
    """

    table: Sizes
    name: str
    variable: str
    base: int

    def shape(self, shapes: Mapping[int, Shape]) -> str:
        """What the shapes of the layers are in general, as a tuple."""
        axes = [self._axis(sizes) for sizes in _axes(shapes)]
        if None in axes:
            texts = dict.fromkeys(_tuple(map(str, one)) for one in shapes.values())
            return ", ".join(shortened([*texts]))
        return _tuple(axis for axis in axes if axis is not None)

    def _axis(self, sizes: Sizes) -> str | None:
        if len(set(sizes.values())) == 1 < len(sizes):
            return str(next(iter(sizes.values())))
        for added, offset in PLACES:
            if all(self.table.get(at + offset) == one - added for at, one in sizes.items()):
                index = plus(self.variable, offset - self.base - min(self.table))
                return plus(f"{self.name}[{index}]", added)
        return str(next(iter(sizes.values()))) if len(sizes) == 1 else None


def table_of(arrays: Iterable[Mapping[int, Shape]]) -> dict[int, Size]:
    """The table that the first changing axis begins, and all that fits to it goes on with."""
    changing = [one for shapes in arrays for one in _axes(shapes) if len(set(one.values())) > 1]
    changing.sort(key=lambda sizes: any(len(size.terms) > 1 for size in sizes.values()))
    table: dict[int, Size] = {}
    for sizes in changing:
        for added, offset in PLACES:
            moved = {layer + offset: one - added for layer, one in sizes.items()}
            common = moved.keys() & table.keys()
            if not table or (common and all(moved[at] == table[at] for at in common)):
                table |= moved
                break
    return table


def _axes(shapes: Mapping[int, Shape]) -> list[dict[int, Size]]:
    rank = len(next(iter(shapes.values())))
    return [{layer: shape[axis] for layer, shape in shapes.items()} for axis in range(rank)]


def _tuple(axes: Iterable[str]) -> str:
    parts: Sequence[str] = list(axes)
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})" if parts else ""
