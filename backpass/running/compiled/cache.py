"""Where compiled source is kept: a folder that nobody else can write to, or no folder at all.

A file is called after a hash of its text, which tells all versions that the machine code depends
on; numba keeps the code beside it. What numba reads back is a pickle, so the folder must be ours.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

STAMP = 1_000_000_000  # the time of every file: numba asks for it, and two writers must agree


def load(text: str) -> Callable[..., Any]:
    """The function `epoch` of a source with `{cache}` in it, from the cache where there is one."""
    where = folder()
    text = text.replace("{cache}", str(where is not None))
    name = f"backpass_step_{hashlib.sha256(text.encode()).hexdigest()[:40]}"
    path = (where or _passing()) / f"{name}.py"
    if not path.exists() or path.read_text("utf-8") != text:
        _write(path, text)
    if name in sys.modules:
        return sys.modules[name].epoch
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # cached code looks for its module by this name
    spec.loader.exec_module(module)
    return module.epoch


@cache
def _passing() -> Path:
    """A folder of this process, gone when it ends."""
    folder = tempfile.TemporaryDirectory(prefix="backpass-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _write(path: Path, text: str) -> None:
    """Write beside the place, then rename: another process finds all of it or nothing."""
    number, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
    os.utime(name, (STAMP, STAMP))
    Path(name).replace(path)


def folder() -> Path | None:
    """The cache folder; None, with a warning, where there is none that is ours alone."""
    path = _place() / "backpass" / "compiled"
    reason = _prepare(path)
    if reason is None:
        return path
    _warn(f"compiled steps are not cached, because {path} {reason}")
    return None


def _place() -> Path:
    """Where programs keep what they can make again."""
    given = os.environ.get("XDG_CACHE_HOME")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path.home() / ".cache"


def _prepare(path: Path) -> str | None:
    """Make the folder if it is missing; why it cannot be used, if it cannot."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except (OSError, RuntimeError) as error:  # no home, no permission, a file in its place
        return f"cannot be made ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder"
    if hasattr(os, "getuid"):
        if found.st_uid != os.getuid():
            return "belongs to somebody else"
        if found.st_mode & 0o077:
            return f"is open to others (chmod 700 {path} closes it)"
    return None if os.access(path, os.W_OK) else "cannot be written to"


@cache
def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=6)
