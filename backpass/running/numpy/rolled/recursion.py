"""Equal layers as a function that calls itself: forward on the way in, back on the way out.

def layer(l, A_prev):
    …
    A = sigmoid(A_prev @ W[l] + b[l])
    L, dA = layer(l + 1, A)
    …
    return L, dA_prev
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from backpass.running.numpy.layout import Row, indented, joined
from backpass.running.numpy.rolled.around import end, function, lacking, outside, plain
from backpass.running.numpy.rolled.composition import (
    Composition,
    Texts,
    given,
    on_shelf,
    references,
    rows,
    shape_note,
    shelf_of,
)
from backpass.running.numpy.rolled.layer import Line, Made, Reference, Same
from backpass.running.numpy.rolled.words import series_words

MANY = 4  # results that a docstring does not name any more


@dataclass(frozen=True, slots=True)
class Carried:
    """What calls hand on, series by series: `into` the next call, and `out` of it again.

    `results` are what the innermost call finds and all others pass on, such as the loss.
    """

    into: tuple[int, ...]
    out: tuple[int, ...]
    results: tuple[str, ...]


def carried(whole: Composition) -> Carried | str:
    """What calls hand on, or why that is not enough."""
    rolled = whole.rolled
    forward = range(len(rolled.forward))
    places = {
        word: (series, layer)
        for series, words in enumerate(rolled.series)
        for layer, word in words.items()
    }
    if rolled.low or not rolled.backward:
        return "the way back does not lead through all of the equal layers"
    into, out = dict[int, None](), dict[int, None]()
    for line in (*rolled.forward, *rolled.backward):
        for one in line.references:
            if isinstance(one, Made) and one.offset:
                if one.offset != (-1 if one.series in forward else 1):
                    return f"{line.statement.word} needs more than the next layer hands on"
                (into if one.series in forward else out)[one.series] = None
    for one in rolled.between:
        for series, layer in (places[word] for word in one.words if word in places):
            if layer != rolled.count - 1 or (series, -1) not in rolled.edges:
                return _together(one.word)
            into[series] = None
    asked = {word: word for word in whole.wanted.returned}
    for one in rolled.after:
        for word in one.words:
            asked.setdefault(word, one.word)
    for word, reader in asked.items():
        if word in places:
            series, layer = places[word]
            if shelf_of(whole, series) is None and (series not in out or layer):
                return _together(reader)
    late = {
        *asked,
        *(one.word for one in references(rolled.backward) if isinstance(one, Same)),
    }
    on_shelves = whole.outputs.texts
    found = [one.word for one in rolled.between if one.word in late and one.word not in on_shelves]
    return Carried(tuple(into), tuple(out), tuple(found))


def _together(word: str) -> str:
    return f"{word} is put together from all layers, and a recursion sees one at a time"


@dataclass(frozen=True, slots=True)
class _Calls:
    """What a call names: by series, its own results and those of the layer `before`."""

    whole: Composition
    carried: Carried
    words: Sequence[str]
    before: Mapping[int, str]


def recursion(whole: Composition, handed: Carried) -> str:
    """The source with its equal layers as a recursion."""
    rolled, l = whole.rolled, whole.variable
    words = series_words(whole)
    before = {one: whole.names.new(f"{words[one]}_prev") for one in (*handed.into, *handed.out)}
    calls = _Calls(whole, handed, words, before)
    layer = whole.names.new("layer")
    firsts = {one: rolled.series[one].get(0) for one in handed.out}  # what the first layer gives
    texts = outside(whole, _own(calls, [word for word in firsts.values() if word is not None]))
    results = [texts[word] for word in handed.results]

    def listed(*more: str) -> str:
        return ", ".join([*results, *more])

    behind = [texts[rolled.edges[one, rolled.count]] for one in handed.out]
    gives = [before[one] for one in handed.out]
    lowest = [one for one in rolled.backward if not one.layers.start]
    higher = [one for one in rolled.backward if one.layers.start]
    missing = {one.series for one in higher}
    entering = ", ".join([f"{l} + 1", *(words[one] for one in handed.into)])
    inside = [
        Row(_docstring(l, [*results, *gives])),
        Row(f"if {l} == {end(whole)}:"),
        *indented([*plain(whole, rolled.between, texts), Row(f"return {listed(*behind)}")]),
        *_turn(calls, rolled.forward, texts),
        Row(f"{listed(*(words[one] for one in handed.out))} = {layer}({entering})"),
        *_turn(calls, lowest, texts),
    ]
    if higher:
        rest = ("None" if one in missing else before[one] for one in handed.out)
        inside += [lacking(whole, "==", higher), *indented([Row(f"return {listed(*rest)}")])]
        inside += _turn(calls, higher, texts)
    inside.append(Row(f"return {listed(*gives)}"))

    entered = ", ".join([str(whole.base), *(texts[rolled.edges[one, -1]] for one in handed.into)])
    out = ("_" if word is None else texts[word] for word in firsts.values())
    body = [
        *plain(whole, rolled.before, texts),
        *joined(whole.outputs.made),
        Row(""),
        Row(f"def {layer}({', '.join([l, *(before[one] for one in handed.into)])}):"),
        *indented(inside),
        Row(""),
        Row(f"{listed(*out)} = {layer}({entered})"),
        *plain(whole, rolled.after, texts),
    ]
    return function(whole, texts, body)


def _own(calls: _Calls, firsts: Iterable[str]) -> dict[str, str]:
    """What the innermost call is given and gives back, and what comes out of the first one."""
    rolled, handed = calls.whole.rolled, calls.carried
    own = {rolled.series[one][rolled.count - 1]: calls.before[one] for one in handed.into}
    for one in handed.out:
        edge = rolled.edges[one, rolled.count]
        if edge not in handed.results:
            own.setdefault(edge, calls.before[one])
    return own | {word: calls.whole.names.new(word) for word in firsts}


def _turn(calls: _Calls, lines: Iterable[Line], texts: Texts) -> list[Row]:
    return [
        row
        for line in lines
        for row in rows(
            line.statement.filled(_text(calls, one, texts) for one in line.references),
            shape_note(calls.whole, line),
        )
    ]


def _text(calls: _Calls, one: Reference, texts: Texts) -> str:
    """What a word of the general layer becomes."""
    if not isinstance(one, Made):
        return given(calls.whole, one, texts)
    shelf = shelf_of(calls.whole, one.series)
    if shelf is not None:
        return on_shelf(calls.whole, shelf, one.series, one.offset)
    # a layer is given what the one before has made, and makes the gradient of that
    if one.offset < 0 or (one.offset == 0 and one.series in calls.carried.out):
        return calls.before[one.series]
    return calls.words[one.series]


def _docstring(variable: str, gives: Sequence[str]) -> str:
    """What a call does, and what it gives back if that is no long list."""
    *first, last = gives
    named = f": {', '.join(first)} and {last}" if 0 < len(first) < MANY else ""
    return f'"""Run layer {variable} and all behind it, there and back{named}."""'
