"""Steps as statements, cut where names stand: what two equal layers share is the text between."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from backpass.language.program import Array, Program, Step
from backpass.language.shapes import Shape, Size, size
from backpass.reading.passes import Passes, origins
from backpass.running.numpy import frame
from backpass.running.numpy.code import Desk
from backpass.running.numpy.steps import statements

# A string, an attribute, a keyword of a call; then what may be cut out: a name or a number.
TOKENS = re.compile(
    r"""
    "[^"]*" | \.[A-Za-z_]\w* | \b[A-Za-z_]\w*=(?!=)
    | ( \b[A-Za-z_]\w* | \b\d[\w.]* (?: (?<=e)[-+]\d+ )? )
    """,
    re.VERBOSE,
)
ENDLESS = 10**9


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines that assign an array: text, word, text, word, …, text.

    The words are arrays, sizes and whole numbers. Statements with the same `key` differ in
    nothing else.
    """

    word: str
    shape: Shape
    texts: tuple[str, ...]
    words: tuple[str, ...]
    key: tuple[str, ...]

    def filled(self, words: Iterable[str]) -> list[str]:
        """The lines with other words in the same places."""
        pairs = zip_longest(self.texts, words, fillvalue="")
        text = "".join(chain.from_iterable(pairs))
        return text.replace("]**", "] ** ").split("\n")  # a power stands close to names alone


@dataclass(frozen=True)
class Draft:
    """Both passes as statements; all names are their words in the unrolled source.

    `origins` tells which forward lines a backward one comes from, and `sources` what it is the
    gradient of.
    """

    desk: Desk
    functions: tuple[str, ...]
    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    arrays: Mapping[str, Array]
    sizes: Mapping[str, Size]
    origins: Mapping[str, frozenset[str]]
    sources: Mapping[str, str]


def drafted(passes: Passes, program: Program, returned: Collection[str], name: str) -> Draft:
    """Both passes of a program that returns these arrays."""
    functions = frame.unspelled(program.steps)
    desk = replace(frame.desk_of(program, functions, name), width=ENDLESS)
    names = desk.names
    known = {*(names[array] for array in program.arrays), *desk.size_names.values()}

    def cut(steps: Sequence[Step]) -> tuple[Statement, ...]:
        return tuple(_cut(step, desk, known, own=step.name in returned) for step in steps)

    return Draft(
        desk,
        tuple(names[one] for one in functions),
        cut(passes.forward.steps),
        cut(passes.backward),
        {names[one]: array for one, array in program.arrays.items()},
        {word: size(one) for one, word in desk.size_names.items()},
        {
            names[step.name]: frozenset(names[origin.step] for origin in origins(step))
            for step in passes.backward
        },
        {names[gradient]: names[of] for gradient, of in passes.gradients.items()},
    )


def _cut(step: Step, desk: Desk, known: Collection[str], *, own: bool) -> Statement:
    text = "\n".join(statements(step, desk, own=own))
    texts, words, end = list[str](), list[str](), 0
    for found in TOKENS.finditer(text):
        if found[1] and (found[1] in known or found[1].isdigit()):
            texts.append(text[end : found.start()])
            words.append(found[1])
            end = found.end()
    texts.append(text[end:])
    key = tuple(map(_ranked, texts))
    return Statement(desk.names[step.name], step.target.shape, tuple(texts), tuple(words), key)


def _ranked(text: str) -> str:
    """The text with the letters of an einsum by their rank.

    NumPy sums in the order of the letters, so letters of equal rank say the same.
    """

    def ranks(found: re.Match[str]) -> str:
        letters = sorted({letter for letter in found[0] if letter.isalpha()})
        return re.sub(r"[A-Za-z]", lambda letter: str(letters.index(letter[0])) + ".", found[0])

    return re.sub(r'"[A-Za-z,]*->[A-Za-z]*"', ranks, text)


def temporaries(statements: Iterable[Statement]) -> Iterator[str]:
    """Names in the texts between the words: functions, modules, and variables of inner loops."""
    for statement in statements:
        for text in statement.texts:
            yield from (found[1] for found in TOKENS.finditer(text) if found[1])
