"""What an operation is: a form or a scalar function, and the table of all operations.

A **form** is a line of index notation and needs no derivative: the one rule differentiates it.
A **scalar** function says its slope in its body. (A third kind, functions of whole arrays, is in
`whole.py`.)

An operation called on arrays computes; called on anything that answers `__backpass__`, it hands
itself over, so that a tracer can record it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from backpass.calculus.template import instantiate
from backpass.language.evaluate import evaluate
from backpass.language.expr import Apply, Arithmetic, Function, Term, term
from backpass.language.notation import parse_step
from backpass.language.program import Array, Kind, Program, Step
from backpass.language.shapes import size

Operand = Array | Term  # an array, or a number that the forward pass fixes
Steps = tuple[Step, ...]
RESULT = "out"  # what an operation's last step assigns, until the tracer gives it a name


@dataclass(frozen=True, eq=False)
class Op:
    """An operation: `build` states it in index notation for operands of given shapes.

    Calling it on arrays returns an array. `doc` is what the reader is told about it.
    """

    name: str
    doc: str
    build: Callable[..., Steps] = field(repr=False)
    params: tuple[str, ...] = ()
    function: Function | None = field(default=None, repr=False)

    def __call__(self, *args: Any, **params: Any) -> Any:
        for arg in args:
            for part in arg if isinstance(arg, (list, tuple)) else (arg,):  # pyright: ignore[reportUnknownVariableType]
                delegate = getattr(type(part), "__backpass__", None)  # pyright: ignore[reportUnknownArgumentType]
                if delegate is not None:
                    return delegate(part, self, args, params)
        if self.function is not None and any(isinstance(arg, Arithmetic) for arg in args):
            return Apply(self.function, tuple(term(arg) for arg in args))
        return compute(self, args, params)


OPS: dict[str, Op] = {}
SCALARS: dict[str, Function] = {}


def register(op: Op) -> Op:
    """Enter an operation into the table; its name is taken once."""
    if op.name in OPS:
        raise ValueError(f"the operation {op.name} exists already")
    OPS[op.name] = op
    return op


@lru_cache(maxsize=4096)
def steps_of(op: Op, operands: tuple[Operand, ...], params: tuple[tuple[str, Any], ...]) -> Steps:
    """The steps of an operation on these operands; the last one assigns `RESULT`."""
    return op.build(*operands, **dict(params))


def form(text: str, doc: str, kind: Kind = "real") -> Op:
    """An operation that index notation states in full, `C[i,k] = A[i,j] * B[j,k]`.

    Leading axes written `...` broadcast as in NumPy; labelled axes must agree exactly.
    """
    template = parse_step(text, functions=SCALARS)
    template = replace(template, target=replace(template.target, kind=kind))

    def build(*operands: Operand) -> Steps:
        return (instantiate(template, operands, RESULT),)

    return Op(template.name, doc, build)


def comparison(text: str, doc: str) -> Op:
    """A form whose entries are 1 or 0, and which has no slope."""
    return form(text, doc, "bool")


def named(name: str, op: Op) -> Op:
    """Enter a form under a name."""
    return register(replace(op, name=name))


def scalar(text: str, value: Callable[..., Any]) -> Callable[[Callable[..., Any]], Op]:
    """A function of numbers, `y = tanh(x)`; the decorated body is its slope.

    The body's arguments say what must be kept from the forward pass: the inputs, the output,
    and `dy`, what flows in. It returns the contribution to each input, in their order.
    """
    output, call = (part.strip() for part in text.split("="))
    name, inputs = call.rstrip(")").split("(")
    names = [part.strip() for part in inputs.split(",")]

    def enter(body: Callable[..., Any]) -> Op:
        wanted = tuple(inspect.signature(body).parameters)

        def slopes(args: tuple[Term, ...], y: Term, dy: Term) -> tuple[Term, ...]:
            known = dict(zip(names, args, strict=True)) | {output: y, f"d{output}": dy}
            found = body(*(known[key] for key in wanted))
            return tuple(map(term, found)) if isinstance(found, tuple) else (term(found),)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]

        function = Function(name, value, slopes)
        SCALARS[name] = function
        left = ", ".join(f"{one}[...]" for one in names)
        return register(replace(form(f"{output}[...] = {name}({left})", _doc(body)),
                                name=name, function=function))

    return enter


def _doc(body: Callable[..., Any]) -> str:
    return inspect.getdoc(body) or ""


def compute(op: Op, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """Run one operation on arrays or numbers by the reference runner."""
    import numpy as np

    arrays = [np.asarray(arg) for arg in args]
    kinds = {"b": "bool", "i": "int", "u": "int", "f": "real"}
    operands: list[Array] = []
    for place, array in enumerate(arrays):
        kind: Any = kinds.get(array.dtype.kind, "real")
        operands.append(Array(f"arg{place}", tuple(map(size, array.shape)), kind))
    steps = steps_of(op, tuple(operands), tuple(sorted(params.items())))
    program = Program(tuple(operands), steps, (steps[-1].name,))
    values = {operand.name: array for operand, array in zip(operands, arrays, strict=True)}
    result = evaluate(program, values)[steps[-1].name]
    return result[()] if result.ndim == 0 else result

