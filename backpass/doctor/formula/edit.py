"""One change of a formula, and the derived quantity that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backpass.doctor.formula.tree import Tree

Kind = Literal[
    "turned",  # a transpose too many or too few
    "order",  # a factor stands on the wrong side
    "sign of product",  # ⊙ for a matrix product, or the other way round
    "missing",
    "dropped",
    "replaced",
    "sign",
    "scale",
    "sum",
]


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` becomes `new`; `about` is the gradient whose reason explains it, `how` a detail."""

    kind: Kind
    old: Tree | None
    new: Tree | None
    about: str = ""
    how: str = ""
