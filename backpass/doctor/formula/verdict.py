"""Whether a formula is the gradient, and if not, the least that makes it so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from backpass.doctor.formula.alignment import Alignment, align
from backpass.doctor.formula.changes import Changes
from backpass.doctor.formula.derived import Derived
from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.explain import Explained
from backpass.doctor.formula.losses import other_losses
from backpass.doctor.formula.points import Ground
from backpass.doctor.formula.reading import Read, read
from backpass.doctor.formula.report import FormulaReport
from backpass.doctor.formula.scale import Scale, scale
from backpass.doctor.formula.search import Candidate, Stock, double, single
from backpass.doctor.formula.spelling import Layers, Spelled
from backpass.doctor.formula.tree import Joined, Name, Tree, names, walk
from backpass.doctor.formula.values import Failure, Values, equal
from backpass.doctor.report import Verdict
from backpass.language.errors import DerivationError, choices

MOST_PARTS = 40  # a longer formula is repaired along the derivation only


@dataclass(frozen=True, slots=True)
class Repair:
    """A formula that is right, and what was changed to have it."""

    formula: Tree
    edits: tuple[Edit, ...]
    scale: Scale | None = None  # what it then is times the gradient, if not the gradient itself


def formula_verdict(spelled: Spelled, base: Ground, wrt: str | None = None) -> FormulaReport:
    """Hold a formula to the derived gradient of `wrt`, and repair it if it is not that.

    The formula speaks of what the derivation names: inputs, forward lines, gradients (dz3), slopes
    (relu′(z2)); it may be several statements, the last of which is judged. Raises an error of the
    family for a text that cannot be read.
    """
    found = read(spelled, base)
    name = _wanted(base, wrt, found.target)
    return Judge(base, found, name, f"d{name}").report()


def gradient_of(base: Ground, target: str | None) -> str | None:
    """The quantity whose gradient a statement names, `dW2`, `δ2` or `dw_2`; None if it is none."""
    if target is None or target in base.passes.forward.arrays:
        return None
    meant = target if target in base.backward else Layers(base).meant(target)
    return meant[1:] if meant is not None and meant[:1] == "d" and meant in base.backward else None


def _wanted(base: Ground, wrt: str | None, target: str | None) -> str:
    """Which gradient is meant."""
    known = [name[1:] for name in base.backward if name.startswith("d")]
    if wrt is None and target is not None:
        wrt = gradient_of(base, target)
    if wrt is None:
        raise DerivationError('say which gradient the formula is to be, as in wrt="W2"')
    if wrt not in known:
        wrt = gradient_of(base, wrt) or gradient_of(base, f"d{wrt}") or wrt
    if wrt not in known:
        what = choices(wrt, known, "there are those of")
        raise DerivationError(f"there is no gradient by {wrt} here{what}")
    return wrt


class Judge:
    """One formula beside the array that it is to be."""

    said: Explained

    def __init__(self, base: Ground, found: Read, wrt: str, gradient: str) -> None:
        self.base, self.found, self.wrt, self.gradient = base, found, wrt, gradient
        self.values = found.values
        self.derived = Derived(base, found.values[0])
        self.said = Explained(base, found, self.derived, self.gradient)
        self.kept: tuple[Repair | None] | None = None

    def report(self) -> FormulaReport:
        node, first = self.found.node, self.values[0]
        value = first.of(node)
        if isinstance(value, Failure):
            return self.repaired(f"The formula has no value: {self.said.failure(value)}")
        if self.right(node):
            return self.finished("correct", self.said.correct())
        if self.right(node, turned=True):
            return self.finished("correct in the other layout", self.said.turned())
        times = self.scale(node)
        if times is not None and times.positive:
            return self.finished("correct up to a scale", self.said.scaled(times))
        wrong = self.said.wrong(value, times)
        for other in other_losses(self.base, self.gradient, self.numbers(node)):
            repair = self.repair()
            return self.finished("correct for another loss", self.said.other(other), repair)
        return self.repaired(wrong)

    def numbers(self, node: Tree) -> list:
        found = [values.quantity(node) for values in self.values]
        return [one.value for one in found if one is not None]

    def right(self, node: Tree, *, turned: bool = False) -> bool:
        """Whether a formula is the gradient, at every point."""
        target = Name(self.gradient)
        return all(
            equal(values.quantity(node), values.quantity(target), turned=turned)
            for values in self.values
        )

    def scale(self, node: Tree) -> Scale | None:
        return scale(node, self.gradient, self.values)

    # ── repairing ────────────────────────────────────────────────────────────────────────────

    def repaired(self, sentence: str) -> FormulaReport:
        repair = self.repair()
        if repair is None:
            return self.finished("unknown", (sentence, *self.said.nearest(self.nearest())))
        then = () if repair.scale is None else (self.said.then(repair.scale),)
        return self.finished("bug", (sentence, *then), repair)

    def repair(self) -> Repair | None:
        """The formula put right; it is looked for once."""
        if self.kept is None:
            self.kept = (self.repair_of(self.found.node),)
        return self.kept[0]

    def repair_of(self, node: Tree) -> Repair | None:
        """One change if one is enough, then what the derivation tells, then two changes."""
        stock = self.stock()
        small = sum(1 for _ in walk(node)) <= MOST_PARTS
        once = single(node, stock, self.found.style) if small else []
        if (found := self.first(once)) is not None:
            return found
        aligned, along = self.nearest(), None
        if aligned is not None and aligned.edits and aligned.wrong <= aligned.kept:
            along = Repair(aligned.formula, aligned.edits) if self.right(aligned.formula) else None
        if along is not None and len(along.edits) <= 2:
            return along
        return self.first(double(once, stock, self.found.style)) or along

    def first(self, candidates: Iterable[Candidate]) -> Repair | None:
        """The gradient by the most steps of the derivation, or else a named multiple of it."""
        scaled: Repair | None = None
        best: tuple[int, Repair] | None = None
        for new, edits in candidates:
            if self.right(new):
                if len(edits) > 1:
                    return Repair(new, edits)
                known = sum(self.said.known(part) for part in walk(new))
                if best is None or known > best[0]:
                    best = known, Repair(new, edits)
            elif best:
                continue
            if scaled is None and len(edits) == 1:
                times = self.scale(new)
                if times is not None and times.positive and times.named:
                    scaled = Repair(new, edits, times)
        return best[1] if best else scaled

    def nearest(self) -> Alignment | None:
        return align(self.found.node, self.gradient, self.derived, self.values[0])

    def stock(self) -> Stock:
        return stock(self.derived, self.gradient, self.values[0])

    def finished(
        self, verdict: Verdict, sentences: tuple[str, ...], repair: Repair | None = None
    ) -> FormulaReport:
        return FormulaReport(
            verdict,
            self.wrt,
            self.found.text,
            (*sentences, *self.found.notes, *self.said.silent()),
            self.said.products(self.found.node, self.found.text),
            () if repair is None else Changes(self.said).of(repair.formula, repair.edits),
            "" if repair is None else self.said.text(repair.formula),
            () if repair is None else self.said.steps(repair.formula),
            self.base.loss,
            *self.said.derivation(),
        )


def stock(derived: Derived, gradient: str, values: Values) -> Stock:
    """What can be put into a formula for this gradient, taken from the derivation."""
    way = derived.way(gradient)
    turns = () if way is None else way.turns
    factors: dict[Tree, str] = {}
    for link in dict.fromkeys(turn.link for turn in turns):
        own = [turn for turn in turns if turn.link == link and turn.factor is not None]
        whole: Tree | None = None
        for turn in own:
            assert turn.factor is not None
            whole = turn.factor if whole is None else _entrywise(whole, turn.factor)
            factors.setdefault(turn.factor, link.name)
        if whole is not None:
            factors.setdefault(whole, link.name)
    arrays, layers = values.point.arrays, Layers(derived.ground)

    said = names(derived.whole(gradient))
    ordered = sorted(arrays, key=lambda name: name not in said)

    def neighbours(name: str) -> list[str]:
        meant = values.read_as.get(Name(name))
        name = meant.text if isinstance(meant, Name) else name
        if name not in arrays or not arrays[name].ndim:
            return []
        shape = sorted(arrays[name].shape)
        stem = name.rstrip("0123456789")
        kin = layers.kin(name)
        return [
            other
            for other in ordered
            if other not in (name, gradient) and arrays[other].ndim
            and (other in derived.links) == (name in derived.links)
            and (sorted(arrays[other].shape) == shape or other.rstrip("0123456789") == stem
                 or other in kin)
        ]  # fmt: skip

    links = derived.links if way is None else [link.name for link in way.links]
    targets = [values.quantity(Name(name)) for name in links]
    places = sorted(name[1:] for name in links if name[1:] in arrays)

    def right(node: Tree) -> bool:
        found = values.quantity(node)
        return (
            not isinstance(node, Name)
            and found is not None
            and found.rank > 0
            and any(equal(found, target) for target in targets)
        )

    places.sort(key=lambda name: name not in said)
    return Stock(
        tuple(factors.items()), neighbours, tuple(places), values.point.functions.slopes, right
    )


def _entrywise(left: Tree, right: Tree) -> Tree:
    return Joined("⊙", left, right)
