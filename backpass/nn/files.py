"""Files that appear whole or not at all."""

from __future__ import annotations

import os
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
    except OSError as error:
        if beside.parent.is_dir():
            beside.unlink(missing_ok=True)
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


def _refusal(path: Path, error: OSError) -> BackpassError:
    return BackpassError(f"{path} cannot be written: {reason(error)}")
