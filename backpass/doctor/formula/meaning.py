"""Which quantity of the derivation a value is, also turned or times a number."""

from __future__ import annotations

from dataclasses import dataclass

from backpass.doctor.formula.points import Ground
from backpass.doctor.formula.tree import Tree
from backpass.doctor.formula.values import Values, flat, ratio
from backpass.forward.quantity import Quantity

TIMES = {1.0: "", -1.0: "−", 2.0: "2 ", 0.5: "½ ", -2.0: "−2 ", -0.5: "−½ "}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A quantity; `times` it, and `turned` if it lies the other way."""

    name: str
    times: float = 1.0
    turned: bool = False

    @property
    def exact(self) -> bool:
        return self.times == 1 and not self.turned

    @property
    def text(self) -> str:
        return f"{TIMES[self.times]}{self.name}{'ᵀ' if self.turned else ''}"


class Meanings:
    """The quantities of a derivation at one point, gradients first."""

    def __init__(self, ground: Ground, values: Values) -> None:
        self.values = values
        arrays = ground.points[0].arrays
        ordered = [*ground.backward, *(name for name in arrays if name not in ground.backward)]
        self.known = {name: Quantity(arrays[name], name) for name in ordered if arrays[name].ndim}

    def of(self, node: Tree) -> Meaning | None:
        """The quantity that a formula is, None if it is none or has no value."""
        found = self.values.quantity(node)
        if found is None or not found.rank:
            return None
        best: Meaning | None = None
        for name, quantity in self.known.items():
            meant = _compared(found, quantity, name)
            if meant is not None and meant.exact:
                return meant
            if meant is not None and (best is None or _order(meant) < _order(best)):
                best = meant
        return best


def _order(meant: Meaning) -> tuple[bool, bool, float]:
    """The nearer to the quantity itself, the smaller."""
    return meant.times < 0, meant.times != 1, abs(meant.times)


def _compared(found: Quantity, quantity: Quantity, name: str) -> Meaning | None:
    for turned in (False, True):
        numbers = flat(quantity).T if turned else flat(quantity)
        times = ratio(flat(found), numbers) if found.sizes == numbers.shape else None
        named = next((one for one in TIMES if times and abs(times - one) < 1e-9), None)
        if named is not None:
            return Meaning(name, named, turned)
    return None
