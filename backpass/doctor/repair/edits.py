"""Small edits of a statement that somebody wrote: a factor less, a sign, a transpose, an order."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines `first` to `last`, from 1, are replaced by others; `shown` is the one to show."""

    first: int
    last: int
    lines: tuple[str, ...]
    shown: str

    def meets(self, other: Edit) -> bool:
        """Whether two edits cannot be made together."""
        return self.first <= other.last and other.first <= self.last


def applied(source: str, edits: Sequence[Edit]) -> str:
    """The source after edits that do not meet."""
    lines = source.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda one: -one.first):
        lines[edit.first - 1 : edit.last] = edit.lines
    return "".join(lines)


class Statement:
    """The statement on a line of a source, open to edits."""

    def __init__(self, source: str, line: int) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.tree = ast.parse(source)
        around = [
            one
            for one in ast.walk(self.tree)
            if isinstance(one, ast.stmt) and one.lineno <= line <= (one.end_lineno or one.lineno)
        ]
        # of a loop or a condition only the head is its own
        self.node = max(around, key=lambda one: (one.lineno, -(one.end_lineno or 0)), default=None)
        self.is_simple = self.node is not None and not hasattr(self.node, "body")

    def replaced(self, node: ast.expr, text: str) -> Iterator[Edit]:
        """The line with another text for an expression, in parentheses only where it needs them."""
        text = _bare(text)
        found = self._with(node, f"({text})")
        if found is None:
            return
        whole = self._rest(node) == "="
        strips = [True, False] if whole or text.replace(".", "").isidentifier() else [False]
        for edit in (self._with(node, text, strip=strip) for strip in strips):
            if edit is not None and _same(self, edit, found):
                yield edit
                return
        yield found

    def _with(self, node: ast.expr, text: str, *, strip: bool = False) -> Edit | None:
        """`strip` takes away the parentheses around what was there, if it had any of its own."""
        if node.lineno != node.end_lineno:
            return None
        line = self.lines[node.lineno - 1]
        before = line[: _column(line, node.col_offset)]
        after = line[_column(line, node.end_col_offset or 0) :]
        if strip:
            if not (before.endswith("(") and after.startswith(")")):
                return None
            before, after = before[:-1], after[1:]
        new = before + text + after
        edit = Edit(node.lineno, node.lineno, (new,), new.strip())
        return edit if self._reads(edit) else None

    def _rest(self, node: ast.expr) -> str:
        """What stands on both sides of the parentheses around an expression: = for `x = (…)`."""
        line = self.lines[node.lineno - 1].rstrip()
        before = line[: _column(line, node.col_offset)]
        after = line[_column(line, node.end_col_offset or 0) :]
        return f"{before[-3:-2]}{after[1:]}" if before.endswith(" (") else ""

    def _reads(self, edit: Edit) -> bool:
        try:
            ast.parse(applied(self.source, [edit]))
        except SyntaxError:
            return False
        return True

    def at(self, line: int, column: int, end: int) -> ast.expr | None:
        """The expression that stands there, by characters."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.expr) and node.lineno == line == node.end_lineno:
                text = self.lines[line - 1]
                found = _column(text, node.col_offset), _column(text, node.end_col_offset or 0)
                if found == (column, end):
                    return node
        return None

    def text(self, node: ast.AST) -> str:
        """What the user wrote there."""
        return ast.get_source_segment(self.source, node) or ""

    # ── edits ────────────────────────────────────────────────────────────────────────────────

    def known_before(self) -> Iterator[Edit]:
        """In place of an expression that an earlier statement has given a name, that name."""
        if self.node is None or not self.is_simple:
            return
        earlier = {
            self.text(one.value): one.targets[0].id
            for one in ast.walk(self.tree)
            if isinstance(one, ast.Assign) and one.lineno < self.node.lineno
            and isinstance(one.targets[0], ast.Name)
        }  # fmt: skip
        for node in ast.walk(self.node):
            if isinstance(node, ast.expr) and self.text(node) in earlier:
                yield from self.replaced(node, earlier[self.text(node)])

    def later(self) -> Iterator[Edit]:
        """Each of the simple statements above it moved to below it, the nearest first."""
        node = self.node
        if node is None or not self.is_simple:
            return
        for parent in ast.walk(self.tree):
            body = getattr(parent, "body", None)
            if not isinstance(body, list) or node not in body:
                continue
            here = body.index(node)
            last = node.end_lineno or node.lineno
            for above in reversed(body[:here]):
                if hasattr(above, "body"):
                    break
                end = above.end_lineno or above.lineno
                moved = self.lines[above.lineno - 1 : end]
                shown = f"{self.lines[node.lineno - 1].strip()}   # before {moved[0].strip()}"
                kept = self.lines[end:last]
                yield Edit(above.lineno, last, (*kept, *moved), shown)

    def small(self) -> Iterator[Edit]:
        """Every small edit of the statement, the likeliest first."""
        if self.node is None or not self.is_simple:
            return
        nodes = [one for one in ast.walk(self.node) if isinstance(one, ast.expr)]
        nodes += [
            one.body for one in nodes if isinstance(one, ast.Lambda) and one.body not in nodes
        ]
        yield from self._updates()
        for node in nodes:
            yield from self._signs(node)
        for node in nodes:
            yield from self._dropped(node)
        for node in nodes:
            yield from self._turned(node)
        yield from self._slices(nodes)
        yield from self._words()

    def _updates(self) -> Iterator[Edit]:
        node = self.node
        if isinstance(node, ast.AugAssign) and node.lineno == node.end_lineno:
            line = self.lines[node.lineno - 1]
            for old, new in (("+=", "-="), ("-=", "+=")):
                if old in line:
                    changed = line.replace(old, new, 1)
                    yield Edit(node.lineno, node.lineno, (changed,), changed.strip())
                    return

    def _signs(self, node: ast.expr) -> Iterator[Edit]:
        match node:
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                yield from self.replaced(node, f"{self.text(right)} - {self._term(left)}")
                yield from self.replaced(node, f"{self.text(left)} + {self._term(right)}")
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from self.replaced(node, f"{self.text(left)} - {self._term(right)}")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                yield from self.replaced(node, self.text(operand))
            case _:
                return

    def _dropped(self, node: ast.expr) -> Iterator[Edit]:
        match node:
            case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
                yield from self.replaced(node, self.text(left))
                if isinstance(node.op, ast.Mult):
                    yield from self.replaced(node, self.text(right))
            case ast.Call(args=[inner]) if not node.keywords:
                yield from self.replaced(node, self.text(inner))
            case ast.BinOp(left=left, op=ast.Pow()):
                yield from self.replaced(node, self.text(left))
            case ast.BinOp(left=ast.Constant(value=1), op=ast.Sub(), right=right):
                yield from self.replaced(right, f"{self._operand(right)} ** 2")
            case _:
                return

    def _turned(self, node: ast.expr) -> Iterator[Edit]:
        match node:
            case ast.Attribute(value=value, attr="T"):
                yield from self.replaced(node, self.text(value))
            case ast.BinOp(left=left, op=ast.MatMult(), right=right):
                for one in (left, right):
                    yield from self.replaced(one, f"{self._operand(one)}.T")
                yield from self.replaced(node, f"{self._operand(right)}.T @ {self._turn(left)}")
            case ast.Call(func=ast.Attribute(value=value, attr="reshape")):
                yield from self.replaced(node, f"{self.text(value)}.T")
            case ast.Call(args=args):
                for one in args:
                    if isinstance(one, ast.Name | ast.Attribute | ast.Subscript):
                        yield from self.replaced(one, f"{self.text(one)}.T")
            case _:
                return

    def _slices(self, nodes: Sequence[ast.expr]) -> Iterator[Edit]:
        """Without every slice of samples at once, as in `X[:-1].T @ d[:-1]`."""
        cut = [
            one for one in nodes
            if isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Slice | ast.UnaryOp)
            and one.lineno == one.end_lineno == (self.node.lineno if self.node else 0)
        ]  # fmt: skip
        if not cut:
            return
        number = cut[0].lineno
        line = self.lines[number - 1]
        for one in sorted(cut, key=lambda node: -(node.end_col_offset or 0)):
            end = _column(line, one.end_col_offset or 0)
            start = _column(line, one.value.end_col_offset or 0)
            line = line[:start] + line[end:]
        edit = Edit(number, number, (line,), line.strip())
        if self._reads(edit):
            yield edit
        if len(cut) == 1:
            yield from self.replaced(cut[0], f"{self.text(cut[0].value)}.sum(axis=0)")

    def _words(self) -> Iterator[Edit]:
        assert self.node is not None
        number = self.node.lineno
        line = self.lines[number - 1]
        pairs = (("axis=0", "axis=1"), ("axis=1", "axis=0"), ("mean(", "sum("), ("sum(", "mean("),
                 (">=", ">"), ("exp(", "exp(-"), ("exp(--", "exp("), (".sum()", ".sum(axis=0)"),
                 ("axis=None", "axis=0"))  # fmt: skip
        for old, new in pairs:
            if old in line:
                changed = line.replace(old, new)
                edit = Edit(number, number, (changed,), changed.strip())
                if self._reads(edit):
                    yield edit

    def _operand(self, node: ast.expr) -> str:
        text = self.text(node)
        plain = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant
        return text if isinstance(node, plain) else f"({text})"

    def _term(self, node: ast.expr) -> str:
        text = self.text(node)
        product = isinstance(node, ast.BinOp) and not isinstance(node.op, ast.Add | ast.Sub)
        return text if product else self._operand(node)

    def _turn(self, node: ast.expr) -> str:
        """The transpose of an operand, without `.T` where it has one."""
        if isinstance(node, ast.Attribute) and node.attr == "T":
            return self.text(node.value)
        return f"{self._operand(node)}.T"


def _bare(text: str) -> str:
    """A text without parentheses around the whole of it."""
    if text.startswith("(") and text.endswith(")"):
        depth = 0
        for place, sign in enumerate(text):
            depth += (sign == "(") - (sign == ")")
            if depth == 0:
                return _bare(text[1:-1]) if place == len(text) - 1 else text
    return text


def _same(statement: Statement, one: Edit, other: Edit) -> bool:
    trees = (ast.parse(applied(statement.source, [edit])) for edit in (one, other))
    return len({ast.dump(tree) for tree in trees}) == 1


def _column(line: str, offset: int) -> int:
    """ast counts bytes, people count characters."""
    return len(line.encode()[:offset].decode())
