"""A forward and a backward pass that belong together, as functions of NumPy arrays."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Backward:
    """What one backward pass gave: a gradient, or None, for each differentiable input.

    `changed` when it wrote into the gradient that came in, `spoiled` when it did into what the
    forward pass has given or kept, and `stale` what it gives when the forward pass has run on
    something else in between.
    """

    outputs: tuple[Array, ...]
    gradients: tuple[Array | None, ...]
    stale: tuple[Array | None, ...]
    changed: bool
    spoiled: bool = False


class Pair(Protocol):
    """What every framework's pair can do."""

    name: str
    names: tuple[str, ...]  # of the differentiable inputs, in the order of the gradients
    inputs: tuple[Array, ...]
    fixed: Mapping[str, Any]  # other arrays that were given, by name
    source: Source
    rule: Callable[..., Any]  # the backward pass; another one may be tried
    sums: bool  # whether the framework sums a gradient that has too many axes

    def forward(self, inputs: Sequence[Array]) -> tuple[Array, ...]:
        """The outputs."""
        ...

    def backward(self, inputs: Sequence[Array], incoming: Sequence[Array]) -> Backward:
        """The gradients as they are returned, of whatever shape."""
        ...

    def traced(self) -> Callable[[Mapping[str, Any]], tuple[Any, ...]] | None:
        """The forward pass as a function of traced values by name, if it may be one."""
        ...

    def incoming(self, count: int) -> tuple[str, ...]:
        """What the backward pass calls the gradients that come in."""
        ...

    def position(self, name: str) -> int:
        """Which of all arguments an input is."""
        ...

    def spell(self, node: ast.expr) -> str:
        """An expression of NumPy's as the framework has it."""
        ...

    def numbers(self, value: Any) -> Array | None:
        """What an array of the framework holds; None for anything else."""
        ...

    def order(self) -> str:
        """What is to be said of the order in which arrays are kept and read."""
        ...


@dataclass(frozen=True)
class Source:
    """The text of a backward pass, asked where a gradient comes from."""

    file: str
    first: int
    text: str

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Source:
        """The source of a function; empty where it cannot be read."""
        try:
            lines, first = inspect.getsourcelines(function)
        except (OSError, TypeError):
            return cls("", 0, "")
        return cls(inspect.getsourcefile(function) or "", first, textwrap.dedent("".join(lines)))

    def line(self, place: int) -> tuple[int | None, str]:
        """Where the gradient at a place of what is returned was assigned last."""
        tree = self._tree()
        returns = [one for one in ast.walk(tree) if isinstance(one, ast.Return) and one.value]
        if not returns:
            return None, ""
        given: ast.AST = returns[-1].value or returns[-1]
        if isinstance(given, ast.Tuple) and place < len(given.elts):
            given = given.elts[place]
        if isinstance(given, ast.Name):
            assigned = [one for one in ast.walk(tree) if _assigns(one, given.id)]
            given = assigned[-1] if assigned else given
        return self._quoted(getattr(given, "lineno", 0))

    def at(self, number: int) -> tuple[int | None, str]:
        """A line by its number in the file."""
        return self._quoted(number - self.first + 1)

    def saved(self) -> tuple[int | None, str]:
        """The line that reads what the forward pass has kept."""
        for node in ast.walk(self._tree()):
            if isinstance(node, ast.Attribute) and node.attr == "saved_tensors":
                return self._quoted(node.lineno)
        return None, ""

    def in_place(self) -> tuple[int | None, str]:
        """The first line that changes an array: `a.mul_(b)`, `a *= b`, `a[mask] = 0`."""
        for node in ast.walk(self._tree()):
            match node:
                case ast.Call(func=ast.Attribute(attr=name)) if name.endswith("_"):
                    return self._quoted(node.lineno)
                case ast.AugAssign() | ast.Assign(targets=[ast.Subscript()]):
                    return self._quoted(node.lineno)
                case _:
                    pass
        return None, ""

    def unpacked(self) -> tuple[str, ...]:
        """The names that what was kept is given, in their order."""
        for node in ast.walk(self._tree()):
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if _is_saved(value):
                    return tuple(one.id for one in names if isinstance(one, ast.Name))
                case _:
                    pass
        return ()

    def _tree(self) -> ast.AST:
        try:
            return ast.parse(self.text)
        except SyntaxError:
            return ast.Module([], [])

    def _quoted(self, line: int) -> tuple[int | None, str]:
        lines = self.text.splitlines()
        if not 0 < line <= len(lines):
            return None, ""
        return self.first + line - 1, lines[line - 1].strip()


def distinct(names: Sequence[str], taken: Sequence[str] = ()) -> tuple[str, ...]:
    """Names as identifiers, none of them twice."""
    found: list[str] = []
    for name in names:
        word = "".join(sign if sign.isalnum() else "_" for sign in name)
        word = word if word.isidentifier() else f"input_{word}"
        while word in found or word in taken:
            word += "_"
        found.append(word)
    return tuple(found)


def kept(function: Callable[..., Any]) -> tuple[str, ...]:
    """The names that a forward pass keeps, in their order."""
    tree = Source.of(function)._tree()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="save_for_backward"), args=args):
                return tuple(one.id for one in args if isinstance(one, ast.Name))
            case _:
                pass
    return ()


def _assigns(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Assign(targets=targets):
            named = [one for target in targets for one in ast.walk(target)]
            return any(isinstance(one, ast.Name) and one.id == name for one in named)
        case ast.AugAssign(target=ast.Name(id=found)):
            return found == name
        case _:
            return False


def _is_saved(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "saved_tensors"
