"""Derived gradients as expressions of the user's language, in the names of their own code.

They are read off the NumPy source that runs, each line put into the lines that use it, until only
names are left that the user has.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from backpass.language.program import Call, Program, Step
from backpass.running.runner import compile_numpy

LONG = 120  # characters of a formula that anybody would read


def lines_of(program: Program) -> dict[str, ast.expr]:
    """The lines of a program that are one expression each, by the name that they assign."""
    names = program.outputs[1:]
    source = compile_numpy(program, gradients={name: name for name in names}).source
    functions = [one for one in ast.parse(source.text).body if isinstance(one, ast.FunctionDef)]
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in ast.walk(functions[-1]):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name in found:
                    twice.add(name)
                found[name] = value
            case ast.AugAssign(target=ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name))):
                twice.add(name)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                twice.add(name)
            case _:
                pass
    softmaxes = {step.name: one for step in program.steps if (one := _softmax(step)) is not None}
    return {name: one for name, one in {**found, **softmaxes}.items() if name not in twice}


def _softmax(step: Step) -> ast.expr | None:
    """A softmax, which the source may make together with a loss."""
    body = step.body
    if not isinstance(body, Call) or body.function.name != "softmax" or len(body.over) != 1:
        return None
    (read,) = body.args
    axis = read.index.index(body.over[0])
    return ast.parse(f"softmax({read.name}, axis={axis})", mode="eval").body


def whole(
    name: str, lines: Mapping[str, ast.expr], names: Mapping[str, str], relus: Mapping[str, str]
) -> ast.expr | None:
    """A quantity in names that the user has; None where a line is more than an expression.

    `relus` are outputs by their inputs: either is above zero where the other is.
    """
    opened = _Opened(lines, names, relus)
    found = opened.line(name)
    return None if opened.is_short_of else found


class _Opened(ast.NodeTransformer):
    """Puts lines into lines; `names` says what the user calls a quantity."""

    def __init__(
        self, lines: Mapping[str, ast.expr], names: Mapping[str, str], relus: Mapping[str, str]
    ) -> None:
        self.lines = lines
        self.relus = relus
        self.names = names
        self.is_short_of: set[str] = set()

    def line(self, name: str) -> ast.expr:
        if name not in self.lines:
            self.is_short_of.add(name)
            return ast.Name(name, ast.Load())
        found = self.visit(ast.parse(ast.unparse(self.lines[name]), mode="eval").body)
        assert isinstance(found, ast.expr)
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in self.names:
            return ast.parse(self.names[node.id], mode="eval").body
        return self.line(node.id) if node.id in self.lines else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        match node:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.Gt()]) if name not in self.names:
                out = self.relus.get(name)
                node.left = ast.Name(out if out in self.names and out else name, ast.Load())
            case _:
                pass
        node.left = self.visit(node.left)
        node.comparators = [self.visit(one) for one in node.comparators]
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Attribute):
            if node.func.attr == "copy":
                return self.visit(node.func.value)
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(one) for one in node.args]
        for one in node.keywords:
            one.value = self.visit(one.value)
        return node


# ── spelling ─────────────────────────────────────────────────────────────────────────────────


def torch_text(node: ast.expr, *, called: str = "torch", short: bool = False) -> str:
    """An expression as PyTorch has it; `short` when its user writes `.t()` for `.T`."""
    return _folded(_Torch(called, short).visit(node))


def jax_text(node: ast.expr, *, numpy: str = "jnp", jax: str = "jax") -> str:
    """An expression as JAX has it."""
    return _folded(_Jax(numpy, jax).visit(node))


def _folded(node: ast.expr) -> str:
    """The text of an expression, with brackets where * and @ meet."""
    for one in ast.walk(node):
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.MatMult):
            left = one.left
            if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult | ast.Div):
                one.left = ast.Call(ast.Name(_MARK, ast.Load()), [left], [])
    return ast.unparse(node).replace(_MARK, "")


_MARK = "__in_brackets__"
_NN = frozenset(("sigmoid", "softmax", "log_softmax", "relu", "leaky_relu", "softplus"))


class _Torch(ast.NodeTransformer):
    def __init__(self, called: str, short: bool) -> None:
        self.called = called
        self.short = short

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        node.value = self.visit(node.value)
        if node.attr == "T" and self.short:
            return ast.Call(ast.Attribute(node.value, "t", ast.Load()), [], [])
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            return ast.Attribute(ast.Name(self.called, ast.Load()), node.attr, ast.Load())
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        args = [self.visit(one) for one in node.args]
        options = {one.arg: one.value for one in node.keywords}
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr="sum" | "mean" as name):
                return _method(args[0], name, options)
            case ast.Attribute(value=value, attr="sum" | "mean" as name):
                return _method(self.visit(value), name, options)
            case ast.Attribute(value=ast.Name(id="np"), attr="maximum") if _is_zero(args[1]):
                low = ast.keyword("min", ast.Constant(0))
                return ast.Call(ast.Attribute(args[0], "clamp", ast.Load()), [], [low])
            case ast.Name(id=name) if name in _NN:
                function = ast.Attribute(ast.Name(self.called, ast.Load()), name, ast.Load())
                dims = [
                    ast.keyword("dim", value) for key, value in options.items() if key == "axis"
                ]
                return ast.Call(function, args, dims)
            case _:
                function = self.visit(node.func)
                words = [
                    ast.keyword({"axis": "dim"}.get(k or "", k), v) for k, v in options.items()
                ]
                return ast.Call(function, args, words)


def _method(value: ast.expr, name: str, options: Mapping[str | None, ast.expr]) -> ast.expr:
    dims = [options["axis"]] if "axis" in options else []
    kept = [ast.keyword("keepdim", value) for key, value in options.items() if key == "keepdims"]
    return ast.Call(ast.Attribute(value, name, ast.Load()), dims, kept)


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == 0


class _Jax(ast.NodeTransformer):
    def __init__(self, numpy: str, jax: str) -> None:
        self.numpy = numpy
        self.jax = jax

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.numpy, ast.Load()) if node.id == "np" else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _NN:
            nn = ast.Attribute(ast.Name(self.jax, ast.Load()), "nn", ast.Load())
            node.func = ast.Attribute(nn, node.func.id, ast.Load())
        return node


def program_of(forward: Program, backward: Sequence[Step], wanted: Sequence[str]) -> Program:
    """The program with this backward pass, of which quantities are wanted."""
    steps = (*forward.steps, *backward)
    return Program(forward.inputs, steps, (forward.outputs[0], *wanted), forward.constants)
