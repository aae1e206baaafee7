"""A program as NumPy source: one function that needs nothing but NumPy.

    def forward_backward(X, Y, W1, b1):
        Z1 = X @ W1 + b1  # (n, j)
        …
        return L, {"W1": dW1, "b1": db1}

What is printed is what runs: `runner.py` compiles this very text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from backpass.language.errors import ShapeError
from backpass.language.expr import Apply, walk
from backpass.language.program import Array, Call, Program, Step, step_sizes
from backpass.language.shapes import Size, names
from backpass.running.identifiers import assign
from backpass.running.numpy.code import Desk
from backpass.running.numpy.functions import SPELLINGS
from backpass.running.numpy.steps import statements

Nest: TypeAlias = "str | Mapping[str, Nest] | list[Nest] | tuple[Nest, ...]"  # names of arrays
WIDEST = 60  # a longer line does not push the comments of the others aside


@dataclass(frozen=True, slots=True)
class Source:
    """Emitted source: its text, the function's name, and what the function takes.

    `arrays` are the program's names of the arguments, in order: the inputs, then the fixed
    arrays. `functions` come behind them, called `function_words`: those that have no spelling.
    """

    text: str
    name: str
    arrays: tuple[str, ...]
    functions: tuple[str, ...]
    function_words: tuple[str, ...]


def source(
    program: Program, *, name: str = "forward_backward", gradients: Nest | None = None
) -> Source:
    """Emit a program as a function `name`.

    It returns the program's outputs; with `gradients`, the first output and these names of
    arrays, nested as given: `return L, {"W1": dW1}`.
    """
    inputs = (*program.inputs, *(array for array, _ in program.constants))
    functions = tuple(one for one in _functions(program.steps) if one not in SPELLINGS)
    taken = {"np", "dtype", name, *_defined_words()}
    words = assign([*program.arrays, *functions], taken)
    sizes = dict.fromkeys(one for size in _sizes(program) for one in names(size))
    desk = Desk(program.arrays, words, assign(sizes, {*taken, *words.values()}))
    first = program.outputs[:1] if gradients is not None else program.outputs
    returned = {*first, *_leaves(gradients or ())}

    body: list[tuple[str, str]] = []
    for step in program.steps:
        lines = statements(step, desk, own=step.name in returned)
        body.append((lines[0], _shape_text(step.target)))
        body += [(line, "") for line in lines[1:]]
    result = ", ".join(words[one] for one in first)
    if gradients is not None:
        result += f", {_nest_text(gradients, words)}"
    arguments = ", ".join(words[one] for one in (*(array.name for array in inputs), *functions))
    lines = (
        *_docstring(
            inputs, words, result if gradients is None else f"{words[first[0]]} and its gradients"
        ),
        *_dtype_line(inputs, desk),
        *_size_lines(inputs, desk),
        *_commented(body),
        f"return {result}",
    )
    body_text = textwrap.indent("\n".join(lines), "    ")
    imports, definitions = _above(desk.asked.functions)
    text = "\n\n\n".join([imports, *definitions, f"def {name}({arguments}):\n{body_text}\n"])
    taken_from = tuple(array.name for array in inputs)
    return Source(text, name, taken_from, functions, tuple(words[one] for one in functions))


# ── what stands above the steps ──────────────────────────────────────────────────────────────


def _functions(steps: Iterable[Step]) -> Iterator[str]:
    """The functions that steps apply, each once."""
    found: dict[str, None] = {}
    for step in steps:
        if isinstance(step.body, Call):
            found[step.body.function.name] = None
        for write in step.writes:
            for term in (*write.left, write.term):
                found |= {n.function.name: None for n in walk(term) if isinstance(n, Apply)}
    return iter(found)


def _sizes(program: Program) -> Iterator[Size]:
    """Every size that the program mentions, those of its inputs first."""
    for array in program.arrays.values():
        yield from array.shape
    for step in program.steps:
        yield from step_sizes(step)


def _defined_words() -> set[str]:
    """The names that definitions and imports may bring in."""
    texts = "\n".join(spelling.define for spelling in SPELLINGS.values())
    return set(re.findall(r"^(?:def|from \S+ import) (\w+)", texts, re.MULTILINE))


def _above(functions: Iterable[str]) -> tuple[str, list[str]]:
    """The imports, and the definitions, each below what it needs."""
    found: dict[str, None] = {}

    def need(name: str) -> None:
        spelling = SPELLINGS.get(name)
        if spelling is not None and spelling.define:
            for one in spelling.needs:
                need(one)
            found[spelling.define] = None

    for name in functions:
        need(name)
    definitions = [text for text in found if text.startswith("def ")]
    imports = ["import numpy as np", *(text for text in found if text not in definitions)]
    return "\n".join(imports), definitions


def _dtype_line(inputs: Sequence[Array], desk: Desk) -> list[str]:
    """The dtype that the real arrays share; none unless something asks for it."""
    if not desk.asked.dtype:
        return []
    real = [desk.names[array.name] for array in inputs if array.kind == "real"]
    if len(real) < 2:
        return [f"dtype = {real[0]}.dtype" if real else "dtype = np.float64"]
    return [f"dtype = np.result_type({', '.join(real)})"]


def _size_lines(inputs: Sequence[Array], desk: Desk) -> list[str]:
    """`n, k = X.shape`, for the sizes that something asks for."""
    wanted, lines = set(desk.asked.sizes), list[str]()
    for array in inputs:
        slots = [str(axis) if axis.is_name else "" for axis in array.shape]
        here = [one for one in dict.fromkeys(slots) if one in wanted]
        if not here:
            continue
        wanted -= set(here)
        word = desk.names[array.name]
        if len(here) == 1:
            lines.append(f"{desk.size_names[here[0]]} = {word}.shape[{slots.index(here[0])}]")
            continue
        targets: list[str] = []
        for place, slot in enumerate(slots):
            new = slot in here and slots.index(slot) == place
            targets.append(desk.size_names[slot] if new else "_")
        lines.append(f"{', '.join(targets)} = {word}.shape")
    if wanted:
        raise ShapeError(f"the size {min(wanted)} is not known here; no input carries it")
    return lines


# ── what stands around them ──────────────────────────────────────────────────────────────────


def _shape_text(array: Array) -> str:
    shape = ", ".join(map(str, array.shape))
    return f"({shape},)" if len(array.shape) == 1 else f"({shape})" if shape else ""


def _docstring(inputs: Sequence[Array], words: Mapping[str, str], result: str) -> list[str]:
    """What goes in, with its shapes, and what comes out."""
    kinds = {"real": "", "int": " of integers", "bool": " of truth values"}
    shapes = [
        f"{words[array.name]} {_shape_text(array) or 'a number'}{kinds[array.kind]}"
        for array in inputs
    ]
    text = textwrap.wrap(", ".join(shapes), 88, break_long_words=False)
    return [f'"""Return {result}.', "", *text, '"""']


def _commented(lines: Sequence[tuple[str, str]]) -> list[str]:
    """Lines with their comments below one another."""
    width = max((len(line) for line, note in lines if note and len(line) <= WIDEST), default=0)
    return [f"{line.ljust(width)}  # {note}" if note else line for line, note in lines]


def _leaves(nest: Nest) -> Iterator[str]:
    if isinstance(nest, str):
        yield nest
        return
    for part in nest.values() if isinstance(nest, Mapping) else nest:
        yield from _leaves(part)


def _nest_text(nest: Nest, words: Mapping[str, str]) -> str:
    """The nest as a literal: dicts, lists and tuples of variables."""
    if isinstance(nest, str):
        return words[nest]
    if isinstance(nest, Mapping):
        parts = (f"{_quoted(key)}: {_nest_text(part, words)}" for key, part in nest.items())
        return "{" + ", ".join(parts) + "}"
    inner = ", ".join(_nest_text(part, words) for part in nest)
    if isinstance(nest, list):
        return f"[{inner}]"
    return f"({inner},)" if len(nest) == 1 else f"({inner})"


def _quoted(text: str) -> str:
    """A string literal in double quotes, ASCII."""
    return '"' + ascii(text)[1:-1].replace('"', '\\"') + '"'
