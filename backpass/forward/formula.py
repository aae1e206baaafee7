"""Formula text -> values: an interpreter that computes with whatever it is given.

The values may be arrays or anything else that has the operators of one, `.ndim`, `.shape` and
`.T`; the functions are those that the caller names. Nothing else can be reached from a formula:
the text is parsed by `statements` and walked here, and never becomes Python.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np

from backpass.forward.quantity import (
    Misfit,
    Quantity,
    entrywise,
    negative,
    outer_product,
    product,
    scaling,
    transpose,
)
from backpass.forward.statements import parse, targets
from backpass.forward.syntax import (
    Call,
    Chain,
    Expression,
    Listing,
    Name,
    Negative,
    Number,
    Power,
    Span,
    Statement,
    Transpose,
    walk,
)
from backpass.forward.tokens import quote, refusal
from backpass.language.errors import (
    BackpassError,
    NotationError,
    ShapeError,
    UnknownName,
    nearest,
)

__all__ = ["Result", "free_names", "run", "targets"]


@dataclass(frozen=True, slots=True)
class Result:
    """What one statement came to; `row` tells a row from a column if the value has one axis."""

    statement: Statement
    value: Any
    row: bool


def run(
    text: str,
    values: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]],
    *,
    rebind: bool = False,
    updates: bool = False,
    on_statement: Callable[[Statement], None] | None = None,
) -> tuple[Result, ...]:
    """Run the statements of a formula in order; each may use what the earlier ones named.

    A quantity hides a function of the same name. `functions` must hold `sum` for Σ, `sqrt` for √,
    and `outer` for ⊗ and for a column times a row; ∇C and σ′ are looked up as they are written, and
    σ and σ′ else as `sigmoid` and `sigmoid′`. `on_statement` is told of each statement before it
    runs. `rebind` lets a name be assigned twice, and `updates` lets `W <- …` replace W.

    Raises an error of the family for all that cannot be read or computed; a `Misfit` where sizes do
    not meet.
    """
    evaluation = _Evaluation(text, functions)
    evaluation.known.update((name, Quantity(value, name)) for name, value in values.items())
    results: list[Result] = []
    try:
        for statement in parse(text, functions, values):
            evaluation.permit(statement, rebind=rebind, updates=updates)
            if on_statement is not None:
                on_statement(statement)
            quantity = evaluation.value(statement.body)
            evaluation.keep(statement, quantity)
            results.append(Result(statement, quantity.value, quantity.row))
    except (RecursionError, MemoryError) as error:
        raise NotationError("the formula is too large to be computed") from error
    return tuple(results)


def free_names(
    text: str, functions: Mapping[str, Any], given: Collection[str] = ()
) -> tuple[str, ...]:
    """The quantities that must be given, in the order of their first appearance.

    Those that are known to be `given` hide functions of the same name, as in `run`.
    """
    named: set[str] = set()
    free: dict[str, None] = {}
    for statement in parse(text, functions, given):
        names = [node.text for node, _ in walk(statement.body) if isinstance(node, Name)]
        if statement.updates and statement.target is not None:
            names.insert(0, statement.target)
        free |= dict.fromkeys(name for name in names if name not in named)
        if statement.target is not None:
            named.add(statement.target)
    return tuple(free)


def _quantity(value: Any, text: str) -> Quantity:
    """Take in a value from outside, if it can be computed with."""
    if hasattr(value, "ndim") or isinstance(value, int | float):
        return Quantity(value, text)
    raise NotationError(f"{text} is neither an array nor a number, but a {type(value).__name__}")


class _Evaluation:
    """The quantities known so far, and the walk over one statement's tree."""

    def __init__(self, source: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.source = source
        self.functions = functions
        self.known: dict[str, Quantity] = {}

    def permit(self, statement: Statement, *, rebind: bool, updates: bool) -> None:
        """Refuse a second value for a name, and an update where none is expected."""
        target = statement.target
        if statement.updates and not updates:
            raise self.refuse(
                f"{target} <- … is an update; a new value takes a new name", statement
            )
        if statement.updates and target not in self.known:
            raise self.refuse(f"{target} is updated but was never given", statement, UnknownName)
        if target in self.known and not (rebind or statement.updates):
            raise self.refuse(f"{target} has a value already; use a new name", statement)

    def keep(self, statement: Statement, quantity: Quantity) -> None:
        target = statement.target
        if target is None:
            return
        if statement.updates and quantity.sizes != (before := self.known[target]).sizes:
            with self.telling(statement):
                what = f"an update keeps the sizes, and this takes {target} from "
                raise Misfit(what, before.sizes, " to ", quantity.sizes)
        self.known[target] = replace(quantity, text=target)

    def written(self, span: Span) -> str:
        """What stands in a span, on one line; the middle of a long text left out."""
        start, end = span.start, span.end
        if end - start > 60:
            return f"{self.source[start : start + 28]} … {self.source[end - 28 : end]}"
        return " ".join(self.source[start:end].split())

    def refuse(
        self, message: str, span: Span, kind: type[BackpassError] = NotationError
    ) -> BackpassError:
        return refusal(message, self.source, span.start, span.end, kind)

    @contextmanager
    def telling(self, span: Span) -> Generator[None, None, None]:
        """Let what goes wrong while a span is computed say where."""
        try:
            yield
        except BackpassError as error:
            error.line = error.line or quote(self.source, span.start, span.end)
            raise
        except (ArithmeticError, TypeError, ValueError) as error:
            reason = (str(error).splitlines() or ["it has no meaning"])[0]
            raise self.refuse(f"this cannot be computed: {reason}", span) from error

    # ── the walk ─────────────────────────────────────────────────────────────────────────────

    def value(self, node: Expression) -> Quantity:
        text = self.written(node)
        match node:
            case Number():
                return Quantity(node.value, text)
            case Name():
                return self.name(node)
            case Chain():
                return self.chain(node)
            case Negative():
                operand = self.value(node.operand)
                with self.telling(node):
                    return negative(operand, text)
            case Power():
                base, exponent = self.value(node.base), self.value(node.exponent)
                with self.telling(node):
                    self.no_inverse(node, base)
                    return entrywise(base, exponent, "**", text)
            case Transpose():
                operand = self.value(node.operand)
                with self.telling(node):
                    return transpose(operand, text, of_stack=node.of_stack)
            case Call():
                return self.call(node)
            case Listing():
                return self.vector(node)
            case _:
                assert_never(node)

    def name(self, node: Name) -> Quantity:
        written = self.written(node)
        if node.text in self.known:
            known = self.known[node.text]
            with self.telling(node):
                return replace(_quantity(known.value, written), row=known.row)
        hint = nearest(node.text, [*self.known, *self.functions])
        if node.text == "T":
            hint = "; a transpose is written .T or ᵀ"
        if "^" in written:
            stem, digits = written.rstrip(")").split("^(")
            hint = f" as {node.text}; a power is written {stem}**{digits.strip()}"
        raise self.refuse(f"{written} is not known{hint}", node, UnknownName)

    def chain(self, node: Chain) -> Quantity:
        left = self.value(node.first)
        for sign, operand in node.rest:
            right = self.value(operand)
            span = Span(node.first.start, operand.end)
            with self.telling(span):
                left = self.combine(left, right, sign, self.written(span))
        return replace(left, text=self.written(node))

    def combine(self, left: Quantity, right: Quantity, sign: str, text: str) -> Quantity:
        match sign:
            case "@" | "·" | "":
                return product(left, right, sign, text, self.outer)
            case "⊗":
                return outer_product(left, right, text, self.outer)
            case "×":
                return scaling(left, right, text)
            case _:
                return entrywise(left, right, sign, text)

    def outer(self, column: Any, row: Any) -> Any:
        if "outer" not in self.functions:
            raise UnknownName("a column times a row needs the function outer, which is not known")
        return self.functions["outer"](column, row)

    def no_inverse(self, node: Power, base: Quantity) -> None:
        """W⁻¹ is the inverse for a reader and 1/W for NumPy; `W**-1` is taken as NumPy does."""
        textbook = "**" not in self.source[node.base.end : node.exponent.start]
        if textbook and base.rank > 1 and self.written(node).endswith(("⁻¹", "-1", "−1")):
            what = base.text
            raise NotationError(f"write 1 / {what} entry by entry; an inverse is not known here")

    def call(self, node: Call) -> Quantity:
        parts = [
            [self.value(item) for item in argument.items]
            if isinstance(argument, Listing)
            else [self.value(argument)]
            for argument in node.arguments
        ]
        with self.telling(node):
            if node.function in ("dot", "matmul", "outer"):
                return self.named_product(node, parts)
            vectors = [part for each in parts for part in each if part.rank == 1]
            row = any(vector.row for vector in vectors)
            if row and not all(vector.row for vector in vectors):
                raise ShapeError(f"{node.function} is given a column and a row; transpose one")
            arguments = [
                tuple(part.value for part in each)
                if isinstance(argument, Listing)
                else each[0].value
                for argument, each in zip(node.arguments, parts, strict=True)
            ]
            value = self.functions[node.function](*arguments, **dict(node.options))
            result = _quantity(value, self.written(node))
        return replace(result, row=row and result.rank == 1)

    def named_product(self, node: Call, parts: list[list[Quantity]]) -> Quantity:
        """`outer` is ⊗, `matmul` is @, and `dot` of two vectors a number however they lie."""
        text, name = self.written(node), node.function
        if [len(each) for each in parts] != [1, 1] or node.options:
            raise NotationError(f"{name} takes two arrays and nothing else")
        (left,), (right,) = parts
        if name == "outer":
            return outer_product(left, right, text, self.outer)
        if name == "matmul":
            return product(left, right, "@", text, self.outer)
        if left.rank > 2 or right.rank > 2:
            raise ShapeError("dot is for vectors and matrices; write @ for stacks of them")
        if left.rank == right.rank == 1:
            left, right = replace(left, row=True), replace(right, row=False)
        return product(left, right, "·", text, self.outer)

    def vector(self, node: Listing) -> Quantity:
        """Numbers between commas are a row, as in (1, 1, 1)ᵀ."""
        values = [self.value(item).value for item in node.items]
        if any(type(value) not in (int, float) for value in values):
            message = "commas stand between arguments, or between numbers as in (1, 1, 1)ᵀ"
            raise self.refuse(message, node)
        return Quantity(np.array(values, dtype=float), self.written(node), row=True)
