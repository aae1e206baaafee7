"""What the chains of several gradients have in common: computed once, and used again."""

from __future__ import annotations

from backpass.reading.explanation import Block, paragraph
from backpass.reading.passes import Passes
from backpass.reading.path import Path, leads
from backpass.reading.presentation import Derivative, Name
from backpass.reading.words import listed, words

MANY = 12  # more of anything than this is not shown in full


def gradient(passes: Passes, name: str) -> Derivative:
    """∂L/∂A."""
    return Derivative(Name(passes.loss), Name(name))


def shared(passes: Passes, way: Path) -> list[Block]:
    """Where the chains of the other wanted gradients leave this one."""
    mine = {way.end, *(one.by for one in way.links)} - {way.start}
    leaving: dict[str, list[str]] = {}
    for other in passes.wrt:
        meeting = _meeting(passes, other, mine) if other != way.start else None
        if meeting is not None:
            leaving.setdefault(meeting, []).append(other)
    if not leaving:
        return []
    found = list(leaving.items())[:MANY]
    told = [
        words(
            f"{{d}} stands in the chain{'s' * (len(others) > 1)} of {{others}} too.",
            d=gradient(passes, name), others=listed([words("{w}", w=one) for one in others]),
        )
        for name, others in found
    ]  # fmt: skip
    names = listed([words("{d}", d=passes.adjoints[name]) for name, _ in found])
    once = words(
        "What chains share is computed once, as {names}, and used again: this sharing is what "
        "backpropagation is.",
        names=names,
    )
    return [paragraph(*told, once)]


def _meeting(passes: Passes, name: str, known: set[str]) -> str | None:
    """The first quantity on the way from `name` that another chain goes through."""
    while name not in known:
        ways = leads(passes, name)
        if len(ways) != 1 or ways[0] not in passes.adjoints:
            return None
        name = ways[0]
    return name
