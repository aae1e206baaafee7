"""A forward pass, as a function or as formula text, to a program: the way in."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from functools import partial
from inspect import signature
from io import StringIO
from itertools import dropwhile, takewhile
from traceback import walk_tb
from types import CodeType, FrameType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from backpass.calculus import library
from backpass.calculus.declared import declare_functions
from backpass.calculus.op import Op
from backpass.forward.arguments import Arguments, declare, parameters, replace_leaves
from backpass.forward.callee import code_of, function_of, return_line
from backpass.forward.length import REACH, constants_of
from backpass.forward.lower import lower
from backpass.forward.misfit import retold
from backpass.forward.names import binding, caller, source_line
from backpass.forward.quantity import Misfit
from backpass.forward.recognise import recognise
from backpass.forward.tape import Place, Tape, Unfit, show_line
from backpass.forward.trace import Traced
from backpass.forward.trials import World, large_worlds, small_worlds, worlds_of_lengths
from backpass.forward.witness import agree, compare, compare_length, made_arrays, shapes_of
from backpass.language.errors import (
    BackpassError,
    DerivationError,
    TraceError,
    UnknownName,
    nearest,
)
from backpass.language.program import Array, Line, Program
from backpass.language.shapes import names

if TYPE_CHECKING:
    from backpass.forward.syntax import Statement

Forward = Callable[..., Any] | str


@dataclass(frozen=True)
class Recording:
    """A forward pass as a program, its arguments, and the sizes at which it was recorded."""

    program: Program
    arguments: Arguments
    worlds: tuple[World, ...]
    forward: Forward

    def refused(self, message: str) -> DerivationError:
        """An error that quotes the line on which the result is returned."""
        last = self.program.steps[-1].line if self.program.steps else None
        line = return_line(self.forward) or last
        return DerivationError(message, line=line.text if line else None, where=show_line(line))


def record(forward: Forward, shapes: Any, functions: str | None = None) -> Recording:
    """Run a forward pass at several choices of sizes and state what it computes.

    `functions` declares functions that stay symbols, `"g: elementwise, C: scalar"`. Raises an
    error of the family, at the user's line, for whatever cannot be recorded.
    """
    declared = declare_functions(functions)
    if isinstance(forward, str):
        known = {**library.FUNCTIONS, **declared}
        arguments = declare(shapes, None)
        sizes = _match(forward, arguments, known)
        constants, asks = set[int](), False
        go = partial(_run_formula, forward, arguments, known, sizes)
    else:
        code_of(forward)  # refuses what has none
        forward = with_functions(forward, declared)
        arguments = declare(shapes, parameters(forward))
        constants, asks = constants_of(function_of(forward))
        go = partial(_run_function, forward, arguments)
    leaves = {leaf.name: leaf for leaf in arguments.leaves}
    axes = [axis for leaf in leaves.values() for axis in leaf.shape]
    symbols = list(dict.fromkeys(name for axis in axes for name in names(axis)))
    numbers = {axis.number for axis in axes if axis.number is not None}
    numbers |= constants  # an axis of 7 that the code makes is no k either
    tapes, result, chosen = _record_all(go, symbols, numbers, sorted(constants) if asks else ())
    recorded = agree(tapes, chosen)
    program = lower(recognise(recorded, chosen), recorded, leaves, result)
    return Recording(program, arguments, chosen, forward)


def _record_all(
    go: Callable[[World, Tape, bool], Traced],
    symbols: Sequence[str],
    numbers: Collection[int],
    asked: Sequence[int],
) -> tuple[list[Tape], int, tuple[World, ...]]:
    """The recordings of all runs, which must be alike, the place of what they return, the sizes.

    `asked` are the numbers in the code that a length may be compared with.
    """
    chosen: list[World] = []
    tapes: list[Tape] = []
    results: list[int] = []
    failures: list[tuple[BackpassError, World]] = []
    small = small_worlds(symbols, numbers)

    def sizes() -> Iterator[World]:
        yield from small
        most = max((one for one in asked if one <= REACH), default=0)
        yield from large_worlds(symbols, numbers, small, most, made_arrays(tapes, small))

    for world in sizes():
        tape = Tape(frozenset(world.values()))
        chosen.append(world)
        tapes.append(tape)
        try:
            results.append(go(world, tape, len(tapes) == 1).node.index)
        except (Misfit, Unfit) as error:
            failures.append((error, world))  # the other runs will tell which sizes these are
            continue
        if not failures:
            compare(tapes[0], tape, results[0], results[-1])
    if failures:
        raise retold(failures, tapes[0].nodes)
    counted = [name for name in symbols if chosen[0][name] in tapes[0].counted] if asked else ()
    for name, world in worlds_of_lengths(counted, asked, small):
        tape = Tape(frozenset(world.values()) - {world[name]})
        try:
            returned = go(world, tape, False).node.index
        except (BackpassError, ArithmeticError):
            continue  # where nothing is computed, nothing can be wrong
        compare_length(tapes, tape, results[0], returned)
    return tapes, results[0], tuple(chosen)


def _single(result: Any, tape: Tape, forward: Forward) -> Traced:
    """The one value that a forward pass must return."""
    kind = type(result).__name__
    match result:
        case Traced() if result.tape is tape:
            return result
        case Traced():
            message = "returns a value of an earlier run; do not keep values"
        case None:
            message = "returns nothing; is `return` missing?"
        case tuple() | list() | dict():
            message = f"returns a {kind}; return the loss alone, one number"
        case int() | float() | str():
            message = f"returns {result!r:.40}, which does not depend on its arguments"
        case _:
            message = f"returns a value of type {kind}, which does not depend on its arguments"
    line = return_line(forward)
    text = line.text if line else None
    raise DerivationError(f"the forward pass {message}", line=text, where=show_line(line))


# Formulas. Their grammar is imported where there is one: it takes longer than most functions.


def _match(text: str, arguments: Arguments, known: Mapping[str, Op]) -> list[str]:
    """A formula's quantities and the declared shapes must be the same names.

    A name that is a size in these shapes is that number, as the n of 1/n; those are returned.
    """
    from backpass.forward.formula import free_names

    shapes = arguments.nests
    free = free_names(text, known, shapes)
    axes = [axis for leaf in arguments.leaves for axis in leaf.shape]
    told = dict.fromkeys(name for axis in axes for name in names(axis))
    sizes = [name for name in free if name in told and name not in shapes]
    for name in free:
        if name not in shapes and name not in sizes:
            raise _unknown(text, name, [*shapes, *told], known)
    for name in shapes:
        if name not in free:
            raise UnknownName(
                f"{name} has a shape and does not occur in the formula{nearest(name, free)}"
            )
    return sizes


def _unknown(
    text: str, name: str, shapes: Collection[str], known: Mapping[str, Op]
) -> BackpassError:
    """What to say of a name without a shape: it may be a function that nobody has declared."""
    from backpass.forward.statements import parse
    from backpass.forward.syntax import Name, walk
    from backpass.forward.tokens import quote

    nodes = [node for one in parse(text, known, shapes) for node, _ in walk(one.body)]
    found = next(node for node in nodes if isinstance(node, Name) and node.text == name)
    line = quote(text, found.start, found.end)
    stem = name.strip("∇′")
    if stem != name:
        kind = "scalar" if name.startswith("∇") else "elementwise"
        return UnknownName(f'{name} needs {stem}: pass functions="{stem}: {kind}"', line=line)
    if re.match(r"\s*\(", text[found.end :]):
        kinds = f'"{name}: elementwise" or "{name}: scalar"'
        hint = nearest(name, known) or f"; declare it, functions={kinds}"
        return UnknownName(f"{name} is no function known here{hint}", line=line)
    if re.match(r"\s*==", text[found.end :]):
        return UnknownName(f"{name} is given a value by one =, {name} = …", line=line)
    hint = nearest(name, [*shapes, *known]) or f'; add "{name}: …", with () for a single number'
    return UnknownName(f"{name} has no shape{hint}", line=line)


def _run_formula(
    text: str,
    arguments: Arguments,
    known: Mapping[str, Op],
    sizes: Sequence[str],
    world: World,
    tape: Tape,
    first: bool,
) -> Traced:
    """One recording of a formula: each statement names its value."""
    from backpass.forward.formula import run

    current: list[Statement] = []

    def place(_: FrameType) -> Place:
        statement = current[-1]
        line = Line("formula", statement.index + 1, statement.text)
        return Place(into=statement.target, line=line)

    tape.locate = place
    tape.line = lambda: None  # the formula says itself where it stands
    values = {**_inputs(arguments, world, tape), **{name: world[name] for name in sizes}}
    results = run(text, values, known, on_statement=current.append)
    for result in results:
        target = result.statement.target
        if target is not None and isinstance(result.value, Traced):
            node = result.value.node
            if node.op is not None and node.place.name is None:
                node.place = Place(name=target, line=node.place.line)
    return _single(results[-1].value, tape, text)


def _inputs(arguments: Arguments, world: World, tape: Tape) -> dict[str, Traced]:
    return {
        leaf.name: Traced(tape, tape.input(leaf, shapes_of(leaf, world)))
        for leaf in arguments.leaves
    }


# Functions.


def with_functions(
    forward: Callable[..., Any], declared: Mapping[str, Callable[..., Any]]
) -> Callable[..., Any]:
    """The same function, for which the declared names have a meaning."""
    if isinstance(forward, MethodType):
        return MethodType(with_functions(forward.__func__, declared), forward.__self__)
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


def _run_function(
    forward: Callable[..., Any], arguments: Arguments, world: World, tape: Tape, first: bool
) -> Traced:
    """One recording of a function; the first also looks at names and lines."""
    code = code_of(forward)
    traced = _inputs(arguments, world, tape)
    nests = {
        name: replace_leaves(nest, lambda leaf: traced[leaf.name])
        for name, nest in arguments.nests.items()
    }
    call = signature(forward).bind_partial()
    call.arguments |= nests
    if first:
        tape.locate = lambda frame: _place(frame, code)
    shown = nullcontext() if first else redirect_stdout(StringIO())  # what it prints, once
    try:
        with np.errstate(all="ignore"), shown:
            result = forward(*call.args, **call.kwargs)
    except BackpassError:
        raise
    except Exception as error:
        if isinstance(error.__cause__, BackpassError):  # NumPy tells ours in words of its own
            raise error.__cause__ from None
        raise _failed(error, world, arguments) from error
    return _single(result, tape, forward)


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
    depth = found.depth if found.scope is None else found.scope  # of whoever gives the name
    return Place(found.name, found.position, found.into, found.into_position, depth, line)


def _failed(error: Exception, world: World, arguments: Arguments) -> BackpassError:
    """The user's own exception, as a sentence at the user's line."""
    below = dropwhile(lambda one: not _is_users(one[0]), walk_tb(error.__traceback__))
    users = list(takewhile(lambda one: _is_users(one[0]), below))  # and not what they call of ours
    if not users:
        return TraceError(f"the forward pass cannot be called: {error}")
    frame, at = users[-1]
    file = frame.f_code.co_filename
    line = Line(file, at, source_line(file, at))
    match error:
        case NameError(name=str() as name):
            known = {*frame.f_locals, *frame.f_globals, *dir(builtins)}
            message = f"{name} is not known{nearest(name, known)}"
            return UnknownName(message, line=line.text, where=show_line(line))
        case AttributeError(name=str() as name, obj=ModuleType() as module):
            message = f"{module.__name__}.{name} is not known{nearest(name, dir(module))}"
            return UnknownName(message, line=line.text, where=show_line(line))
        case _:
            sizes = ", ".join(f"{name} = {length}" for name, length in world.items())
            hint = _of_nests(error, arguments) or (f" (recorded with {sizes})" if sizes else "")
            words = str(error).replace("'Traced'", "'array'").split()
            said = " ".join([f"{type(error).__name__}:", *words]).removesuffix(":")
            message = f"the forward pass raises {said}{hint}"
            return TraceError(message, line=line.text, where=show_line(line))


def _of_nests(error: Exception, arguments: Arguments) -> str:
    """What to say where a list or dict of arrays is used as something else."""
    match error:
        case AttributeError(name=str() as key, obj=dict()):
            return f'; a part of a dict is taken out by its key, ["{key}"]'
        case _:
            pass
    for name, nest in arguments.nests.items():
        kind = type(nest).__name__
        if not isinstance(nest, Array) and f"'{kind}'" in str(error):
            return f'; {name} is declared as a {kind} of arrays, and one array is "{name}: n k"'
    return ""


def _is_users(frame: FrameType) -> bool:
    return caller(frame) is frame and frame.f_globals.get("__name__") != "backpass"
