"""The user's own forward pass on plain arrays: the function itself, or the formula's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from inspect import Signature, signature
from typing import Any, cast

import numpy as np

from backpass.calculus import library
from backpass.forward.arguments import Arguments, replace_leaves
from backpass.forward.record import Forward, with_functions
from backpass.language.shapes import bind

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
        return partial(_formula, forward, arguments)
    return partial(_function, forward, signature(forward), arguments)


def _formula(
    text: str, arguments: Arguments, values: Mapping[str, Any], functions: Functions
) -> Any:
    from backpass.forward.formula import free_names, run  # functions need no grammar

    known = {**library.FUNCTIONS, **functions}
    sizes = bind((leaf.name, leaf.shape, np.shape(values[leaf.name])) for leaf in arguments.leaves)
    used = {name: sizes[name] for name in free_names(text, known, values) if name in sizes}
    return run(text, {**used, **values}, known)[-1].value


def _function(
    forward: Callable[..., Any], parameters: Signature, arguments: Arguments,
    values: Mapping[str, Any], functions: Functions,
) -> Any:  # fmt: skip
    call = parameters.bind_partial()
    for name, nest in arguments.nests.items():
        call.arguments[name] = replace_leaves(nest, lambda leaf: values[leaf.name])
    return with_functions(forward, functions)(*call.args, **call.kwargs)
