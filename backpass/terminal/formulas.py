"""`backpass doctor --formula`: a formula beside a forward pass, or beside a function's Jacobian."""

from __future__ import annotations

from typing import Any

from backpass.derive import derive
from backpass.doctor.formula.judge import judge
from backpass.doctor.formula.report import FormulaReport
from backpass.language.errors import BackpassError


def formula_report(
    formula: str,
    forward: str | None,
    derived: tuple[Any, Any] | None,
    wrt: str | None,
    called: str | None,
    functions: str | None,
) -> FormulaReport:
    """The report on a formula; `derived` is a forward pass with its shapes, as `derive` takes them.

    Without shapes, `forward` names a function, and the formula is for its Jacobian.
    """
    names = _pairs(called or "")
    if derived is not None:
        return judge(formula, derive(*derived, None, functions), wrt, names)
    if forward is None or not forward.isidentifier():
        raise BackpassError("a formula is held to a forward pass: say it with --of and --shapes")
    return judge(formula, forward, wrt, names)


def _pairs(text: str) -> dict[str, str]:
    """Names and what they mean, from `A[-1]: A2, D[-1]: dZ2`."""
    pairs = [one.split(":") for one in text.split(",") if one.strip()]
    if any(len(pair) != 2 for pair in pairs):
        message = f'--called {text!r} is no list of names; write "A[-1]: A2, D[-1]: dZ2"'
        raise BackpassError(message)
    return {own.strip(): name.strip() for own, name in pairs}
