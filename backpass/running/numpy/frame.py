"""What stands above and around the steps of an emitted function."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from backpass.language.errors import ShapeError
from backpass.language.expr import Apply, walk
from backpass.language.program import Array, Call, Program, Step, step_sizes
from backpass.language.shapes import Place, Size, names, places
from backpass.running.identifiers import assign
from backpass.running.numpy.code import ATOM, POWER, PRODUCT, Code, Desk, number, power, total
from backpass.running.numpy.functions import SPELLINGS

Nest: TypeAlias = "str | Mapping[Any, Nest] | list[Nest] | tuple[Nest, ...]"  # names of arrays
KINDS = {"real": "", "int": " of integers", "bool": " of truth values"}
WIDTH = 88
MANY = 6  # parts of a list that a comment shows
WIDEST = 60  # a longer line does not push the comments of the others aside


# ── names ────────────────────────────────────────────────────────────────────────────────────


def reserved(name: str) -> set[str]:
    """Identifiers that mean something in the source of a function `name` already."""
    texts = "\n".join(spelling.define for spelling in SPELLINGS.values())
    defined = re.findall(r"^(?:def|from \S+ import) (\w+)", texts, re.MULTILINE)
    return {"np", "dtype", name, *defined}


def desk_of(
    program: Program, functions: Iterable[str], name: str, heads: Iterable[str] = ()
) -> Desk:
    """A desk with an identifier for every array, function and size of the program.

    `heads` are the identifiers of arguments that hold several arrays.
    """
    taken = {*reserved(name), *heads}
    words = assign([*program.arrays, *functions], taken)
    sizes = dict.fromkeys(one for size in _sizes(program) for one in names(size))
    return Desk(program.arrays, words, assign(sizes, {*taken, *words.values()}))


def taken_from(program: Program) -> tuple[Array, ...]:
    """The arrays that the function is given: the inputs, then the fixed ones."""
    return (*program.inputs, *(array for array, _ in program.constants))


def unspelled(steps: Iterable[Step]) -> tuple[str, ...]:
    """The functions that steps apply and NumPy cannot spell, each once."""
    found: dict[str, None] = {}
    for step in steps:
        if isinstance(step.body, Call):
            found[step.body.function.name] = None
        for write in step.writes:
            for term in (*write.left, write.term):
                found |= {n.function.name: None for n in walk(term) if isinstance(n, Apply)}
    return tuple(one for one in found if one not in SPELLINGS)


def _sizes(program: Program) -> Iterator[Size]:
    """Every size that the program mentions, those of its inputs first."""
    for array in program.arrays.values():
        yield from array.shape
    for step in program.steps:
        yield from step_sizes(step)


# ── above the steps ──────────────────────────────────────────────────────────────────────────


def above(functions: Iterable[str]) -> list[str]:
    """The imports, and the definitions, each below what it needs."""
    found: dict[str, None] = {}

    def need(name: str) -> None:
        spelling = SPELLINGS.get(name)
        if spelling is not None and spelling.define:
            for one in spelling.needs:
                need(one)
            found[spelling.define] = None

    for name in functions:
        need(name)
    definitions = [text for text in found if text.startswith("def ")]
    imports = ["import numpy as np", *(text for text in found if text not in definitions)]
    return ["\n".join(imports), *definitions]


def docstring(summary: str, arguments: Iterable[str]) -> list[str]:
    """What comes out, and what goes in with its shapes."""
    # a shape stays on one line, and begins on that of its name
    whole = re.sub(r"(?<=[\w:]) (?=[\[({])| (?=[^()]*\))", "\0", ", ".join(arguments))
    lines = textwrap.wrap(whole, WIDTH - 4, break_long_words=False)
    return [f'"""{summary}', "", *(line.replace("\0", " ") for line in lines), '"""']


def dtype_line(real: Sequence[str]) -> str:
    """The dtype that the real arrays share."""
    if len(real) < 2 and not "".join(real).startswith("*"):
        return f"dtype = {real[0]}.dtype" if real else "dtype = np.float64"
    return f"dtype = np.result_type({', '.join(real)})"


def size_lines(
    inputs: Sequence[Array], sizes: Iterable[str], words: Mapping[str, str], of: Mapping[str, str]
) -> list[str]:
    """`n, k = X.shape`, for those sizes; `of` tells what each is called."""
    wanted, lines = set(sizes), list[str]()
    for array in inputs:
        slots = [str(axis) if axis.is_name else "" for axis in array.shape]
        here = [one for one in dict.fromkeys(slots) if one in wanted]
        if not here:
            continue
        wanted -= set(here)
        word = words[array.name]
        if len(here) == 1:
            lines.append(f"{of[here[0]]} = {word}.shape[{slots.index(here[0])}]")
            continue
        targets: list[str] = []
        for place, slot in enumerate(slots):
            new = slot in here and slots.index(slot) == place
            targets.append(of[slot] if new else "_")
        lines.append(f"{', '.join(targets)} = {word}.shape")
    if not wanted:
        return lines
    told = places([array.shape for array in inputs])
    if unknown := wanted - told.keys():
        raise ShapeError(f"the size {min(unknown)} is not known here; no input carries it")
    texts = {one: of[one] for one in {*sizes} - wanted}
    for one, place in told.items():
        if one in wanted or one not in texts:
            text = _left_over(
                place, f"{words[inputs[place.array].name]}.shape[{place.axis}]", texts
            )
            if one in wanted:
                lines.append(f"{of[one]} = {text.text}")
            texts[one] = of[one] if one in wanted else text.at(ATOM)
    return lines


def _left_over(place: Place, length: str, texts: Mapping[str, str]) -> Code:
    """The number behind a name, from the length of the axis that tells it."""
    desk = Desk({}, {}, texts)
    found = Code(length, holds="number")
    if place.rest.terms:
        found = total([found, desk.size(place.rest)], desk, [False, True])
    if place.count.number != 1:
        text = f"{found.at(PRODUCT)} // {desk.size(place.count).at(POWER)}"
        found = Code(text, PRODUCT, "number")
    if place.power > 1:
        root = power(found, number(Fraction(1, place.power)), desk)
        found = Code(f"round({root.text})", holds="number")
    return found


# ── around them ──────────────────────────────────────────────────────────────────────────────


def shape_text(array: Array) -> str:
    """The shape as a tuple; nothing for a number."""
    shape = ", ".join(map(str, array.shape))
    return f"({shape},)" if len(array.shape) == 1 else f"({shape})" if shape else ""


def shortened(parts: Sequence[str]) -> list[str]:
    """The first two and the last, if there are many."""
    return [*parts[:2], "...", parts[-1]] if len(parts) > MANY else list(parts)


def commented(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Lines with their comments below one another."""
    width = max((len(line) for line, note in lines if note and len(line) <= WIDEST), default=0)
    return [f"{line.ljust(width)}  # {note}" if note else line for line, note in lines]


def leaves(nest: Nest) -> Iterator[str]:
    """The arrays of a nest, in order."""
    if isinstance(nest, str):
        yield nest
        return
    for part in nest.values() if isinstance(nest, Mapping) else nest:
        yield from leaves(part)


def nest_text(nest: Nest, words: Mapping[str, str]) -> str:
    """The nest as a literal: dicts, lists and tuples of variables."""
    if isinstance(nest, str):
        return words[nest]
    if isinstance(nest, Mapping):
        parts = (f"{literal(key)}: {nest_text(part, words)}" for key, part in nest.items())
        return "{" + ", ".join(parts) + "}"
    inner = ", ".join(nest_text(part, words) for part in nest)
    if isinstance(nest, list):
        return f"[{inner}]"
    return f"({inner},)" if len(nest) == 1 else f"({inner})"


def literal(key: object) -> str:
    """A key of a dict: a string in double quotes, ASCII, or else as Python writes it."""
    if not isinstance(key, str):
        return repr(key)
    return '"' + ascii(key)[1:-1].replace('"', '\\"') + '"'
