"""What of somebody's file trains: the object, the call, and the samples and targets it may take.

Expressions of the command line name things of the file and give them literals; nothing else is run.
"""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.frameworks import HELD, refuse_tensor
from backpass.doctor.probe import is_data
from backpass.doctor.reach import is_users_type
from backpass.doctor.state import Roots
from backpass.language.errors import BackpassError, UnknownName, choices, nearest

SAMPLES = 6
# what is tried first; a file that trains by another name is found too
USUAL = ("fit_partial", "partial_fit", "train_step", "step", "train_on_batch", "update", "learn",
         "backward", "backprop", "train", "fit")  # fmt: skip
Array = NDArray[Any]
Call = Callable[..., Any]


# ── the object ───────────────────────────────────────────────────────────────────────────────


def what_trains(module: ModuleType, path: Path, make: str | None) -> tuple[Any, list[str]]:
    """The object that trains, or what the function that trains is given first."""
    method = _method(module)
    try:
        made, said = _made(module, path, make)
    except UnknownName:
        if method is None or _classes(module):
            raise
        made, said = None, list[str]()
    if made is None and method is not None:
        raise BackpassError(
            f"{method} takes self, which {path.name} has no class to make of; put the class "
            'beside it and say how one is made, as in --make "Network([3, 4, 2])"'
        )
    return made, said


def _method(module: ModuleType) -> str | None:
    """A function of the file that was cut out of its class."""
    found = [
        name for name, function in _functions(module).items() if _needed(function)[:1] == ["self"]
    ]
    return next((name for name in (*USUAL, *found) if name in found), None)


def _made(module: ModuleType, path: Path, make: str | None) -> tuple[Any, list[str]]:
    if make is not None:
        made = evaluated(make, module)
        if inspect.isclass(made) or inspect.isroutine(made):
            raise BackpassError(
                f"--make {make!r} is {'a class' if inspect.isclass(made) else 'a function'} and "
                f'makes nothing yet; call it, as in --make "{_example(made)}"'
            )
        return made, []
    held = [
        (name, value)
        for name, value in vars(module).items()
        if is_users_type(type(value)) and hasattr(value, "__dict__") and not callable(value)
    ]
    held = [(name, value) for name, value in held if not isinstance(value, ModuleType)]
    if held:
        return held[-1][1], [f"took {held[-1][0]} of the file"]
    needy, failed = list[str](), list[BackpassError]()
    ready: list[tuple[Any, list[str]]] = []
    for kind in reversed(_classes(module)):
        if _needed(kind):
            needy.append(f'{_signed(kind)}: say how to make one, as in --make "{_example(kind)}"')
            continue
        try:
            made = kind()
        except Exception as error:
            failed.append(_raises(error, f"{kind.__name__}()", module))
            continue
        numbers = list(Roots({"it": made}, {}, {}).state().values.values())
        refuse_held(kind.__name__, made)
        if any(one.ndim for one in numbers):
            return made, [f"made {kind.__name__}()"]
        if numbers:
            ready.append((made, [f"made {kind.__name__}()"]))
    if ready:
        return ready[0]
    if needy:
        raise BackpassError(f"{path.name} has {needy[0]}")
    if failed:
        raise failed[0]
    return None, []


def refuse_held(name: str, holder: object) -> None:
    """Raise BackpassError where an object or a file holds tensors of a framework's."""
    refuse_tensor(f"{name}()", holder, HELD)
    for key, value in vars(holder).items() if hasattr(holder, "__dict__") else ():
        if not isinstance(value, type | ModuleType) and not callable(value):
            refuse_tensor(f"{name}.{key}", value, HELD)


def _classes(module: ModuleType) -> list[type]:
    """The classes that the file itself defines."""
    found = [one for one in vars(module).values() if inspect.isclass(one)]
    return [one for one in found if one.__module__ == module.__name__]


def _functions(module: ModuleType) -> dict[str, Call]:
    """The functions that the file itself defines."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }


def _needed(call: Call) -> list[str]:
    """The arguments that have to be given, one after the other."""
    try:
        known = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return []
    plain = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [one.name for one in known if one.default is one.empty and one.kind in plain]


def _signed(call: Call) -> str:
    return f"{getattr(call, '__name__', call)}({', '.join(_needed(call))})"


def _example(call: Call) -> str:
    """A call with literals, as somebody may write it."""
    needed, sizes = _needed(call), iter((3, 4, 2, 1, 1, 1, 1, 1))
    given: list[str] = []
    for name in needed:
        word = name.lower().rpartition("_")[2]
        if len(needed) == 1 or word in _LISTS:
            given.append("[3, 4, 2]")
        elif word in _RANDOM:
            given.append("np.random.default_rng(0)")
        else:
            given.append("0.1" if word in _RATES else str(next(sizes, 1)))
    return f"{getattr(call, '__name__', call)}({', '.join(given)})"


_LISTS = ("layers", "sizes", "widths", "dims", "units", "shape", "architecture", "structure")
_RATES = ("rate", "lr", "alpha", "eta", "gamma", "momentum", "decay", "lam", "epsilon")
_RANDOM = ("random", "rng", "generator")


# ── expressions ──────────────────────────────────────────────────────────────────────────────


def evaluated(text: str, module: ModuleType) -> Any:
    """`Network([3, 4, 2], rate=0.1)`: a name of the file, or a call of one with literals."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise BackpassError(
            f"{text!r} is no expression; give one such as Network([3, 4, 2])"
        ) from None
    return _value(node, module)


def _value(node: ast.expr, module: ModuleType) -> Any:
    match node:
        case ast.Call(func=function, args=args, keywords=keywords) if all(k.arg for k in keywords):
            called = _value(function, module)
            given = [_value(one, module) for one in args]
            named = {one.arg: _value(one.value, module) for one in keywords if one.arg}
            try:
                return called(*given, **named)
            except BackpassError:
                raise
            except Exception as error:
                raise _raises(error, ast.unparse(node), module) from error
        case ast.Attribute(value=inner, attr=name):
            held = _value(inner, module)
            if not hasattr(held, name):
                raise UnknownName(f"{ast.unparse(inner)} has no {name}{nearest(name, dir(held))}")
            return getattr(held, name)
        case ast.Name(id=name):
            known = {**vars(module), "np": np}
            if name not in known:
                raise UnknownName(f"{module.__name__} has no {name}{nearest(name, known)}")
            return known[name]
        case _:
            try:
                return ast.literal_eval(node)
            except (ValueError, TypeError, SyntaxError):
                raise BackpassError(
                    f"{ast.unparse(node)} is neither a name of the file nor a literal"
                ) from None


def _raises(error: Exception, text: str, module: ModuleType) -> BackpassError:
    """What a call of the command line ended in, with the last line of the file that ran."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if one.filename == module.__file__]
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return BackpassError(
        f"{text} raises {said}",
        line=own[-1].line if own else None,
        where=f"{module.__name__}:{own[-1].lineno}" if own else None,
    )


# ── the call ─────────────────────────────────────────────────────────────────────────────────


def calls(module: ModuleType, made: Any, call: str | None) -> Iterator[tuple[str, Call]]:
    """What may train, the usual names first, and what the object can before other functions."""
    own, plain = _methods(made), _functions(module)
    if call is not None:
        name = call.rpartition(".")[2]
        function = getattr(made, name, None) or getattr(module, name, None)
        if not callable(function):
            known = {**own, **plain}
            raise UnknownName(f"there is no {call} to call{choices(name, known, 'there are')}")
        yield call, function
        return
    named = {**own, **{name: one for name, one in plain.items() if name not in own}}
    usual = [name for name in USUAL if name in named]
    alone = [name for name in usual if not _needed(named[name])]
    order = [name for name in dict.fromkeys((*usual, *named)) if _needed(named[name])]
    for name in (*order, *alone):  # what takes no data may hold some
        yield name, named[name]


def _methods(made: Any) -> dict[str, Call]:
    """The methods of an object that are not private; no property is asked."""
    if made is None:
        return {}
    plain = [name for name in dir(type(made)) if not name.startswith("_")]
    found = [name for name in plain if inspect.isroutine(getattr(type(made), name, None))]
    return {name: getattr(made, name) for name in found if inspect.ismethod(getattr(made, name))}


def unfit(name: str, call: Call, made: Any, *, alone: bool = False) -> str | None:
    """Why this cannot be called with samples and targets, or with what was made before them.

    With `alone`, samples are given without targets.
    """
    needed = _needed(call)
    if not needed and (name in USUAL or inspect.ismethod(call)):
        return None  # it may hold its samples itself
    if alone and len(needed) == 1:
        return None
    if len(needed) == 2 or (len(needed) == 3 and made is not None and not inspect.ismethod(call)):
        return None
    if len(needed) == 3 and made is None:
        return (
            f"{name} takes {needed[0]} before samples and targets; say what it is with --make, as "
            'in --make "start(3, 4, 2)"'
        )
    takes = f"takes {', '.join(needed)}" if needed else "takes nothing"
    before = "" if inspect.ismethod(call) else ", and what --make makes before them"
    more = f"{name} {takes}; what trains is called with samples and targets{before}"
    if len(needed) < 3:
        return more
    return f"{more}: put a function of those beside it that calls {name} with the rest"


# ── samples and targets ──────────────────────────────────────────────────────────────────────


def arguments(
    module: ModuleType, call: Call, made: Any, data: str | None
) -> Iterator[tuple[list[Any], list[str]]]:
    """What to call it with: given data, else that of the file, else random ones that may fit."""
    first = [made] if len(_needed(call)) == 3 else []
    alone = len(_needed(call)) == 1
    if data is not None:
        yield [*first, *_given(module, data, alone=alone)], []
        return
    if not _needed(call):
        yield [], ["on what it holds"]
        return
    pairs = _pairs(module)
    if pairs is not None:
        names, X, Y = pairs
        told = f"on {names.partition(' ')[0] if alone else names} of the file"
        yield [*first, *([X] if alone else [X, Y])], [told]
    for X, Y in _random(call, [] if made is None else [made]):
        told = f"on random samples {_shape(X)}"
        told += "" if alone else f" and targets {_shape(Y)}"
        yield [*first, *([X] if alone else [X, Y])], [told]


def _given(module: ModuleType, data: str, *, alone: bool = False) -> list[Any]:
    """`X, Y` of the file, an .npz with X and Y, or shapes such as `6x3 6x2`."""
    if data.endswith(".npz"):
        return _stored(data)
    parts = data.replace(",", " ").split()
    if len(parts) != 2 and not (alone and len(parts) == 1):
        raise BackpassError(f'{data!r} is not two things: give --data "X, Y" or "6x3 6x2"')
    if all(all(side.isdigit() for side in part.split("x")) for part in parts):
        random = np.random.default_rng(0)
        shapes = [tuple(map(int, part.split("x"))) for part in parts]
        try:
            return [random.normal(size=shapes[0]), random.uniform(size=shapes[1])]
        except (MemoryError, ValueError):
            raise BackpassError(f"--data {data!r} is more than fits into memory") from None
    found = [evaluated(part, module) for part in parts]
    for part, one in zip(parts, found, strict=True):
        if not is_data(one):
            raise BackpassError(
                f"{part} is no array of numbers but {type(one).__name__}; give --data two arrays "
                'of the file, as in "X, Y", or shapes, as in "6x3 6x2"'
            )
    return found


def _stored(path: str) -> list[Any]:
    try:
        with np.load(path, allow_pickle=False) as found:
            names = [name for name in (*"XYxy", *found) if name in found]
            arrays = [found[name] for name in dict.fromkeys(names)][:2]
    except (OSError, ValueError, EOFError) as error:
        raise BackpassError(f"--data {path} cannot be read: {error}") from None
    if len(arrays) < 2:
        raise BackpassError(f"--data {path} holds no two arrays; store samples X and targets Y")
    return arrays


def _pairs(module: ModuleType) -> tuple[str, Any, Any] | None:
    """Arrays of the file that are called like samples and targets."""
    arrays = {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, (np.ndarray, list)) and not name.startswith("_")
    }
    for one in ("X", "x", "X_train", "inputs"):
        for other in ("Y", "y", "y_train", "Y_train", "targets", "T", "labels"):
            if one in arrays and other in arrays:
                return f"{one} and {other}", arrays[one], arrays[other]
    return None


def _random(call: Call, given: list[Any]) -> Iterator[tuple[Array, Array]]:
    """Samples and targets that the first and the last matrix could take, rows before columns."""
    random = np.random.default_rng(0)
    for (into, turned_in), (turned_out, out) in _ends(Roots.of(call, given).state().values):
        for k, m in ((into, out), (into - 1, out)):
            if k > 0:
                yield random.normal(size=(SAMPLES, k)), random.uniform(size=(SAMPLES, m))
        columns = (turned_in, SAMPLES), (turned_out, SAMPLES)
        yield random.normal(size=columns[0]), random.uniform(size=columns[1])
        yield random.normal(size=columns[0][::-1]), random.uniform(size=columns[1][::-1])
        yield random.normal(size=(SAMPLES, into)), np.arange(SAMPLES) % out
        yield random.normal(size=(SAMPLES, turned_in)), np.arange(SAMPLES) % turned_out
        yield random.normal(size=into), random.uniform(size=out)  # one sample
        yield random.normal(size=turned_in), random.uniform(size=turned_out)


def _ends(values: Mapping[str, Array]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The shapes of the first and of the last matrix, which may be biases that stand as columns."""
    matrices = {
        path: one.shape for path, one in values.items() if one.ndim == 2 and min(one.shape) > 0
    }
    held: dict[str, list[tuple[int, int]]] = {}  # in one list, such as that of all weights
    for path, shape in matrices.items():
        held.setdefault(path.rpartition("[")[0], []).append(shape)
    all_of_them = list(matrices.values())
    wide = [shape for shape in all_of_them if min(shape) > 1]
    ends = [(one[0], one[-1]) for one in (all_of_them, wide, *held.values()) if one]
    if wide:
        ends.insert(1, (wide[0], all_of_them[-1]))
    yield from dict.fromkeys(ends)


def _shape(array: Array) -> str:
    return "×".join(map(str, array.shape))
