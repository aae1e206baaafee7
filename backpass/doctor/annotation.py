"""Somebody's own listing with the derivation beside it, line by line."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backpass.doctor.listing import Note, Noted, listing_lines
from backpass.doctor.listing_copy import commented
from backpass.doctor.listing_html import listing_fragment, listing_page
from backpass.doctor.model import Model
from backpass.doctor.observe import Run
from backpass.doctor.quantities import told
from backpass.doctor.readings import Reading
from backpass.doctor.rewrite import Place
from backpass.language.errors import BackpassError, UnknownName, choices
from backpass.reading.lines import joined
from backpass.reading.plain import UNICODE
from backpass.reading.reason import reason
from backpass.reading.words import say


@dataclass(frozen=True)
class Annotation:
    """The functions that ran, with every line read; printing it shows the listing."""

    summary: tuple[str, ...]
    lines: tuple[Noted, ...]

    @property
    def share(self) -> float:
        """Of the sub-expressions that were arrays, the part that has a name."""
        named = sum(len(line.notes) for line in self.lines)
        return named / max(1, named + sum(len(line.unread) for line in self.lines))

    def __str__(self) -> str:
        return joined(listing_lines(self.summary, self.lines))

    def html(self) -> str:
        """The listing as one page that opens from disk."""
        return listing_page("Your code, read back", self.summary, self.lines)

    def commented(self, file: str | None = None) -> str:
        """A copy of the file with the readings as comments, which runs as the file does.

        Functions of several files may have run; `file` is the path of the one to copy. Raises
        UnknownName for one of which nothing ran.
        """
        files = list(dict.fromkeys(line.file for line in self.lines))
        if file is None and len(files) > 1:
            raise BackpassError(f"several files ran ({', '.join(files)}); name the one to copy")
        chosen = files[0] if file is None else file
        if chosen not in files:
            raise UnknownName(f"nothing of {chosen} ran{choices(chosen, files, 'there are')}")
        listing = [line for line in self.lines if line.file == chosen]
        return commented("".join(linecache.getlines(chosen)), self.summary, listing)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        del include, exclude  # a notebook takes what it can show
        fragment = listing_fragment(self.summary, self.lines)
        return {"text/plain": str(self), "text/html": fragment}

    def to_json(self) -> dict[str, Any]:
        """The listing as plain values."""
        return {
            "summary": list(self.summary),
            "share": self.share,
            "lines": [
                {
                    "file": line.file,
                    "line": line.number,
                    "source": line.source,
                    "notes": [note.to_json() for note in line.notes],
                    "reasons": list(line.reasons),
                    "unread": list(line.unread),
                }
                for line in self.lines
            ],
        }


def annotation(
    run: Run,
    words: Mapping[str, str],
    found: Mapping[int, Sequence[Reading]],
    summary: Sequence[str],
) -> Annotation:
    """The listing of every function that ran, in the order of the files.

    `words` are the reasons of backward quantities, by their names.
    """
    reasons = _Reasons(words)
    lines: list[Noted] = []
    for file in dict.fromkeys(run.files[event.place] for event in run.events):
        seen = {event.place for event in run.events if run.files[event.place] == file}
        lines += _file(file, [run.places[place] for place in sorted(seen)], found, run, reasons)
    return Annotation(tuple(summary), tuple(lines))


def _file(
    file: str,
    places: Sequence[Place],
    found: Mapping[int, Sequence[Reading]],
    run: Run,
    reasons: _Reasons,
) -> Iterator[Noted]:
    arrays = {e.place for e in run.events if e.value.dtype.kind == "f" and e.value.ndim}
    source = linecache.getlines(file)
    for first, last in _spans(places, source):
        for number in range(first, last + 1):
            here = [one for one in places if one.line == number]
            notes = tuple(_notes(here, found, bare=not source))
            unread = tuple(
                dict.fromkeys(
                    one.text for one in here
                    if one.number in arrays and one.number not in found and one.moment == "value"
                )
            )  # fmt: skip
            told = tuple(reasons.of(here, found))
            text = source[number - 1].rstrip() if number <= len(source) else ""
            if not source:  # the names that the line gives something
                text = ", ".join(dict.fromkeys(one.text for one in here))
            yield Noted(file, number, text, notes, told, unread)


def _spans(places: Sequence[Place], source: Sequence[str]) -> Iterator[tuple[int, int]]:
    """From the `def` of each function that ran to its last line that ran."""
    functions: dict[str, list[int]] = {}
    for place in places:
        top = place.function.partition(".<lambda>")[0]
        functions.setdefault(top, []).extend((place.line, place.end_line))
    for name, numbers in functions.items():
        head = name.rpartition(".")[2]
        first = min(numbers)
        if not source:
            yield first, max(numbers)
            continue
        if not head:  # of no function: all lines that stand together
            while first > 1 and source[first - 2].strip():
                first -= 1
            yield first, max(numbers)
            continue
        while first > 1 and not source[first - 1].lstrip().startswith(f"def {head}"):
            first -= 1
        yield first if first > 1 or source[0].startswith("def") else min(numbers), max(numbers)


def _notes(
    places: Sequence[Place], found: Mapping[int, Sequence[Reading]], *, bare: bool
) -> Iterator[Note]:
    """The places of a line, the widest first, each text once."""
    said: set[tuple[str, str]] = set()
    made = {
        (one.statement, tuple(reading.formula for reading in found.get(one.number, ())))
        for one in places
        if one.moment == "value" and one.parent is None
    }
    for place in sorted(places, key=lambda one: (one.parent is not None, one.column, -one.number)):
        kept = found.get(place.number, ())
        formulas = tuple(reading.formula for reading in kept)
        inner = bare or place.parent is not None
        key = place.text if inner else "", " ".join(formulas)
        if not kept or place.moment == "before" or key in said:
            continue
        named = place.moment == "after" and place.text.isidentifier()
        if named and (place.statement, formulas) in made:
            continue  # the expression that the name is given says it already
        said.add(key)
        yield Note(
            place.line, place.column, place.text, formulas,
            tuple(reading.shape for reading in kept), place.parent is None and not bare,
        )  # fmt: skip


_NAMED = re.compile(r"\bd?D\d+\b")  # what dropout left


def reasons(model: Model) -> dict[str, str]:
    """The reason of each backward quantity of a derivation."""
    passes = model.derivation.passes
    return {
        told(step.name): _NAMED.sub(lambda one: told(one[0]), say(reason(passes, step), UNICODE))
        for step in model.derivation.backward
    }


class _Reasons:
    """The reason of each backward quantity, said where the code makes it first."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self.words = dict(words)

    def of(self, places: Sequence[Place], found: Mapping[int, Sequence[Reading]]) -> Iterator[str]:
        """One reason for all the quantities that a line makes in its turns."""
        made = [
            reading.quantity
            for place in places
            for reading in found.get(place.number, ())
            if _is_product(place) and reading.part != "entry"
        ]
        told = [name for name in dict.fromkeys(made) if self.words.get(name)]
        for group in _alike(told):
            words = [self.words.pop(name) for name in group]
            rest = f" ({', '.join(group[1:])} likewise)" if len(group) > 1 else ""
            yield f"{group[0]}: {words[0]}{rest}"


def _is_product(place: Place) -> bool:
    """Whether something is computed there, and not only read again."""
    return any(sign in place.text for sign in "@*(+-/")


def _alike(names: Sequence[str]) -> list[list[str]]:
    """Names that differ by their number: dW2 and dW1."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.rstrip("0123456789"), []).append(name)
    return list(groups.values())
