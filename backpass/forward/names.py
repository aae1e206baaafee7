"""Which name the user's code gives to a value that it has just computed.

The name is read off the bytecode of the frames that are running, so every pass of a loop is
named, source text is never needed, and nothing of the user's is called.
"""

from __future__ import annotations

import functools
import linecache
from dataclasses import dataclass
from inspect import CO_GENERATOR
from itertools import dropwhile
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import NamedTuple, cast

from backpass.forward.fate import Maker, Path, Word, maker
from backpass.forward.flow import Flow, flow
from backpass.forward.peek import is_method, known, value


@dataclass(frozen=True, slots=True)
class Binding:
    """What the user's code does next with a value that it has just computed."""

    name: str | None  # "A1" of A1 = …, self.A1 = …, cache["A1"] = …; "A" of A.append(…), A[0] = …
    position: int | None  # the index in the container that has the name
    into: str | None  # the name of what becomes of a value that is `consumed`
    into_position: int | None
    returned: bool  # the value, or what becomes of it, is what the traced function returns
    consumed: bool  # an operation, or a structure within a structure, takes it before it has a name
    scope: int | None  # the depth of the function in which `name` or `into` stands
    file: str
    line: int
    function: str
    depth: int  # of the function where the operation stands: 0 the traced one, 1 called by it, …


def binding(frame: FrameType, outermost: CodeType) -> Binding:
    """Tell what happens to the value that the pending instruction of `frame` makes.

    `frame` is the innermost frame of the user's code, `outermost` the code of the traced function.
    A value that a function returns, or a generator yields, is named by whoever receives it.
    """
    code = flow(frame.f_code)
    depth, top = _standing(frame, outermost)
    end = _end(frame, depth, top)
    key = (frame.f_lasti, depth, end)
    answer = code.findings.get(key)
    if answer is None:
        answer = code.findings[key] = _binding(frame, depth, end)
    return cast("Binding", answer)


def caller(frame: FrameType | None) -> FrameType | None:
    """Find the innermost frame that is neither NumPy's nor part of the tracing."""
    while frame is not None and _is_machinery(frame):
        frame = frame.f_back
    return frame


def library(frame: FrameType | None) -> str | None:
    """Name the library, other than NumPy, whose function the user's code is in."""
    module = ""
    while frame is not None and _is_machinery(frame):
        module = str(frame.f_globals.get("__name__"))
        frame = frame.f_back
    return module.split(".")[0] if f"{module}.".startswith(_LIBRARIES) else None


def source_line(file: str, line: int) -> str | None:
    """Quote a line of the user's source, if there is any."""
    return linecache.getline(file, line).strip() or None


class _End(NamedTuple):
    """The part of a binding that only the running frames can tell."""

    name: str | None = None
    position: int | None = None
    returned: bool = False
    consumed: bool = False
    scope: int | None = None


def _binding(frame: FrameType, depth: int, end: _End) -> Binding:
    code = frame.f_code
    named, into = (_End(), end) if end.consumed else (end, _End())
    return Binding(
        name=named.name,
        position=named.position,
        into=into.name,
        into_position=into.position,
        returned=end.returned,
        consumed=end.consumed,
        scope=end.scope,
        file=code.co_filename,
        line=frame.f_lineno or code.co_firstlineno,
        function=_function(code),
        depth=depth,
    )


# ── the frames ───────────────────────────────────────────────────────────────────────────────

# the forward passes that backpass itself ships stand above these floors, and are user code
_FLOORS = "language calculus reading forward running checking check derive jacobian"
_LIBRARIES = ("scipy.", "jax.", "torch.", "sklearn.")  # what they call is not the user's line
_FRAMEWORKS = "backpass.doctor.custom."  # stands between theirs and the tape
_OURS = tuple(f"backpass.{floor}." for floor in _FLOORS.split())
_MACHINERY = ("numpy.", *_LIBRARIES, *_OURS, _FRAMEWORKS)
_INSIDE = frozenset(("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"))


def _is_machinery(frame: FrameType) -> bool:
    module: object = frame.f_globals.get("__name__")
    return isinstance(module, str) and _is_module_of_machinery(module)


@functools.cache
def _is_module_of_machinery(module: str) -> bool:
    return f"{module}.".startswith(_MACHINERY)


def _standing(frame: FrameType, outermost: CodeType) -> tuple[int, FrameType | None]:
    """Count the functions from the traced one down to `frame`, and find the traced one's frame."""
    passed = depth = 0
    top: FrameType | None = None
    here: FrameType | None = frame
    while here is not None:
        code = here.f_code
        if code is outermost:
            depth, top = passed, here  # of a recursive function the last is the outermost
        elif _is_machinery(here):
            if top is not None:
                break
            passed -= 1
        # up to 3.11 a comprehension is a frame of its own; to the reader it is a line like others
        passed += code.co_name not in _INSIDE
        here = here.f_back
    return (passed - 1 if top is None else depth), top


def _function(code: CodeType) -> str:
    """Name the function in whose text the code stands."""
    if code.co_name not in _INSIDE:
        return code.co_name
    around = [name for name in code.co_qualname.split(".") if name not in {*_INSIDE, "<locals>"}]
    return around[-1] if around else "<module>"


# ── up the frames ────────────────────────────────────────────────────────────────────────────

_FRAMES = 64  # are followed upwards; what a deeper recursion makes stays without a name


def _end(frame: FrameType, depth: int, top: FrameType | None) -> _End:
    """Follow a value up the frames, from the one that makes it to the last that keeps it."""
    here, scope, path, consumed = frame, depth, Path(), False
    giver: FrameType | None = None
    best: _End | None = None  # the variable of a function that then returns it
    for _ in range(_FRAMES):
        code = flow(here.f_code)
        make = maker(code, here.f_lasti, path)
        whole = _is_result(code, here, make, giver)
        if not whole:
            make = maker(code, here.f_lasti)
        fate = make.fate
        if best and (fate.consumed or fate.within or not whole):
            break
        consumed = consumed or fate.consumed or not whole
        now = fate.path if make.fixed else known(code, here, fate.path)
        if now is None:
            consumed = True  # by a method that is only called append
        if now is None or fate.end == "dropped":
            break
        path = now
        if fate.end == "stored":
            best = _placed(path, consumed, scope)
            if make.onward is None or best.consumed != consumed:
                break
            path = make.onward
        elif any(isinstance(word, str) for word in path):
            # the key of a dict, wherever that stands in the result
            return _placed(tuple(dropwhile(_is_number, path)), consumed, scope)
        if here is top:
            if best:
                return best._replace(returned=path == ())
            position = path[0] if len(path) == 1 and isinstance(path[0], int) else None
            return _End(None, position, fate.end == "returned", consumed)
        above = caller(here.f_back)
        if above is None:
            break
        if above is not here.f_back:
            if best or top is None:
                break
            path, consumed = (), True  # NumPy called the function, and computes from its value
        scope -= here.f_code.co_name not in _INSIDE
        here, giver = above, here
    return best or _End(consumed=consumed)


def _is_number(word: Word) -> bool:
    return not isinstance(word, str)


def _placed(path: Path, consumed: bool, scope: int) -> _End:
    """Name a place after its last word, with the number that stands next to it."""
    last = len(path) - 1
    while last >= 0 and not isinstance(path[last], str):
        last -= 1
    if last < 0:
        return _End(consumed=consumed)
    name = cast("str", path[last])
    match path[last + 1 :]:
        case ():  # layers[2].z, cache[2]["z"]
            before = path[last - 1] if last else None
            return _End(name, before if isinstance(before, int) else None, False, consumed, scope)
        case (int() | None as position,):  # A[2], params["W"][2]
            return _End(name, position, False, consumed, scope)
        case _:  # A[2][0], or a subscript that cannot be told: several values may share it
            return _End(name, None, False, True, scope)


# What a function written in C calls back for is a part of its result, as in sum(terms) and
# reduce(f, Ws); with these it is the result. (A class makes an object of its own.)
_PASSING = (abs, getattr, next, pow, round)
_PASSING_MODULES = ("_operator", "numpy", "torch")


def _is_result(code: Flow, frame: FrameType, make: Maker, giver: FrameType | None) -> bool:
    """Tell whether the pending instruction of `frame` results in the very value that was made.

    `giver` is the frame that hands the value to `frame`, if it was not made there.
    """
    yielding = giver is not None and bool(giver.f_code.co_flags & CO_GENERATOR)
    match make.verb:
        case "call" if giver is None and is_method(code, frame, make.source):
            return True
        case "call":
            function = value(code, frame, make.source)
            if type(function) is BuiltinFunctionType:
                if yielding:
                    return function is next
                return function in _PASSING or str(function.__module__).startswith(_PASSING_MODULES)
            return type(function) is not type and not yielding
        case "next":
            called = code.move(make.source).verb == "call"
            source = code.callee(make.source) if called else make.source
            runs = _code(value(code, frame, source))
            return yielding and giver is not None and runs is giver.f_code
        case _:
            return not yielding


def _code(runs: object) -> CodeType | None:
    """Find the code that a function or a generator runs; by type, as `isinstance` asks objects."""
    if type(runs) is MethodType:
        runs = runs.__func__
    if type(runs) is GeneratorType:
        return cast("GeneratorType[object]", runs).gi_code
    return runs.__code__ if type(runs) is FunctionType else None
