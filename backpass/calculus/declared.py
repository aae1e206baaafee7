"""Functions without a body: `g` stays g, its slope is g′, and a cost C has the gradient ∇C.

They are for reading: the derivation of a network with any activation and any cost. Running one
asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from backpass.calculus.op import RESULT, Op, Operand, Steps
from backpass.calculus.whole import OWN
from backpass.language.errors import NotationError, ShapeError
from backpass.language.expr import Apply, Function, Read, Term, multiply
from backpass.language.program import Array, ArrayFunction, Call, Step, Write, axis_labels


def declare_functions(text: object) -> dict[str, Op]:
    """Read a declaration such as `g: elementwise, C: scalar`; one operation for each name."""
    if text is None:
        return {}
    if not isinstance(text, str):
        raise NotationError('functions are declared by a text, "g: elementwise, C: scalar"')
    found: dict[str, Op] = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        name, colon, kind = (part.strip() for part in entry.partition(":"))
        if not colon or not name.isidentifier() or kind not in ("elementwise", "scalar"):
            raise NotationError(
                'a function is declared as "g: elementwise" or "C: scalar"', line=entry
            )
        if name in found:
            raise NotationError(f"the function {name} is declared twice", line=text)
        found[name] = _elementwise(name) if kind == "elementwise" else _scalar(name)
    return found


def derivative_name(name: str) -> str:
    """g′ of g, g″ of g′."""
    return name.removesuffix("′") + "″" if name.endswith("′") else name + "′"


def _function(name: str) -> Function:
    def slopes(args: tuple[Term, ...], y: Term, dy: Term) -> tuple[Term, ...]:
        return (multiply(dy, Apply(_function(derivative_name(name)), args)),)

    return Function(name, None, slopes)


def _elementwise(name: str) -> Op:
    function = _function(name)

    def build(a: Operand) -> Steps:
        if not isinstance(a, Array):
            return (Step(Array(RESULT, ()), (Write((), Apply(function, (a,)), ()),)),)
        labels = axis_labels(a.shape)
        term = Apply(function, (Read(a.name, labels),))
        return (Step(Array(RESULT, a.shape), (Write(labels, term, labels),)),)

    return Op(name, f"Some function {name}, entry by entry.", build, function=function)


class Gradient:
    """How a declared cost is differentiated: what flows in, times ∇C."""

    def __init__(self, name: str) -> None:
        self.gradient = ArrayFunction(f"∇{name}")
        self.operands = ("Y",)

    def steps(self, step: Step, arrays: Mapping[str, Array], adjoint: Array) -> list[Step]:
        """`G = ∇C(Y)` and `dY = dL·G`."""
        call = step.body
        assert isinstance(call, Call)
        (arg,) = call.args
        labels = call.over
        inside = Step(Array(f"{OWN}G", tuple(one.size for one in labels)),
                      Call(self.gradient, (Read(arg.name, labels),), labels, labels))  # fmt: skip
        lead = axis_labels(adjoint.shape, {one.name for one in labels})
        term = multiply(Read(adjoint.name, lead), Read(inside.name, labels))
        target = Array(f"{OWN}dY", (*adjoint.shape, *inside.target.shape))
        return [inside, Step(target, (Write((*lead, *labels), term, (*lead, *labels)),))]


def _scalar(name: str) -> Op:
    function = ArrayFunction(name, None, Gradient(name))

    def build(a: Operand) -> Steps:
        if not isinstance(a, Array):
            raise ShapeError(f"{name} of a fixed number is a number; give it an array")
        labels = axis_labels(a.shape)
        return (Step(Array(RESULT, ()), Call(function, (Read(a.name, labels),), (), labels)),)

    return Op(name, f"Some cost {name} of a whole array.", build)
