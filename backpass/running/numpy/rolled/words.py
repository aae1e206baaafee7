"""What the results of the general layer's lines are called: Z for Z1, Z2 …, and dZ."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from backpass.running.numpy.rolled.composition import Composition, shelf_of


def series_words(whole: Composition) -> list[str]:
    """A name for each series: of a shelf, of the quantity it is the gradient of, or its own."""
    rolled, sources = whole.rolled, whole.draft.sources
    forward = range(len(rolled.forward))
    carried = {series for series, _ in rolled.edges if series in forward}
    stems = {one: _stem(rolled.series[one].values()) for one in forward}
    often = Counter(stems.values())
    words: dict[int, str] = {}
    for series in sorted(forward, key=lambda one: one not in carried):
        stem, first = stems[series], rolled.series[series][0]
        if often[stem] == 1 or (series in carried and stem not in words.values()):
            words[series] = whole.names.new(stem)
        elif stem in words.values():  # A before and behind an activation
            words[series] = whole.names.new(_before(first, {*whole.draft.arrays, *words.values()}))
        else:
            words[series] = whole.names.new(first)
    places = {word: one for one in forward for word in rolled.series[one].values()}
    for series in range(len(forward), len(rolled.series)):
        shelf = shelf_of(whole, series)
        made = rolled.series[series].values()
        of = next((places[of] for one in made if (of := sources.get(one)) in places), None)
        if shelf is not None:
            words[series] = shelf.base
        else:
            words[series] = whole.names.new(_stem(made) if of is None else f"d{words[of]}")
    return [words[series] for series in range(len(rolled.series))]


def _stem(words: Iterable[str]) -> str:
    """The name without the number that counts: A of A1 and A2, A_2 of A1_2 and A2_2."""
    words = list(words)
    for pattern in (r"_?\d+$", r"\d+"):
        found = {re.sub(pattern, "", word, count=1) for word in words}
        if len(found) == 1:
            return found.pop()
    return re.sub(r"_?\d+$", "", words[0])


def _before(first: str, known: Collection[str]) -> str:
    """What goes into an activation: Z if nothing is called so, or else as in the first layer."""
    return first if any(re.fullmatch(r"Z\d*", word) for word in known) else "Z"
