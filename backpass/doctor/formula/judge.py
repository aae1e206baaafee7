"""The way in: formulas for gradients, claims about Jacobians, and algorithms that update."""

from __future__ import annotations

from collections.abc import Mapping

from backpass.derive import Derivation
from backpass.doctor.formula.algorithm import algorithm_verdict, updates
from backpass.doctor.formula.claims import claim_verdict
from backpass.doctor.formula.report import FormulaReport
from backpass.doctor.formula.verdict import formula_verdict
from backpass.jacobian import Arrays


def judge(
    text: str,
    of: Derivation | Arrays | str,
    wrt: str | None = None,
    called: Mapping[str, str] | None = None,
) -> FormulaReport:
    """Hold a text to what it is about: with `W <- …` in it, it is an algorithm."""
    if not isinstance(of, Derivation):
        return claim_verdict(text, of, called)
    if updates(text, of, called):
        return algorithm_verdict(text, of, called)
    return formula_verdict(text, of, wrt, called)
