"""A wrong line of a backward pass, repaired: edits of it are run until the gradients are right."""

from __future__ import annotations

import ast
import inspect
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from backpass.doctor.repair.edits import Edit, Statement, applied

SECONDS = 4.0  # of trying
Rule = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be repaired: the line, and right expressions for what it assigns or returns.

    `place` is the gradient's among those that are returned, for a line that returns several, and
    `factors` are what it may have to be multiplied with.
    """

    line: int
    place: int
    expressions: Sequence[str]
    names: Sequence[str]  # that the code has there
    factors: Sequence[str]  # " / x.shape[0]"


@dataclass(frozen=True, slots=True)
class Mended:
    """A line as it should be, and the whole of the source with it."""

    line: str
    text: str


def mended(
    text: str, first: int, rule: Rule, wanted: Wanted, is_right: Callable[[Rule], bool]
) -> Mended | None:
    """The first edit of a line that makes the gradients right; `first` is the number of line 1."""
    try:
        statement = Statement(text, wanted.line - first + 1)
    except SyntaxError:
        return None
    deadline = time.thread_time() + SECONDS
    seen: set[tuple[str, ...]] = set()
    for edit in _edits(statement, wanted):
        if edit.lines in seen:
            continue
        seen.add(edit.lines)
        if time.thread_time() > deadline:
            return None
        changed = applied(text, [edit])
        made = _compiled(changed, rule)
        if made is not None and is_right(made):
            return Mended(edit.shown, changed)
    return None


def _compiled(text: str, rule: Rule) -> Rule | None:
    own = inspect.unwrap(rule)
    try:
        node = ast.parse(text).body[0]
        if not isinstance(node, ast.FunctionDef):
            return None
        node.decorator_list = []
        space = {**own.__globals__, **inspect.getclosurevars(own).nonlocals}
        code = compile(ast.Module([node], []), "<repaired>", "exec")
        FunctionType(code, space)()  # makes the function, under its name
    except (SyntaxError, ValueError, TypeError):
        return None
    return space[node.name]


def _edits(statement: Statement, wanted: Wanted) -> Iterator[Edit]:
    if statement.node is None:
        return
    nodes = [one for one in ast.walk(statement.node) if isinstance(one, ast.expr)]
    for node in nodes:
        yield from _turned(statement, node)
    yield from statement.small()
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in wanted.names:
            for other in wanted.names:
                yield from statement.replaced(node, other)
    target = _target(statement.node, wanted.place)
    if target is not None:
        text = statement.text(target)
        product = isinstance(target, ast.BinOp) and isinstance(target.op, ast.Mult | ast.Div)
        whole = text if product or not isinstance(target, ast.BinOp) else f"({text})"
        for factor in wanted.factors:
            yield from statement.replaced(target, f"{whole}{factor}")
        for text in wanted.expressions:
            yield from statement.replaced(target, text)
    yield from _everywhere(statement, wanted.names)


def _everywhere(statement: Statement, names: Sequence[str]) -> Iterator[Edit]:
    """One name for another, wherever it stands on the line."""
    assert statement.node is not None
    number = statement.node.lineno
    line = statement.lines[number - 1]
    for name in names:
        for other in names:
            changed = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", other, line)
            if changed != line:
                yield Edit(number, number, (changed,), changed.strip())


def _turned(statement: Statement, node: ast.expr) -> Iterator[Edit]:
    """`.t()` less or more, `<=` for `<`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="t"), args=[]):
            yield from statement.replaced(node, statement.text(value))
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            for one in (left, right):
                if isinstance(one, ast.Name | ast.Attribute):
                    yield from statement.replaced(one, f"{statement.text(one)}.t()")
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            signs = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
            if type(op) in signs:
                both = statement.text(left), statement.text(right)
                yield from statement.replaced(node, f" {signs[type(op)]} ".join(both))
        case ast.Call(
            func=ast.Attribute(value=value, attr="mm" | "matmul"), args=[*_, ast.Name() as one]
        ):
            yield from statement.replaced(one, f"{statement.text(one)}.t()")
            yield from statement.replaced(value, f"{statement.text(value)}.t()")
        case ast.Call(func=ast.Attribute(value=value, attr="sum"), args=[], keywords=[]):
            yield from statement.replaced(node, f"{statement.text(value)}.sum(0)")
        case _:
            return


def _target(node: ast.stmt, place: int) -> ast.expr | None:
    """What a statement assigns, or the one of several values that it returns."""
    value = node.value if isinstance(node, ast.Assign | ast.Return) else None
    if isinstance(node, ast.Assign) and len(node.targets) > 1:
        return None
    if isinstance(node, ast.Return) and isinstance(value, ast.Tuple) and place < len(value.elts):
        return value.elts[place]
    return value
