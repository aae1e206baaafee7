"""`model.py::loss`: a function out of a user's file, or one sentence about why there is none."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from backpass.language.errors import BackpassError, TraceError, UnknownName, nearest


def load_function(target: str) -> Callable[..., Any]:
    """Import a file as Python would run it, and give the function named behind `::`.

    The file's folder is on `sys.path`, so that it finds its neighbours. Raises BackpassError for
    a file that is missing or cannot be imported, UnknownName for a function that it lacks.
    """
    path, _, name = target.rpartition("::") if "::" in target else (target, "", "")
    module = load_module(Path(path))
    found = getattr(module, name, None)
    if callable(found):
        return found
    if found is not None:
        raise BackpassError(f"{name} in {path} is no function but {found!r}"[:200])
    own = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    if not name:
        example = own[-1] if own else "loss"
        raise BackpassError(f"say which function of {path} is meant, as in {path}::{example}")
    raise UnknownName(f"{path} has no function {name}{nearest(name, own)}")


def load_module(path: Path) -> ModuleType:
    """Import a file as Python would run it, its folder on `sys.path`."""
    if path.is_dir():
        raise BackpassError(f"{path} is a folder; name a file in it, as in {path}/model.py::loss")
    if not path.is_file():
        there = [str(other) for other in path.parent.glob("*.py")]
        raise BackpassError(f"there is no file {path}{nearest(str(path), there)}")
    spec = importlib.util.spec_from_file_location(path.name, path)
    if spec is None or spec.loader is None:
        raise BackpassError(f"{path} is no Python file; its name must end in .py")
    sys.path.insert(0, str(path.parent.resolve()))
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.name] = module  # dataclasses look there; nothing else is called model.py
    try:
        spec.loader.exec_module(module)
    except BackpassError:
        raise
    except SyntaxError as error:
        where = f"{Path(error.filename or path).name}:{error.lineno}"
        raise TraceError(
            f"Python cannot read it: {error.msg}", line=error.text, where=where
        ) from None
    except (Exception, SystemExit) as error:
        raise _failed(path, error) from error
    return module


def _failed(path: Path, error: BaseException) -> BackpassError:
    """What went wrong, at the last line that is the user's own."""
    folder = str(path.parent.resolve())
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if str(Path(frame.filename).resolve()).startswith(folder)]
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else path.name
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return TraceError(
        f"importing it raises {said}", line=own[-1].line if own else None, where=where
    )
