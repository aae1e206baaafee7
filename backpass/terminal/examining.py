"""`backpass doctor mynet.py`: what to call in somebody's file, and with what, as far as it says.

Whatever is not said is looked for, and what is found is told. Expressions of the command line name
things of the file and give them literals; nothing else is run.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.annotate import annotate
from backpass.doctor.annotation import Annotation
from backpass.doctor.examine import examine
from backpass.doctor.listing import listing_lines
from backpass.doctor.reach import is_users_type
from backpass.doctor.report import Report
from backpass.doctor.state import Roots
from backpass.language.errors import BackpassError, UnknownName, nearest
from backpass.nn.files import write_whole
from backpass.reading.lines import Line, Role, Span, wrapped
from backpass.terminal.model_file import load_module

SAMPLES = 6
# what is tried first; a file that trains by another name is found too
USUAL = ("fit_partial", "partial_fit", "train_step", "step", "train_on_batch", "update", "learn",
         "backward", "backprop", "train", "fit")  # fmt: skip
Array = NDArray[Any]


@dataclass(frozen=True)
class Examined:
    """A report, and what was taken for granted to make it."""

    report: Report
    assumed: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.report.verdict != "bug"

    def to_json(self) -> dict[str, Any]:
        """The report as plain data, with what was assumed."""
        return {**self.report.to_json(), "assumed": list(self.assumed)}

    def lines(self) -> list[Line]:
        """The report with accents, and below it what was assumed."""
        told = f"Assumed: {'; '.join(self.assumed)}." if self.assumed else ""
        lines: list[Line] = []
        for place, text in enumerate(str(self.report).split("\n")):
            mark = text.strip()[:1]
            role: Role = "heading" if place == 0 else "words"
            if mark in ("✓", "✗"):
                role = "good" if mark == "✓" else "bad"
            elif text.startswith("      "):
                role = "formula"
            lines.append((Span(text, role),))
        wrapped = textwrap.wrap(told, 78, initial_indent="  ", subsequent_indent="  ")
        return [*lines, *([()] if told else []), *((Span(line, "reason"),) for line in wrapped)]


@dataclass(frozen=True)
class Annotated:
    """A listing, and what was taken for granted to make it."""

    annotation: Annotation
    assumed: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The listing as plain data, with what was assumed."""
        return {**self.annotation.to_json(), "assumed": list(self.assumed)}

    def lines(self) -> list[Line]:
        """The listing with accents, and below it what was assumed."""
        told = f"Assumed: {'; '.join(self.assumed)}." if self.assumed else ""
        shown = listing_lines(self.annotation.summary, self.annotation.lines)
        return [*shown, *([()] if told else []), *wrapped(told, 0, "reason")]

    def write(self, path: Path) -> None:
        """The listing as a page, written whole or not at all."""
        write_whole(path, self.annotation.html().encode())

    def write_copy(self, path: Path, of: Path) -> None:
        """The file with the readings as comments, which never takes the place of the file."""
        if path.resolve() == of.resolve():
            raise BackpassError(f"{path} is the file itself; name another one for the copy")
        files = {line.file for line in self.annotation.lines}
        file = next((one for one in files if Path(one).resolve() == of.resolve()), None)
        write_whole(path, self.annotation.commented(file).encode())


def examine_file(
    path: Path, make: str | None, call: str | None, data: str | None, lr: float | None
) -> Examined:
    """Find what trains in a file, make what it needs, and examine it.

    Raises BackpassError, with the option that would help, when there is nothing to call.
    """

    def look(function: Callable[..., Any], args: Sequence[Any]) -> Report:
        report = examine(function, args, lr)
        if _raised(report) and data is None:
            raise BackpassError(report.findings[0].explanation)
        return report

    return Examined(*_looked(path, make, call, data, look))


def annotate_file(path: Path, make: str | None, call: str | None, data: str | None) -> Annotated:
    """Find what trains in a file, make what it needs, and read it back.

    Raises BackpassError, with the option that would help, when there is nothing to call.
    """
    return Annotated(*_looked(path, make, call, data, lambda one, args: annotate(one, *args)))


def _looked(
    path: Path,
    make: str | None,
    call: str | None,
    data: str | None,
    look: Callable[[Callable[..., Any], Sequence[Any]], Any],
) -> tuple[Any, tuple[str, ...]]:
    """What comes of looking at the first call that can be looked at, and what was assumed."""
    module = load_module(path)
    method = _method(module, call)
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
    refused: list[str] = []
    for name, function in _calls(module, made, call):
        for args, told in _arguments(module, function, made, data):
            try:
                found = look(function, args)
            except (BackpassError, TypeError) as error:
                refused.append(f"{name}: {error}")
                continue
            return found, (*said, f"called {name}", *told)
    why = f" ({refused[-1]})" if refused else ""
    raise BackpassError(
        f"nothing in {path.name} could be called and seen to train{why}; say what trains with "
        '--call, and on what with --data, as in --call net.fit --data "X, Y" or --data "6x3 6x2"'
    )


def _method(module: ModuleType, call: str | None) -> str | None:
    """A function of the file that was cut out of its class: the one to call, or any."""
    found = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and next(iter(inspect.signature(value).parameters), "") == "self"
    ]
    usual = [name for name in USUAL if name in found]
    return next((name for name in (*usual, *found) if call in (None, name)), None)


def _raised(report: Report) -> bool:
    return report.verdict == "bug" and not report.tensors


# ── the object ───────────────────────────────────────────────────────────────────────────────


def _made(module: ModuleType, path: Path, make: str | None) -> tuple[Any, list[str]]:
    """The object that trains, or what the function that trains is given first."""
    if make is not None:
        return _evaluated(make, module), []
    held = [
        (name, value)
        for name, value in vars(module).items()
        if is_users_type(type(value)) and hasattr(value, "__dict__") and not callable(value)
    ]
    held = [(name, value) for name, value in held if not isinstance(value, ModuleType)]
    if held:
        return held[-1][1], [f"took {held[-1][0]} of the file"]
    needy: list[str] = []
    for kind in reversed(_classes(module)):
        try:
            required = [
                one.name
                for one in inspect.signature(kind).parameters.values()
                if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
            ]
        except ValueError:
            continue
        if not required and _has_arrays(kind()):
            return kind(), [f"made {kind.__name__}()"]
        needy.append(f"{kind.__name__}({', '.join(required)})")
    if needy:
        raise BackpassError(
            f"{path.name} has {needy[0]}: say how to make one, as in "
            f'--make "{needy[0].partition("(")[0]}([3, 4, 2])"'
        )
    return None, []


def _classes(module: ModuleType) -> list[type]:
    """The classes that the file itself defines."""
    found = [one for one in vars(module).values() if inspect.isclass(one)]
    return [one for one in found if one.__module__ == module.__name__]


def _has_arrays(made: object) -> bool:
    found = Roots({"it": made}, {}, {}).state().values.values()
    return any(one.ndim for one in found)


def _evaluated(text: str, module: ModuleType) -> Any:
    """`Network([3, 4, 2], rate=0.1)`: a name of the file, or a call of one with literals."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise BackpassError(
            f"{text!r} is no expression; give one such as Network([3, 4, 2])"
        ) from None
    return _value(node, module)


def _value(node: ast.expr, module: ModuleType) -> Any:
    match node:
        case ast.Call(func=function, args=args, keywords=keywords):
            given = {one.arg: _value(one.value, module) for one in keywords if one.arg}
            return _value(function, module)(*[_value(one, module) for one in args], **given)
        case ast.Attribute(value=inner, attr=name):
            return getattr(_value(inner, module), name)
        case ast.Name(id=name):
            known = {**vars(module), "np": np}
            if name not in known:
                raise UnknownName(f"{module.__name__} has no {name}{nearest(name, known)}")
            return known[name]
        case _:
            try:
                return ast.literal_eval(node)
            except ValueError:
                raise BackpassError(
                    f"{ast.unparse(node)} is neither a name of the file nor a literal"
                ) from None


# ── the call ─────────────────────────────────────────────────────────────────────────────────


def _calls(
    module: ModuleType, made: Any, call: str | None
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """What may train, the usual names first."""
    if call is not None:
        name = call.rpartition(".")[2]
        function = getattr(made, name, None) or getattr(module, name, None)
        if not callable(function):
            raise UnknownName(f"there is no {call} to call{nearest(name, _named(module, made))}")
        yield call, function
        return
    named = _named(module, made)
    usual = [name for name in USUAL if name in named]
    for name in (*usual, *(name for name in named if name not in usual)):
        yield name, named[name]


def _named(module: ModuleType, made: Any) -> dict[str, Callable[..., Any]]:
    own = {
        name: getattr(made, name)
        for name in dir(made)
        if made is not None and not name.startswith("_") and inspect.ismethod(getattr(made, name))
    }
    plain = {
        name: value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    }
    return {**plain, **own}


# ── samples and targets ──────────────────────────────────────────────────────────────────────


def _arguments(
    module: ModuleType, function: Callable[..., Any], made: Any, data: str | None
) -> Iterator[tuple[list[Any], list[str]]]:
    """What to call it with: given data, else that of the file, else random ones that may fit."""
    wanted = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    first = [made] if len(wanted) == 3 and not inspect.ismethod(function) else []
    if len(wanted) != 2 + len(first) or (first and made is None):
        return
    if data is not None:
        yield [*first, *_given(module, data)], []
        return
    pairs = _pairs(module)
    if pairs is not None:
        names, X, Y = pairs
        yield [*first, X, Y], [f"on {names} of the file"]
    for X, Y in _random(function, [] if made is None else [made]):
        told = f"on random samples {_shape(X)} and targets {_shape(Y)}"
        yield [*first, X, Y], [told]


def _given(module: ModuleType, data: str) -> list[Any]:
    """`X, Y` of the file, an .npz with X and Y, or shapes such as `6x3 6x2`."""
    if data.endswith(".npz"):
        with np.load(data, allow_pickle=False) as found:
            names = [name for name in (*"XYxy", *found) if name in found]
            return [found[names[0]], found[names[1]]]
    parts = data.replace(",", " ").split()
    if len(parts) != 2:
        raise BackpassError(f'{data!r} is not two things: give --data "X, Y" or "6x3 6x2"')
    if all(part.replace("x", "").isdigit() for part in parts):
        random = np.random.default_rng(0)
        shapes = [tuple(map(int, part.split("x"))) for part in parts]
        return [random.normal(size=shapes[0]), random.uniform(size=shapes[1])]
    return [_evaluated(part, module) for part in parts]


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


def _random(function: Callable[..., Any], given: list[Any]) -> Iterator[tuple[Array, Array]]:
    """Samples and targets that the first and the last matrix could take, rows before columns."""
    random = np.random.default_rng(0)
    found = Roots.of(function, given).state().values.values()
    matrices = [one for one in found if one.ndim == 2 and min(one.shape) > 0]
    if not matrices:
        return
    (into, _), (_, out) = matrices[0].shape, matrices[-1].shape
    (turned_out, _), (_, turned_in) = matrices[-1].shape, matrices[0].shape
    for k, m in ((into, out), (into - 1, out)):
        if k > 0:
            yield random.normal(size=(SAMPLES, k)), random.uniform(size=(SAMPLES, m))
    yield random.normal(size=(turned_in, SAMPLES)), random.uniform(size=(turned_out, SAMPLES))
    yield random.normal(size=(SAMPLES, turned_in)), random.uniform(size=(SAMPLES, turned_out))
    yield random.normal(size=(SAMPLES, into)), np.arange(SAMPLES) % out


def _shape(array: Array) -> str:
    return "×".join(map(str, array.shape))
