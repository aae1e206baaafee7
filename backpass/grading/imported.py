"""A submission as a module, from texts that were read before anybody's code ran.

No file of it is opened again, so what another submission does to the folder changes nothing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import sys
from collections.abc import Mapping, Sequence
from types import CodeType, ModuleType
from typing import Any


def imported(sources: Mapping[str, str], main: str) -> ModuleType:
    """Run the main file as a module; the others can be imported beside it, by their names."""
    for name, text in sources.items():
        lines = [f"{line}\n" for line in text.split("\n")]
        linecache.cache[name] = (len(text), None, lines, name)  # tracebacks quote it
    finder = _Finder(sources)
    sys.meta_path.insert(0, finder)
    spec = finder.spec(main)
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(spec.name, module)
    spec.loader.exec_module(module)
    return module


def _dotted(path: str) -> str:
    """`net/layers.py` is net.layers, and `net/__init__.py` is net."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


_TAKEN = {*sys.stdlib_module_names, "numpy", "backpass"}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds modules among texts, and runs them."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.files = {_dotted(path): path for path in sources}
        self.texts = dict(sources)
        folders = {path.rpartition("/")[0] for path in sources if "/" in path}
        self.folders = {folder.replace("/", ".") for folder in folders} - self.files.keys()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in _TAKEN:  # what NumPy may import later
            return None
        if fullname in self.files:
            return self.spec(self.files[fullname])
        if fullname in self.folders:
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def spec(self, file: str) -> importlib.machinery.ModuleSpec:
        """How a file becomes a module that knows where it stands."""
        package = file.endswith("/__init__.py")
        found = importlib.machinery.ModuleSpec(_dotted(file), self, origin=file, is_package=package)
        found.has_location = True
        return found

    def get_source(self, fullname: str) -> str:
        file = self.files.get(fullname)
        return "" if file is None else self.texts[file]

    def get_code(self, fullname: str) -> CodeType:
        file = self.files.get(fullname, fullname)
        return compile(self.get_source(fullname), file, "exec", dont_inherit=True)
