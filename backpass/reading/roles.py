"""Sizes that are numbers, told apart by what they count: a 64 of one layer is not that of the next.

Axes and labels that must agree belong together: a label that runs over a whole axis, and through
it every array that is read there. What is left apart could have another size in another network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backpass.language.expr import Label, Read, Term, reads
from backpass.language.program import Array, Call, Step
from backpass.language.shapes import Size
from backpass.reading.passes import Passes
from backpass.reading.renaming import Renaming, renamed
from backpass.reading.repeat import called

Spot = tuple[str, int, Label | None]  # an axis of an array, or a label of a step's nest


class _Spots:
    """Sets of spots that belong together; the number of each set is its role."""

    def __init__(self) -> None:
        self.above: dict[Spot, Spot] = {}
        self.roles: dict[Spot, Size] = {}

    def find(self, spot: Spot) -> Spot:
        root = spot
        while (above := self.above.setdefault(root, root)) != root:
            root = above
        self.above[spot] = root
        return root

    def join(self, one: Spot, other: Spot) -> None:
        self.above[self.find(one)] = self.find(other)

    def role(self, spot: Spot) -> Size:
        """A size of a name that nobody else has, the same for all that belong together."""
        root = self.find(spot)
        return self.roles.setdefault(root, called(f"role {len(self.roles)}"))


def apart(passes: Passes) -> tuple[Passes, Mapping[Size, Size]]:
    """The passes with every number among the sizes replaced by its role, and what each role is."""
    spots = _Spots()
    for step in (*passes.forward.steps, *passes.backward):
        for place, index, array in _indices(passes, step):
            for position, part in enumerate(index):
                if isinstance(part, Label) and part.size == array.shape[position]:
                    spots.join((step.name, place, part), (array.name, position, None))
    numbers: dict[Size, Size] = {}

    def axis(name: str, place: int, value: Size) -> Size:
        return changed((name, place, None), value)

    def label(name: str, place: int, one: Label) -> Size:
        return changed((name, place, one), one.size)

    def changed(spot: Spot, value: Size) -> Size:
        if value.number is None:
            return value
        role = spots.role(spot)
        numbers[role] = value
        return role

    new = Renaming(lambda name: name, axis, label, lambda value: value)
    return renamed(passes, new), numbers


def _indices(passes: Passes, step: Step) -> Iterator[tuple[int, tuple[Term, ...], Array]]:
    """Every index of a step, the left sides included, with the nest it stands in and its array."""
    if isinstance(step.body, Call):
        parts = [(0, step.body.left, step.target)]
        yield from parts
        found: list[tuple[int, Read]] = [(0, arg) for arg in step.body.args]
    else:
        for place, write in enumerate(step.body):
            yield place, write.left, step.target
        found = [
            (place, read)
            for place, write in enumerate(step.body)
            for read in reads(*write.left, write.term)
        ]
    for place, read in found:
        yield place, read.index, passes.arrays[read.name]
