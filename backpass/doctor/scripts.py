"""A file that trains as it is run: one turn of a loop of it, made into a call.

The lines above the loop have run once, and the loop alone is called, as if it were a function. Its
source is the file's with all other lines empty, so that lines keep their numbers; functions of the
file stay, since the loop calls them. The empty line below the loop ends it after its first turn.
"""

from __future__ import annotations

import ast
import builtins
import functools
import linecache
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

from backpass.doctor.quiet import quiet

# a function compiles to the same code only where the compiler sees that np is an import
KEPT = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom
LOOPS = ast.For | ast.While
Call = Callable[[], None]
LONG = 10.0  # seconds that a file may take to come in
SOON = 0.1  # and after which to look again whether an import is over


@dataclass(frozen=True, slots=True)
class Script:
    """A loop at the top of a file; `first` to `last` are its lines, `indent` that of its body."""

    path: Path
    source: str
    first: int
    last: int
    indent: int | None  # None where it has an `else`, or no lines of its own

    @property
    def name(self) -> str:
        """What the call is called."""
        return f"the loop of line {self.first}"

    @contextmanager
    def call(self) -> Iterator[Call]:
        """The loop as a function without arguments, while whoever reads the file sees it alone.

        Raises what the lines above the loop raise, and TooLong where they take too long.
        """
        file, text = str(self.path), self._alone()
        module = ModuleType(self.path.name)
        vars(module).update(__file__=file, __name__="__main__", __builtins__=builtins)
        entry, main = linecache.cache.get(file), sys.modules["__main__"]
        linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
        sys.modules["__main__"] = module  # its classes are looked up there
        try:
            with quiet(), interrupted_after(LONG):
                FunctionType(self._above(file), vars(module))()
            code = compile(text, file, "exec", dont_inherit=True)
            loop = FunctionType(code, vars(module))
            loop.__qualname__ = self.name
            yield functools.partial(_run, loop)
        finally:
            sys.modules["__main__"] = main
            linecache.cache.pop(file, None)
            if entry is not None:
                linecache.cache[file] = entry

    def _above(self, file: str) -> Any:
        """Everything that runs before the loop."""
        tree = ast.parse(self.source, file)
        tree.body = list(_until(tree.body, self.first))
        return compile(tree, file, "exec", dont_inherit=True)

    def _alone(self) -> str:
        """The source without what is neither the loop nor a definition."""
        kept: set[int] = set()
        for body in _bodies(ast.parse(self.source)):
            for one in body:
                if isinstance(one, KEPT) or one.lineno == self.first:
                    starts = [one.lineno, *(d.lineno for d in getattr(one, "decorator_list", ()))]
                    kept |= {*range(min(starts), (one.end_lineno or one.lineno) + 1)}
                elif isinstance(one, ast.If) and one.lineno < self.first <= (one.end_lineno or 0):
                    kept |= {*range(one.lineno, one.body[0].lineno)}
        lines = [*self.source.splitlines(), ""]
        alone = [line if number in kept else "" for number, line in enumerate(lines, 1)]
        if self.indent is not None and self.last + 1 not in kept:
            alone[self.last] = f"{' ' * self.indent}break"
        return "\n".join(alone) + "\n"


def scripts(path: Path) -> list[Script]:
    """The loops at the top of a file, the longest first; those under `if __name__ …` too."""
    source = path.read_text("utf-8")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    loops = [one for body in _bodies(tree) for one in body if isinstance(one, LOOPS)]
    found = [
        Script(path, source, one.lineno, one.end_lineno or one.lineno, _indent(one))
        for one in loops
    ]
    return sorted(found, key=lambda one: one.first - one.last)


def _indent(loop: ast.For | ast.While) -> int | None:
    first = loop.body[0]
    return None if loop.orelse or first.lineno == loop.lineno else first.col_offset


def _bodies(tree: ast.Module) -> Iterator[Sequence[ast.stmt]]:
    """What runs at the top: the file's own statements, and what stands under a condition there."""
    yield tree.body
    yield from (one.body for one in tree.body if isinstance(one, ast.If))


def _until(body: Sequence[ast.stmt], line: int) -> Iterator[ast.stmt]:
    for one in body:
        if isinstance(one, ast.If) and one.lineno < line <= (one.end_lineno or 0):
            above = list(_until(one.body, line))
            if above:
                yield ast.If(one.test, above, [], lineno=one.lineno, col_offset=one.col_offset)
        elif one.lineno < line:
            yield one


def _run(loop: FunctionType) -> None:
    """Run it, and forget what it made on its way: names, and functions defined anew."""
    space = loop.__globals__
    names = {*space}
    defined = {name: one for name, one in space.items() if isinstance(one, FunctionType | type)}
    try:
        loop()
    finally:
        for name in {*space} - names:
            del space[name]
        space.update(defined)


class TooLong(BaseException):
    """Code that was to end and went on; no `except Exception` of the user's holds it up."""


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Raise TooLong in code that runs for longer, where the system can interrupt it.

    A module that it imports is left to come in whole, since half of it would stay.
    """
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getitimer(signal.ITIMER_REAL)[0]:  # somebody is waiting already
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        if _imports(frame):
            signal.setitimer(signal.ITIMER_REAL, SOON)
        else:
            raise TooLong

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _imports(frame: FrameType | None) -> bool:
    """Whether an import statement is under way."""
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load":
            return True
        frame = frame.f_back
    return False
