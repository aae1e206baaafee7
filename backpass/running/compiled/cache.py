"""Where compiled source is kept: a folder that nobody else can write to, or no folder at all.

A file is called after a hash of its text, which tells all versions that the machine code depends
on, and the machine code lies beside it. Whoever writes there is run, so the folder must be ours.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import stat
import sys
import tempfile
import warnings
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from backpass.running.compiled.blas import enter_blas
from backpass.running.compiled.object_code import Linked, compiled, linked


def load(text: str) -> Linked:
    """The function `epoch` of a source, as machine code, from the cache where that is there."""
    name = f"backpass_step_{hashlib.sha256(text.encode()).hexdigest()[:40]}"
    path = (folder() or _passing()) / f"{name}.py"
    kept = path.with_suffix(".o")
    if kept.exists() and (found := linked(kept.read_bytes())) is not None:
        return found
    enter_blas()  # before numba looks: what it has missed once, it never finds
    _write(path, text.encode())
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    code = compiled(module.epoch)
    _write(kept, code)
    made = linked(code)
    assert made is not None, "numba, which is here, knows all that it calls"
    return made


@cache
def _passing() -> Path:
    """A folder of this process, gone when it ends."""
    folder = tempfile.TemporaryDirectory(prefix="backpass-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _write(path: Path, content: bytes) -> None:
    """Write beside the place, then rename: another process finds all of it or nothing."""
    number, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(number, "wb") as file:
        file.write(content)
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
