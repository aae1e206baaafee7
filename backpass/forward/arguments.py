"""What the forward pass is given: the arguments, their nests, and the shape of every leaf.

`"X: n k, W: (), V: 3 2, y: n int<m"` declares arguments by text; a dict shaped like the
arguments declares nests (`{"params": {"W": ["k j", "j m"]}}`); example arrays declare the
numbers that they have.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backpass.language.errors import DerivationError, NotationError, UnknownName, nearest
from backpass.language.program import Array, Kind
from backpass.language.shapes import Size, size

Nest = Any  # an Array, or a list, tuple or dict of nests


@dataclass(frozen=True)
class Arguments:
    """The arguments in order, each a nest whose leaves are arrays with names of their own."""

    nests: Mapping[str, Nest]

    @property
    def leaves(self) -> tuple[Array, ...]:
        """Every array, in the order of the arguments."""
        return tuple(leaf for nest in self.nests.values() for leaf in flat(nest))

    def arrange(self, values: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        """Put a call's arguments in order and take the leaves out of their nests, by leaf name."""
        names = list(self.nests)
        if len(values) > len(names):
            raise DerivationError(
                f"{len(values)} arguments were given; there are {len(names)}: {', '.join(names)}"
            )
        given = dict(zip(names, values, strict=False))
        for name, value in named.items():
            if name not in self.nests:
                raise UnknownName(f"there is no argument {name}{nearest(name, names)}")
            if name in given:
                raise DerivationError(f"the argument {name} is given twice")
            given[name] = value
        missing = [name for name in names if name not in given]
        if missing:
            raise DerivationError(f"the argument {missing[0]} is missing; give {', '.join(names)}")
        found: dict[str, Any] = {}
        for name, nest in self.nests.items():
            _take(nest, given[name], name, found)
        return found

    def gather(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by leaf name -> values by argument, nested alike; leaves without one are left out."""
        result: dict[str, Any] = {}
        for name, nest in self.nests.items():
            part = _gather(nest, values)
            if part is not _NOTHING:
                result[name] = part
        return result


_NOTHING = object()


def flat(nest: Nest) -> Iterator[Array]:
    """The arrays of a nest, in order."""
    if isinstance(nest, Array):
        yield nest
    else:
        for part in nest.values() if isinstance(nest, dict) else nest:  # pyright: ignore[reportUnknownVariableType]
            yield from flat(part)  # pyright: ignore[reportUnknownArgumentType]


def replace_leaves(nest: Nest, change: Callable[[Array], Any]) -> Any:
    """The same nest with something else in place of every array."""
    if isinstance(nest, Array):
        return change(nest)
    if isinstance(nest, dict):
        return {key: replace_leaves(part, change) for key, part in nest.items()}  # pyright: ignore[reportUnknownVariableType]
    return type(nest)(replace_leaves(part, change) for part in nest)


def _take(nest: Nest, value: Any, path: str, found: dict[str, Any]) -> None:
    if isinstance(nest, Array):
        found[nest.name] = value
        return
    if isinstance(nest, dict):
        pairs = [(key, part) for key, part in nest.items()]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(value, Mapping) or set(value) != set(nest):  # pyright: ignore[reportUnknownArgumentType]
            raise DerivationError(f"{path} must be a dict with the keys {', '.join(map(str, nest))}")  # pyright: ignore[reportUnknownArgumentType]
    else:
        pairs = list(enumerate(nest))
        if not isinstance(value, (list, tuple)) or len(value) != len(nest):  # pyright: ignore[reportUnknownArgumentType]
            raise DerivationError(f"{path} must be a list of {len(nest)} arrays")
    for key, part in pairs:  # pyright: ignore[reportUnknownVariableType]
        _take(part, value[key], f"{path}[{key!r}]", found)  # pyright: ignore[reportUnknownArgumentType]


def _gather(nest: Nest, values: Mapping[str, Any]) -> Any:
    if isinstance(nest, Array):
        return values.get(nest.name, _NOTHING)
    if isinstance(nest, dict):
        parts = {key: _gather(part, values) for key, part in nest.items()}  # pyright: ignore[reportUnknownVariableType]
        kept = {key: part for key, part in parts.items() if part is not _NOTHING}  # pyright: ignore[reportUnknownVariableType]
        return kept or _NOTHING  # pyright: ignore[reportUnknownVariableType]
    kept_list = [part for part in (_gather(one, values) for one in nest) if part is not _NOTHING]
    return type(nest)(kept_list) if kept_list else _NOTHING


# Declarations.


def declare(shapes: Any, names: tuple[str, ...] | None) -> Arguments:
    """Read a declaration; `names` are the function's arguments, when it has a fixed list.

    Raises NotationError for a text that cannot be read, UnknownName for a shape of something
    that is no argument, DerivationError when an argument has none.
    """
    if isinstance(shapes, str):
        parts = dict(_entries(shapes))
        nests: dict[str, Nest] = {name: _array(name, text, shapes) for name, text in parts.items()}
    elif isinstance(shapes, Mapping):
        flat_names: dict[str, int] = {}
        nests = {str(name): _nest(str(name), part, flat_names, True) for name, part in shapes.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    elif isinstance(shapes, (list, tuple)) and names is not None:
        if len(shapes) != len(names):  # pyright: ignore[reportUnknownArgumentType]
            raise DerivationError(
                f"{len(shapes)} shapes were given for the arguments {', '.join(names)}"  # pyright: ignore[reportUnknownArgumentType]
            )
        return declare(dict(zip(names, shapes, strict=True)), names)  # pyright: ignore[reportUnknownArgumentType]
    else:
        raise NotationError('shapes are a text such as "X: n k, W: k j", a dict, or example arrays')
    if names is not None:
        for name in nests:
            if name not in names:
                raise UnknownName(f"{name} has a shape and is no argument{nearest(name, names)}")
        missing = [name for name in names if name not in nests]
        if missing:
            raise DerivationError(f'the argument {missing[0]} has no shape; add "{missing[0]}: …"')
        nests = {name: nests[name] for name in names}
    arguments = Arguments(nests)
    seen: set[str] = set()
    for leaf in arguments.leaves:
        if leaf.name in seen:
            raise DerivationError(f"two arrays are called {leaf.name}; rename one")
        seen.add(leaf.name)
    return arguments


def parameters(forward: Callable[..., Any]) -> tuple[str, ...]:
    """The argument names of a function that need a shape: those without a default."""
    try:
        found = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError) as error:
        raise DerivationError(f"{forward!r} does not say what its arguments are") from error
    kinds = inspect.Parameter
    if any(one.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for one in found):
        raise DerivationError("a forward pass with *args or **kwargs: give its arguments names")
    return tuple(one.name for one in found if one.default is kinds.empty)


def _entries(text: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for entry in filter(None, (part.strip() for part in re.split(r"[,;\n](?![^(]*\))", text))):
        name, colon, shape = entry.partition(":")
        name = name.strip()
        if not colon or not name.isidentifier():
            raise NotationError('a shape is declared like "X: n k"', line=entry)
        if name in seen:
            raise NotationError(f"{name} has two shapes; keep one", line=text)
        seen.add(name)
        yield name, shape.strip()


def _array(name: str, text: str, line: str) -> Array:
    """One declared array, `n k`, `3 2`, `()`, `n int<m`, `n k bool`."""
    kind: Kind = "real"
    below: Size | None = None
    words = text.replace("()", " ").replace("×", " ").replace(",", " ").strip("() ").split()
    if words and (found := re.fullmatch(r"(int|bool|real)(?:<(.+))?", words[-1])):
        if found[1] == "int" and not found[2]:
            raise NotationError(f"{name}: say how large the integers may be, int<m", line=line)
        kind = "int" if found[1] == "int" else "bool" if found[1] == "bool" else "real"
        below = size(found[2]) if found[2] else None
        words.pop()
    if not words and "(" not in text and not kind != "real":
        raise NotationError(f"{name} has no shape; a single number is ()", line=line)
    for word in words:
        if re.fullmatch(r"-\d+", word):
            raise NotationError(f"{name}: a size cannot be negative", line=line)
    return Array(name, tuple(size(word) for word in words), kind, below)


def _nest(name: str, part: Any, taken: dict[str, int], top: bool) -> Nest:
    """A nest of texts or example arrays; leaves below the top are named and numbered."""
    if isinstance(part, str):
        leaf = _array(name, part, part)
        return leaf
    if isinstance(part, Mapping):
        return {key: _nest(str(key) if str(key).isidentifier() else f"{name}{key}", one, taken, False)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                for key, one in part.items()}  # pyright: ignore[reportUnknownVariableType]  # fmt: skip
    if isinstance(part, (list, tuple)) and not _numbers(part):
        stem = name[:-1] if len(name) > 1 and name.endswith("s") else name
        return type(part)(_nest(f"{stem}{place}", one, taken, False)  # pyright: ignore[reportUnknownVariableType]
                          for place, one in enumerate(part, 1))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # fmt: skip
    return _example(name, part)


def _numbers(part: Any) -> bool:
    """Whether a list is a list of sizes or numbers rather than of nests."""
    return bool(part) and all(isinstance(one, (int, float)) for one in part)


def _example(name: str, value: Any) -> Array:
    """An array declared by an example: its own numbers are the sizes."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise DerivationError(f"{name} is declared by {type(value).__name__}, which is no array")
    shape = tuple(map(size, array.shape))
    if array.dtype.kind == "f":
        return Array(name, shape)
    if array.dtype.kind == "b":
        return Array(name, shape, "bool")
    return Array(name, shape, "int", size(int(array.max(initial=0)) + 1))
