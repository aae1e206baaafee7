"""Equal layers as two loops: forward through them, and back in the other direction.

    for l in range(len(W)):
        Z = A[l] @ W[l] + b[l]
        A.append(sigmoid(Z))

What the next layer may overwrite is a variable; what the way back needs is kept in a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backpass.running.numpy.layout import Row, indented, joined
from backpass.running.numpy.rolled.around import end, function, lacking, numbers, outside, plain
from backpass.running.numpy.rolled.composition import (
    Composition,
    Texts,
    given,
    index,
    on_shelf,
    rows,
    shape_note,
    shelf_of,
)
from backpass.running.numpy.rolled.layer import Line, Made, Reference
from backpass.running.numpy.rolled.storage import Storage, storage
from backpass.running.numpy.rolled.words import series_words


@dataclass(frozen=True, slots=True)
class _Loops:
    """Both loops: by series, the `words` of variables and lists, and where lists start.

    A list holds what stands at the edges of its series, and what the layers have made.
    """

    whole: Composition
    kept: Storage
    words: Sequence[str]
    starts: Sequence[int]


def loop(whole: Composition) -> str:
    """The source with its equal layers in loops."""
    rolled, outputs, l = whole.rolled, whole.outputs, whole.variable
    shelved = [one for one in range(len(rolled.series)) if shelf_of(whole, one)]
    kept = storage(rolled, shelved, whole.wanted.returned)
    loops = _Loops(whole, kept, series_words(whole), _starts(whole))
    texts = outside(whole, _own(loops))
    made = joined(outputs.made)
    early = any(one.word in outputs.texts for one in rolled.between)
    body = [
        *plain(whole, rolled.before, texts),
        *_begun(loops, rolled.forward, texts),
        Row(f"for {l} in {numbers(whole, 0)}:"),
        *indented(_turn(loops, rolled.forward, texts)),
        *(made if early else []),
        *plain(whole, rolled.between, texts),
        *([] if early else made),
    ]
    if rolled.backward:
        lowest = [one for one in rolled.backward if one.layers.start == rolled.low]
        higher = [one for one in rolled.backward if one.layers.start > rolled.low]
        body += _begun(loops, rolled.backward, texts)
        body.append(Row(f"for {l} in reversed({numbers(whole, rolled.low)}):"))
        body += indented(_turn(loops, lowest, texts))
        if higher:
            body += indented([lacking(whole, ">", higher)])
            body += indented(indented(_turn(loops, higher, texts)))
    return function(whole, texts, [*body, *plain(whole, rolled.after, texts)])


def _starts(whole: Composition) -> list[int]:
    """The layer whose result a list begins with; before the first layer for an edge, X for A0."""
    forward = len(whole.rolled.forward)
    return [
        min(words) if series >= forward else min([0, *_edges(whole, series)])
        for series, words in enumerate(whole.rolled.series)
    ]


def _edges(whole: Composition, series: int) -> dict[int, str]:
    """What stands at the edges of a series, in the order of the layers."""
    found = {at: word for (one, at), word in whole.rolled.edges.items() if one == series}
    return dict(sorted(found.items()))


def _own(loops: _Loops) -> dict[str, str]:
    """What the results of the loops are called behind them."""
    rolled = loops.whole.rolled
    own: dict[str, str] = {word: loops.words[one] for word, one in loops.kept.merged.items()}
    for series, words in enumerate(rolled.series):
        last = rolled.count - 1 if series < len(rolled.forward) else None
        for layer, word in words.items():
            own[word] = loops.words[series]
            if series in loops.kept.lists:
                own[word] += f"[{-1 if layer == last else layer - loops.starts[series]}]"
    return own


# ── one turn ─────────────────────────────────────────────────────────────────────────────────


def _turn(loops: _Loops, lines: Iterable[Line], texts: Texts) -> list[Row]:
    return [row for line in lines for row in _line(loops, line, texts)]


def _line(loops: _Loops, line: Line, texts: Texts) -> list[Row]:
    """A line of the general layer; forward, lists are appended to."""
    words = [_text(loops, one, texts) for one in line.references]
    note = shape_note(loops.whole, line)
    found = line.statement.filled(words)
    if line.series not in loops.kept.lists or line in loops.whole.rolled.backward:
        return rows(found, note)
    target, name = words[0], loops.words[line.series]
    if len(found) == 1:
        return [Row(f"{name}.append({found[0].removeprefix(f'{target} = ')})", note)]
    new = loops.whole.names.new(f"new_{name}")
    found = line.statement.filled(new if word == target else word for word in words)
    return [*rows(found, note), Row(f"{name}.append({new})")]


def _text(loops: _Loops, one: Reference, texts: Texts) -> str:
    """What a word of the general layer becomes."""
    if not isinstance(one, Made):
        return given(loops.whole, one, texts)
    shelf = shelf_of(loops.whole, one.series)
    if shelf is not None:
        return on_shelf(loops.whole, shelf, one.series, one.offset)
    word = loops.words[one.series]
    if one.series not in loops.kept.lists:
        return word
    return f"{word}[{index(loops.whole, one.offset - loops.starts[one.series])}]"


# ── before the first turn ────────────────────────────────────────────────────────────────────


def _begun(loops: _Loops, lines: Sequence[Line], texts: Texts) -> list[Row]:
    """Lists to be filled, and variables that the first turn takes over from outside: `A = X`."""
    whole = loops.whole
    pairs: list[tuple[str, str]] = []
    for series in (line.series for line in lines if shelf_of(whole, line.series) is None):
        word, edges = loops.words[series], [texts[one] for one in _edges(whole, series).values()]
        if series not in loops.kept.lists:
            pairs += [(word, edge) for edge in edges if edge != word]
        elif series < len(whole.rolled.forward):
            pairs.append((word, f"[{', '.join(edges)}]"))
        else:
            above = f" + [{', '.join(edges)}]" if edges else ""
            pairs.append((word, f"[None] * {_count(loops, series)}{above}"))
    return joined(pairs)


def _count(loops: _Loops, series: int) -> str:
    """How many results a line of the way back has, as a factor."""
    whole, start = loops.whole, loops.starts[series]
    if start or whole.base:
        return str(whole.rolled.count - start)
    text = end(whole)
    return f"({text})" if " " in text else text
