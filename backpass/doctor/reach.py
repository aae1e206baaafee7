"""Which functions of the user's a callable may run."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CellType, FunctionType, MethodType, ModuleType

import numpy as np

_LIBRARIES = (
    *(
        str(Path(found).resolve())
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
        if (found := sysconfig.get_paths().get(name))
    ),
    str(Path(__file__).resolve().parents[1]) + os.sep,  # a checkout is installed nowhere
)
_PACKAGES = {"site-packages", "dist-packages"}  # the system's or a user's, which a venv may see
_TYPED = (  # typed in, or made by exec
    "<ipython", "<doctest", "<string", "<stdin", "<python-input", "<input", "<console", "<unknown",
)  # fmt: skip
_NUMBERS = (bool, int, float, np.number)


# ── functions ────────────────────────────────────────────────────────────────────────────────


def functions(roots: Iterable[object]) -> list[FunctionType]:
    """Every function of the user's that can be reached from these objects, each once.

    Functions of installed packages are not the user's; what they call of the user's is found
    where the user hands it over.
    """
    found: list[FunctionType] = []
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType) and is_users(one.__code__.co_filename):
            found.append(one)
        waiting.extend(_next(one))
    return sorted(found, key=lambda one: (one.__code__.co_filename, one.__code__.co_firstlineno))


def is_users(file: str) -> bool:
    """Whether a file is neither Python's nor an installed package's."""
    if file.startswith("<") and not file.startswith(_TYPED):
        return False
    return not _is_installed(file)


@functools.cache
def _is_installed(file: str) -> bool:
    path = Path(file).resolve()
    return bool(_PACKAGES & {*path.parts}) or str(path).startswith(_LIBRARIES)


def _next(one: object) -> Iterable[object]:
    match one:
        case FunctionType():
            if not is_users(one.__code__.co_filename):
                return ()
            cells = [cell.cell_contents for cell in one.__closure__ or () if _is_full(cell)]
            named = (one.__globals__.get(name) for name in _names(one))
            return [*cells, *named, *(one.__defaults__ or ()), getattr(one, "__wrapped__", None)]
        case MethodType():
            return one.__func__, one.__self__
        case functools.partial():
            return one.func, *one.args, *one.keywords.values()
        case ModuleType():
            file = getattr(one, "__file__", None)
            return list(vars(one).values()) if file and is_users(file) else ()
        case type():
            return [*map(_plain, vars(one).values()), *one.__bases__] if is_users_type(one) else ()
        case dict():
            return list(one.values())
        case list() | tuple() | set() | frozenset():
            return () if one and isinstance(next(iter(one)), _NUMBERS) else list(one)
        case _:
            attributes = list(getattr(one, "__dict__", {}).values())
            return [type(one), *attributes] if is_users_type(type(one)) else ()


def _names(function: FunctionType) -> Iterator[str]:
    """The global names that a function and the functions inside it may read."""
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        yield from code.co_names
        waiting.extend(one for one in code.co_consts if isinstance(one, type(code)))


def _is_full(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # not yet assigned
        return False


def is_users_type(kind: type) -> bool:
    """Whether a class is neither Python's nor an installed package's."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if kind.__module__ == "builtins":
        return False
    return file is None or is_users(file)  # a class made by exec, or in a notebook, has no file


def _plain(member: object) -> object:
    match member:
        case staticmethod() | classmethod():
            return member.__func__
        case property():
            return member.fget
        case _:
            return member
