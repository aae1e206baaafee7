"""Numbers that end: the first value of a run that is NaN or infinite, and what it comes of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from backpass.doctor.observe import Event, Run
from backpass.doctor.rewrite import Place

RANDOM = (
    "No gradient can be compared with what is made of it. The numbers of the run are random, in "
    "the shapes of yours."
)
GIVEN = "That is so with the numbers that were given, and not with random ones."
ENDS = {
    "log": ("the logarithm of a number that is 0 or less",
            "keep what goes into it above 0, as np.clip(…, 1e-12, None) does"),
    "exp": ("exp of a large number",
            "subtract the largest number first, as exp(z - z.max(axis=1, keepdims=True)) does"),
    "/": ("a division by 0", "keep what it divides by away from 0"),
    "sqrt": ("the root of a negative number", "keep what goes into it above 0"),
    "**": ("a power that is too large, or that of a negative number or of 0",
           "keep the numbers that go into it small, and above 0"),
    "@": ("a sum that is too large for a float", "the numbers that go into it are too large"),
}  # fmt: skip
ALSO = {"log2": "log", "log10": "log", "log1p": "log", "expm1": "exp", "exp2": "exp",
        "divide": "/", "true_divide": "/", "power": "**", "square": "**", "cosh": "exp",
        "sinh": "exp", "dot": "@", "matmul": "@", "sum": "@", "arctanh": "log"}  # fmt: skip
_SIGNS = {ast.Div: "/", ast.Pow: "**", ast.MatMult: "@", ast.Mult: "@", ast.Add: "@"}


def is_finite(run: Run) -> bool:
    """Whether what was finite before a run is so after it, and what it returns."""
    kept = [value for path, value in run.after.items() if _finite(run.before.get(path))]
    return all(map(_finite, (*kept, run.result)))


def lost(run: Run, whose: str = RANDOM) -> str:
    """Where the NaN or infinity comes from that a run ends in; "" where it ends in numbers.

    What overflows on the way and comes to nothing, as 1/(1 + exp(800)) does, is no loss.
    """
    event = None if is_finite(run) else next(_made(run), None)
    if event is None:
        return ""
    place = run.places[event.place]
    some = np.atleast_1d(np.asarray(event.value, float))
    wrong = some[~np.isfinite(some)]
    kinds = [("NaN", np.isnan(wrong)), ("inf", wrong == np.inf), ("-inf", wrong == -np.inf)]
    what = " and ".join(name for name, which in kinds if which.any())
    where = "" if event.value.ndim == 0 else f" in {wrong.size} of its {some.size} entries"
    reason, help_ = ENDS.get(_operation(place.text), ("", ""))
    told = f"That is {reason}: {help_}. " if reason else ""
    return (
        f"On line {place.line}, {short(place)} is {what}{where}: the first value that is no "
        f"finite number. {told}{whose}"
    )


def _finite(value: Any) -> bool:
    """Whether arrays and numbers, also in lists and dicts, are finite; all else is."""
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    if isinstance(value, (float, np.ndarray, np.floating)) and np.asarray(value).dtype.kind in "fc":
        return bool(np.isfinite(value).all())
    return True


def _made(run: Run) -> Iterator[Event]:
    """Values that are computed and not finite, in order; `best = np.inf` is meant."""
    for event in run.events:
        value = event.value
        if value.dtype.kind not in "fc" or np.isfinite(value).all():
            continue
        text = run.places[event.place].text
        if _operation(text) and not re.search(r"\b(inf|Inf|infty|nan|NaN)\b", text):
            yield event


def _operation(text: str) -> str:
    """What an expression does last; "" for a name, an entry or a number."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    match node:
        case ast.BinOp(op=op):
            return _SIGNS.get(type(op), "operation")
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return ALSO.get(name, name)
        case ast.UnaryOp():
            return "operation"
        case _:
            return ""


def short(place: Place) -> str:
    """What stands there, on one line and not too long."""
    text = " ".join(place.text.split())
    return text if len(text) <= 40 else f"{text[:37]}…"
