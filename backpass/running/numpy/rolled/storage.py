"""What a loop keeps: a variable where the next layer may overwrite it, else a list of all layers.

A loop is played through on words instead of arrays. Every read must find what the unrolled
source reads; whatever is overwritten too early is kept in a list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from backpass.running.numpy.rolled.layer import Line, Made, Same
from backpass.running.numpy.rolled.rolling import Rolled
from backpass.running.numpy.rolled.statement import Statement


@dataclass(frozen=True, slots=True)
class Storage:
    """The series that are kept in lists; all others are variables.

    `merged` are words outside the loop that go by the variable of a series: the gradient that
    the first turn takes over.
    """

    lists: frozenset[int]
    merged: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Event:
    """What a statement reads and writes: words, and for each the series whose variable it is."""

    reads: tuple[tuple[int | None, str], ...]
    writes: tuple[int | None, str]
    several: bool  # lines, so that the first overwrites what the others read


def storage(rolled: Rolled, lists: Collection[int], returned: Collection[str]) -> Storage:
    """As few lists as will do; `lists` are wanted in any case."""
    kept = set(lists)
    edges: dict[int, list[str]] = {}
    for (series, _), word in rolled.edges.items():
        edges.setdefault(series, []).append(word)
    kept |= {series for series, words in edges.items() if len(words) > 1}
    outside = {one.word for one in (*rolled.before, *rolled.between)}
    merged = {word: series for series, words in edges.items() for word in words if word in outside}
    while True:
        merged = {word: series for word, series in merged.items() if series not in kept}
        found = Storage(frozenset(kept), merged)
        wrong = _misread(rolled, found, returned)
        if wrong is None:
            return found
        series, word = wrong
        if word in merged:
            del merged[word]
        else:
            kept.add(series)


def _misread(rolled: Rolled, found: Storage, returned: Collection[str]) -> tuple[int, str] | None:
    """The first read that would find something else: of which series, and the word wanted."""
    held: dict[int, str] = {}
    for event in _events(rolled, found, returned):
        if event.several and event.writes[0] is not None:
            held[event.writes[0]] = event.writes[1]
        for series, word in event.reads:
            if series is not None and word != event.writes[1] and held.get(series) != word:
                return series, word
        if event.writes[0] is not None:
            held[event.writes[0]] = event.writes[1]
    return None


def _events(rolled: Rolled, found: Storage, returned: Collection[str]) -> Iterator[_Event]:
    """The whole loop, statement by statement."""
    variables = dict(found.merged)
    for series, words in enumerate(rolled.series):
        if series not in found.lists:
            variables |= dict.fromkeys(words.values(), series)

    def plain(statement: Statement) -> _Event:
        words = ((variables.get(word), word) for word in statement.words)
        several = any("\n" in text for text in statement.texts)
        return _Event(tuple(words), (variables.get(statement.word), statement.word), several)

    def handed(lines: Collection[Line]) -> Iterator[_Event]:
        """Variables that the first turn takes over from outside: `A = X`."""
        made = {line.series for line in lines}
        for (series, _), word in rolled.edges.items():
            if series in made and series not in found.lists and word not in found.merged:
                yield _Event(((variables.get(word), word),), (series, word), False)

    def turn(line: Line, layer: int) -> _Event:
        reads: list[tuple[int | None, str]] = []
        for one in line.references:
            if isinstance(one, Made):
                at = layer + one.offset
                word = rolled.series[one.series].get(at) or rolled.edges[one.series, at]
                reads.append((None if one.series in found.lists else one.series, word))
            elif isinstance(one, Same):
                reads.append((variables.get(one.word), one.word))
        own = rolled.series[line.series][layer]
        several = any("\n" in text for text in line.statement.texts)
        return _Event(tuple(reads), (variables.get(own), own), several)

    yield from map(plain, rolled.before)
    yield from handed(rolled.forward)
    for layer in range(rolled.count):
        yield from (turn(line, layer) for line in rolled.forward)
    yield from map(plain, rolled.between)
    yield from handed(rolled.backward)
    for layer in reversed(range(rolled.low, rolled.count)):
        yield from (turn(line, layer) for line in rolled.backward if layer in line.layers)
    yield from map(plain, rolled.after)
    yield _Event(tuple((variables.get(word), word) for word in returned), (None, ""), False)
