"""What the forward pass is given: the arguments, their nests, and the shape of every leaf.

`"X: n k, W: (), V: 3 2, y: n int<m"` declares arguments by text; a dict shaped like the
arguments declares nests (`{"params": {"W": ["k j", "j m"]}}`); example arrays declare the
numbers that they have, and a tuple with numbers in it, such as `X.shape`, is a shape.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np

from backpass.language.errors import DerivationError, NotationError, UnknownName, choices
from backpass.language.program import Array, Kind
from backpass.language.shapes import Size, size

Branch: TypeAlias = "list[Nest] | tuple[Nest, ...] | dict[Any, Nest]"
Nest: TypeAlias = "Array | Branch"


@dataclass(frozen=True)
class Arguments:
    """The arguments in order, each a nest whose leaves are arrays with names of their own."""

    nests: Mapping[str, Nest]

    @property
    def leaves(self) -> tuple[Array, ...]:
        """Every array, in the order of the arguments."""
        return tuple(leaf for nest in self.nests.values() for leaf in flat(nest))

    @cached_property
    def _single(self) -> tuple[str, ...]:
        """The names of the arguments if each is one array, so that there is nothing to arrange."""
        nests = self.nests.values()
        leaves = [nest.name for nest in nests if isinstance(nest, Array)]
        return tuple(leaves) if len(leaves) == len(nests) else ()

    @property
    def named(self) -> dict[str, Any]:
        """The nests, with the names of the arrays in their places."""
        nests = self.nests.items()
        return {name: replace_leaves(nest, lambda leaf: leaf.name) for name, nest in nests}

    def arrange(self, values: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        """Put a call's arguments in order and take the leaves out of their nests, by leaf name."""
        if self._single and len(values) == len(self._single) and not named:
            return dict(zip(self._single, values, strict=True))
        names = list(self.nests)
        if len(values) > len(names):
            raise DerivationError(
                f"{len(values)} arguments were given; there are {len(names)}: {', '.join(names)}"
            )
        given = dict(zip(names, values, strict=False))
        for name, value in named.items():
            if name not in self.nests:
                known = choices(name, names, "the arguments are")
                raise UnknownName(f"there is no argument {name}{known}")
            if name in given:
                raise DerivationError(f"the argument {name} is given twice")
            given[name] = value
        missing = [name for name in names if name not in given]
        if missing:
            raise DerivationError(f"the argument {missing[0]} is missing; give {', '.join(names)}")
        return {
            leaf: value
            for name, nest in self.nests.items()
            for leaf, value in _taken(nest, given[name], name)
        }

    def gather(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by leaf name, nested like the arguments; leaves without a value are left out."""
        found = {name: _gathered(nest, values) for name, nest in self.nests.items()}
        return {name: part for name, part in found.items() if part is not _NOTHING}


# Nests.

_NOTHING = object()


def flat(nest: Nest) -> Iterator[Array]:
    """The arrays of a nest, in order."""
    if isinstance(nest, Array):
        yield nest
    else:
        for _, part in _parts(nest):
            yield from flat(part)


def replace_leaves(nest: Nest, change: Callable[[Array], Any]) -> Any:
    """The same nest with something else in place of every array."""
    if isinstance(nest, Array):
        return change(nest)
    return _rebuilt(nest, [(key, replace_leaves(part, change)) for key, part in _parts(nest)])


def _parts(nest: Branch) -> Iterable[tuple[Any, Nest]]:
    return nest.items() if isinstance(nest, dict) else enumerate(nest)


def _rebuilt(nest: Branch, parts: Sequence[tuple[Any, Any]]) -> Any:
    return dict(parts) if isinstance(nest, dict) else type(nest)(part for _, part in parts)


def _taken(nest: Nest, value: object, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a value that is nested like `nest`."""
    if isinstance(nest, Array):
        yield nest.name, value
        return
    if isinstance(nest, dict):
        if not _is_mapping(value) or set(value) != set(nest):
            keys = ", ".join(map(str, nest))
            raise DerivationError(f"{path} must be a dict with the keys {keys}")
        given = value
    else:
        if not _is_list(value) or len(value) != len(nest):
            raise DerivationError(f"{path} must be a list of {len(nest)} parts")
        given = dict(enumerate(value))
    for key, part in _parts(nest):
        yield from _taken(part, given[key], f"{path}[{key!r}]")


def _gathered(nest: Nest, values: Mapping[str, Any]) -> Any:
    if isinstance(nest, Array):
        return values.get(nest.name, _NOTHING)
    parts = [(key, _gathered(part, values)) for key, part in _parts(nest)]
    kept = [(key, part) for key, part in parts if part is not _NOTHING]
    return _rebuilt(nest, kept) if kept else _NOTHING


def _is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, (list, tuple))


# Declarations.


def declare(shapes: object, parameters: Mapping[str, bool] | None) -> Arguments:
    """Read a declaration; `parameters` say of a function's arguments which need a shape.

    Raises NotationError for a text that cannot be read, UnknownName for a shape of something
    that is no argument, DerivationError when an argument has none.
    """
    if isinstance(shapes, str):
        nests: dict[str, Nest] = {n: _array(n, text, shapes) for n, text in _entries(shapes)}
    elif _is_mapping(shapes):
        nests = _nests(shapes)
    elif _is_list(shapes) and parameters is not None:
        needed = [name for name, need in parameters.items() if need]
        if len(shapes) != len(needed):
            count = "1 shape was" if len(shapes) == 1 else f"{len(shapes)} shapes were"
            raise DerivationError(f"{count} given for the arguments {', '.join(needed)}")
        return declare(dict(zip(needed, shapes, strict=True)), parameters)
    else:
        raise NotationError(
            'shapes are a text such as "X: n k, W: k j", a dict by argument, '
            "or a list with a shape or an example array for each"
        )
    if parameters is not None:
        nests = _in_order(nests, parameters)
    return Arguments(nests)


def _in_order(nests: Mapping[str, Nest], parameters: Mapping[str, bool]) -> dict[str, Nest]:
    """The nests in the order of the function's arguments."""
    for name in nests:
        if name not in parameters:
            known = choices(name, parameters, "the arguments are")
            raise UnknownName(f"{name} has a shape and is no argument{known}")
    for name, needed in parameters.items():
        if needed and name not in nests:
            hint = f'add "{name}: …"'
            if name == "self":
                hint = "take the method from an object, as in net.loss, and not from its class"
            raise DerivationError(f"the argument {name} has no shape; {hint}")
    return {name: nests[name] for name in parameters if name in nests}


def parameters(forward: Callable[..., Any]) -> dict[str, bool]:
    """The argument names of a function, and whether each needs a shape: it has no default."""
    found = inspect.signature(forward).parameters.values()
    kinds = inspect.Parameter
    if any(one.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD) for one in found):
        raise DerivationError("a forward pass with *args or **kwargs: give its arguments names")
    return {one.name: one.default is kinds.empty for one in found}


# Texts.


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """The declared names and what is said of each."""
    seen: set[str] = set()
    parts = re.split(r"[,;\n](?![^(]*\)|[^[]*\])", text)
    for entry in filter(None, (part.strip() for part in parts)):
        name, colon, shape = entry.partition(":")
        name = name.strip()
        if not colon and seen:
            message = f'"{entry}" stands alone; spaces are between sizes, as in "X: n k"'
            raise NotationError(message, line=text)
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
    words = re.sub(r"[][()×,]", " ", text).split()
    if words and (found := re.fullmatch(r"(int|bool|real)(?:<(.+))?", words[-1])):
        kind = "int" if found[1] == "int" else "bool" if found[1] == "bool" else "real"
        if kind == "int" and not found[2]:
            raise NotationError(f"{name}: say how large the integers may be, int<m", line=line)
        below = _size(name, found[2], line) if found[2] else None
        words.pop()
    elif not words and "(" not in text:
        raise NotationError(f"{name} has no shape; a single number is ()", line=line)
    return Array(name, tuple(_size(name, word, line) for word in words), kind, below)


def _size(name: str, word: str, line: str) -> Size:
    try:
        found = size(word)
    except NotationError as error:
        raise NotationError(f"{name}: {error.message}", line=line) from None
    if found.number is not None and found.number < 0:
        raise NotationError(f"{name}: a size cannot be negative", line=line)
    return found


# Dicts and examples.

Path = tuple[str | int, ...]  # the argument's name, then keys, and places counted from 1


def _nests(shapes: Mapping[Any, object]) -> dict[str, Nest]:
    """Nests of texts or example arrays; their leaves are named when all are known."""
    paths: list[Path] = []

    def leaf(path: Path, array: Array) -> Array:
        paths.append(path)
        return replace(array, name=str(len(paths) - 1))

    def nest(path: Path, part: object) -> Nest:
        if isinstance(part, str):
            return leaf(path, _array(_plain(path), part, part))
        if _is_mapping(part):
            return {key: nest((*path, str(key)), one) for key, one in part.items()}
        if _is_shape(part):
            text = f"({', '.join(map(str, part))})"
            return leaf(path, _array(_plain(path), text, text))
        if _is_list(part) and not _is_numbers(part):
            return type(part)(nest((*path, place), one) for place, one in enumerate(part, 1))
        return leaf(path, _example(_plain(path), part))

    for name in shapes:
        if not str(name).isidentifier():
            message = f'{name!r:.40} is no name of an argument; write {{"X": "n k"}}'
            raise NotationError(message)
    nests = {str(name): nest((str(name),), part) for name, part in shapes.items()}
    names = _leaf_names(paths)
    return {
        name: replace_leaves(one, lambda leaf: replace(leaf, name=names[int(leaf.name)]))
        for name, one in nests.items()
    }


def _leaf_names(paths: Sequence[Path]) -> list[str]:
    """What the leaves are called: the shortest way to say it that keeps them apart."""
    names = [_plain(path) for path in paths]
    for longer in (_numbered, _below, _whole):
        often = Counter(names)
        names = [
            longer(path) if often[name] > 1 and len(path) > 1 else name
            for path, name in zip(paths, names, strict=True)
        ]
    for name, count in Counter(names).items():
        if count > 1:
            raise DerivationError(f"two arrays are called {name}; rename one")
    return names


def _plain(path: Path) -> str:
    """W1 of params["W"][0], b of params["b"]."""
    *above, last = path
    if isinstance(last, str) and last.isidentifier():
        return last
    stem = _plain(tuple(above))
    return f"{stem[:-1] if len(stem) > 1 and stem.endswith('s') else stem}{last}"


def _numbered(path: Path) -> str:
    """W1 of layers[0]["W"], and of params["layer1"]["W"]."""
    digits = (re.search(r"\d+$", str(part)) for part in path[-2::-1])
    return _plain(path) + next((found[0] for found in digits if found), "")


def _below(path: Path) -> str:
    """encoder_W of params["encoder"]["W"]."""
    return _whole(path[1:]) if isinstance(path[1], str) else _whole(path)


def _whole(path: Path) -> str:
    """params_W of params["W"]."""
    return "_".join(map(str, path))


def _is_numbers(part: Sequence[object]) -> bool:
    """Whether a list is an array of numbers rather than a nest."""
    return bool(part) and all(isinstance(one, (int, float)) for one in part)


def _is_shape(part: object) -> TypeGuard[tuple[int | str, ...]]:
    """Whether a tuple is a shape, `(3, 2)` or `("n", 2)`; texts alone are a nest of arrays."""
    if not isinstance(part, tuple):
        return False
    kinds = {type(one) for one in cast("tuple[object, ...]", part)}
    return kinds != {str} and kinds <= {int, str}


def _example(name: str, value: object) -> Array:
    """An array declared by an example: its own numbers are the sizes."""
    if _is_list(value) and all(type(one) is int for one in value):
        shape = ", ".join(map(str, value))
        raise NotationError(
            f"{name}: [{shape}] may be a shape or numbers; write ({shape}) for a shape, "
            f"np.array([{shape}]) for whole numbers as an example"
        )
    array: Any = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise DerivationError(f"{name} is declared by {value!r:.40}, which is no array")
    shape = tuple(map(size, array.shape))
    match array.dtype.kind:
        case "f":
            return Array(name, shape)
        case "b":
            return Array(name, shape, "bool")
        case _:
            if array.min(initial=0) < 0:
                raise DerivationError(
                    f"{name} holds {array.min()}: whole numbers are indices here, from 0 on; "
                    "give floats for numbers"
                )
            return Array(name, shape, "int", size(int(array.max(initial=0)) + 1))
