"""Where arrays lie side by side and are reached by a number: `W[l]`, `params[f"W{l}"]`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from backpass.running.numpy.frame import Nest, literal

Path = tuple[Any, ...]  # the argument's name, then keys and places
Kind = Literal["list", "tuple", "dict", "arguments"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Arrays that are told apart by one number on the path to them.

    `path` has None where the number stands, and `stem` is what precedes it in a string. `kind`
    says what holds them, and `length` how many parts that has: `arguments` of their own, W1 and
    W2, become a list.
    """

    path: Path
    stem: str
    kind: Kind
    length: int
    numbers: Mapping[str, int]

    @property
    def above(self) -> Path:
        """The path to what holds them."""
        return self.path[: self.path.index(None)]

    def at(self, base: str, index: str) -> str:
        """The array of a number that is an expression; `base` is what the number is put to."""
        key = f'f"{self.stem}{{{index}}}"' if self.kind == "dict" and self.stem else index
        return access(f"{base}[{key}]", self._rest)

    def element(self, base: str, word: str) -> str:
        """One array; the last of a list is -1."""
        key: str | int = self.numbers[word]
        if self.kind == "dict" and self.stem:
            key = f"{self.stem}{key}"
        elif self.kind != "dict" and key == self.length - 1:
            key = -1
        return access(base, (key, *self._rest))

    @property
    def _rest(self) -> Path:
        return self.path[self.path.index(None) + 1 :]


def access(base: str, path: Iterable[Any]) -> str:
    """What lies below: `params["W"][0]`."""
    return base + "".join(f"[{literal(key)}]" for key in path)


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array of a nest: its word, the path to it, and what holds each part of the path."""

    word: str
    path: Path
    holders: tuple[tuple[Kind, int], ...]


def leaves_of(arguments: Mapping[str, Nest]) -> Iterator[Leaf]:
    """Every array of the arguments, in order."""
    for name, nest in arguments.items():
        yield from _below(nest, (name,), (("arguments", 0),))


def _below(nest: Nest, path: Path, holders: tuple[tuple[Kind, int], ...]) -> Iterator[Leaf]:
    if isinstance(nest, str):
        yield Leaf(nest, path, holders)
        return
    kind: Kind
    if isinstance(nest, Mapping):
        kind, parts = "dict", list(nest.items())
    else:
        kind, parts = "list" if isinstance(nest, list) else "tuple", list(enumerate(nest))
    for key, part in parts:
        yield from _below(part, (*path, key), (*holders, (kind, len(parts))))


def shelves(arguments: Mapping[str, Nest]) -> list[Shelf]:
    """Every way to tell arrays apart by a number that counts without gaps."""
    found: dict[tuple[Path, str, Kind, int], dict[str, int]] = {}
    for leaf in leaves_of(arguments):
        for place, (key, (kind, length)) in enumerate(zip(leaf.path, leaf.holders, strict=True)):
            numbered = _numbered(key)
            if numbered is not None and (kind != "arguments" or len(leaf.path) == 1):
                stem, number = numbered
                path = (*leaf.path[:place], None, *leaf.path[place + 1 :])
                found.setdefault((path, stem, kind, length), {})[leaf.word] = number
    return [
        _shelf(*where, numbers)
        for where, all_numbers in found.items()
        for numbers in _without_gaps(all_numbers)
    ]


def _shelf(path: Path, stem: str, kind: Kind, length: int, numbers: Mapping[str, int]) -> Shelf:
    if kind != "arguments":
        return Shelf(path, stem, kind, length, numbers)
    first = min(numbers.values())  # of what becomes the number 0
    counted = {word: number - first for word, number in numbers.items()}
    return Shelf(path, stem, kind, len(counted), counted)


def _numbered(key: Any) -> tuple[str, int] | None:
    if isinstance(key, int):
        return "", key
    digits = re.fullmatch(r"(.*\D)(0|[1-9]\d*)", key) if isinstance(key, str) else None
    return (digits[1], int(digits[2])) if digits else None


def _without_gaps(numbers: Mapping[str, int]) -> Iterator[dict[str, int]]:
    run: dict[str, int] = {}
    for word, number in sorted(numbers.items(), key=lambda pair: pair[1]):
        if run and number != max(run.values()) + 1:
            yield run
            run = {}
        run[word] = number
    yield run
