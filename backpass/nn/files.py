"""Files that appear whole or not at all."""

from __future__ import annotations

import glob
import os
from contextlib import suppress
from pathlib import Path

from backpass.language.errors import BackpassError


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write a file; a crash in between leaves what was there before.

    Text becomes UTF-8. Raises BackpassError where the folder is missing or cannot be written.
    """
    path = Path(path)
    beside = _beside(path)
    try:
        with beside.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException as error:  # an interruption, too, leaves nothing behind
        if beside.parent.is_dir():
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _refusal(path, error) from error
        raise
    _keep_name(path)


def clear_away(path: str | Path) -> None:
    """Remove the beginnings of this file that were left by processes which are no more."""
    path = Path(path)
    if os.name != "posix":  # elsewhere nobody can be asked after without being ended
        return
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        number = left.name.split(".")[-2]
        if number.isdigit() and not _runs(int(number)):
            left.unlink(missing_ok=True)


def append_line(path: str | Path, line: str, *, fresh: bool) -> None:
    """Add a line to a text, or begin it anew; BackpassError where that cannot be."""
    path = Path(path)
    try:
        with path.open("w" if fresh else "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise _refusal(path, error) from error


def check_writable(path: str | Path) -> None:
    """Raise at once, before hours of work, what `write_whole` would raise at their end."""
    path = Path(path)
    beside = _beside(path)
    try:
        with beside.open("xb"):
            pass
        beside.unlink()
    except OSError as error:
        raise _refusal(path, error) from error


def reason(error: OSError) -> str:
    """What the system says, in its own words."""
    return (error.strerror or str(error)).lower()


def _beside(path: Path) -> Path:
    """Where the content lies until all of it is there; folders and devices are not replaced."""
    if path.is_dir():
        raise BackpassError(f"{path} cannot be written: it is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise BackpassError(f"{path} cannot be written: it is a device and no file")
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _keep_name(path: Path) -> None:
    """Make the folder itself durable: else a power cut could take the new name back."""
    if os.name != "posix":  # Windows opens no folders
        return
    with suppress(OSError):  # some file systems cannot, and the file is there all the same
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return process != os.getpid()


def _refusal(path: Path, error: OSError) -> BackpassError:
    return BackpassError(f"{path} cannot be written: {reason(error)}")
