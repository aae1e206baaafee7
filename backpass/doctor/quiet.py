"""What a watched run must not do: write files, open windows, wait for an answer, fill the terminal.

What it writes goes to a folder that is thrown away, from where it can be read again; a question is
answered with an empty line.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Run code so, and hand over what it printed."""
    printed = io.StringIO()
    with (
        tempfile.TemporaryDirectory(prefix="backpass-") as folder,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        _exchanged(builtins, "open", _Opener(Path(folder), builtins.open)),
        _exchanged(io, "open", _Opener(Path(folder), io.open)),
        _exchanged(builtins, "input", _unanswered),
        _windows(),
    ):
        yield printed


class _Opener:
    """`open`, for which files that are written lie elsewhere."""

    def __init__(self, folder: Path, plain: Any) -> None:
        self.folder = folder
        self.plain = plain

    def __call__(self, file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if isinstance(file, int) or not isinstance(mode, str):
            return self.plain(file, mode, *rest, **named)
        wanted = Path(os.fsdecode(file)).absolute()
        kept = self.folder / "_".join(wanted.parts[1:])
        if set(mode) & set("wax+") and wanted != Path(os.devnull):
            if not kept.exists() and not set(mode) & set("wx") and wanted.is_file():
                with self.plain(wanted, "rb") as old, self.plain(kept, "wb") as new:
                    shutil.copyfileobj(old, new)
            return self.plain(kept, mode, *rest, **named)
        return self.plain(kept if kept.exists() else file, mode, *rest, **named)


def _unanswered(prompt: object = "", /) -> str:
    sys.stdout.write(f"{prompt}\n")
    return ""


@contextlib.contextmanager
def _exchanged(holder: Any, name: str, other: Any) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, other)
    try:
        yield
    finally:
        setattr(holder, name, before)


@contextlib.contextmanager
def _windows() -> Iterator[None]:
    """Figures are drawn and not shown."""
    backend = os.environ.get("MPLBACKEND")
    pyplot = sys.modules.get("matplotlib.pyplot")
    os.environ["MPLBACKEND"] = "Agg"
    shown = contextlib.nullcontext() if pyplot is None else _exchanged(pyplot, "show", _unshown)
    try:
        with shown:
            yield
    finally:
        if backend is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = backend


def _unshown(*_: object, **__: object) -> None:
    return None
