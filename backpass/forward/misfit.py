"""What does not fit, told by the user's names and by sizes as the shapes declare them.

A run knows its sizes as numbers only. What several runs say of the same failure tells which
size each number is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backpass.calculus.op import Op, Operand, Steps, steps_of
from backpass.forward.quantity import Misfit
from backpass.forward.tape import Node, Unfit
from backpass.forward.witness import World, fixed, meaning, parameters
from backpass.forward.written import INFIX, bracketed, expression, value_text
from backpass.language.errors import BackpassError, ShapeError
from backpass.language.program import Array
from backpass.language.shapes import show_shape, size

PRODUCTS = ("matmul", "dot")


def retold(failures: Sequence[tuple[BackpassError, World]], named: Sequence[Node]) -> BackpassError:
    """One failure, met in several runs; `named` are the nodes of the run that knows the names."""
    first = failures[0][0]
    where = [world for error, world in failures if type(error) is type(first)]
    match first:
        case Misfit():
            told = [error.numbers for error, _ in failures if isinstance(error, Misfit)]
            names = (str(meaning(column, where)) for column in zip(*told, strict=False))
            sentence = first.sentence(lambda _: next(names))
            return ShapeError(sentence, line=first.line, where=first.where)
        case Unfit():
            failed = [error.failed for error, _ in failures if isinstance(error, Unfit)]
            sentence = _refusal(failed, where, named) or first.message
            return type(first.cause)(sentence, line=first.line, where=first.where)
        case _:
            return first


def _refusal(failed: Sequence[Node], where: Sequence[World], named: Sequence[Node]) -> str | None:
    """Why an operation refuses its operands: their shapes, where these meet, what mends it."""
    node = failed[0]
    assert node.op is not None
    name, columns = node.op.name, list(zip(*(one.operands for one in failed), strict=True))
    operands = tuple(_operand(place, column, where) for place, column in enumerate(columns))
    texts = tuple(value_text(column[0], named) for column in columns)
    params = parameters(failed, where)
    complaint = _steps(node.op, operands, params)
    if not isinstance(complaint, BackpassError):
        return None
    match operands:
        case Array() as a, Array() as b if name in INFIX or name == "dot":
            why = f": {complaint.message}"
            if name in PRODUCTS and a.shape and b.shape and a.shape[-1] != b.shape[-2:][0]:
                shapes = f"({show_shape(a.shape)})({show_shape(b.shape)})"
                why = f" is {shapes}: {a.shape[-1]} meets {b.shape[-2:][0]}"
            return f"{expression(name, texts)}{why}{_mended(node.op, (a, b), texts)}"
        case _:
            shown = map(_with_shape, texts, operands)
            return f"{name} of {' and '.join(shown)}: {complaint.message}"


def _with_shape(text: str, operand: Operand) -> str:
    return f"{text} ({show_shape(operand.shape)})" if isinstance(operand, Array) else text


def _operand(place: int, column: Sequence[Any], where: Sequence[World]) -> Operand:
    """An operand with its sizes as they are declared."""
    if not isinstance(column[0], Node):
        return fixed(column, where)
    axes = zip(*(node.shape for node in column), strict=True)
    return Array(str(place), tuple(meaning(axis, where) for axis in axes), column[0].kind)


def _steps(op: Op, operands: Sequence[Operand], params: Mapping[str, Any]) -> Steps | BackpassError:
    """What an operation does to these operands, or its complaint."""
    try:
        return steps_of(op, tuple(operands), tuple(sorted(params.items())))
    except BackpassError as error:
        return error


def _mended(op: Op, pair: tuple[Array, Array], texts: tuple[str, ...]) -> str:
    """The one change of an operand that makes two operands meet, as a question."""
    (a, b), (x, y) = pair, texts
    ways = [((one, b), (text, y)) for one, text in _turned(a, x, op)]
    ways += [((a, one), (x, text)) for one, text in _turned(b, y, op)]
    if op.name in PRODUCTS:
        ways.append(((b, a), (y, x)))
    for operands, written in ways:
        steps = _steps(op, operands, {})
        if isinstance(steps, BackpassError):
            continue
        if op.name in PRODUCTS or steps[-1].target.shape in (a.shape, b.shape):
            return f"; did you mean {expression(op.name, written)}?"
    return ""


def _turned(a: Array, text: str, op: Op) -> Iterator[tuple[Array, str]]:
    """An operand transposed, or for arithmetic a vector as a column."""
    if len(a.shape) == 2:
        stem = text.removesuffix(".T")
        yield Array(a.name, a.shape[::-1], a.kind), stem if stem != text else f"{bracketed(text)}.T"
    if len(a.shape) == 1 and op.name not in PRODUCTS:
        yield Array(a.name, (*a.shape, size(1)), a.kind), f"{bracketed(text)}[:, None]"
