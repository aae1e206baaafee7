"""Source rewritten so that every sub-expression reports its value, and nothing else changes.

`f(x @ w)` becomes `see(0, f(see(1, see(2, x) @ see(3, w))))`. The rewritten code has the same
functions inside one another as the user's, in the same order, so that each of the user's code
objects finds its rewritten twin.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Literal

SEE = "__backpass_see__"  # under this global name the reporter stands while a program is watched

Moment = Literal["value", "before", "after"]
Born = tuple[str, str]  # a function, and a name that it gives a value


@dataclass(frozen=True, slots=True)
class Place:
    """A sub-expression of a file, or what a statement assigns, before and after it does.

    Lines count from 1 and columns, in characters, from 0. `parent` is the number of the smallest
    watched expression around it; places of one statement have its number.
    """

    number: int
    line: int
    column: int
    end_line: int
    end_column: int
    text: str
    function: str
    statement: int
    moment: Moment = "value"
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file's places, and for each code object of it the one that reports."""

    file: str
    source: str
    places: tuple[Place, ...]
    twins: dict[CodeType, CodeType]


def rewrite(source: str, file: str, first: int = 0, born: Collection[Born] = ()) -> Rewritten:
    """The rewritten code of a file; its places are numbered from `first` on.

    What is assigned to the names of `born`, the reporter may exchange.
    Raises SyntaxError for source that Python does not read.
    """
    plain = compile(source, file, "exec", dont_inherit=True)
    rewriter = _Rewriter(source, first, born)
    tree = ast.parse(source, file)
    rewriter.visit(tree)
    watched = compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
    twins = dict(zip(codes(plain), codes(watched), strict=True))
    return Rewritten(file, source, tuple(rewriter.places), twins)


def codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it, in the order of the source."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


_WATCHED = (
    ast.BinOp, ast.UnaryOp, ast.Call, ast.Subscript, ast.Attribute, ast.Name, ast.Compare,
    ast.IfExp, ast.ListComp, ast.List, ast.NamedExpr,
)  # fmt: skip
_TARGETS = ast.Name | ast.Attribute | ast.Subscript


class _Rewriter(ast.NodeTransformer):
    """Wraps what is read, from the inside out; what is written, called or declared stays."""

    def __init__(self, source: str, first: int, born: Collection[Born]) -> None:
        self.born = born
        self.lines = source.splitlines(keepends=True)
        self.places: list[Place] = []
        self.first = first
        self.scope: list[str] = []
        self.around: list[int] = []
        self.statement = 0

    # ── what is watched ──────────────────────────────────────────────────────────────────────

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.stmt):
            self.statement += 1
        if not isinstance(node, _WATCHED) or not _is_read(node):
            return super().visit(node)
        number = self._enter(node)
        self.around.append(number)
        inner = super().visit(node)
        self.around.pop()
        return ast.copy_location(_reported(number, inner), node)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Attribute):  # of `A.dot(W)`, A is watched and A.dot is not
            node.func.value = self._read(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self._read(node.func)
        node.args = [self._read(one) for one in node.args]
        for keyword in node.keywords:
            keyword.value = self._read(keyword.value)
        return node

    # ── what statements assign ───────────────────────────────────────────────────────────────

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        before, after = self._seen(node.target, "before"), self._seen(node.target, "after")
        node.value = self._read(node.value)
        self._write(node.target)
        return [*before, node, *after]

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        read = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
        targets = [one for target in node.targets for one in _shared_out(target)]
        shown = [one for one in targets if not isinstance(one, ast.Name) or one.id in read]
        after = [statement for target in shown for statement in self._seen(target, "after")]
        node.value = self._read(node.value)
        for target in node.targets:
            self._write(target)
        return [node, *self._exchanged(node.targets), *after]

    def _exchanged(self, targets: Sequence[ast.expr]) -> list[ast.stmt]:
        """Statements that let the reporter exchange what names were given."""
        function = ".".join(self.scope)
        names = [
            part.id
            for target in targets
            for part in ast.walk(target)
            if isinstance(part, ast.Name)
            and not _is_read(part)
            and (function, part.id) in self.born
        ]
        return [
            ast.copy_location(
                ast.Assign([ast.Name(name, ast.Store())], _asked(function, name)), targets[0]
            )
            for name in names
        ]

    def _write(self, target: ast.expr) -> None:
        """What a target reads on its way, as `self.W` in `self.W[0] = …`, is a part of it."""
        self.around.append(self.first + len(self.places) - 1)
        self.visit(target)
        self.around.pop()

    def _seen(self, target: ast.expr, moment: Moment) -> list[ast.stmt]:
        """A statement that reports a target, if to look at it does nothing else."""
        if not isinstance(target, _TARGETS) or not _is_plain(target):
            return []
        number = self._enter(target, moment)
        read = copy.deepcopy(target)
        read.ctx = ast.Load()
        return [ast.copy_location(ast.Expr(_reported(number, read)), target)]

    # ── what stays as it is ──────────────────────────────────────────────────────────────────

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self._body(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self._body(node)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self._body(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | list[ast.stmt]:
        if node.value is None:
            return node
        node.value = self._read(node.value)
        return [node, *self._exchanged([node.target])]

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self.scope.append("<lambda>")
        node.body = self._read(node.body)
        self.scope.pop()
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.JoinedStr:
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.match_case:
        node.body = self._statements(node.body)
        return node

    def _body(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """The body alone: decorators, defaults, bases and annotations run at another time."""
        self.scope.append(node.name)
        around, self.around = self.around, []
        node.body = self._statements(node.body)
        self.around = around
        self.scope.pop()

    def _statements(self, body: list[ast.stmt]) -> list[ast.stmt]:
        done: list[ast.stmt] = []
        for statement in body:
            found: Any = self.visit(statement)
            done.extend(found if isinstance(found, list) else [found])
        return done

    def _read(self, node: ast.expr) -> ast.expr:
        found = self.visit(node)
        assert isinstance(found, ast.expr)
        return found

    # ── places ───────────────────────────────────────────────────────────────────────────────

    def _enter(self, node: ast.expr, moment: Moment = "value") -> int:
        number = self.first + len(self.places)
        line, end = node.lineno, node.end_lineno or node.lineno
        start, stop = self._column(line, node.col_offset), self._column(end, node.end_col_offset)
        text = " ".join(self._between(line, start, end, stop).split())
        function = ".".join(self.scope)
        parent = self.around[-1] if self.around else None
        self.places.append(
            Place(number, line, start, end, stop, text, function, self.statement, moment, parent)
        )
        return number

    def _column(self, line: int, offset: int | None) -> int:
        """ast counts bytes, people count characters."""
        return len(self.lines[line - 1].encode()[:offset].decode())

    def _between(self, line: int, start: int, end: int, stop: int) -> str:
        if line == end:
            return self.lines[line - 1][start:stop]
        middle = self.lines[line : end - 1]
        return "".join([self.lines[line - 1][start:], *middle, self.lines[end - 1][:stop]])


def _reported(number: int, value: ast.AST) -> ast.Call:
    assert isinstance(value, ast.expr)
    return ast.Call(ast.Name(SEE, ast.Load()), [ast.Constant(number), value], [])


def _shared_out(target: ast.expr) -> Iterator[ast.expr]:
    """A target, or the names among which a tuple is shared out."""
    if isinstance(target, ast.Tuple | ast.List):
        yield from (one for one in target.elts if isinstance(one, ast.Name))
    else:
        yield target


def _asked(function: str, name: str) -> ast.Call:
    """What the reporter has for a name in place of its value."""
    asked = ast.Attribute(ast.Name(SEE, ast.Load()), "exchanged", ast.Load())
    given = ast.Constant(function), ast.Constant(name), ast.Name(name, ast.Load())
    return ast.Call(asked, list(given), [])


def _is_read(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _is_plain(target: ast.expr) -> bool:
    """Whether a target can be looked at without calling anything of the user's by name."""
    return not any(
        isinstance(part, (ast.Call, ast.NamedExpr, ast.Await, ast.Yield))
        for part in ast.walk(target)
    )
