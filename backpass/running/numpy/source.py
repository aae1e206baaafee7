"""A program as NumPy source: one function that needs nothing but NumPy.

    def forward_backward(X, Y, W1, b1):
        Z1 = X @ W1 + b1  # (n, j)
        …
        return L, {"W1": dW1, "b1": db1}

What is printed is what runs: `runner.py` compiles these very lines. For people, the first of them
take nests of arrays apart; the runner is given every array by itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from backpass.language.program import Program
from backpass.running.identifiers import assign
from backpass.running.numpy import frame
from backpass.running.numpy.code import Desk
from backpass.running.numpy.entry import opening, shapes, worded, written_out
from backpass.running.numpy.frame import Nest
from backpass.running.numpy.joint import Joint, joints
from backpass.running.numpy.layout import broken, fitted
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
    program: Program,
    *,
    name: str = "forward_backward",
    gradients: Nest | None = None,
    outputs: Nest | None = None,
    arguments: Mapping[str, Nest] | None = None,
) -> Source:
    """Emit a program as a function `name`.

    It returns the program's outputs, nested as in `outputs`; with `gradients`, the first output
    and these names of arrays, nested as given: `return L, {"W1": dW1}`. It takes the inputs one
    by one, and then the fixed arrays; with `arguments` it takes these nests of names, and short
    fixed arrays are written out.
    """
    made = {} if arguments is None else written_out(program)
    inputs = [one for one in frame.taken_from(program) if one.name not in made]
    taken = {one.name: one.name for one in inputs} if arguments is None else arguments
    nests = [head for head, nest in taken.items() if not isinstance(nest, str)]
    heads = assign(nests, frame.reserved(name))
    functions = frame.unspelled(program.steps)
    desk = frame.desk_of(program, functions, name, heads.values())
    words = desk.names
    given = {heads.get(one) or words[one]: worded(nest, words) for one, nest in taken.items()}
    given |= {words[one.name]: words[one.name] for one in inputs[len(program.inputs) :]}
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
    elif outputs is not None:
        result = frame.nest_text(outputs, words)
    arrays = {words[name]: array for name, array in program.arrays.items()}
    literals = {words[name]: value for name, value in made.items()}
    top = opening(given, literals, arrays, typed=desk.asked.dtype)
    lines = (
        *frame.docstring(
            summary, [f"{head} {shapes(nest, arrays)}" for head, nest in given.items()]
        ),
        *(line for one in top for line in broken(one, frame.WIDTH - 4)),
        *frame.size_lines(inputs, desk.asked.sizes, words, desk.size_names),
        *(line for one in frame.commented(body) for line in fitted(one, frame.WIDTH - 4)),
        *broken(f"return {result}", frame.WIDTH - 4),
    )
    signature = ", ".join([*given, *(words[one] for one in functions)])
    head = "\n".join(broken(f"def {name}({signature}):", frame.WIDTH))
    definition = head + "\n" + textwrap.indent("\n".join(lines), "    ") + "\n"
    text = "\n\n\n".join([*frame.above(desk.asked.functions), definition])
    names = tuple(array.name for array in inputs)
    return Source(text, name, names, functions, tuple(words[one] for one in functions))


def _both(joint: Joint, desk: Desk) -> tuple[str, str]:
    """The line for two steps, and the shape of the second for its comment."""
    softmax = desk.names[joint.softmax.name]
    (line,) = statements(joint.step, desk, own=False)
    target, value = line.split(" = ", 1)
    return f"{target}, {softmax} = {value}", f"{softmax} {frame.shape_text(joint.softmax.target)}"
