"""What an operation is: a form or a scalar function, and the table of all operations.

A **form** is a line of index notation and needs no derivative: the one rule differentiates it.
A **scalar** function says its slope in its body. (A third kind, functions of whole arrays, is in
`whole.py`.)

An operation called on arrays computes; called on anything that answers `__backpass__`, it hands
itself over, so that a tracer can record it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, TypeGuard

import numpy as np

from backpass.calculus.template import instantiate
from backpass.language.evaluate import evaluate
from backpass.language.expr import Apply, Arithmetic, Function, Term, term
from backpass.language.notation import parse_step
from backpass.language.program import Array, Kind, Program, Step
from backpass.language.shapes import size

Operand = Array | Term  # an array, or a number that the forward pass fixes
Steps = tuple[Step, ...]
Value = Callable[[Any], Any] | Callable[[Any, Any], Any] | Callable[[Any, Any, Any], Any]

RESULT = "out"  # what an operation's last step assigns, until the tracer gives it a name
KINDS: dict[str, Kind] = {"f": "real", "i": "int", "u": "int", "b": "bool"}  # by NumPy's letters


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
    signature: inspect.Signature | None = field(default=None, repr=False)  # of a scalar function

    def __call__(self, *args: Any, **params: Any) -> Any:
        for part in _parts(args):
            delegate = getattr(type(part), "__backpass__", None)
            if delegate is not None:
                return delegate(part, self, args, params)
        if self.function is not None and any(isinstance(arg, Arithmetic) for arg in args):
            return Apply(self.function, tuple(map(term, args)))
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


# Three ways to state an operation.


def form(text: str, doc: str, kind: Kind = "real") -> Op:
    """An operation that index notation states in full, `C[i,k] = A[i,j] * B[j,k]`.

    Leading axes written `...` broadcast as in NumPy; labelled axes must agree exactly.
    """
    found = re.match(r"\w+", text)
    assert found is not None

    @cache  # when it is first asked for: few of all forms are used in any one process
    def template() -> Step:
        step = parse_step(text, functions=SCALARS)
        return replace(step, target=replace(step.target, kind=kind))

    def build(*operands: Operand) -> Steps:
        return (instantiate(template(), operands, RESULT),)

    return Op(found[0], doc, build)


def comparison(text: str, doc: str) -> Op:
    """A form whose entries are 1 or 0, and which has no slope."""
    return form(text, doc, "bool")


def named(name: str, op: Op) -> Op:
    """Enter a form under a name."""
    return register(replace(op, name=name))


def scalar(text: str, value: Value) -> Callable[[Callable[..., Term | tuple[Term, ...]]], Op]:
    """A function of numbers, `y = tanh(x)`; the decorated body is its slope.

    An input may have a default, `slope=0.01`. The body's arguments say what must be kept from the
    forward pass: the inputs, the output, and `dy`, what flows in. It returns the contribution to
    each input, in their order.
    """
    found = re.fullmatch(r"(\w+) = (\w+)\((.+)\)", text)
    assert found is not None
    output, name, inputs = found.groups()
    defaults = [one.partition("=")[::2] for one in inputs.split(", ")]
    names = [one for one, _ in defaults]
    signature = inspect.Signature(
        [
            inspect.Parameter(
                one,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=float(default) if default else inspect.Parameter.empty,
            )
            for one, default in defaults
        ]
    )

    def enter(body: Callable[..., Term | tuple[Term, ...]]) -> Op:
        wanted = tuple(inspect.signature(body).parameters)

        def slopes(args: tuple[Term, ...], y: Term, dy: Term) -> tuple[Term, ...]:
            known = dict(zip(names, args, strict=True)) | {output: y, f"d{output}": dy}
            slope = body(*(known[key] for key in wanted))
            return slope if isinstance(slope, tuple) else (slope,)

        function = Function(name, value, slopes)
        SCALARS[name] = function
        entries = ", ".join(f"{one}[...]" for one in names)
        doc = inspect.getdoc(body) or ""
        op = form(f"{output}[...] = {name}({entries})", doc)
        return register(replace(op, name=name, function=function, signature=signature))

    return enter


# Calls on plain arrays.


def compute(op: Op, args: Sequence[Any], params: Mapping[str, Any]) -> Any:
    """Run one operation on arrays or numbers by the reference runner."""
    given, params = bound(op, args, params)
    arrays = [np.asarray(arg) for arg in given]
    operands = tuple(
        Array(f"arg{place}", tuple(map(size, array.shape)), KINDS.get(array.dtype.kind, "real"))
        for place, array in enumerate(arrays)
    )
    steps = steps_of(op, operands, tuple(sorted(params.items())))
    program = Program(operands, steps, (RESULT,))
    values = {operand.name: array for operand, array in zip(operands, arrays, strict=True)}
    return evaluate(program, values)[RESULT][()]


def bound(
    op: Op, args: Sequence[Any], params: Mapping[str, Any]
) -> tuple[Sequence[Any], dict[str, Any]]:
    """Operands and parameters of a call: a list is many operands, and parameters follow them.

    Raises TypeError, as Python does, when a scalar function is given too little or too much.
    """
    if op.signature is not None:
        given = op.signature.bind(*args, **params)
        given.apply_defaults()
        return given.args, {}
    taken = inspect.signature(op.build).parameters.values()
    many = any(one.kind is one.VAR_POSITIONAL for one in taken)
    count = len(args) if many else len(taken) - len(op.params)
    operands, rest = args[:count], args[count:]
    if many and op.params and operands and _is_list(operands[0]):
        operands, rest = operands[0], operands[1:]
    found = dict(zip(op.params, rest, strict=False)) | dict(params)
    return operands, {name: tuple(v) if _is_list(v) else v for name, v in found.items()}


def _parts(args: Sequence[Any]) -> Iterator[object]:
    """The arguments, and what stands in those that are lists."""
    for arg in args:
        yield from arg if _is_list(arg) else (arg,)


def _is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, (list, tuple))
