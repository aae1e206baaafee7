"""Names in mathematics: A1 is A with an index, delta is δ, and what is written behind a name."""

from __future__ import annotations

import re

from backpass.reading.boxes import Box, Digits, Letter, Low, Plain, Primed, Sign, Word, row
from backpass.reading.plain import LOW, LOWERED, greek

COMMA = Sign(",", alone=True)
WORDS = {greek(chr(code)): chr(code) for code in (*range(0x391, 0x3AA), *range(0x3B1, 0x3CA))}


def symbol(name: str) -> Box:
    """A name in mathematics: `A1` is A_1, `delta` is δ, `W_out` has a subscript, k′ its prime."""
    found = LOW.search(name)
    if found and found.end() == len(name):
        return Low(_letters(name[: found.start()]), line(found[0].translate(LOWERED)))
    bare = name.rstrip("′")
    primes = len(name) - len(bare)
    if bare.startswith("∇"):
        box = row(Letter("∇"), symbol(bare[1:]))
    else:
        box = indexed(bare)
    return Primed(box, primes) if primes else box


def line(text: str) -> Box:
    """Names, numbers and signs in a row: `(n×k)(k×j) → n×j`, or the number of a layer, l−1."""
    parts: list[Box] = []
    for one in re.findall(r"\d+|\w+′*|\s[^\w\s]\s|[^\w\s]", text):
        if one.isdigit():
            parts.append(Digits(one))
        elif one[0].isidentifier():
            parts.append(Plain(one) if one == "scalar" else symbol(one))
        else:
            spaced = one[0] == one[-1] == " "
            parts.append(Sign(one.strip().replace("-", "−"), alone=not spaced))
    return row(*parts)


def indexed(name: str, *index: Box) -> Box:
    """A name cut into its letters and its index, and what else stands low."""
    base, low = _parts(name)
    inside: list[Box] = []
    if low:
        plain = Digits(low) if low.isdigit() else Letter(low) if len(low) == 1 else Word(low)
        inside = [plain, COMMA] if index else [plain]
    below = (*inside, *index)
    return Low(_letters(base), row(*below)) if below else _letters(base)


def _parts(name: str) -> tuple[str, str]:
    found = re.fullmatch(r"([^\W\d_]+?)_?(\d+)", name)
    if found:
        return found[1], found[2]
    base, _, low = name.partition("_")
    letter = len(base) == 1 or base in WORDS
    return (base, low) if letter and low and "_" not in low else (name, "")


def _letters(text: str) -> Box:
    if len(text) == 1:
        return Letter(text)
    return Letter(WORDS[text]) if text in WORDS else Word(text)
