"""How lines reach a stream: colours as accents, and ASCII where nothing else goes.

Colours come from rich, and only where somebody looks: on a terminal without `NO_COLOR`. A stream
that has no σ gets the ASCII reading; control characters reach none.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from backpass.language.errors import BackpassError
from backpass.nn.files import reason
from backpass.reading.lines import Line, Role, Span, joined
from backpass.reading.plain import Pen, spell
from backpass.reading.words import translate

if TYPE_CHECKING:
    from rich.text import Text

ASCII = Pen(ascii=True)

STYLES: dict[Role, str] = {
    "heading": "bold",
    "name": "cyan",
    "formula": "",
    "shape": "dim",
    "reason": "italic dim",
    "words": "",
    "good": "green",
    "bad": "bold red",
}


def ascii_only(encoding: str | None) -> bool:
    """Whether an encoding lacks the letters of formulas."""
    try:
        "Σ½²⊙×−→ₙ′∂σ".encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return True
    return False


def coloured(stream: TextIO) -> bool:
    """Whether somebody looks who wants colours."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in ("dumb", "unknown")
    return stream.isatty() and not plain


def clean(text: str) -> str:
    """The text without control characters, which could repaint a terminal."""
    return "".join(one for one in text if one.isprintable() or one == "\n")


def letters(text: str, ascii: bool) -> str:
    """A text in the letters that a stream has."""
    text = clean(text.expandtabs(4))
    return spell(translate(text, ASCII), ASCII) if ascii else text


def styled(lines: Iterable[Line], *, ascii: bool) -> Text:
    """Lines with their accents, as rich takes them; brackets are never markup."""
    from rich.text import Text

    text = Text()
    for place, line in enumerate(lines):
        text.append("\n" if place else "")
        for span in line:
            text.append(letters(span.text, ascii), STYLES[span.role])
    return text


def show(lines: Sequence[Line], stream: TextIO) -> None:
    """Print lines, with colours where they are wanted."""
    ascii = ascii_only(stream.encoding)
    if coloured(stream):
        from rich.console import Console

        text = styled(lines, ascii=ascii)
        Console(file=stream, highlight=False).print(text, soft_wrap=True)
    else:
        stream.write(letters(joined(lines), ascii) + "\n")


def show_error(error: BackpassError) -> None:
    """One sentence on standard error, and below it the line that it speaks of."""
    sentence, *quoted = str(error).split("\n")
    start: Line = (Span("Error: ", "bad"), Span(sentence, "words"))
    show([start, *((Span(line, "reason"),) for line in quoted)], sys.stderr)


def show_unwritten(error: OSError) -> None:
    """Say why standard output took no more, and give up what is left to be written to it."""
    with suppress(OSError):  # both streams may go to the same full disk
        show_error(BackpassError(f"the answer cannot be written: {reason(error)}"))
    with suppress(OSError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())  # Python flushes once more when it ends


def show_json(value: Any) -> None:
    """A value as JSON, all of it ASCII where nothing else goes."""
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only(sys.stdout.encoding))
    sys.stdout.write(text + "\n")
