"""Emitted source, compiled once and called often: what is printed is what runs.

A combination of shapes and dtypes is checked when it is first seen; after that a call costs
little more than the NumPy that it runs.
"""

from __future__ import annotations

import linecache
import traceback
import weakref
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import count
from types import CodeType
from typing import Any, NoReturn

import numpy as np

from backpass.language.errors import DerivationError, ShapeError, UnknownName
from backpass.language.expr import Apply, walk
from backpass.language.extent import check_extent
from backpass.language.program import Array, Call, Program
from backpass.language.shapes import bind, evaluate_size, show_shape
from backpass.running.numpy.source import Nest, Source, source

Bound = tuple[int, int, Any]  # an input's place, what its integers stay below, their unsigned kind
Plan = tuple[tuple[Any, ...], tuple[Bound, ...], tuple[Any, ...]]
NUMBERS = count(1)


class Runner:
    """A program as a function of its inputs; `source` is the text that runs.

    Raises ShapeError for arrays that contradict the declared shapes or each other,
    DerivationError for arrays of the wrong kind, UnknownName for what was not given.
    """

    def __init__(self, program: Program, emitted: Source) -> None:
        self.program = program
        self.source = emitted
        self.run = load(emitted)
        self._names = tuple(one.name for one in program.inputs)
        self._known = _values_of_functions(program)
        self._numbers = {
            step.body.function.name
            for step in program.steps
            if isinstance(step.body, Call) and not step.target.shape
        }
        self._plans: dict[tuple[Any, ...], Plan] = {}

    def __call__(
        self, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None
    ) -> Any:
        """Run on arrays by name; `functions` are those that were declared without a body."""
        arrays = [
            value if type(value := values.get(name)) is np.ndarray else _array(name, values)
            for name in self._names
        ]
        seen = tuple([(one.shape, one.dtype) for one in arrays])
        plan = self._plans.get(seen)
        if plan is None:
            plan = self._plans[seen] = self._plan(arrays)
        casts, bounds, constants = plan
        for place, bound, unsigned in bounds:
            # -1 is a large number without its sign, so that one comparison is enough
            if arrays[place].size and arrays[place].view(unsigned).max() >= bound:
                _refuse(self.program.inputs[place], arrays[place], bound)
        if casts:
            arrays = [a if t is None else a.astype(t) for a, t in zip(arrays, casts, strict=True)]
        given = self._functions(functions or {}) if self.source.functions else ()
        try:
            return self.run(*arrays, *constants, *given)
        except IndexError as error:  # integers below 10 that pick from five entries
            raise ShapeError(f"an entry that is read does not exist here: {error}") from error
        except ZeroDivisionError as error:
            raise ShapeError("it divides by a size, or a sum of sizes, that is 0 here") from error

    def _plan(self, arrays: Sequence[Any]) -> Plan:
        """What to do for arrays of these shapes and dtypes: casts, ranges to check, constants."""
        inputs = self.program.inputs
        sizes = bind((a.name, a.shape, v.shape) for a, v in zip(inputs, arrays, strict=True))
        check_extent(self.program, sizes)
        casts = tuple(_cast(a, v.dtype) for a, v in zip(inputs, arrays, strict=True))
        bounds = tuple(
            (place, evaluate_size(a.below, sizes), np.dtype(v.dtype.str.replace("i", "u")))
            for place, (a, v) in enumerate(zip(inputs, arrays, strict=True))
            if a.kind == "int" and a.below is not None
        )
        real = [
            cast or value.dtype
            for a, value, cast in zip(inputs, arrays, casts, strict=True)
            if a.kind == "real"
        ]
        dtype = np.result_type(*real) if real else np.dtype(np.float64)
        constants = tuple(
            np.asarray(value, dtype=dtype if a.kind == "real" else None)
            for a, value in self.program.constants
        )
        return casts if any(casts) else (), bounds, constants

    def _functions(self, given: Mapping[str, Callable[..., Any]]) -> list[Callable[..., Any]]:
        found: list[Callable[..., Any]] = []
        for name, word in zip(self.source.functions, self.source.function_words, strict=True):
            value = given.get(name, given.get(word))
            if value is not None:
                found.append(_held(word, value, name in self._numbers))
            elif name in self._known:
                found.append(self._known[name])
            else:
                raise UnknownName(f"{name} was declared without a body; pass {word}=… at the call")
        return found


def compile_numpy(
    program: Program, *, name: str = "forward_backward", gradients: Nest | None = None
) -> Runner:
    """Emit a program as NumPy source and compile it; the arguments are those of `source`."""
    return Runner(program, source(program, name=name, gradients=gradients))


def _array(name: str, values: Mapping[str, Any]) -> Any:
    try:
        value = values[name]
    except KeyError:
        raise UnknownName(f"the input {name} was not given") from None
    if type(value) is np.ndarray:
        return value
    if isinstance(value, np.ma.MaskedArray):  # NumPy would drop the mask in silence
        raise DerivationError(f"{name} is a masked array; give its data, and the mask as an input")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DerivationError(f"{name} is no array: its rows differ in length") from error
    if array.dtype.kind not in "fiubc":
        raise DerivationError(f"{name} must be numbers, and {value!r:.40} was given")
    return array


def _cast(array: Array, dtype: Any) -> Any:
    """The dtype that an input must be brought to; None to leave it. Refuses the wrong kind."""
    if array.kind == "real":
        if dtype.kind not in "fiub":
            raise DerivationError(f"{array.name} must be numbers, not {dtype}")
        return None if dtype.kind == "f" else np.dtype(np.float64)
    if array.kind == "int":
        if dtype.kind not in "iu":
            raise DerivationError(f"{array.name} must be integers, not {dtype}")
        return None if dtype.itemsize == 8 and dtype.kind == "i" else np.dtype(np.int64)
    if dtype.kind not in "biu":
        raise DerivationError(f"{array.name} must be truth values, not {dtype}")
    return None if dtype.kind == "b" else np.dtype(np.bool_)


def _refuse(array: Array, value: Any, bound: int) -> NoReturn:
    """Name an integer out of its range: NumPy would count a negative index from the end."""
    outside = (value < 0) | (value >= bound)
    entry = ", ".join(str(place) for place in np.argwhere(outside)[0]) if value.ndim else ""
    raise DerivationError(
        f"{array.name}{f'[{entry}]' if entry else ''} is {value[outside][0]}; "
        f"its integers run from 0 to {bound - 1}"
    )


def _values_of_functions(program: Program) -> dict[str, Callable[..., Any]]:
    """The functions that carry a value of their own, for those that have no spelling."""
    found: dict[str, Callable[..., Any]] = {}
    for step in program.steps:
        if isinstance(step.body, Call) and step.body.function.value is not None:
            found[step.body.function.name] = step.body.function.value
        for write in step.writes:
            for node in walk(write.term):
                if isinstance(node, Apply) and node.function.value is not None:
                    found[node.function.name] = node.function.value
    return found


def _held(word: str, function: object, number: bool) -> Callable[..., Any]:
    """A function that was passed at a call, held to return one number, or entry by entry."""
    if not callable(function):
        raise DerivationError(f"{word} is to be a function, and is {function!r:.40}")

    def held(*args: Any) -> Any:
        try:
            result = function(*args)
        except Exception as error:
            message = f"{word} raises {type(error).__name__}: {error}"
            frame = next(iter(traceback.extract_tb(error.__traceback__)[1:]), None)
            if frame is None:
                raise DerivationError(message) from error
            where = f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            raise DerivationError(message, line=frame.line, where=where) from error
        array = np.asarray(result)
        shape = () if number else np.broadcast_shapes(*map(np.shape, args))
        if array.dtype.kind in "fiub" and array.shape == shape:
            return result
        if array.dtype.kind in "fiub" and not array.shape:
            return np.full(shape, array, np.result_type(*args))  # a slope that is 1 everywhere
        wanted = "one number" if number else f"an array of shape {show_shape(shape)}"
        raise DerivationError(f"{word} is to return {wanted}, and returns {result!r:.40}")

    return held


# ── from text to a function ──────────────────────────────────────────────────────────────────


class _Emitted(InspectLoader):
    """Lets Python's own import machinery compile a text that is no file."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    def get_source(self, fullname: str) -> str:
        return self.text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.path, "exec")


def load(emitted: Source) -> Callable[..., Any]:
    """The function that the source defines; a traceback through it shows its lines."""
    path = f"<{emitted.name} {next(NUMBERS)}>"
    loader = _Emitted(emitted.text, path)
    spec = spec_from_loader(f"backpass_{emitted.name}", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    lines = emitted.text.splitlines(keepends=True)
    linecache.cache[path] = (len(emitted.text), None, lines, path)
    function = getattr(module, emitted.name)
    weakref.finalize(function, linecache.cache.pop, path, None)
    return function
