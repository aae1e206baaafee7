"""A product held to the way that the derivation goes: which factor is which, and what is amiss.

The way from the error to a gradient joins one factor after the other. Each factor of the product
is looked for among them by its numbers, however it lies; what is left over on both sides stands
for each other where the sizes allow it, and else is missing or too much.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from backpass.doctor.formula.derived import Derived, Turn, Way
from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.factors import Factor, factors
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    Called,
    Joined,
    Minus,
    Name,
    Number,
    Row,
    Tree,
    Turned,
    times,
    turned,
)
from backpass.doctor.formula.values import Values, equal, flat, ratio
from backpass.forward.quantity import Quantity

MOST = 6  # factors of one formula that may be wrong, and it is still that formula repaired


@dataclass(frozen=True, slots=True)
class Alignment:
    """A formula rebuilt as the derivation goes, from the factors that were written."""

    formula: Tree
    edits: tuple[Edit, ...]
    kept: int  # factors that were found
    wanted: int

    @property
    def wrong(self) -> int:
        """Factors that are missing, too much, or others."""
        return sum(edit.kind in ("missing", "dropped", "replaced") for edit in self.edits)


@dataclass(frozen=True, slots=True)
class _Group:
    """Factors of one link that are joined entry by entry: a ⊙ (1 − a) may be written σ′(z)."""

    turns: tuple[Turn, ...]

    @property
    def whole(self) -> Tree | None:
        trees = [turn.factor for turn in self.turns if turn.factor is not None]
        if not trees:
            return None
        node = trees[0]
        for part in trees[1:]:
            node = Joined("⊙", node, part)
        return node


def align(node: Tree, name: str, derived: Derived, values: Values) -> Alignment | None:
    """Rebuild a product as the gradient `name`; None if it is no product, or has no one way."""
    way = derived.way(name)
    if way is None:
        return None
    return _Aligner(way, derived, values).run(node)


class _Aligner:
    def __init__(self, way: Way, derived: Derived, values: Values) -> None:
        self.way, self.derived, self.values = way, derived, values
        self.stations = [link.name for link in way.links]
        self.edits: list[Edit] = []

    def value(self, node: Tree) -> Quantity | None:
        return self.values.quantity(node)

    # ── where it starts ──────────────────────────────────────────────────────────────────────

    def station(self, node: Tree) -> tuple[int, float, bool] | None:
        """Which quantity on the way a part is: its place, the scale, and whether it lies turned."""
        found = self.value(node)
        if found is None or not found.rank or isinstance(node, Row):
            return None
        for place in reversed(range(len(self.stations))):
            target = self.value(Name(self.stations[place]))
            if target is None:
                continue
            for turn in (False, True):
                sizes = target.sizes[::-1] if turn else target.sizes
                if found.sizes == sizes:
                    numbers = flat(target).T if turn else flat(target)
                    if (scale := ratio(flat(found), numbers)) is not None:
                        return place, scale, turn
        return None

    def run(self, node: Tree) -> Alignment | None:
        found = factors(node, lambda part: self.station(part) is not None)
        seeds = [(self.station(part.node), place) for place, part in enumerate(found)]
        seeds = [(seen, place) for seen, place in seeds if seen is not None]
        if not seeds:
            return None
        (at, scale, lies), seed = max(seeds, key=lambda one: one[0][0])
        formula = self.seed(found[seed].node, at, scale, turn=lies)
        passed = {link.name for link in self.way.links[: at + 1]}
        groups = list(_groups([turn for turn in self.way.turns if turn.link.name not in passed]))
        formula = self.join(formula, groups, found, seed)
        if len({edit.old for edit in self.edits}) > MOST:
            return None
        missing = sum(edit.kind == "missing" for edit in self.edits)
        wrong = sum(edit.kind == "replaced" for edit in self.edits)
        kept = len(groups) - missing - wrong
        return Alignment(formula, tuple(self.edits), kept + 1, len(groups) + 1)

    def seed(self, node: Tree, at: int, scale: float, *, turn: bool) -> Tree:
        link = self.way.links[at]
        if turn:
            self.edits.append(Edit("turned", node, turned(node), link.name))
            node = turned(node)
        if abs(scale - 1) > 1e-9:
            new = _opposite(node) if abs(scale + 1) < 1e-9 else _scaled(node, 1 / scale)
            self.edits.append(Edit("sign" if scale < 0 else "scale", node, new, link.name))
            node = new
        return node

    # ── turn by turn ─────────────────────────────────────────────────────────────────────────

    def join(self, formula: Tree, groups: list[_Group], found: list[Factor], seed: int) -> Tree:
        matched, spare = self.matched(groups, found, seed)
        order = -1
        for number, group in enumerate(groups):
            turn = group.turns[0]
            if turn.axis is not None:
                formula = Called("sum", (formula,), (("axis", turn.axis),))
                continue
            for place, factor in matched.get(number, [(None, group.whole)]):
                assert factor is not None
                if place is None:
                    node = factor
                    self.edits.append(Edit("missing", None, node, turn.link.name, turn.sign))
                else:
                    node = self.laid(found[place], factor, turn, place > seed, place < order)
                    order = place if place > seed else order
                formula = self.joined(turn, formula, node)
        for place in spare:
            self.edits.append(Edit("dropped", found[place].node, None, self.stations[-1]))
        return formula

    def laid(self, own: Factor, factor: Tree, turn: Turn, behind: bool, moved: bool) -> Tree:
        """A written factor as it must lie, and what was wrong with how it lay."""
        node, wanted = own.node, self.value(factor)
        new = node
        stands_in = not any(equal(self.value(node), wanted, turned=way) for way in (False, True))
        if stands_in:
            new = factor
            self.edits.append(Edit("replaced", node, new, turn.link.name))
        elif not equal(self.value(node), wanted):
            new = turned(node)
        matrix = turn.sign in MATRIX or turn.sign == "⊗"
        sign = own.before if behind else own.behind
        side = matrix and turn.before == behind
        kind = (sign in MATRIX or sign == "⊗") != matrix
        if side or moved:
            what = "in front" if turn.before else "moved"
            self.edits.append(Edit("order", node, new, turn.link.name, what))
        elif new != node and not stands_in:
            self.edits.append(Edit("turned", node, new, turn.link.name))
        if kind and not self.number(node):
            self.edits.append(Edit("sign of product", node, new, turn.link.name, turn.sign))
        return new

    def joined(self, turn: Turn, formula: Tree, node: Tree) -> Tree:
        style = self.values.style
        sign = style.entrywise if turn.sign in ENTRYWISE else style.matrix
        return times(sign, node, formula) if turn.before else times(sign, formula, node)

    # ── which factor is which ────────────────────────────────────────────────────────────────

    def matched(
        self, groups: list[_Group], found: list[Factor], seed: int
    ) -> tuple[dict[int, list[tuple[int | None, Tree]]], list[int]]:
        """Factors by the group that they belong to, and those that belong to none."""
        free = [place for place in range(len(found)) if place != seed]
        matched: dict[int, list[tuple[int | None, Tree]]] = {}
        for number, group in enumerate(groups):
            whole = group.whole
            if whole is None:
                continue
            place = self.first(free, found, whole)
            if place is not None:
                matched[number] = [(place, whole)]
                free.remove(place)
                continue
            pieces: list[tuple[int | None, Tree]] = []
            for turn in group.turns:
                assert turn.factor is not None
                place = self.first(free, found, turn.factor) if len(group.turns) > 1 else None
                if place is not None:
                    free.remove(place)
                pieces.append((place, turn.factor))
            if any(place is not None for place, _ in pieces):
                matched[number] = pieces
        for number, group in enumerate(groups):
            whole = group.whole
            if number not in matched and whole is not None:
                place = self.stand_in(free, found, whole)
                if place is not None:
                    matched[number] = [(place, whole)]
                    free.remove(place)
        return matched, free

    def first(self, free: Sequence[int], found: list[Factor], wanted: Tree) -> int | None:
        target = self.value(wanted)
        for turn in (False, True):
            for place in free:
                if equal(self.value(found[place].node), target, turned=turn):
                    return place
        return None

    def stand_in(self, free: Sequence[int], found: list[Factor], wanted: Tree) -> int | None:
        """A factor that nothing else explains and that has the sizes of what is missing."""
        target = self.value(wanted)
        for place in free:
            own = self.value(found[place].node)
            if own is None or target is None or not own.rank:
                continue
            related = _stem(found[place].node) == _stem(wanted) != ""
            if sorted(own.sizes) == sorted(target.sizes) or related:
                return place
        return None

    def number(self, node: Tree) -> bool:
        found = self.value(node)
        return found is not None and not found.rank


def _groups(turns: Sequence[Turn]) -> Iterator[_Group]:
    """Entrywise factors of one link together, every other by itself."""
    run: list[Turn] = []
    for turn in turns:
        if run and turn.link == run[0].link and {turn.sign, run[0].sign} <= {*ENTRYWISE}:
            run.append(turn)
            continue
        if run:
            yield _Group(tuple(run))
        run = [turn]
    if run:
        yield _Group(tuple(run))


def _stem(node: Tree) -> str:
    """W for W2 and W3ᵀ: factors that people take for each other."""
    inner = node.operand if isinstance(node, Turned) else node
    return inner.text.rstrip("0123456789").lower() if isinstance(inner, Name) else ""


def _opposite(node: Tree) -> Tree:
    match node:
        case Joined(sign="-", left=left, right=right):
            return Joined("-", right, left)
        case Minus(operand=operand):
            return operand
        case _:
            return Minus(node)


def _scaled(node: Tree, scale: float) -> Tree:
    rounded = round(scale, 12)
    return Joined("*", Number(int(rounded) if rounded == int(rounded) else rounded), node)
