"""What a watched run must not do: write files, open windows, wait for an answer, fill the terminal.

What it writes goes to a folder that is thrown away, from where it can be read again; a question is
answered with an empty line, and so are those after it, as far as patience goes.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

QUESTIONS = 100  # that are answered; a program that goes on asking would never end


class Printed(io.StringIO):
    """What code printed, and what it asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def unanswered(self, prompt: object = "", /) -> str:
        """What `input` says where nobody answers."""
        self.write(f"{prompt}\n")
        self.asked.append(str(prompt))
        if len(self.asked) > QUESTIONS:
            raise EOFError("nobody answers")
        return ""


@contextlib.contextmanager
def quiet() -> Iterator[Printed]:
    """Run code so, and hand over what it printed."""
    printed = Printed()
    with (
        _silent(),
        tempfile.TemporaryDirectory(prefix="backpass-") as folder,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        _exchanged(builtins, "open", _Opener(Path(folder), builtins.open)),
        _exchanged(io, "open", _Opener(Path(folder), io.open)),
        _exchanged(builtins, "input", printed.unanswered),
        _exchanged(sys, "stdin", io.StringIO()),
        _exchanged(time, "sleep", _awake(time.sleep)),
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


def _awake(plain: Callable[[float], None]) -> Callable[[float], None]:
    """`sleep`, which here takes no time; for other threads it does."""
    here = threading.get_ident()
    return lambda seconds, /: None if threading.get_ident() == here else plain(seconds)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What a shell or a library writes, past Python, goes nowhere.

    Both streams are the whole process's, so that other threads do not take them away.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with contextlib.ExitStack() as back:
        with contextlib.suppress(OSError, ValueError):  # a process may have neither
            null = os.open(os.devnull, os.O_WRONLY)
            back.callback(os.close, null)
            for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
                stream.flush()
                kept = os.dup(number)
                back.callback(os.close, kept)
                back.callback(os.dup2, kept, number)
                os.dup2(null, number)
        yield


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
