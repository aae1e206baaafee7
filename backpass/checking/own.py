"""The user's own forward pass on plain arrays: the function itself, or the formula's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import Signature, signature
from typing import Any, cast

from backpass.calculus import library
from backpass.forward.arguments import Arguments, replace_leaves
from backpass.forward.formula import run
from backpass.forward.record import Forward, with_functions

Functions = Mapping[str, Callable[..., Any]]
Own = Callable[[Mapping[str, Any], Functions], Any]  # arrays by leaf name, declared functions


def arrays_in(nest: Any) -> Iterator[Any]:
    """The arrays of a nest of dicts, lists and tuples, in order."""
    if isinstance(nest, dict):
        nest = tuple(cast("dict[Any, Any]", nest).values())
    if isinstance(nest, (list, tuple)):
        for part in cast("list[Any]", nest):
            yield from arrays_in(part)
    else:
        yield nest


def own_function(forward: Forward, arguments: Arguments) -> Own:
    """A forward pass as a function of its arrays by leaf name.

    The second argument are bodies for the functions that were declared without one.
    """
    if isinstance(forward, str):
        return partial(_formula, forward)
    return partial(_function, forward, signature(forward), arguments)


def _formula(text: str, values: Mapping[str, Any], functions: Functions) -> Any:
    return run(text, values, {**library.FUNCTIONS, **functions})[-1].value


def _function(
    forward: Callable[..., Any], parameters: Signature, arguments: Arguments,
    values: Mapping[str, Any], functions: Functions,
) -> Any:  # fmt: skip
    call = parameters.bind_partial()
    for name, nest in arguments.nests.items():
        call.arguments[name] = replace_leaves(nest, lambda leaf: values[leaf.name])
    return with_functions(forward, functions)(*call.args, **call.kwargs)
