"""How the user may have written a value: by its name, else by what it is computed from."""

from __future__ import annotations

from collections.abc import Sequence

from backpass.forward.tape import Node, Operand

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**", "matmul": "@",
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==",
    "not_equal": "!=", "both": "&", "either": "|",
}  # fmt: skip
LONGEST = 40  # characters that are worth quoting


def value_text(value: Operand, named: Sequence[Node], deep: int = 3) -> str:
    """The text of a value; `named` are the nodes of the run that knows the names."""
    if not isinstance(value, Node):
        return f"{value:g}"
    node = named[value.index] if value.index < len(named) else value
    place = node.place
    if node.input is not None:
        return node.input
    if place.name is not None:
        return place.name if place.position is None else f"{place.name}[{place.position}]"
    if node.op is None or not deep:
        return "…"
    text = expression(node.op.name, [value_text(one, named, deep - 1) for one in node.operands])
    return text if len(text) <= LONGEST else "…"


def expression(op: str, texts: Sequence[str]) -> str:
    """An operation on operands that are written so."""
    match op, *texts:
        case (("add" | "subtract"), left, right):
            right = bracketed(right) if " + " in right or " - " in right else right
            return f"{left} {INFIX[op]} {right}"
        case _, left, right if op in INFIX:
            return f"{bracketed(left)} {INFIX[op]} {bracketed(right)}"
        case "negative", of:
            return f"-{bracketed(of)}"
        case "transpose", of:
            return f"{bracketed(of)}.T"
        case "getitem", of, *_:
            return f"{bracketed(of)}[…]"
        case _:
            return f"{op}({', '.join(texts)})"


def bracketed(text: str) -> str:
    """In brackets, unless it is one name or one call."""
    depth = 0
    for sign in text:
        depth += (sign in "([") - (sign in ")]")
        if sign in " -" and not depth:
            return f"({text})"
    return text
