"""Names in emitted source: identifiers made here, whatever the quantities are called."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable, Mapping

SPOKEN = {"′": "_prime", "″": "_prime_prime", "∇": "grad_", "∂": "d", "Σ": "sum_"}


def identifier(name: str) -> str:
    """The name in ASCII letters, digits and underscores: `W′` → `W_prime`, `σ1` → `sigma1`."""
    text = "".join(SPOKEN.get(letter) or _ascii(letter) for letter in name) or "_"
    return f"_{text}" if text[0].isdigit() else text


def _ascii(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter)
    kept = "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "_"))
    if kept:
        return kept
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] and len(words) >= 4:  # GREEK SMALL LETTER SIGMA
        return words[3].capitalize() if words[1] == "CAPITAL" else words[3].lower()
    return "_"


def assign(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """An identifier for each name, none of them taken, a keyword, or a builtin."""
    used = {*taken, *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
    result: dict[str, str] = {}
    for name in names:
        if name in result:
            continue
        word = identifier(name)
        while word in used:
            word += "_"
        used.add(word)
        result[name] = word
    return result


def as_comment(text: str) -> str:
    """Text that somebody else wrote, as one comment line that can hold nothing but the text."""
    return "# " + text.strip().encode("unicode_escape").decode("ascii")


def renamed(names: Mapping[str, str]) -> dict[str, str]:
    """The names whose identifier is another word, for the reader to be told."""
    return {name: word for name, word in names.items() if name != word}
