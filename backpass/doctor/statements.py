"""The user's source as statements: a function's arguments, what is written into, loops."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from functools import cached_property

from backpass.doctor.observe import Run
from backpass.doctor.rewrite import Place


class Statements:
    """What a run's values alone do not tell about the files that it ran."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.trees: dict[str, ast.Module | None] = {}

    def arguments(self, file: str, function: str) -> set[str]:
        """What a function calls its arguments."""
        for name, node in self._functions(file):
            if name == function:
                given = node.args
                return {one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        return set()

    def writing(self, file: str, function: str, name: str) -> set[int]:
        """The lines of statements of a function that write into the array of this name."""
        return {
            one.lineno
            for one in self._inside(file, function)
            for target in _targets(one)
            if isinstance(target, ast.Subscript) and _root(target) == name
        }

    def adding(self, file: str, function: str, name: str) -> set[int]:
        """The lines of statements of a function that change what this name holds."""
        return self.writing(file, function, name) | {
            one.lineno
            for one in self._inside(file, function)
            if isinstance(one, ast.AugAssign) and _root(one.target) == name
        }

    def names(self, place: Place) -> bool:
        """Whether the statement of a place gives a name what stands there."""
        inside = self._inside(self.run.files[place.number], place.function)
        return any(
            isinstance(one, ast.Assign) and one.lineno <= place.line <= (one.end_lineno or 0)
            for one in inside
        )

    def loop(self, place: Place) -> Place | None:
        """The head of the innermost loop around a place, as a place of its own."""
        file = self.run.files[place.number]
        around = [
            one.lineno
            for one in self._inside(file, place.function)
            if isinstance(one, ast.For) and one.lineno < place.line <= (one.end_lineno or 0)
        ]
        return self.on(file, max(around)) if around else None

    def is_loop(self, file: str, place: Place) -> bool:
        """Whether a place stands in the head of a loop."""
        inside = self._inside(file, place.function)
        return any(isinstance(one, ast.For) and one.lineno == place.line for one in inside)

    def on(self, file: str, line: int) -> Place | None:
        """A place on a line, if anything was to be seen there."""
        return self._lines.get((file, line))

    @cached_property
    def _lines(self) -> dict[tuple[str, int], Place]:
        found: dict[tuple[str, int], Place] = {}
        for number, place in self.run.places.items():
            found.setdefault((self.run.files[number], place.line), place)
        return found

    def _inside(self, file: str, function: str) -> Iterator[ast.stmt]:
        for name, node in self._functions(file):
            if name == function:
                yield from (one for one in ast.walk(node) if isinstance(one, ast.stmt))

    def _functions(self, file: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        if file not in self.trees:
            try:
                self.trees[file] = ast.parse("".join(linecache.getlines(file)))
            except SyntaxError:
                self.trees[file] = None
        tree = self.trees[file]
        if tree is not None:
            yield from _named(tree, ())


def _named(node: ast.AST, scope: tuple[str, ...]) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        inner = scope
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = (*scope, child.name)
            if isinstance(child, ast.FunctionDef):
                yield ".".join(inner), child
        yield from _named(child, inner)


def _targets(one: ast.stmt) -> list[ast.expr]:
    match one:
        case ast.Assign(targets=targets):
            return targets
        case ast.AugAssign(target=target):
            return [target]
        case _:
            return []


def _root(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript | ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""
