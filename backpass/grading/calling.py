"""A submission's own function, called on the numbers of a probe; what it does to them comes back.

All of this runs in the submission's process: it decides nothing.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.grading.contract import Contract, Path, filled, places, spelled
from backpass.language.errors import BackpassError, UnknownName, choices

Array = NDArray[Any]
CHANGED, RETURNED, RENEWED = 0, 1, 2  # where the answer was: in place, a gradient, a new value
USUAL = "grads", "gradients", "backward", "backprop", "update", "step", "train"
RATES = "lr", "rate", "eta", "alpha", "learning_rate", "step_size"
RATE = 0.1  # for a function that takes one, where the reference names none
NOTHING: Array = np.zeros((0,))


@dataclass(frozen=True, slots=True)
class Answer:
    """Where it was found, and an array for each parameter, empty where there was none.

    `rated` when the function took a rate.
    """

    how: int
    rated: bool
    arrays: list[Array]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A call that is ready: what is called with what, and where the parameters are held."""

    function: Callable[..., Any]
    given: list[Any]
    more: dict[str, Any]
    holder: Callable[[Path], Any]  # the array at a path, as it is now
    trained: list[tuple[int, Path]]  # the number of each parameter's array, and its path


def prepared(module: ModuleType, contract: Contract, arrays: Sequence[Array]) -> Prepared:
    """The submission's function with a probe's arrays, or an object of it that holds them."""
    owner, function = _found(module, contract)
    names = list(contract.nests)
    nests = {name: filled(held, arrays) for name, held in contract.nests.items()}
    trained = [
        (number, (name, *path))
        for name in contract.parameters
        for number, path in places(contract.nests[name])
    ]
    if owner is None:
        given = [nests[name] for name in names]
        return Prepared(
            function, given, _rate(function, given, contract),
            lambda path: _at(nests[str(path[0])], path[1:]), trained,
        )  # fmt: skip
    for number, path in trained:
        _hand_over(owner, path, arrays[number])
    given = [nests[name] for name in names if name not in contract.parameters]
    return Prepared(
        function, given, _rate(function, given, contract),
        lambda path: _held(owner, path), trained,
    )  # fmt: skip


def answer(call: Prepared) -> Answer:
    """Call it; what it changed counts before what it returns."""
    before = [np.array(call.holder(path), float) for _, path in call.trained]
    result = call.function(*call.given, **call.more)
    after = [np.array(call.holder(path), float) for _, path in call.trained]
    if any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True)):
        return Answer(CHANGED, bool(call.more), after)
    found = _returned(result, [path for _, path in call.trained], before)
    if all(one.size == 0 for one in found) and any(one.size for one in before):
        raise BackpassError("it changes no parameter, and returns no arrays")
    return Answer(RENEWED if call.more else RETURNED, bool(call.more), found)


# ── what is called ───────────────────────────────────────────────────────────────────────────


def _found(module: ModuleType, contract: Contract) -> tuple[Any, Callable[..., Any]]:
    """The object that trains, None for none, and the function or its method."""
    if contract.call is None:
        for name in USUAL:
            if inspect.isroutine(getattr(module, name, None)):
                return None, getattr(module, name)
        raise UnknownName(f"there is no function grads{choices('grads', _own(module), 'it has')}")
    owner, _, method = contract.call.rpartition(".")
    if not owner:
        return None, _member(module, method, _own(module))
    made = _made(module, contract.make or f"{owner}()")
    return made, _member(made, method, [one for one in dir(made) if not one.startswith("_")])


def _member(holder: Any, name: str, known: Sequence[str]) -> Callable[..., Any]:
    found = getattr(holder, name, None)
    if not callable(found):
        kind = "method" if not isinstance(holder, ModuleType) else "function"
        raise UnknownName(f"there is no {kind} {name}{choices(name, known, 'it has')}")
    return found


def _own(module: ModuleType) -> list[str]:
    return [name for name, one in vars(module).items() if inspect.isfunction(one)]


def _made(module: ModuleType, text: str) -> Any:
    """`Network([4, 5, 3], rate=0.1)`: a call of a name of the submission, with literals."""
    node = ast.parse(text, mode="eval").body
    match node:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            known = [one for one, held in vars(module).items() if inspect.isclass(held)]
            if not callable(getattr(module, name, None)):
                raise UnknownName(f"there is no class {name}{choices(name, known, 'it has')}")
            more = {one.arg: ast.literal_eval(one.value) for one in keywords if one.arg}
            return getattr(module, name)(*map(ast.literal_eval, args), **more)
        case _:
            raise BackpassError(f"MAKE is {text!r}, and no call such as Network([4, 5, 3])")


def _rate(
    function: Callable[..., Any], given: Sequence[Any], contract: Contract
) -> dict[str, float]:
    """The rate by the name that the function has for it, where it takes one."""
    try:
        known = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return {}
    further = [one for one in known[len(given) :] if one.kind in (one.POSITIONAL_OR_KEYWORD,
                                                                  one.KEYWORD_ONLY)]  # fmt: skip
    for one in further:
        if one.name.lower() in RATES or (one.default is one.empty and len(further) == 1):
            return {one.name: RATE if contract.rate is None else contract.rate}
    return {}


# ── where parameters are held ────────────────────────────────────────────────────────────────


def _at(nest: Any, path: Path) -> Any:
    for key in path:
        nest = nest[key]
    return nest


def _step(holder: Any, key: str | int) -> Any:
    return holder[key] if _is_nest(holder) else getattr(holder, str(key))


def _is_nest(holder: Any) -> bool:
    return isinstance(holder, (dict, list, tuple))


def _way(owner: Any, path: Path) -> tuple[Any, Path]:
    """Where a path begins: at the attribute of the argument's name, else at the object itself."""
    name, *rest = path
    if len(path) == 1 or hasattr(owner, str(name)):
        return owner, path
    return owner, tuple(rest)


def _held(owner: Any, path: Path) -> Any:
    held, way = _way(owner, path)
    for key in way:
        held = _step(held, key)
    return held


def _hand_over(owner: Any, path: Path, value: Array) -> None:
    """Let an object hold an array, in the shape that its own one has."""
    holder, way = _way(owner, path)
    for key in way[:-1]:
        holder = _step(holder, key)
    key = way[-1]
    try:
        old = np.asarray(_step(holder, key), float)
    except (AttributeError, KeyError, IndexError):
        raise BackpassError(f"its object has no {spelled(('self', *way))}") from None
    if old.shape != value.shape and _plain(old.shape) != _plain(value.shape):
        raise BackpassError(
            f"its {way[-1]} is {_shape(old.shape)}, and the reference's is {_shape(value.shape)}"
        )
    new = np.array(value, float).reshape(old.shape)
    if _is_nest(holder):
        holder[key] = new
    else:
        setattr(holder, str(key), new)


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"


# ── what is returned ─────────────────────────────────────────────────────────────────────────


def _returned(result: Any, paths: Sequence[Path], like: Sequence[Array]) -> list[Array]:
    """An array for each parameter: by its keys where they are there, else in order."""
    leaves = list(_leaves(result, ()))
    if not any(one.ndim == 0 for one in like):  # a loss may stand in front
        leaves = [(path, one) for path, one in leaves if one.ndim]
    named = [[one for keys, one in leaves if _alike(path[1:] or path, keys)] for path in paths]
    if all(len(one) == 1 for one in named):
        return [one[0] for one in named]
    if len(leaves) == len(paths):
        return [one for _, one in leaves]
    return [one[0] if len(one) == 1 else NOTHING for one in named]


def _alike(wanted: Path, keys: Path) -> bool:
    """`W1` and `dW1`, `grad_W1`; a list's places as they are."""
    keys = keys[-len(wanted) :]
    return len(keys) == len(wanted) and all(
        one == other or (isinstance(one, str) and str(other).endswith(one))
        for one, other in zip(wanted, keys, strict=True)
    )


def _leaves(one: Any, path: Path) -> Iterator[tuple[Path, Array]]:
    match one:
        case dict():
            for key, inner in one.items():
                yield from _leaves(inner, (*path, key))
        case list() | tuple() if any(isinstance(x, (np.ndarray, dict, tuple)) for x in one):
            for place, inner in enumerate(one):
                yield from _leaves(inner, (*path, place))
        case _:
            try:
                array = np.asarray(one)
            except ValueError:  # rows of different lengths
                return
            if array.dtype.kind in "fiub":
                yield path, array
