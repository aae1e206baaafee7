"""A file that trains when it is run, and so says itself what it calls, and with what.

It is run once more, as `python mynet.py` runs it, with its calls listened to; one turn of a loop
that trains outside of any function is a call, too.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import inspect
import linecache
import sys
import time
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.annotation import Annotation
from backpass.doctor.observe import seeded
from backpass.doctor.pairs import apart, is_pairs
from backpass.doctor.patience import Moment
from backpass.doctor.quiet import quiet
from backpass.doctor.report import Report
from backpass.doctor.rewrite import codes
from backpass.doctor.scripts import TooLong, scripts
from backpass.doctor.state import Roots

Function = Callable[..., Any]
SECONDS = 5.0  # of listening; what a file does first, it does before
LONG = 0.01  # seconds of a call, while it is listened to
ATTEMPTS = 5  # calls that are worth a look
LOOPS = 2  # the longest of those at the top of a file
LOOP = "training_loop"


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that the file makes, and how it is told of."""

    function: Function
    args: Sequence[Any]
    told: str


@dataclass(slots=True)
class _Call:
    function: Function
    args: list[Any]
    moved: int = 0  # numbers and arrays that it changed
    seconds: float = 0.0


def looked_at(
    path: Path, look: Callable[[Function, Sequence[Any]], Any]
) -> tuple[Any, tuple[str, ...]] | None:
    """What comes of looking at what the file calls itself; None when nothing is recognised.

    A network whose updates nothing explains is something, if nothing better is found.
    """
    unknown: tuple[Any, tuple[str, ...]] | None = None
    try:
        found = rehearsed(path)
    except (SyntaxError, ValueError):  # what is no Python was said when it was imported
        return None
    for heard in found:
        try:
            found = look(heard.function, heard.args)
        except Exception:  # not what trains; what it raises here is nobody's concern
            continue
        if not isinstance(found, Report) or found.verdict != "unknown":
            return _as_written(found, path), (heard.told,)
        if found.loss and unknown is None:
            unknown = found, (heard.told,)
    return unknown


def _as_written(found: Any, path: Path) -> Any:
    """A listing with the file's own lines, where others stood in for the head of a loop."""
    if not isinstance(found, Annotation):
        return found
    with tokenize.open(path) as opened:
        file, lines = str(path.absolute()), opened.read().splitlines()
    return replace(
        found,
        lines=tuple(
            replace(one, source=lines[one.number - 1].rstrip()) if one.file == file else one
            for one in found.lines
            if one.source.split("(")[0].strip() != f"def {LOOP}"
        ),
    )


def rehearsed(path: Path) -> Iterator[Heard]:
    """What the file calls that may be a training step, the likeliest first.

    That is the shortest call that changes the most, then a loop at the top of the file, then the
    longest call that returns what it does not change. Of a call that takes long, one round of its
    loop is enough.
    """
    with tokenize.open(path) as opened:
        file, source = str(path.absolute()), opened.read()
    return _rehearsed(path, file, source, ast.parse(source, file))


def _rehearsed(path: Path, file: str, source: str, tree: ast.Module) -> Iterator[Heard]:
    script = ast.Module([one for node in tree.body for one in _as_script(node)], [])
    calls = _listened(script, file, path.name)
    moving = sorted((one for one in calls if one.moved), key=lambda one: (-one.moved, one.seconds))
    still = sorted((one for one in calls if not one.moved), key=lambda one: -one.seconds)
    text = _Text(file, source, script)
    for call in moving[:ATTEMPTS]:
        if 2 * call.moved >= moving[0].moved:
            yield from text.heard(call)
    for loop in scripts(path)[:LOOPS]:
        with contextlib.suppress(Exception, SystemExit, TooLong), loop.call() as turn:
            yield Heard(turn, [], f"took one round of {loop.name}")
    for call in still[:1]:
        if call.args:
            yield from text.heard(call)


def _heard(call: _Call) -> Heard:
    # a list of pairs is taken apart, for samples and targets are two arguments
    name = getattr(call.function, "__qualname__", "")
    how = "as the file does when it is run"
    pairs = next((place for place, one in enumerate(call.args) if is_pairs(one)), None)
    if pairs is None:
        return Heard(call.function, call.args, f"called {name} {how}")
    paired, flat = apart(call.function, call.args, pairs)
    return Heard(paired, flat, f"called {name} {how}, on pairs of a sample and its target")


# ── calls ────────────────────────────────────────────────────────────────────────────────────


class _Enough(BaseException):
    """Ends a rehearsal; no `except Exception` of the user's holds it up."""


def _listened(tree: ast.Module, file: str, name: str) -> list[_Call]:
    """The first call of every function of the file, which runs as a script does."""
    ear = _Ear(file)
    sys.setprofile(ear)
    try:
        _run(tree.body, file, _space(name, file))
    except _Enough:
        pass
    finally:
        sys.setprofile(None)
    return list(ear.calls.values())


def _space(name: str, file: str) -> dict[str, Any]:
    return {"__name__": name, "__file__": file, "__builtins__": builtins}


def _run(body: list[ast.stmt], file: str, space: dict[str, Any]) -> dict[str, Any]:
    """What names stand for after these statements, or after those before one that failed."""
    code = compile(ast.Module(body, []), file, "exec", dont_inherit=True)
    with quiet(), seeded(0), warnings.catch_warnings(), contextlib.suppress(SystemExit, Exception):
        warnings.simplefilter("ignore")
        FunctionType(code, space)()
    return space


def _as_script(node: ast.stmt) -> list[ast.stmt]:
    """A statement as it is, or what stands under `if __name__ == "__main__":`."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'":
        return node.body
    return [node]


@dataclass(slots=True)
class _Ear:
    """Listens to the calls of a file's functions."""

    file: str
    calls: dict[CodeType, _Call] = field(default_factory=dict[CodeType, _Call])
    open: dict[FrameType, tuple[_Call, Roots, Any, float]] = field(default_factory=dict)
    begun: Moment = field(default_factory=Moment)

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        own = frame.f_code.co_filename == self.file
        caller = frame.f_back if event == "call" else None  # what begins can end: no import halfway
        ours = own or (caller is not None and caller.f_code.co_filename == self.file)
        if ours and Moment().since(self.begun) > SECONDS:
            sys.setprofile(None)
            raise _Enough
        if event == "call" and own:
            if frame.f_code not in self.calls and not frame.f_code.co_name.startswith("<"):
                self._begins(frame)
        elif event == "return" and frame in self.open:
            call, roots, before, begun = self.open.pop(frame)
            after = roots.state().values
            call.seconds = time.process_time() - begun
            pairs = tuple(n for n, given in roots.arguments.items() if is_pairs(given))
            call.moved = sum(
                _moved(value, after.get(path))
                for path, value in before.items()
                if not path.startswith(pairs)  # which are shuffled
            )

    def _begins(self, frame: FrameType) -> None:
        code = frame.f_code
        given = [frame.f_locals[name] for name in code.co_varnames[: code.co_argcount]]
        function = _function(code, given, frame)
        if function is None or code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE):
            return
        kept = given  # as they are now: an optimiser remembers nothing yet
        with contextlib.suppress(Exception):
            kept = copy.deepcopy(given)
        call = self.calls[code] = _Call(*_bound(function, kept))
        roots = Roots.of(*_bound(function, given))
        self.open[frame] = call, roots, roots.state().values, time.process_time()


def _bound(function: Function, given: list[Any]) -> tuple[Function, list[Any]]:
    """A method of its first argument, with the others."""
    if isinstance(function, MethodType):
        return MethodType(function.__func__, given[0]), given[1:]
    return function, given


def _moved(before: NDArray[Any], after: NDArray[Any] | None) -> bool:
    """Whether these are numbers that a call changed, and left in their shape."""
    if after is None or before.dtype.kind != "f" or after.shape != before.shape:
        return False
    return bool(np.any(after != before))


def _function(code: CodeType, given: list[Any], frame: FrameType) -> Function | None:
    """The function whose code this is: a method of its first argument, or by its name."""
    if given:
        found = getattr(type(given[0]), code.co_name, None)
        if isinstance(found, FunctionType) and found.__code__ is code:
            return MethodType(found, given[0])
    held = [frame.f_globals.get(code.co_name), *frame.f_globals.values()]
    return next((f for f in held if isinstance(f, FunctionType) and f.__code__ is code), None)


# ── loops ────────────────────────────────────────────────────────────────────────────────────


def _loops(body: list[ast.stmt]) -> list[ast.For | ast.While]:
    """Loops among these statements, the last one first."""
    return [one for one in reversed(body) if isinstance(one, (ast.For, ast.While))]


@dataclass(frozen=True)
class _Text:
    """A file, whose lines are shown with one round of a loop as a function among them."""

    file: str
    source: str
    script: ast.Module

    def heard(self, call: _Call) -> Iterator[Heard]:
        """A call, after one round of its loop if it takes long or returns all that it does."""
        code = inspect.unwrap(call.function).__code__
        whole = next((one for one in ast.walk(self.script) if _is_of(one, code)), None)
        if isinstance(whole, ast.FunctionDef) and (call.seconds > LONG or not call.moved):
            bound = getattr(call.function, "__self__", None)
            given = call.args if bound is None else [bound, *call.args]
            for node in _loops(whole.body)[:1]:
                space = {**call.function.__globals__, **_names(code, given)}
                before = whole.body[: whole.body.index(node)]
                yield from self.round(node, _run(before, self.file, space), whole)
        yield _heard(call)

    def round(
        self, node: ast.For | ast.While, space: dict[str, Any], inside: ast.FunctionDef
    ) -> Iterator[Heard]:
        """The first round of a loop; nothing where there is no room for its first lines.

        Names that are there before the loop are kept from round to round.
        """
        first, last = node.body[0].lineno, node.end_lineno or 0
        kept = [one for one in self.script.body if isinstance(one, _KEPT)]
        taken = {line for one in kept for line in _lines(one)} - set(_lines(inside))
        if first == node.lineno or node.lineno < 2 or node.lineno - 1 in taken:
            return
        if isinstance(node, ast.For):
            values = ast.Call(ast.Name("iter", ast.Load()), [node.iter], [])
            value = ast.Call(ast.Name("next", ast.Load()), [values], [])
            turn = ast.Module([ast.Assign([node.target], value)], [])
            try:
                FunctionType(compile(ast.fix_missing_locations(turn), self.file, "exec"), space)()
            except Exception:  # it would not go round once
                return
        lines = self.source.splitlines()
        text = [
            line if number in taken or first <= number <= last else ""
            for number, line in enumerate(lines, 1)
        ]
        names = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
        stored = {one.id for one in names if isinstance(one.ctx, ast.Store)}
        held = [one for one in sorted(stored) if one in space]
        margin = lines[first - 1][: inside.col_offset]
        indent = lines[first - 1][: node.body[0].col_offset]
        text[node.lineno - 2] = f"{margin}def {LOOP}():"
        text[node.lineno - 1] = f"{indent}global {', '.join(held)}" if held else f"{indent}pass"
        try:
            code = compile("\n".join(text), self.file, "exec", dont_inherit=True)
        except SyntaxError:  # a break or continue of the loop itself
            return
        shown = [line + "\n" for line in text]
        linecache.cache[self.file] = sum(map(len, shown)), None, shown, self.file
        space[LOOP] = FunctionType(next(one for one in codes(code) if one.co_name == LOOP), space)
        space[LOOP].__qualname__ = told = f"the loop of line {node.lineno}"
        try:
            yield Heard(space[LOOP], [], f"took one round of {told}")
        finally:
            linecache.cache.pop(self.file, None)


def _names(code: CodeType, given: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(code.co_varnames, given, strict=False))


def _is_of(node: ast.AST, code: CodeType) -> bool:
    """Whether this is the text of a function."""
    if not isinstance(node, ast.FunctionDef) or node.name != code.co_name:
        return False
    return _lines(node)[0] == code.co_firstlineno


# imports too: Python compiles a call differently on a name that the file imports
_KEPT = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)


def _lines(node: ast.stmt) -> range:
    """The lines of a statement, with what decorates it."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return range(first, (node.end_lineno or 0) + 1)
