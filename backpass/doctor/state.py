"""The numbers that a call can change: found, compared, replaced, and put back as they were."""

from __future__ import annotations

import dis
import functools
import inspect
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CellType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.reach import functions, is_users_type

Array = NDArray[Any]
_NUMBERS = (bool, int, float, np.number)
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)
_NO_HOLDERS = (type, ModuleType, FunctionType, MethodType)


@dataclass(frozen=True, slots=True)
class Slot:
    """Numbers, where the user's objects hold them: `holder[key]`, written `path`."""

    path: str
    holder: Any  # a dict, a list, or a tuple, which cannot be written to
    key: Any
    held: Any

    @property
    def value(self) -> Array:
        """A copy of the numbers as they are now."""
        found = as_numbers(self.held)
        assert found is not None
        return found


@dataclass(slots=True)
class State:
    """Everything that was reached from some objects, as it was then."""

    slots: dict[str, Slot] = field(default_factory=dict)
    values: dict[str, Array] = field(default_factory=dict)
    arrays: list[tuple[Array, Array]] = field(default_factory=list)  # with what they held
    _roots: list[tuple[Any, str, Any]] = field(default_factory=list)
    _holders: list[tuple[Any, Any]] = field(default_factory=list)
    _generators: list[Callable[[], object]] = field(default_factory=list)

    def restore(self) -> None:
        """Put everything back: the entries of arrays, what holders held, and random numbers."""
        for rewind in self._generators:
            rewind()
        for array, copy in self.arrays:
            if array.flags.writeable:
                array[...] = copy
        for holder, copy in self._holders:
            if isinstance(holder, list):
                holder[:] = copy
            else:
                holder.clear()
                holder.update(copy)
        for holder, key, held in self._roots:
            holder[key] = held

    def replace(self, path: str, value: Array) -> None:
        """Let the numbers of a path be others, in float64, wherever the same object is held."""
        old = self.slots[path].held
        if isinstance(self.slots[path].holder, tuple) and isinstance(old, np.ndarray):
            old[...] = value  # a tuple cannot hold another array
        new: Any = np.array(value, float)
        if isinstance(old, list):
            new = new.tolist()
        elif not isinstance(old, np.ndarray):
            new = float(new)
        alone = not isinstance(old, (np.ndarray, list))  # 0.1 here and 0.1 there are two numbers
        for slot in [self.slots[path]] if alone else self.slots.values():
            if slot.held is old and not isinstance(slot.holder, tuple):
                slot.holder[slot.key] = new


@dataclass(frozen=True, slots=True)
class _Closure:
    """The variables of the functions around one, read and written by name as globals are."""

    cells: dict[str, CellType]

    def get(self, name: str) -> Any:
        try:
            return self.cells[name].cell_contents
        except ValueError:  # not yet assigned
            return None

    __getitem__ = get

    def __setitem__(self, name: str, value: Any) -> None:
        self.cells[name].cell_contents = value


@dataclass(frozen=True, slots=True)
class _Defaults:
    """The values that arguments of a function have when they are not given."""

    function: FunctionType

    def get(self, name: str) -> Any:
        return self.all().get(name)

    __getitem__ = get

    def __setitem__(self, name: str, value: Any) -> None:
        held = {**self.all(), name: value}
        plain: Any = self.function
        plain.__defaults__ = tuple(held[one] for one in self.names())

    def names(self) -> list[str]:
        code, count = self.function.__code__, len(self.function.__defaults__ or ())
        return list(code.co_varnames[code.co_argcount - count : code.co_argcount])

    def all(self) -> dict[str, Any]:
        return dict(zip(self.names(), self.function.__defaults__ or (), strict=True))


@dataclass(frozen=True, slots=True)
class Roots:
    """The objects that a call may change, by the names that its code has for them."""

    own: dict[str, Any]  # the object of a method
    arguments: dict[str, Any]
    around: dict[str, Any]  # what holds the names that its functions read from around them

    @classmethod
    def of(cls, call: Callable[..., Any], args: Sequence[Any]) -> Roots:
        """Those of a call; arguments that have no name are numbered."""
        own: dict[str, Any] = {}
        inner = call.args if isinstance(call, functools.partial) else ()
        for one in (call, *inner):
            if isinstance(one, MethodType):
                name = next(iter(inspect.signature(one.__func__).parameters), "self")
                own[name] = one.__self__
        arguments = dict(zip(argument_names(call, len(args)), args, strict=True))
        around: dict[str, Any] = {}
        for one in functions([call]):
            cells = dict(zip(one.__code__.co_freevars, one.__closure__ or (), strict=True))
            for name in (*cells, *one.__code__.co_names):
                holder = _Closure(cells) if name in cells else one.__globals__
                held = holder.get(name)
                is_number = isinstance(held, _NUMBERS)  # a zero may be a bias that never changes
                if _may_change(held) or (is_number and (not held or name in _written(one))):
                    around.setdefault(name, holder)
            defaults = _Defaults(one)
            for name, held in defaults.all().items():
                if _may_change(held):
                    around.setdefault(name, defaults)
        return cls(own, arguments, around)

    def state(self) -> State:
        """What these objects hold now, under paths such as `self.W[0]` and `params['b1']`."""
        found = State()
        seen: set[int] = set()
        named = {**self.around}
        named |= dict.fromkeys(self.arguments, self.arguments) | dict.fromkeys(self.own, self.own)
        for name, holder in named.items():
            found._roots.append((holder, name, holder[name]))
            _visit(name, holder, name, holder[name], found, seen)
        return found


_STORES = ("STORE_GLOBAL", "STORE_DEREF", "STORE_NAME")  # of a global, and at the top of a file


def _written(function: FunctionType) -> set[str]:
    """The names around a function that it gives other values."""
    steps = dis.get_instructions(function.__code__)
    return {str(one.argval) for one in steps if one.opname in _STORES}


def _may_change(held: object) -> bool:
    """Whether a name leads to numbers: an array, a nest, or an object of the user's."""
    if isinstance(held, (np.ndarray, list, dict, SimpleNamespace, *_GENERATORS)):
        return True
    return is_users_type(type(held)) and not isinstance(held, _NO_HOLDERS)


def argument_names(call: Callable[..., Any], count: int) -> list[str]:
    """What a callable calls its first arguments; those that have no name are numbered."""
    try:
        known = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        known = []
    names = [
        one.name for one in known if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return [*names[:count], *(f"argument {place + 1}" for place in range(len(names), count))]


def _visit(path: str, holder: Any, key: Any, one: Any, found: State, seen: set[int]) -> None:
    numbers = as_numbers(one)
    if numbers is not None:
        found.slots[path] = Slot(path, holder, key, one)
        found.values[path] = numbers
    if id(one) in seen or isinstance(one, _NUMBERS):
        return
    seen.add(id(one))
    if isinstance(one, _GENERATORS):
        found._generators.append(_rewinding(one))
        return
    if isinstance(one, np.ndarray):
        found.arrays.append((one, one.copy() if numbers is None else numbers))
    elif isinstance(one, list) and numbers is not None:
        found._holders.extend((row, list(row)) for row in _rows(one))
    elif isinstance(one, (list, dict)):
        found._holders.append((one, one.copy()))
    for inner, key, value in _items(path, one) if numbers is None else ():
        _visit(inner, one, key, value, found, seen)
    held = _attributes(one)
    if held is not None:
        found._holders.append((held, dict(held)))
        for key, value in held.items():
            _visit(f"{path}.{key}", held, key, value, found, seen)


def _rewinding(
    one: np.random.Generator | np.random.RandomState | random.Random,
) -> Callable[[], object]:
    """What takes a generator of random numbers back to where it stands now."""
    match one:
        case np.random.Generator():
            inner, state = one.bit_generator, one.bit_generator.state
            return lambda: setattr(inner, "state", state)
        case np.random.RandomState():
            return functools.partial(one.set_state, one.get_state())
        case random.Random():
            return functools.partial(one.setstate, one.getstate())


def _items(path: str, one: Any) -> Iterator[tuple[str, Any, Any]]:
    match one:
        case dict():
            for key, value in one.items():
                yield f"{path}[{key!r}]", key, value
        case list() | tuple():
            for place, value in enumerate(one):
                yield f"{path}[{place}]", place, value
        case _:
            return


def _attributes(one: Any) -> dict[str, Any] | None:
    """The attributes of an object of a class of the user's, or of one that has nothing else."""
    if isinstance(one, SimpleNamespace):
        return vars(one)
    if isinstance(one, _NO_HOLDERS) or not is_users_type(type(one)):
        return None
    return getattr(one, "__dict__", None)


def _rows(rows: list[Any]) -> Iterator[list[Any]]:
    yield rows
    for row in rows:
        if isinstance(row, list):
            yield from _rows(row)


def as_numbers(one: object) -> Array | None:
    """A copy of an array, a number, or rows of numbers in lists; None for anything else."""
    match one:
        case np.ndarray() if one.dtype.kind in "fiub":
            return one.copy()
        case bool():
            return None
        case int() | float() | np.number():
            return np.asarray(one)
        case list() if one and _is_rectangular(one):
            return np.asarray(one)
        case _:
            return None


def _is_rectangular(rows: list[Any]) -> bool:
    """Whether lists are numbers all the way down, each as long as its neighbours."""
    if all(isinstance(one, _NUMBERS) for one in rows):
        return True
    if not all(isinstance(one, list) and len(one) == len(rows[0]) > 0 for one in rows):
        return False
    return all(map(_is_rectangular, rows)) and len({np.shape(one) for one in rows}) == 1
