"""A forward pass, as a function or as formula text, to a program: the way in."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

import numpy as np

from backpass.calculus import library
from backpass.calculus.declared import declare_functions
from backpass.calculus.op import Op
from backpass.forward.arguments import Arguments, declare, parameters, replace_leaves
from backpass.forward.formula import free_names, run
from backpass.forward.lower import lower
from backpass.forward.names import binding, source_line
from backpass.forward.recognise import recognise
from backpass.forward.syntax import Statement
from backpass.forward.trace import Place, Tape, Traced
from backpass.forward.witness import World, agree, shapes_of, worlds
from backpass.language.errors import (
    BackpassError,
    DerivationError,
    TraceError,
    UnknownName,
    nearest,
)
from backpass.language.program import Line, Program
from backpass.language.shapes import evaluate_size, names

Forward = Callable[..., Any] | str


@dataclass(frozen=True)
class Recording:
    """A forward pass as a program, its arguments, and the sizes at which it was recorded."""

    program: Program
    arguments: Arguments
    worlds: tuple[World, ...]


def record(forward: Forward, shapes: Any, functions: str | None = None) -> Recording:
    """Run a forward pass at three choices of sizes and state what it computes.

    `functions` declares functions that stay symbols, `"g: elementwise, C: scalar"`. Raises an
    error of the family, at the user's line, for whatever cannot be recorded.
    """
    declared = declare_functions(functions)
    if isinstance(forward, str):
        given = free_names(forward, {**library.FUNCTIONS, **declared})
        arguments = declare(shapes, None)
        _match(arguments, given, forward, {**library.FUNCTIONS, **declared})
    else:
        forward = with_functions(forward, declared)
        arguments = declare(shapes, parameters(forward))
    leaves = arguments.leaves
    symbols = dict.fromkeys(name for leaf in leaves for axis in leaf.shape for name in names(axis))
    fixed = frozenset(axis.number for leaf in leaves for axis in leaf.shape if axis.number is not None)
    chosen = worlds(list(symbols), fixed) if symbols else ({},)
    tapes: list[Tape] = []
    results: list[int] = []
    for count, world in enumerate(chosen):
        tape = Tape(frozenset(world.values()))
        result = _run(forward, arguments, world, tape, declared, first=count == 0)
        tapes.append(tape)
        results.append(result.node.index)
    recorded = agree(tapes, chosen, results)
    program = lower(recognise(recorded, chosen), recorded, {leaf.name: leaf for leaf in leaves}, results[0])
    return Recording(program, arguments, tuple(chosen))


def _match(
    arguments: Arguments, given: tuple[str, ...], text: str, functions: Mapping[str, Op]
) -> None:
    """A formula's quantities and the declared shapes must be the same names."""
    for name in arguments.nests:
        if name not in given:
            raise DerivationError(
                f"{name} has a shape and does not occur in the formula{nearest(name, given)}"
            )
    for name in given:
        if name not in arguments.nests:
            if re.search(rf"(?<!\w){re.escape(name)}\(", text):
                way = nearest(name, functions) or f'; declare it, "{name}: elementwise"'
                raise UnknownName(f"{name} is no function known here{way}", line=text)
            raise DerivationError(
                f'{name} has no shape{nearest(name, arguments.nests)}; add "{name}: …", '
                "with () for a single number"
            )


def with_functions(
    forward: Callable[..., Any], declared: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """The same function, for which the declared names have a meaning."""
    if not declared or not isinstance(forward, FunctionType):
        return forward
    new = FunctionType(
        forward.__code__,
        {**forward.__globals__, **declared},
        forward.__name__,
        forward.__defaults__,
        forward.__closure__,
    )
    new.__kwdefaults__ = forward.__kwdefaults__
    return new


def _run(
    forward: Forward,
    arguments: Arguments,
    world: World,
    tape: Tape,
    declared: Mapping[str, Op],
    first: bool,
) -> Traced:
    """One recording, at one choice of sizes; the first also looks at names and lines."""
    traced = {leaf.name: tape.input(leaf, shapes_of(leaf, world)) for leaf in arguments.leaves}
    if isinstance(forward, str):
        axes = [axis for leaf in arguments.leaves for axis in leaf.shape]
        sizes = {evaluate_size(axis, world): str(axis) for axis in axes}
        return _run_formula(forward, traced, tape, declared, sizes)
    if first:
        code = _code(forward)
        tape.locate = lambda frame: _place(frame, code)
    nests = {
        name: replace_leaves(nest, lambda leaf: traced[leaf.name])
        for name, nest in arguments.nests.items()
    }
    try:
        with np.errstate(all="ignore"):
            result = forward(**nests)
    except BackpassError:
        raise
    except Exception as error:
        raise _failed(error) from error
    return _single(result, tape)


def _run_formula(
    text: str,
    traced: dict[str, Traced],
    tape: Tape,
    declared: Mapping[str, Op],
    sizes: Mapping[int, str],
) -> Traced:
    current: list[Statement] = []

    def place(_: FrameType) -> Place:
        statement = current[-1]
        line = Line("formula", statement.index + 1, statement.text)
        return Place(into=statement.target, line=line)

    tape.locate = place
    functions = {**library.FUNCTIONS, **declared}
    results = run(
        text,
        traced,
        functions,
        on_statement=current.append,
        size_name=lambda size: sizes.get(size, str(size)),
    )
    for result in results:
        target = result.statement.target
        if target is not None and isinstance(result.value, Traced):
            node = result.value.node
            if node.op is not None and node.place.name is None:
                node.place = Place(name=target, line=node.place.line)
    return _single(results[-1].value, tape)


def _single(result: Any, tape: Tape) -> Traced:
    """The one value that a forward pass must return."""
    if isinstance(result, (tuple, list)):
        raise DerivationError("the forward pass returns several values; return the loss alone")
    if not isinstance(result, Traced):
        raise DerivationError(
            f"the forward pass returns {_described(result)}, which does not depend on its arguments"
        )
    if result.tape is not tape:
        raise TraceError("the forward pass returns a value of an earlier run; do not keep values")
    return result


def _described(value: Any) -> str:
    return "nothing (is `return` missing?)" if value is None else f"a {type(value).__name__}"


def _code(forward: Callable[..., Any]) -> CodeType:
    """The code that runs when a function, a method or an object is called."""
    if isinstance(forward, MethodType):
        return _code(forward.__func__)
    if isinstance(forward, FunctionType):
        return forward.__code__
    wrapped = getattr(forward, "func", None) or type(forward).__call__  # functools.partial
    if isinstance(wrapped, (FunctionType, MethodType)):
        return _code(wrapped)
    raise DerivationError(f"{forward!r} is no Python function; wrap it in one")


def _place(frame: FrameType, code: CodeType) -> Place:
    """What the code does with a value, at the line of the function that gives the name."""
    found = binding(frame, code)
    file, number = found.file, found.line
    if found.scope == 0 and found.depth:
        here: FrameType | None = frame
        while here is not None and here.f_code is not code:
            here = here.f_back
        if here is not None:
            file, number = code.co_filename, here.f_lineno
    line = Line(file, number, source_line(file, number))
    return Place(found.name, found.position, found.into, found.into_position, found.depth, line)


def _failed(error: Exception) -> BackpassError:
    """The user's own exception, as a sentence at the user's line."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/backpass/forward/" not in frame.filename
        and "/backpass/calculus/" not in frame.filename
        and "/numpy/" not in frame.filename
    ]
    frame = frames[-1] if frames else None
    where = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" if frame else None
    message = f"the forward pass raises {type(error).__name__}: {error}"
    return TraceError(message, line=frame.line if frame else None, where=where)
