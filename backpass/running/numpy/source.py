"""A program as NumPy source: one function that needs nothing but NumPy.

    def forward_backward(X, Y, W1, b1):
        Z1 = X @ W1 + b1  # (n, j)
        …
        return L, {"W1": dW1, "b1": db1}

What is printed is what runs: `runner.py` compiles this very text.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from backpass.language.program import Program
from backpass.running.numpy import frame
from backpass.running.numpy.code import Desk
from backpass.running.numpy.frame import Nest
from backpass.running.numpy.joint import Joint, joints
from backpass.running.numpy.layout import broken
from backpass.running.numpy.steps import statements


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
    inputs = frame.taken_from(program)
    functions = frame.unspelled(program.steps)
    desk = frame.desk_of(program, functions, name)
    words = desk.names
    first = program.outputs[:1] if gradients is not None else program.outputs
    returned = {*first, *frame.leaves(gradients or ())}

    body: list[tuple[str, str]] = []
    together = joints(program)
    for step in program.steps:
        joint = together.get(step.name, step)
        if joint is None:
            continue
        if isinstance(joint, Joint):
            body.append(_both(joint, desk))
            continue
        lines = statements(step, desk, own=step.name in returned)
        body.append((lines[0], frame.shape_text(step.target)))
        body += [(line, "") for line in lines[1:]]
    result = ", ".join(words[one] for one in first)
    summary = f"Return {result}."
    if gradients is not None:
        summary = f"Return {words[first[0]]} and its gradients."
        result += f", {frame.nest_text(gradients, words)}"
    shapes = [
        f"{words[one.name]} {frame.shape_text(one) or 'a number'}{frame.KINDS[one.kind]}"
        for one in inputs
    ]
    real = [words[array.name] for array in inputs if array.kind == "real"]
    lines = (
        *frame.docstring(summary, shapes),
        *([frame.dtype_line(real)] if desk.asked.dtype else []),
        *frame.size_lines(inputs, desk.asked.sizes, words, desk.size_names),
        *frame.commented(body),
        *broken(f"return {result}", frame.WIDTH - 4),
    )
    arguments = [*(words[array.name] for array in inputs), *(words[one] for one in functions)]
    head = "\n".join(broken(f"def {name}({', '.join(arguments)}):", frame.WIDTH))
    definition = head + "\n" + textwrap.indent("\n".join(lines), "    ") + "\n"
    text = "\n\n\n".join([*frame.above(desk.asked.functions), definition])
    given = tuple(array.name for array in inputs)
    return Source(text, name, given, functions, tuple(words[one] for one in functions))


def _both(joint: Joint, desk: Desk) -> tuple[str, str]:
    """The line for two steps, and the shape of the second for its comment."""
    softmax = desk.names[joint.softmax.name]
    (line,) = statements(joint.step, desk, own=False)
    target, value = line.split(" = ", 1)
    return f"{target}, {softmax} = {value}", f"{softmax} {frame.shape_text(joint.softmax.target)}"
