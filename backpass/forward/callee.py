"""What runs when a forward pass is called, and where it returns."""

from __future__ import annotations

import dis
import re
from functools import partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, unwrap
from types import CodeType, FunctionType, MethodType
from typing import Any, cast

from backpass.forward.names import source_line
from backpass.language.errors import DerivationError
from backpass.language.program import Line

NO_VALUE = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR  # calling these runs nothing yet


def code_of(forward: object) -> CodeType:
    """The code that runs when a function, a method or an object is called."""
    return function_of(forward).__code__


def function_of(forward: object) -> FunctionType:
    """The function that runs when a function, a method or an object is called.

    Raises DerivationError for a class, for what is not written in Python, and for what cannot be
    called at all.
    """
    if isinstance(forward, MethodType):
        return function_of(forward.__func__)
    if isinstance(forward, FunctionType):
        if forward.__code__.co_flags & NO_VALUE:
            raise DerivationError(
                f"{forward.__name__} is a generator or async; a forward pass returns its value"
            )
        return forward
    if isinstance(forward, type):
        raise DerivationError(
            f"{forward.__name__} is a class; give a function, a method of an object, "
            "or an object that can be called"
        )
    if not callable(forward):
        raise DerivationError(
            f"a forward pass is a function, or a formula as text, and {forward!r:.40} is neither"
        )
    # what functools' cache and partial hold, else what an object does when it is called
    held = getattr(forward, "__wrapped__", None) or getattr(forward, "func", None)
    called = held or type(forward).__call__
    if isinstance(called, (FunctionType, MethodType, partial)):
        return function_of(cast("object", called))
    name = getattr(held or forward, "__name__", None) or f"{forward!r:.40}"
    raise DerivationError(
        f"{name} is not written in Python, so its steps cannot be seen; "
        "give a function of yours that calls it"
    )


def return_line(forward: Any) -> Line | None:
    """The line on which a forward pass returns its value, where there is only one."""
    if isinstance(forward, str):
        statements = [part.strip() for part in re.split(r"[;\n]", forward) if part.strip()]
        return Line("formula", len(statements), statements[-1])
    code = code_of(unwrap(forward))
    moves = dis.get_instructions(code)
    returns = [one for one in moves if one.opname in ("RETURN_VALUE", "RETURN_CONST")]
    numbers = {one.positions.lineno for one in returns if one.positions}
    number = numbers.pop() if len(numbers) == 1 else None
    file = code.co_filename
    return Line(file, number, source_line(file, number)) if number else None
