"""What is told to a submission's process: its own files, how it is called, and no answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.language.errors import BackpassError

Array = NDArray[Any]
Path = tuple[str | int, ...]  # ("params", "W", 0)


@dataclass(frozen=True, slots=True)
class Contract:
    """How submissions are called: what the reference says of it, as plain data.

    `nests` are the arguments by name, a number standing for each array: `parameters` of them are
    trained, the last two are samples and targets. `call` is a function of the submission, or a
    method such as "Network.step" of an object that `make` makes, "Network([4, 5, 3])".
    """

    nests: Mapping[str, Any]
    parameters: tuple[str, ...]
    call: str | None = None
    make: str | None = None
    rate: float | None = None

    def encoded(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decoded(cls, text: str) -> Contract:
        held = json.loads(text)
        return cls(**{**held, "parameters": tuple(held["parameters"])})


def skeleton(path: Path, nest: Any, leaves: list[tuple[Path, Array]]) -> Any:
    """A nest of arrays as plain data, a number for each array; the arrays join `leaves`."""
    match nest:
        case dict():
            wrong = [key for key in nest if not isinstance(key, (str, int))]
            if wrong:
                raise BackpassError(f"a key of {spelled(path)} is {wrong[0]!r}, and no text")
            return ["dict", [[k, skeleton((*path, k), one, leaves)] for k, one in nest.items()]]
        case list() | tuple() if not _is_numbers(nest):
            kind = "list" if isinstance(nest, list) else "tuple"
            inner = [skeleton((*path, place), one, leaves) for place, one in enumerate(nest)]
            return [kind, inner]
        case _:
            array = np.asarray(nest)
            if array.dtype.kind not in "fiub":
                raise BackpassError(f"{spelled(path)} of the reference is no array of numbers")
            leaves.append((path, array))
            return len(leaves) - 1


def _is_numbers(nest: Any) -> bool:
    """Whether lists are numbers all the way down: they are one array."""
    if isinstance(nest, (list, tuple)):
        return bool(nest) and all(map(_is_numbers, nest))
    return isinstance(nest, (bool, int, float, np.number))


def filled(held: Any, arrays: Sequence[Array]) -> Any:
    """The nest of a skeleton, with arrays of one's own at its places."""
    match held:
        case int():
            array = np.array(arrays[held])
            return float(array) if array.ndim == 0 else array
        case ["dict", items]:
            return {key: filled(inner, arrays) for key, inner in items}
        case ["list", items]:
            return [filled(inner, arrays) for inner in items]
        case ["tuple", items]:
            return tuple(filled(inner, arrays) for inner in items)
        case _:
            raise AssertionError(held)


def places(held: Any, path: Path = ()) -> Iterator[tuple[int, Path]]:
    """Every place of a skeleton, with the keys that lead there."""
    match held:
        case int():
            yield held, path
        case ["dict", items]:
            for key, inner in items:
                yield from places(inner, (*path, key))
        case [_, items]:
            for place, inner in enumerate(items):
                yield from places(inner, (*path, place))
        case _:
            raise AssertionError(held)


def spelled(path: Path) -> str:
    """A path as code has it: params['W'][0]."""
    return str(path[0]) + "".join(f"[{key!r}]" for key in path[1:])
