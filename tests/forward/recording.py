"""A forward pass as the program that it is recorded as, held to NumPy on the way."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backpass.forward.arguments import replace_leaves
from backpass.forward.record import record
from backpass.language.errors import BackpassError
from backpass.language.evaluate import evaluate
from backpass.language.notation_text import format_step
from backpass.language.program import Array, Program
from backpass.language.shapes import evaluate_size

SIZES = {"n": 4, "k": 3, "j": 5, "m": 2, "h": 6}


def recorded(forward: Callable[..., Any], shapes: Any) -> Program:
    """The program of a forward pass, which must give what the function gives to NumPy."""
    recording = record(forward, shapes)
    random = np.random.default_rng(0)

    def array(leaf: Array) -> Any:
        shape = tuple(evaluate_size(axis, SIZES) for axis in leaf.shape)
        if leaf.kind == "bool":
            return random.random(shape) > 0.5
        if leaf.below is None:
            return random.normal(size=shape)
        return random.integers(0, evaluate_size(leaf.below, SIZES), shape)

    nests = {name: replace_leaves(nest, array) for name, nest in recording.arguments.nests.items()}
    program = recording.program
    found = evaluate(program, recording.arguments.arrange((), nests))[program.outputs[0]]
    call = inspect.signature(forward).bind_partial()
    call.arguments |= nests
    np.testing.assert_allclose(found, forward(*call.args, **call.kwargs), rtol=1e-12)
    return program


def lines(forward: Callable[..., Any], shapes: Any) -> list[str]:
    """The recorded program, line by line."""
    program = recorded(forward, shapes)
    return [format_step(step, program.arrays) for step in program.steps]


def functions(forward: Callable[..., Any], shapes: Any) -> set[str]:
    """The functions that the recorded program applies."""
    return set(re.findall(r"(\w+)\(", "\n".join(lines(forward, shapes))))


def refusal(forward: Callable[..., Any] | str, shapes: Any, functions: str | None = None) -> str:
    """The one sentence with which a forward pass is refused, without the place of its line."""
    with pytest.raises(BackpassError) as caught:
        record(forward, shapes, functions)
    return caught.value.message
