"""Functions of whole arrays, such as softmax, with a hand-chosen backward pass.

Definition and backward pass are lines of index notation in which `.` stands for the axes that
the function leaves alone (`Z[.,k]` is `Z[k]`, `Z[n,k]` or `Z[b,n,k]`), and `...` for axes that
only what flows in may have, as it does when many directions are sent back at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol

from backpass.calculus.op import RESULT, SCALARS, Op, Operand, Steps, register
from backpass.calculus.template import fill
from backpass.language.errors import NoRule, ShapeError
from backpass.language.notation import parse_step
from backpass.language.program import Array, ArrayFunction, Call, Step, step_reads
from backpass.language.shapes import show_shape


class Differentiable(Protocol):
    """How an array function is differentiated: its operands' names, and steps that use them."""

    @property
    def operands(self) -> tuple[str, ...]: ...

    def steps(self, step: Step, arrays: Mapping[str, Array], adjoint: Array) -> list[Step]: ...


@dataclass(frozen=True)
class Rule:
    """An array function's texts: `call` states it, `backward` its gradients, `long` defines it.

    A line of `backward` that assigns `dZ` is the gradient of the operand `Z`; the others are
    what such a line needs. The last line of `long` assigns the result.
    """

    call: str
    backward: tuple[str, ...]
    long: tuple[str, ...]

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in the texts."""
        return tuple(re.findall(r"(\w+)\[", self.call.partition("=")[2]))

    @property
    def result(self) -> str:
        """The name of the result in the texts."""
        return re.split(r"[\[ =]", self.call, maxsplit=1)[0]

    def steps(self, step: Step, arrays: Mapping[str, Array], adjoint: Array) -> list[Step]:
        """The backward lines over actual arrays, for what flows in as `adjoint`."""
        call = step.body
        assert isinstance(call, Call)
        operands = dict(zip(self.operands, (arrays[arg.name] for arg in call.args), strict=True))
        known = operands | {self.result: step.target, f"d{self.result}": adjoint}
        return list(_lines(self.backward, call, known))


OWN = "%"  # marks the names that a rule gives to its own lines
FUNCTIONS: dict[str, ArrayFunction] = {}


def array_function(
    text: str,
    *,
    value: Callable[..., Any],
    doc: str,
    backward: Sequence[str],
    long: Sequence[str],
) -> Op:
    """Enter a function of one array and its rule; `k` stands at the last axis unless told."""
    function = enter(text, value, backward, long)

    def build(a: Operand, axis: int | tuple[int, ...] = -1) -> Steps:
        if not isinstance(a, Array) or not a.shape:
            raise ShapeError(f"{function.name} of a single number")
        axes, rank = axis if isinstance(axis, tuple) else (axis,), len(a.shape)
        if len(axes) != 1:
            raise ShapeError(f"{function.name} runs along one axis, not {len(axes)}")
        if not -rank <= axes[0] < rank:
            raise ShapeError(f"axis {axes[0]} does not exist: {show_shape(a.shape)}")
        return (apply(function, (a,), axes[0] % rank),)

    return register(Op(function.name, doc, build, ("axis",)))


def apply(function: ArrayFunction, operands: Sequence[Array], axis: int) -> Step:
    """The step that calls an array function on these operands, with k at `axis` of the first."""
    rule: Rule = function.rule
    known = dict(zip(rule.operands, operands, strict=True))
    step = _fill(rule.call, len(operands[0].shape), axis, known)
    return replace(step, target=replace(step.target, name=RESULT))


def enter(
    text: str, value: Callable[..., Any], backward: Sequence[str], long: Sequence[str]
) -> ArrayFunction:
    """An array function with its rule, for an operation that builds itself out of several."""
    found = re.search(r"=\s*(\w+)\(", text)
    assert found is not None
    function = ArrayFunction(found[1], value, Rule(text, tuple(backward), tuple(long)))
    FUNCTIONS[function.name] = function
    return function


def expand(text: str, rank: int, axis: int) -> str:
    """Write out the axes behind `.` for an operand of this rank whose k stands at `axis`."""
    others = [f"a{place}" for place in range(rank - 1)]
    whole = [*others[:axis], "k", *others[axis:]]

    def indices(found: re.Match[str]) -> str:
        parts = [part.strip() for part in found[1].split(",")]
        front = ["..."] if "..." in parts else []
        rest = [part for part in parts if part != "..."]
        if rest == [".", "k"]:
            rest = whole
        else:
            rest = [one for part in rest for one in (others if part == "." else [part])]
        return "[" + ",".join(front + rest) + "]"

    picked = [f"y[{','.join(others)}]" if one == "k" else one for one in whole]
    text = text.replace("[.,y[.]]", "[" + ",".join(picked) + "]")
    text = text.replace("size(.)", f"({'*'.join(others) or 1})")
    text = text.replace("over .,k", "over " + ",".join(whole))
    return re.sub(r"(?<=\w)\[([^\[\]]*)\]", indices, text)


@lru_cache(maxsize=1024)
def _template(text: str, rank: int, axis: int) -> Step:
    return parse_step(expand(text, rank, axis), functions=SCALARS, array_functions=FUNCTIONS)


def _fill(text: str, rank: int, axis: int, operands: Mapping[str, Operand]) -> Step:
    """A line over those of the operands that it names."""
    template = _template(text, rank, axis)
    used = {read.name for read in step_reads(template)}
    present = {name: operand for name, operand in operands.items() if name in used}
    return fill(template, present, template.name)


def _lines(texts: Sequence[str], call: Call, operands: Mapping[str, Operand]) -> Iterator[Step]:
    """Fill lines in turn, each able to read what the earlier ones assign.

    What a line assigns is marked as the rule's own: the arrays that a user calls P or s are
    others.
    """
    index = call.args[0].index
    known = dict(operands)
    for text in texts:
        step = _fill(text, len(index), index.index(call.over[-1]), known)
        target = replace(step.target, name=f"{OWN}{step.name}")
        known[step.name] = target
        yield replace(step, target=target)


def operand_texts(call: Call) -> tuple[str, ...]:
    """What the rule of a call names its operands; NoRule for a function that has no rule."""
    rule: Differentiable | None = call.function.rule
    if rule is None:
        raise NoRule(f"{call.function.name} has no derivative")
    return rule.operands


def backward_steps(
    step: Step, arrays: Mapping[str, Array], adjoint: Array, wanted: Sequence[str]
) -> list[Step]:
    """The backward pass of a call, as far as the operands called `wanted` need it.

    Steps keep the names of the rule, marked by `OWN`: `%dZ` is the gradient of the operand that
    the rule calls Z.
    """
    call = step.body
    assert isinstance(call, Call)
    rule: Differentiable = call.function.rule
    pairs = zip(operand_texts(call), call.args, strict=True)
    names = {f"{OWN}d{name}" for name, arg in pairs if arg.name in wanted}
    needed: list[Step] = []
    for one in reversed(rule.steps(step, arrays, adjoint)):
        if one.name in names:
            needed.append(one)
            names |= {read.name for read in step_reads(one)}
    return needed[::-1]


def long_steps(step: Step, arrays: Mapping[str, Array]) -> list[Step]:
    """A call's definition in elementary steps, their names marked; the last one is the result."""
    call = step.body
    assert isinstance(call, Call)
    rule: Rule = call.function.rule
    operands = dict(zip(rule.operands, (arrays[arg.name] for arg in call.args), strict=True))
    return list(_lines(rule.long, call, operands))
