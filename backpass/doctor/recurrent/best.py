"""Of all that a recurrent run may be, what explains its updates best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from backpass.doctor.recurrent.dense import outputs
from backpass.doctor.recurrent.explained import Account, account, twice_mistaken
from backpass.doctor.recurrent.looks import Look
from backpass.doctor.recurrent.rows import RIGHT
from backpass.doctor.recurrent.seen import Recurrent
from backpass.doctor.recurrent.through_time import taken
from backpass.doctor.recurrent.ways import Way
from backpass.doctor.right import top
from backpass.doctor.rules import Rule, behind
from backpass.doctor.search import Tensor as Key
from backpass.doctor.watched import Moved

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Explained:
    """A look with the best account of what moved, and the rule of the updates if they have one."""

    look: Look
    moved: tuple[Moved, ...]
    account: Account
    rule: Rule | None = None

    @property
    def seen(self) -> Recurrent:
        return self.look.seen

    @property
    def paths(self) -> dict[Key, str]:
        """The outputs' arrays, by what they are called as a layer of their own."""
        named = (("W", "Wy"), ("b", "c"))
        return {(kind, 1): self.seen.paths[n] for kind, n in named if n in self.seen.paths}


def explained(found: Sequence[Look]) -> Explained | None:
    """The account with the fewest mistakes; updates may follow a rule that hides the gradients."""
    kept: list[Explained] = []
    for look in found:
        orders = list(look.moved())
        plain = [account(look.seen, look.runs, moved, mistaken=False) for moved in orders]
        costs = [float("inf") if one is None else one.cost for one in plain]
        likely = int(np.argmin(costs))
        moved, one = orders[likely], plain[likely]
        if one is None or one.cost:
            one = account(look.seen, look.runs, moved)
        if one is not None:
            kept.append(Explained(look, moved, one))
            if one.cost == 0:
                return kept[-1]
    if not any(one.account.whole for one in kept):
        look = found[0]
        for way, rule in behind(look.way, look.seen.paths.values()):
            one = account(look.seen, look.runs, way.moved)
            if one is not None and one.whole:
                kept.append(Explained(replace(look, way=way), tuple(way.moved), one, rule))
    best = min(kept, key=lambda one: one.account.cost, default=None)
    if best is not None and not best.account.whole:
        twice = twice_mistaken(best.seen, best.look.runs, best.moved)
        best = best if twice is None else replace(best, account=twice)
    return best


def rightly(found: Sequence[Look]) -> Explained:
    """The account in which most tensors go right, with no mistake looked for."""
    kept: list[Explained] = []
    for look in found:
        for moved in look.moved():
            one = account(look.seen, look.runs, moved, mistaken=False)
            if one is not None:
                kept.append(Explained(look, moved, one))
    look = found[0]
    if not any(one.account.cost == 0 for one in kept):
        for way, rule in behind(look.way, look.seen.paths.values()):
            one = account(look.seen, look.runs, way.moved, mistaken=False)
            if one is not None and one.whole:
                kept.append(Explained(replace(look, way=way), tuple(way.moved), one, rule))
    if not kept:
        nothing = account(look.seen, look.runs, look.way.moved, mistaken=False, any_=True)
        assert nothing is not None
        return Explained(look, look.way.moved, nothing)
    return min(kept, key=lambda one: one.account.cost)


def right_steps(best: Explained, number: int) -> dict[str, Array]:
    """The gradient through time of each array in one of the runs, as the user holds it."""
    one, seen = best.look.runs[number], best.seen
    family = best.account.story.family
    at = top(outputs(one, best.moved[number]), family)
    at = at.with_delta(at.through())
    back = taken(one, np.split(at.dZ, len(one.out)), Way())
    found = {"Wy": at.weight(), "c": at.bias()}
    found |= {name: np.sum(row.terms(back), axis=0) for name, row in RIGHT.items()}
    shapes = {path: value.shape for path, value in best.look.way.probes[0].parameters.items()}
    return {
        held.path: (found[name].T if held.turned else found[name]).reshape(shapes[held.path])
        for name, held in seen.arrays
    }
