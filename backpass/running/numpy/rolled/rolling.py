"""Find the layers that are equal, in both passes, and roll them up into a general one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from backpass.reading.repeat import numbered
from backpass.running.numpy.rolled.layer import Columns, Line, Same
from backpass.running.numpy.rolled.repeats import Run, repeats
from backpass.running.numpy.rolled.shelf import Shelf
from backpass.running.numpy.rolled.statement import Draft, Statement


@dataclass(frozen=True)
class Rolled:
    """Equal layers as one, and the statements around them.

    Layers count from 0. `between` stands after the forward lines of the last layer and before
    its backward lines, which reach down to the layer `low`. `series` and `edges` are those of
    `Columns`.
    """

    count: int
    low: int
    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    series: tuple[Mapping[int, str], ...]
    edges: Mapping[tuple[int, int], str]
    before: tuple[Statement, ...]
    between: tuple[Statement, ...]
    after: tuple[Statement, ...]


def rollings(
    draft: Draft, shelves: Sequence[Shelf], apart: list[tuple[str, ...]]
) -> Iterator[Rolled]:
    """Every way to roll the passes up, the best first.

    `apart` collects inputs that keep equal layers apart, because no number tells them.
    """
    keys = [one.key for one in draft.forward]
    numbers = [parts[1] if (parts := numbered(one.word)) else None for one in draft.forward]
    made = {one.word for one in (*draft.forward, *draft.backward)}
    for run in repeats(keys, numbers):
        columns = Columns(shelves, draft.arrays, draft.sizes, run.count, run.period)
        rolled = _rolled(draft, run, columns)
        if rolled is not None:
            yield rolled
            learning = run.without(rolled.low)  # the layers that have a way back
            if rolled.low > 0 and learning.count > 1:
                again = Columns(shelves, draft.arrays, draft.sizes, learning.count, run.period)
                found = _rolled(draft, learning, again)
                yield from [found] if found else []
        elif columns.apart and made.isdisjoint(columns.apart):
            apart.append(columns.apart)


def _rolled(draft: Draft, run: Run, columns: Columns) -> Rolled | None:
    turns = [[draft.forward[place] for place in turn] for turn in run.turns()]
    backs = _aligned(_backward_turns(draft, turns))
    if backs is None:
        return None
    forward = columns.add([dict(enumerate(line)) for line in zip(*turns, strict=True)])
    backward = None if forward is None else columns.add(backs)
    if forward is None or backward is None:
        return None
    rolled_up = {word for series in columns.series for word in series.values()}
    between, after = list(draft.forward[run.end :]), list[Statement]()
    late = {one.word for line in backs for one in line.values()}
    for one in draft.backward:
        if one.word in rolled_up:
            continue
        if late.isdisjoint(one.words):
            between.append(one)
        else:
            after.append(one)
            late.add(one.word)
    too_late = {one.word for one in after}
    asked = {one.word for line in backward for one in line.references if isinstance(one, Same)}
    if not too_late.isdisjoint({*asked, *columns.edges.values()}):
        return None
    return Rolled(
        run.count,
        min((min(line) for line in backs), default=run.count),
        tuple(forward),
        tuple(backward),
        tuple(columns.series),
        columns.edges,
        draft.forward[: run.start],
        tuple(between),
        tuple(after),
    )


# ── backward lines, layer by layer ───────────────────────────────────────────────────────────


def _backward_turns(
    draft: Draft, turns: Sequence[Sequence[Statement]]
) -> dict[int, list[Statement]]:
    """The backward lines of each layer: those that come from its forward lines.

    A line that comes from two layers waits for the lower one, which is the later one here, but
    the gradient of an input that several layers share belongs to none. One that only prepares
    another belongs to that.
    """
    layers = {one.word: layer for layer, turn in enumerate(turns) for one in turn}
    found: dict[str, int] = {}
    readers: dict[str, int] = {}
    for one in reversed(draft.backward):
        of = draft.sources.get(one.word)
        inside = {layers[word] for word in draft.origins[one.word] if word in layers}
        if of is None and not draft.origins[one.word]:
            layer = readers.get(one.word)
        else:
            layer = min(inside) if len(inside) == 1 or (inside and of in layers) else None
        if layer is not None:
            found[one.word] = layer
            readers |= dict.fromkeys(one.words, layer)
    backs: dict[int, list[Statement]] = {}
    for one in draft.backward:
        if one.word in found:
            backs.setdefault(found[one.word], []).append(one)
    return backs


def _aligned(backs: Mapping[int, Sequence[Statement]]) -> list[dict[int, Statement]] | None:
    """The lines with their statements by layer; none if there are too few layers.

    The lowest layer may lack lines, whose results nobody asks for; these go last. When it is
    different otherwise, it stays out. None when the layers are not the same.
    """
    if len(backs) < 2:
        return []
    layers = range(min(backs), max(backs) + 1)
    if len(layers) != len(backs):
        return None
    whole = max(reversed(layers[1:]), key=lambda layer: len(backs[layer]))
    found = {layer: _matched(backs[whole], backs[layer]) for layer in layers}
    if found[layers[0]] is None:
        layers = layers[1:]
    turns = {layer: turn for layer in layers if (turn := found[layer]) is not None}
    if len(turns) < len(layers) or len(turns) < 2:
        return None
    if any(None in turns[layer] for layer in layers[1:]):
        return None
    places = sorted(range(len(backs[whole])), key=lambda at: turns[layers[0]][at] is None)
    return [
        {layer: one for layer, turn in turns.items() if (one := turn[place]) is not None}
        for place in places
    ]


def _matched(
    whole: Sequence[Statement], turn: Sequence[Statement]
) -> list[Statement | None] | None:
    """For each statement of a whole turn its like in another; None if some are left over.

    Of statements that are alike, those with like names belong together.
    """
    rest = list(turn)
    found: list[Statement | None] = [None] * len(whole)
    for by_name in (True, False):
        for place, one in enumerate(whole):
            if found[place] is None:
                found[place] = next((other for other in rest if _alike(one, other, by_name)), None)
                rest = [other for other in rest if other is not found[place]]
    return None if rest else found


def _alike(one: Statement, other: Statement, by_name: bool) -> bool:
    if one.key != other.key:
        return False
    return not by_name or _stem(one.word) == _stem(other.word)


def _stem(word: str) -> str:
    return word.rstrip("0123456789_")
