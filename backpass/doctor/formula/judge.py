"""The way in: formulas for gradients, claims about Jacobians, and algorithms that update."""

from __future__ import annotations

from collections.abc import Mapping

from backpass.derive import Derivation
from backpass.doctor.formula.algorithm import algorithm_verdict
from backpass.doctor.formula.claims import claim_verdict
from backpass.doctor.formula.points import ground
from backpass.doctor.formula.report import FormulaReport
from backpass.doctor.formula.spelling import plainly
from backpass.doctor.formula.verdict import formula_verdict, gradient_of
from backpass.forward.statements import parse
from backpass.jacobian import Arrays


def judge(
    text: str,
    of: Derivation | Arrays | str,
    wrt: str | None = None,
    called: Mapping[str, str] | None = None,
) -> FormulaReport:
    """Hold a text to what it is about: with `W <- …`, or several gradients, it is an algorithm."""
    if not isinstance(of, Derivation):
        return claim_verdict(text, of, called)
    base = ground(of)
    spelled = plainly(text, base, called or {})
    statements = parse(spelled.text, base.functions.known, base.points[0].names)
    claimed = [name for one in statements if (name := gradient_of(base, one.target))]
    inputs = {one.name for one in base.passes.forward.inputs}
    several = wrt is None and (len({*claimed} & inputs) > 1 or spelled.layered)
    if several or any(one.updates for one in statements):
        return algorithm_verdict(spelled, base)
    return formula_verdict(spelled, base, wrt)
