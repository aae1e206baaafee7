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
from typing import Any

from backpass.calculus.op import RESULT, SCALARS, Op, Operand, Steps, register
from backpass.calculus.template import fill
from backpass.language.errors import NoRule, ShapeError
from backpass.language.notation import parse_step
from backpass.language.program import Array, ArrayFunction, Call, Step, step_reads
from backpass.language.shapes import show_shape

Value = Callable[..., Any]


@dataclass(frozen=True)
class Rule:
    """An array function's texts: `call` states it, `backward` its gradients, `long` defines it.

    A line of `backward` that assigns `dZ` is the gradient of the operand `Z`; the others are
    what such a line needs. The last line of `long` assigns the result.
    """

    function: ArrayFunction
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


RULES: dict[str, Rule] = {}
FUNCTIONS: dict[str, ArrayFunction] = {}


def array_function(
    text: str,
    *,
    value: Value,
    doc: str,
    backward: Sequence[str],
    long: Sequence[str],
    axis: int = -1,
    name: str | None = None,
) -> Op:
    """Enter an array function and its rule; `axis` is where `k` stands unless the caller says."""
    rule = enter(text, value, backward, long)
    default = axis

    def build(*operands: Operand, axis: int | tuple[int, ...] | None = default) -> Steps:
        (place,) = axis if isinstance(axis, tuple) else (default if axis is None else axis,)
        first = operands[0]
        if not isinstance(first, Array) or not first.shape:
            raise ShapeError(f"{rule.function.name} of a single number")
        rank = len(first.shape)
        if not -rank <= place < rank:
            raise ShapeError(f"axis {place} does not exist: {show_shape(first.shape)}")
        return (apply(rule, operands, place % rank),)

    return register(Op(name or rule.function.name, doc, build, ("axis",)))


def apply(rule: Rule, operands: Sequence[Operand], axis: int) -> Step:
    """The step that calls an array function on these operands, with k at `axis` of the first."""
    first = operands[0]
    assert isinstance(first, Array)
    known = dict(zip(rule.operands, operands, strict=True))
    step = _fill(rule.call, len(first.shape), axis, known)
    return replace(step, target=replace(step.target, name=RESULT))


def enter(text: str, value: Value, backward: Sequence[str], long: Sequence[str]) -> Rule:
    """Enter the rule alone, for an operation that builds itself out of several of them."""
    found = re.search(r"=\s*(\w+)\(", text)
    assert found is not None
    function = ArrayFunction(found[1], value)
    FUNCTIONS[function.name] = function
    return RULES.setdefault(function.name, Rule(function, text, tuple(backward), tuple(long)))


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
    text = text.replace("size(.)", "*".join(others) or "1").replace("over .,k", "over " + ",".join(whole))
    return re.sub(r"(?<=\w)\[([^\[\]]*)\]", indices, text)


@lru_cache(maxsize=1024)
def _template(text: str, rank: int, axis: int) -> Step:
    return parse_step(expand(text, rank, axis), functions=SCALARS, array_functions=FUNCTIONS)


def _fill(text: str, rank: int, axis: int, operands: Mapping[str, Operand]) -> Step:
    template = _template(text, rank, axis)
    used = {read.name for read in step_reads(template)}
    present = {name: operand for name, operand in operands.items() if name in used}
    return fill(template, present, template.name)


def _lines(texts: Sequence[str], call: Call, operands: Mapping[str, Operand]) -> Iterator[Step]:
    """Fill lines in turn, each able to read what the earlier ones assign."""
    index = call.args[0].index
    known = dict(operands)
    for text in texts:
        step = _fill(text, len(index), index.index(call.over[-1]), known)
        known[step.name] = step.target
        yield step


def operand_texts(call: Call) -> tuple[str, ...]:
    """What the texts of a call's rule call its operands; none for a declared function."""
    rule = RULES.get(call.function.name)
    return rule.operands if rule else ()


def backward_steps(
    step: Step, arrays: Mapping[str, Array], adjoint: Array, wanted: Sequence[str]
) -> list[Step]:
    """The lines of a call's backward pass for the operands called `wanted`, over actual arrays.

    Steps keep the names of the texts: `dZ` for the gradient of the operand that the text calls
    Z. Raises NoRule for a function that has none.
    """
    call = step.body
    assert isinstance(call, Call)
    rule = RULES.get(call.function.name)
    if rule is None or not rule.backward:
        raise NoRule(f"{call.function.name} has no derivative")
    operands = dict(zip(rule.operands, (arrays[arg.name] for arg in call.args), strict=True))
    steps = list(
        _lines(rule.backward, call, operands | {rule.result: step.target, f"d{rule.result}": adjoint})
    )
    names = {f"d{name}" for name, arg in zip(rule.operands, call.args, strict=True)
             if arg.name in wanted}  # fmt: skip
    needed: list[Step] = []
    for one in reversed(steps):
        if one.name in names:
            needed.append(one)
            names |= {read.name for read in step_reads(one)}
    return needed[::-1]


def long_steps(step: Step, arrays: Mapping[str, Array]) -> list[Step]:
    """A call's definition in elementary steps; the last one assigns the text's result."""
    call = step.body
    assert isinstance(call, Call)
    rule = RULES[call.function.name]
    operands = dict(zip(rule.operands, (arrays[arg.name] for arg in call.args), strict=True))
    return list(_lines(rule.long, call, operands))
