"""Entries picked by other entries: whether all exist that are read is told by values alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from backpass.language.expr import Read, Term, reads
from backpass.language.program import Array, Program, step_reads
from backpass.language.shapes import Size


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
