"""Where the backward pass asks for nothing but a sign, which an output tells as well."""

from __future__ import annotations

from backpass.language.expr import ZERO, Apply, Bracket, Function, Number, Read, Term, walk
from backpass.language.program import Step, Write, bare, step_reads
from backpass.reading.passes import Passes


def same_sign(passes: Passes, name: str) -> str | None:
    """The output that is above zero where `name` is, if no backward step asks for more."""
    if any(_asks_more(step, name) for step in passes.backward):
        return None
    array = passes.arrays[name]
    for step in passes.forward.steps:
        if len(step.writes) != 1 or step.target.shape != array.shape:
            continue
        match step.writes[0]:
            case Write(left=left, term=Apply(function=function, args=(Read(read, index), *rest))):
                axes = bare(left)
                whole = axes is not None and tuple(axis.size for axis in axes) == array.shape
                if read == name and left == index and whole and _keeps_sign(function, rest):
                    return step.name
            case _:
                pass
    return None


def _keeps_sign(function: Function, rest: list[Term]) -> bool:
    match function.name, rest:
        case "relu", []:
            return True
        case "leaky_relu", [Number(value=slope)]:
            return slope >= 0
        case _:
            return False


def _asks_more(step: Step, name: str) -> bool:
    """Whether a step reads more of a value than whether it is above zero."""
    found = sum(read.name == name for read in step_reads(step))
    return found > sum(_asks_sign(node, name) for write in step.writes for node in walk(write.term))


def _asks_sign(node: Term, name: str) -> bool:
    match node:
        case Bracket(relation=">" | "<=", left=Read(name=read)) if node.right == ZERO:
            return read == name
        case _:
            return False
