"""The learning rate, read off what updates were multiplied together from when they were made."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.evidence import updating
from backpass.doctor.observe import Run
from backpass.doctor.rewrite import Place

Array = NDArray[np.float64]
Statement = tuple[str, int]
_HALVES = ("2.0", "0.5", "4.0", "0.25")  # factors of a loss, more often than a rate


@dataclass(frozen=True, slots=True)
class Rates:
    """Numbers that may be the learning rate, by what the code calls them.

    `near` are those of the statement that updates a tensor, by its path; `far` those that have a
    name anywhere.
    """

    near: dict[str, dict[float, str]]
    far: dict[float, str]


def rates(runs: Sequence[Run], moved: Mapping[str, Array], cut: Collection[str] = ()) -> Rates:
    """Numbers that are the same on every probe; updates of what is `cut` may be parts of a line."""
    run = runs[0]
    named = {
        number: abs(value)
        for number, value in _steady(runs).items()
        if value not in (0, 1)
        and _is(run.places[number].text, ast.Name, ast.Attribute, ast.Subscript)
    }
    far: dict[float, str] = {}
    for number, value in named.items():
        far.setdefault(value, run.places[number].text)
    known = {run.places[number].text: value for number, value in named.items()}
    begun = _first(runs)
    near: dict[str, dict[float, str]] = {}
    for path, step in moved.items():
        found = near.setdefault(path, {})
        products = _products(run, step, path in cut)
        texts = list(dict.fromkeys(text for one in products for text in _multiplied(one)))
        found |= {known[text]: text for text in reversed(texts) if text in known}
        if not found:
            found |= _made_of(run, products, begun)
        if not found:
            whole = [text for text in texts if _is_whole(run, text, step)]
            inside = _in_place(run, whole)
            if not inside:  # but what takes the mean of an error, or doubles it, is no rate
                lengths = {n for e in run.events for n in e.value.shape}
                shares = {1 / n for n in lengths if n} | {2.0}
                inside = [
                    text
                    for text in _in_place(run, texts)
                    if known.get(text) not in shares and text not in _HALVES
                ]
                found |= {1.0: ""} if inside else {}
            found |= {known[text]: text for text in inside if text in known}
            texts += inside
        for text in texts:
            for value in () if _is(text, ast.Call) else _constants(text):
                found.setdefault(value, "")
        place = updating(run, path, step)
        if not found and place is not None:
            found |= _beside(run, place, named) or {1.0: ""}  # it is taken away as it is
    return Rates(near, far)


def _steady(runs: Sequence[Run]) -> dict[int, float]:
    """Places that were worth one number, and the same in every run."""
    found: list[dict[int, set[float]]] = []
    for run in runs:
        values: dict[int, set[float]] = {}
        for event in run.events:
            if event.value.ndim == 0 and event.value.dtype.kind == "f":
                values.setdefault(event.place, set()).add(float(event.value))
        found.append(values)
    return {
        place: next(iter(seen))
        for place, seen in found[0].items()
        if len(seen) == 1 and all(other.get(place) == seen for other in found[1:])
    }


def _first(runs: Sequence[Run]) -> dict[int, float]:
    """What places were worth first, if that is the same in every run: a rate may fall later."""
    found: list[dict[int, float]] = []
    for run in runs:
        values: dict[int, float] = {}
        for event in run.events:
            if event.value.ndim == 0 and (event.value.dtype.kind == "f" or event.value == 1):
                values.setdefault(event.place, abs(float(event.value)))
        found.append(values)
    return {
        place: value
        for place, value in found[0].items()
        if value and all(other.get(place) == value for other in found[1:])
    }


def _products(run: Run, step: Array, is_part: bool) -> list[Place]:
    """Expressions that are worth the update, or its largest entry, of either sign."""
    places: dict[int, None] = {}
    if not np.any(step):
        return []
    where = np.unravel_index(int(np.argmax(np.abs(step))), step.shape) if step.ndim else ()
    largest = abs(float(step[where]))
    for event in run.events:
        value = event.value
        if is_part and _holds(value, step):
            places.setdefault(event.place)
        if value.ndim and value.shape != step.shape:
            continue
        entry = abs(float(value[where] if value.ndim else value))
        if not abs(entry - largest) <= 1e-7 * largest:
            continue
        if not value.ndim or np.allclose(np.abs(value), np.abs(step), rtol=1e-7, atol=0):
            places.setdefault(event.place)
    return [run.places[number] for number in places]


def _holds(line: NDArray[Any], step: Array) -> bool:
    """Whether a line of numbers has the update of one of its parts in it, of either sign."""
    if not line.ndim or not 1 < step.size < line.size or max(line.shape) != line.size:
        return False
    numbers = np.abs(line.ravel())
    for order in ("C", "F"):
        wanted = np.abs(step.ravel(order))
        starts = np.flatnonzero(np.isclose(numbers, wanted[0], rtol=1e-7, atol=0))
        if any(
            len(own) == step.size and np.allclose(own, wanted, rtol=1e-7, atol=0)
            for own in (numbers[start : start + step.size] for start in starts)
        ):
            return True
    return False


def _made_of(run: Run, products: Sequence[Place], begun: Mapping[int, float]) -> dict[float, str]:
    """Factors of these products by what they were worth when they were first made.

    A rate of 1 is one too, where no other number was a factor.
    """
    statements: dict[Statement, dict[str, float]] = {}
    for number, value in begun.items():
        place = run.places[number]
        statements.setdefault(_statement(run, place), {})[place.text] = value
    found: dict[float, str] = {}
    for one in products:
        values = statements.get(_statement(run, one), {})
        for text in _multiplied(one):
            if text in values and not _is(text, ast.Constant):
                found.setdefault(values[text], text)
    return {value: text for value, text in found.items() if value != 1} or found


def _beside(run: Run, place: Place, named: Mapping[int, float]) -> dict[float, str]:
    """Numbers of the statement that updates, by name, and those that are written there."""
    statement = _statement(run, place)
    beside = [number for number, one in run.places.items() if _statement(run, one) == statement]
    found: dict[float, str] = {}
    for number in beside:
        if number in named:
            found.setdefault(named[number], run.places[number].text)
    for number in beside:
        for value in _constants(run.places[number].text):
            found.setdefault(value, "")
    return found


def _statement(run: Run, place: Place) -> Statement:
    return run.files[place.number], place.statement


def _multiplied(product: Place) -> list[str]:
    """What an update was multiplied together from, as the code calls it.

    In `lr * (gW + decay * W)` that is lr alone of the two numbers.
    """
    try:
        return list(dict.fromkeys(_factors(ast.parse(product.text, mode="eval").body)))
    except SyntaxError:
        return []


def _is_whole(run: Run, text: str, step: Array) -> bool:
    """Whether this is what the code calls an array like the update."""
    return any(
        event.value.shape == step.shape and run.places[event.place].text == text
        for event in run.events
    )


def _in_place(run: Run, texts: Sequence[str]) -> list[str]:
    """What arrays of these names are multiplied by where they stand, as `step *= 0.1` does."""
    ran = {event.place for event in run.events if run.places[event.place].moment == "after"}
    told = {(run.files[one], run.places[one].line) for one in ran if run.places[one].text in texts}
    found: list[str] = []
    for file in {file for file, _ in told}:
        for one in ast.walk(ast.parse("".join(linecache.getlines(file)))):
            match one:
                case ast.AugAssign(target, ast.Mult(), value) if (
                    file,
                    target.lineno,
                ) in told and ast.unparse(target) in texts:
                    found += _factors(value)
                case _:
                    pass
    return found


def _factors(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(left, ast.Mult() | ast.MatMult(), right):
            yield from _factors(left)
            yield from _factors(right)
        case ast.BinOp(left, ast.Div(), _):
            yield from _factors(left)
        case ast.UnaryOp(_, operand):
            yield from _factors(operand)
        case ast.Call(func, args):
            if isinstance(func, ast.Attribute) and func.attr in ("dot", "matmul", "multiply"):
                yield from _factors(func.value)
                for one in args:
                    yield from _factors(one)
            else:
                yield ast.unparse(node)
        case _:
            yield ast.unparse(node)


def _is(text: str, *kinds: type[ast.expr]) -> bool:
    """Whether a text is an expression of one of these kinds."""
    try:
        return isinstance(ast.parse(text, mode="eval").body, kinds)
    except SyntaxError:
        return False


def _is_name(text: str) -> bool:
    return _is(text, ast.Name, ast.Attribute, ast.Subscript)


def _constants(text: str) -> Iterator[float]:
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float) and node.value:
            yield node.value
