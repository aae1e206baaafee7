"""Programs whose variations and mistakes stand beside their lines, as comments.

A file of `programs/` runs as it is. Its comments say what else it could be:

    #: key: value           a fact about the program, at its head
    # = tanh: code           the line above, in variations that have this tag
    # ! 16 [relu]: code      the line above, with mistake 16 of the catalogue (where relu is a tag)
    # + 31: code             a line more, in mistake 31
    # - 31                   the line above is gone
    # ? 31                   the line above may be blamed for 31 too

`[a&b|c]` asks for a and b, or for c; `16b` is another way to make mistake 16; a `\\n` in code
begins another line. All marks of one key are one mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"
MARK = re.compile(r"\s*# ([=!+\-?]) ([^\s:]+)(?: \[([^\]]+)\])?:? ?(.*)$")


@dataclass(frozen=True, slots=True)
class Variation:
    """One correct program: a file of the folder with a hidden activation, an output and a loss."""

    file: str
    hidden: str
    output: str
    loss: str

    @property
    def name(self) -> str:
        return f"{self.file} {self.hidden} {self.output} {self.loss}"

    @property
    def tags(self) -> frozenset[str]:
        return frozenset({self.hidden, f"out-{self.output}", self.loss})

    @property
    def head(self) -> dict[str, str]:
        return _head(self.file)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a program, and the lines that may be blamed for each of its mistakes."""

    text: str
    lines: dict[str, frozenset[int]]
    origins: dict[str, frozenset[int]]  # lines of the file that a mistake changes


@cache
def _lines(file: str) -> tuple[str, ...]:
    return tuple((FOLDER / f"{file}.py").read_text("utf-8").splitlines())


@cache
def _head(file: str) -> dict[str, str]:
    entries = (line[3:].split(": ", 1) for line in _lines(file) if line.startswith("#: "))
    return dict(entries)


def variations() -> list[Variation]:
    """All correct programs."""
    return [
        Variation(path.stem, *each.split())
        for path in sorted(FOLDER.glob("*.py"))
        if path.stem != "__init__"
        for each in _head(path.stem)["variants"].split(" | ")
    ]


def holds(condition: str | None, tags: frozenset[str]) -> bool:
    """Whether the tags fulfil a condition such as `relu&mse|tanh`."""
    return not condition or any(set(one.split("&")) <= tags for one in condition.split("|"))


def keys(variation: Variation) -> list[str]:
    """The mistakes that can be made in this program, each by its key."""
    marks = (MARK.match(line) for line in _lines(variation.file))
    found = [m[2] for m in marks if m and m[1] in "!+-" and holds(m[3], variation.tags)]
    return list(dict.fromkeys(found))


def number(key: str) -> int:
    """The number in the catalogue: 16 for `16` and `16b`."""
    return int(key.rstrip("abcdefgh"))


def written(variation: Variation, made: tuple[str, ...] = ()) -> Source:
    """The program with these mistakes in it, and without any mark."""
    out: list[str] = []
    lines: dict[str, set[int]] = {key: set() for key in made}
    origins: dict[str, set[int]] = {key: set() for key in made}
    at, indent = 0, ""  # where the line that marks speak of begins
    for index, line in enumerate(_lines(variation.file)):
        mark = MARK.match(line)
        if line.startswith("#: "):
            continue
        if not mark:
            at, indent = len(out), line[: len(line) - len(line.lstrip())]
            origin = index
            out.append(line)
            continue
        sign, key, condition, code = mark.groups()
        text = [indent + one for one in code.split("\\n")]
        if sign == "=":
            if holds(key, variation.tags) and holds(condition, variation.tags):
                out[at:] = text
            continue
        if key not in made or not holds(condition, variation.tags):
            continue
        if sign == "+":
            lines[key] |= {len(out) + 1 + i for i in range(len(text))}
            origins[key].add(-index)
            out += text
            continue
        if sign in "!-":
            out[at:] = text if sign == "!" else []
            origins[key].add(origin)
        here = {at + 1 + i for i in range(len(out) - at)}
        if sign == "-" or code == "pass":
            # of what is left out, the line before is the last that should have been followed
            here |= {at, at + 1}
        lines[key] |= here
    text = "\n".join(out).lstrip("\n") + "\n"
    cut = len(out) - len(("\n".join(out)).lstrip("\n").split("\n"))
    return Source(
        text,
        {key: frozenset(n - cut for n in found) for key, found in lines.items()},
        {key: frozenset(found) for key, found in origins.items()},
    )
