"""Index notation, `C[i,k] = A[i,j] * B[j,k] + b[k]`, read into a tree and written from one.

    parse_step(text, shapes=None, functions=None, array_functions=None) -> Step
    parse_term(text, labels=(), shapes=None, functions=None) -> Term
    parse_array("y: n int<m") -> Array
    parse_program(text, functions=None, array_functions=None, constants=None) -> Program
    format_step(step, arrays=None), format_term(term, labels=None, arrays=None),
    format_array(array), format_program(program) -> str

What is written reads back as the same tree. Nothing is evaluated: the text is cut into tokens.

**Statements.** `+` and `-` at top level separate writes, each a loop nest of its own; brackets
keep one nest: `(A[n,m] - y[m])`. Writes with another left or other bounds take a statement more,
on its own line or after `;`, such as `C[i+n] += B[i]`; `=` and `+=` mean the same. `= 0` is a step
without writes. `P[n,k] = softmax(Z[n,k] over k)` calls a function of whole arrays.

**Bounds.** A name that fills an index by itself, as i does in `A[i,2*p]`, is a label. Its bound is
the length of the axes where it does so, which must agree. `for j<k, u<3` at the end of a statement
states bounds instead, for each of its writes (`for n` is short for `n<n`), and adds loops that the
text does not mention; when it names every label of a write, the loops take its order. Without
`shapes` the text is a template: the bound of i is the size called i, and `...` may be an index.

**Names.** Inside an index or `[j<=i]` a bare name is the label of that name, else the array of rank
0, else a size. Outside it is an array of rank 0, else a size (in a template: a size when a label
has its name). Always unmistakable: `index(n)` a label, `size(n*k)` a size, `L[]` an array.
A polynomial of sizes in brackets of its own, `(n-1)`, is one size.

**Programs** have one statement a line and `#` before comments. `X: n k` declares an array (`w: ()`
a scalar, `y: n int<m` integers below m, `c: 3 fixed` a constant given apart); declared names that
no step assigns are the inputs. `return L, dW` closes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from backpass.language.errors import NotationError, ShapeError, UnknownName, nearest
from backpass.language.expr import Function, Label, Read, Term, negate
from backpass.language.expr import labels as labels_of
from backpass.language.notation_terms import (
    CLOSING,
    NAME,
    OPENING,
    Reader,
    Scope,
    named,
    polynomial,
    sizes_only,
    tokens_of,
)
from backpass.language.notation_text import format_array, format_program, format_step, format_term
from backpass.language.program import Array, ArrayFunction, Call, Kind, Program, Step, Write
from backpass.language.shapes import Shape, Size, show_shape, size

__all__ = [
    "format_array",
    "format_program",
    "format_step",
    "format_term",
    "parse_array",
    "parse_program",
    "parse_step",
    "parse_term",
]


@dataclass(slots=True)
class Nest:
    """One write before its labels are known: tokens, and what a first reading found in them."""

    line: str
    target: str
    left: list[str]
    term: list[str]
    negative: bool
    clause: dict[str, Size]
    over: list[str] | None = None  # the labels after `over`, when the term is a call
    rank: int = 0
    slots: list[tuple[str, int, str]] = field(default_factory=list[tuple[str, int, str]])

    def on_left(self) -> list[tuple[int, str]]:
        """The labels that fill an index of the target, with their axes."""
        return [(axis, label) for name, axis, label in self.slots if name == self.target]


def parse_term(
    text: str,
    labels: Iterable[Label] = (),
    shapes: Mapping[str, Shape] | None = None,
    functions: Mapping[str, Function] | None = None,
) -> Term:
    """Read one term in which `labels` are in scope; NotationError quotes what cannot be read."""
    scope = Scope(text, shapes, functions, {label.name: label for label in labels}, [])
    return Reader(tokens_of(text), scope).whole()


def parse_step(
    text: str,
    shapes: Mapping[str, Shape] | None = None,
    functions: Mapping[str, Function] | None = None,
    array_functions: Mapping[str, ArrayFunction] | None = None,
) -> Step:
    """Read the statements that assign one name; the module's docstring gives the grammar.

    `shapes` gives the arrays that may be read and, where its left does not tell, the target;
    None makes the text a template. Without `functions` any function name is taken as declared.
    """
    lines = [line.strip() for line in re.split(r"[;\n]", text) if line.strip()]
    nests = [nest for line in lines for nest in statement(line)]
    if not nests:
        raise NotationError("a step is missing; write one such as C[i,k] = A[i,j] * B[j,k]")
    for nest in nests:
        if nest.target != nests[0].target:
            message = f"one step assigns {nests[0].target}, not {nest.target} as well"
            raise NotationError(message, line=nest.line)
        collect(nest, shapes, functions, array_functions)
    bounds, shape = infer(nests, shapes)
    scopes = [
        Scope(nest.line, shapes, functions, {n: Label(n, b) for n, b in found.items()}, [])
        for nest, found in zip(nests, bounds, strict=True)
    ]
    target = Array(nests[0].target, shape)
    if nests[0].over is not None:
        return Step(target, call(nests, scopes[0], array_functions))
    if [nest.term for nest in nests] == [["0"]]:
        return Step(target, ())
    return Step(target, tuple(map(write, nests, scopes)))


def statement(line: str) -> Iterator[Nest]:
    """Cut `target[left] = ± term ± term for bounds` at its top-level signs."""
    tokens = tokens_of(line)
    tops = list(top_level(tokens))
    signs = [place for place in tops if tokens[place] in ("=", "+=")]
    if len(signs) != 1:
        raise NotationError("a step has one = between its target and its terms", line=line)
    left, start = tokens[: signs[0]], signs[0] + 1
    if not left or not re.fullmatch(NAME, left[0]) or left[1:2] not in ([], ["["]):
        raise NotationError("the left of = is a name with its index, such as C[i,k]", line=line)
    stop = next((p for p in tops if tokens[p] == "for" and p > start), len(tokens))
    clause = bounds_of(tokens[stop + 1 :], line) if stop < len(tokens) else {}
    cuts = [p for p in tops if start < p < stop and tokens[p] in ("+", "-")]
    cuts = [p for p in cuts if tokens[p - 1] in ("]", ")") or re.match(r"\w|∇|\.", tokens[p - 1])]
    for cut, end in pairwise([signs[0], *cuts, stop]):
        if cut + 1 == end:
            raise NotationError(f"a term is missing after '{tokens[cut]}'", line=line)
        yield Nest(line, left[0], left, tokens[cut + 1 : end], tokens[cut] == "-", clause)


def top_level(tokens: Sequence[str]) -> Iterator[int]:
    """The places of the tokens outside of all brackets."""
    depth = 0
    for place, token in enumerate(tokens):
        depth -= token in CLOSING
        if not depth and token not in CLOSING and token not in OPENING:
            yield place
        depth += token in OPENING


def bounds_of(tokens: list[str], line: str) -> dict[str, Size]:
    """The clause after `for`: `j<k, u<3, n`."""
    reader = Reader(tokens, sizes_only(line))
    found: dict[str, Size] = {}
    while True:
        name = reader.take()
        if not re.fullmatch(NAME, name):
            raise NotationError("`for` is followed by bounds, such as for j<k, u<3", line=line)
        bound = polynomial(reader.sum(False)) if reader.take("<") else named(name)
        if bound is None:
            raise NotationError(f"the bound of {name} is a size, such as n or 2*k+1", line=line)
        found[name] = bound
        if not reader.take(","):
            break
    if reader.next:
        raise NotationError(f"'{reader.next}' does not continue the bounds", line=line)
    return found


def collect(
    nest: Nest,
    shapes: Mapping[str, Shape] | None,
    functions: Mapping[str, Function] | None,
    array_functions: Mapping[str, ArrayFunction] | None,
) -> None:
    """Read a nest once for its labels, and see whether its term calls an array function."""
    name, inner = nest.term[0], nest.term[2:-1]
    if nest.term[1:2] == ["("] and nest.term[-1] == ")" and re.fullmatch(NAME, name):
        words = (p for p in top_level(inner) if p and inner[p] == "over")
        over = next((p for p in words if inner[p - 1] != ","), None)  # an array may be called so
        if over is not None or name in (array_functions or {}):
            stop = len(inner) if over is None else over
            nest.over = [token for token in inner[stop + 1 :] if token != ","]
            nest.term = [name, *inner[:stop]]
    scope = Scope(nest.line, shapes, functions, None, nest.slots)
    nest.rank = len(left_of(nest, scope))
    if nest.over is None:
        Reader(nest.term, scope).whole()
    else:
        arguments(nest, scope)


def left_of(nest: Nest, scope: Scope) -> tuple[Term, ...]:
    """The indices of the target."""
    if len(nest.left) == 1:
        return ()
    reader = Reader(nest.left[2:], scope)
    left = reader.index(nest.target)
    if reader.next:
        raise NotationError(f"'{reader.next}' stands before the =", line=nest.line)
    return left


def infer(
    nests: list[Nest], shapes: Mapping[str, Shape] | None
) -> tuple[list[dict[str, Size]], Shape]:
    """The bound of every label of every nest, and the target's shape."""
    name, rank = nests[0].target, nests[0].rank
    declared = None if shapes is None else shapes.get(name)
    axes = dict(enumerate(declared or ()))
    for nest in nests:
        if nest.rank != (rank if declared is None else len(declared)):
            whole = f"{rank} axes" if declared is None else show_shape(declared)
            message = f"{name} is {whole}, and {nest.rank} indices stand here"
            raise ShapeError(message, line=nest.line)
    bounds = [bounds_in(nest, shapes) for nest in nests]
    for nest, found in zip(nests, bounds, strict=True):
        for axis, label in nest.on_left():
            if label in found and axes.setdefault(axis, found[label]) != found[label]:
                if declared is not None and label in nest.clause:
                    continue  # the write fills a part of the axis
                message = f"{label} is {found[label]} here and {axes[axis]} in {name}"
                raise ShapeError(f"{message}; state it: `for {label}<…`", line=nest.line)
    for nest, found in zip(nests, bounds, strict=True):
        for axis, label in nest.on_left():
            if label not in found and axis not in axes:
                message = f"nothing tells how far {label} runs; state it: `for {label}<…`"
                raise NotationError(message, line=nest.line)
            axes.setdefault(axis, found.setdefault(label, axes.get(axis, Size())))
    if sorted(axes) != list(range(rank)):
        message = f"the shape of {name} cannot be read off this; declare it"
        raise NotationError(message, line=nests[0].line)
    return bounds, tuple(axes[axis] for axis in range(rank))


def bounds_in(nest: Nest, shapes: Mapping[str, Shape] | None) -> dict[str, Size]:
    """The bounds that a nest's clause and reads give; a template gives every one."""
    found = dict(nest.clause)
    for array, axis, label in nest.slots:
        if shapes is None:
            found.setdefault(label, named(label))
        elif array != nest.target and label not in nest.clause:
            length = shapes[array][axis]
            if found.setdefault(label, length) != length:
                message = f"{label} is {found[label]} elsewhere and {length} in {array}"
                raise ShapeError(f"{message}; state its bound: `for {label}<…`", line=nest.line)
    return found


def write(nest: Nest, scope: Scope) -> Write:
    """A nest with its labels known."""
    left, term = left_of(nest, scope), Reader(nest.term, scope).whole()
    known = scope.labels or {}
    stated = [known[name] for name in nest.clause]
    order = dict.fromkeys(stated if len(stated) == len(known) else labels_of(*left, term))
    order |= dict.fromkeys(known.values())
    return Write(left, negate(term) if nest.negative else term, tuple(order))


def call(
    nests: list[Nest], scope: Scope, array_functions: Mapping[str, ArrayFunction] | None
) -> Call:
    """A nest whose term is a function of whole arrays."""
    nest, known = nests[0], scope.labels or {}
    if len(nests) > 1 or nest.negative:
        message = "a function of whole arrays stands alone on the right of ="
        raise NotationError(message, line=nest.line)
    name, args = nest.term[0], arguments(nest, scope)
    reads = [arg for arg in args if isinstance(arg, Read)]
    left = left_of(nest, scope)
    axes = [part for part in left if isinstance(part, Label)]
    parts = [part for read in reads for part in read.index]
    if (len(reads), len(axes)) != (len(args), len(left)) or not all(
        isinstance(part, Label) for part in parts
    ):
        message = f"{name} takes whole arrays, each index a bare label, such as Z[n,k]"
        raise NotationError(message, line=nest.line)
    for label in nest.over or ():
        if label not in known:
            message = f"{label} after `over` is no label of {name}'s arrays"
            raise NotationError(message, line=nest.line)
    if array_functions is None:
        function = ArrayFunction(name)
    elif name in array_functions:
        function = array_functions[name]
    else:
        message = f"no function is called {name}{nearest(name, array_functions)}"
        raise UnknownName(message, line=nest.line)
    over = tuple(known[label] for label in nest.over or ())
    return Call(function, tuple(reads), tuple(axes), over)


def arguments(nest: Nest, scope: Scope) -> tuple[Term, ...]:
    """The arguments of a call, which the nest's term holds after the function's name."""
    reader = Reader(nest.term[1:], scope)
    args = [reader.sum(False)]
    while reader.take(","):
        args.append(reader.sum(False))
    if reader.next:
        raise NotationError(f"'{reader.next}' does not continue the arguments", line=nest.line)
    return tuple(args)


DECLARATION = re.compile(rf"\s*({NAME})\s*:\s*(.*?)\s*")


def parse_array(text: str) -> Array:
    """Read a declaration: `X: n k`, `w: ()`, `W: 3 2`, `y: n int<m`, `mask: n bool`."""
    found = DECLARATION.fullmatch(text)
    if found is None:
        raise NotationError("an array is declared by its name and sizes, such as X: n k", line=text)
    kind: Kind = "real"
    below = None
    words = found[2].replace("()", " ").split()
    if words and (kinds := re.fullmatch(r"(?:(int)(?:<(.+))?|(bool))", words[-1])):
        kind = "int" if kinds[1] else "bool"
        below = size(kinds[2]) if kinds[2] else None
        words.pop()
    if not found[2]:
        raise NotationError(f"{found[1]} has no sizes; a scalar is {found[1]}: ()", line=text)
    return Array(found[1], tuple(map(size, words)), kind, below)


def parse_program(
    text: str,
    functions: Mapping[str, Function] | None = None,
    array_functions: Mapping[str, ArrayFunction] | None = None,
    constants: Mapping[str, Any] | None = None,
) -> Program:
    """Read declarations, steps and outputs (the last step, when nothing is returned)."""
    declared: dict[str, Array] = {}
    fixed: list[str] = []
    texts: dict[str, list[str]] = {}
    outputs: tuple[str, ...] = ()
    for line in (part.partition("#")[0].strip() for part in re.split(r"[;\n]", text)):
        if not line:
            continue
        if DECLARATION.fullmatch(line):
            array = parse_array(line.removesuffix(" fixed"))
            declared[array.name] = array
            fixed += [array.name] * line.endswith(" fixed")
        elif line.startswith("return "):
            outputs = tuple(name.strip() for name in line.removeprefix("return ").split(","))
        else:
            target = re.match(NAME, line)
            name = target[0] if target else ""
            if name in texts and name != list(texts)[-1]:
                raise NotationError(f"{name} is assigned twice", line=line)
            texts.setdefault(name, []).append(line)
    given = [array for name, array in declared.items() if name not in texts]
    shapes = {array.name: array.shape for array in given}
    steps: list[Step] = []
    for name, lines in texts.items():
        if name in declared:
            shapes[name] = declared[name].shape
        step = parse_step("\n".join(lines), shapes, functions, array_functions)
        steps.append(replace(step, target=declared.get(name, step.target)))
        shapes[name] = step.target.shape
    values = constants or {}
    for name in fixed:
        if name not in values:
            raise NotationError(f"{name} is declared fixed; pass its value in `constants`")
    for name in outputs:
        if name not in shapes:
            raise UnknownName(f"return {name}: nothing defines {name}{nearest(name, shapes)}")
    return Program(
        tuple(array for array in given if array.name not in fixed),
        tuple(steps),
        outputs or tuple(step.name for step in steps[-1:]),
        tuple((declared[name], values[name]) for name in fixed),
    )
