"""The sentences about a formula: what it is, where it fails, and the reason of every change."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backpass.doctor.formula.alignment import Alignment
from backpass.doctor.formula.derived import PEN, Derived
from backpass.doctor.formula.factors import factors
from backpass.doctor.formula.losses import OtherLoss
from backpass.doctor.formula.meaning import Meanings
from backpass.doctor.formula.points import Ground
from backpass.doctor.formula.reading import Read
from backpass.doctor.formula.report import Product
from backpass.doctor.formula.scale import Scale
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    MATRIX,
    PRODUCTS,
    Called,
    Joined,
    Name,
    Tree,
    parts,
    walk,
    written,
)
from backpass.doctor.formula.values import Failure
from backpass.forward.quantity import Misfit, Quantity
from backpass.reading.equations import equations
from backpass.reading.plain import plain
from backpass.reading.presentation import Name as ShownName

SHORT = 30  # characters of a part that are worth repeating


class Explained:
    """What can be said of one formula; nothing is said that the derivation or the numbers lack."""

    def __init__(self, base: Ground, found: Read, derived: Derived, gradient: str) -> None:
        self.base, self.found, self.derived, self.gradient = base, found, derived, gradient
        self.values = found.values[0]
        self.meanings = Meanings(base, self.values)
        self.letters = base.letters(base.points[0])

    # ── texts ────────────────────────────────────────────────────────────────────────────────

    def text(self, node: Tree) -> str:
        return written(node, self.found.style)

    def short(self, node: Tree) -> str:
        """A part, the longer side of a long product left out."""
        text = self.text(node)
        if len(text) <= SHORT or not isinstance(node, Joined):
            return text if len(text) <= SHORT else f"{text[:12]} … {text[-12:]}"
        between = f" {node.sign}" if node.sign else ""
        left, right = self.held(node.left), self.held(node.right)
        if len(right) > SHORT >= len(left):
            return f"{left}{between} …"
        return f"…{between} {right}"

    def held(self, node: Tree) -> str:
        loose = isinstance(node, Joined) and node.sign in (*PRODUCTS, "+", "-")
        return f"({self.text(node)})" if loose else self.text(node)

    def size(self, number: int) -> str:
        return self.letters.get(number, str(number))

    def sizes(self, sizes: tuple[int, ...]) -> str:
        return "×".join(map(self.size, sizes)) or "a number"

    # ── the verdicts ─────────────────────────────────────────────────────────────────────────

    def failure(self, failure: Failure) -> str:
        """Why a formula has no value: the product, both shapes, and what meets what."""
        node, error = failure.node, failure.error
        sides = [self.values.quantity(part) for part in parts(node)]
        if isinstance(node, Joined) and isinstance(error, Misfit):
            a, b = sides
            assert a is not None
            assert b is not None
            left, right = self.sizes(a.sizes), self.sizes(b.sizes)
            what = f"{self.short(node)} is ({left})({right})"
            if node.sign in MATRIX:
                meeting = f"{self.size(a.sizes[-1])} meets {self.size(b.sizes[-2])}"
                return f"{what}: {meeting}, and a matrix product needs the same size there."
            return (
                f"{self.short(node)} joins {left} and {right}, which do not go together entry "
                f"by entry.{self.spread(a, b)}"
            )
        if isinstance(error, Misfit):
            return f"{error.sentence(self.size)}."
        if isinstance(node, Joined) and all(sides):
            a, b = sides
            assert a is not None
            assert b is not None
            return f"{error.message}.{self.spread(a, b)}"
        return f"{error.message}."

    def spread(self, a: Quantity, b: Quantity) -> str:
        """What NumPy would make of a column beside a row, without a word."""
        if not a.rank or not b.rank:
            return ""
        try:
            made = np.broadcast_shapes(a.sizes, b.sizes)
        except ValueError:
            return ""
        if made in (a.sizes, b.sizes):
            return ""
        return (
            f" NumPy would make {self.sizes(made)} of them without a word: two layouts are mixed."
        )

    def correct(self) -> tuple[str, ...]:
        return ("It equals the derived gradient at random numbers.",)

    def turned(self) -> tuple[str, ...]:
        target = self.values.quantity(Name(self.gradient))
        assert target is not None
        wanted, own = self.sizes(target.sizes), self.sizes(target.sizes[::-1])
        name = self.gradient[1:]
        return (
            f"It is the transpose of the derived gradient: {own} where {wanted} has the shape of "
            f"{name}. That is numerator layout, where the gradient of a number lies as a row, and "
            "chains are read from the output to the input. Transpose it before it is subtracted "
            f"from {name}.",
        )

    def scaled(self, times: Scale) -> tuple[str, ...]:
        return (
            f"It is {times.text} times the gradient of {self.loss()}. The direction is the same, "
            "so a learning rate can absorb the factor; beside other gradients, or a penalty on "
            "the weights, all need the same one.",
        )

    def loss(self) -> str:
        step = self.base.passes.forward.steps[-1]
        shown = equations(self.base.passes, step)
        if len(shown) != 1:
            return self.base.loss
        return f"{plain(ShownName(step.name), PEN)} = {plain(shown[0].right, PEN)}"

    def other(self, other: OtherLoss) -> tuple[str, ...]:
        times = "" if other.scale == 1 else f"{other.scale:.6g} times "
        return (
            f"It is {times}the gradient of another loss: {other.title}. The derivation has "
            f"{self.loss()}; for that it would be as below.",
        )

    def then(self, times: Scale) -> str:
        """What a repaired formula is when only its scale is left."""
        return (
            f"With the change below it is {times.text} times the gradient, which a learning rate "
            "can absorb."
        )

    def wrong(self, value: Quantity, times: Scale | None) -> str:
        target = self.values.quantity(Name(self.gradient))
        assert target is not None
        if times is not None:
            return f"It is {times.text} times the gradient: a step against it would climb."
        if value.sizes != target.sizes:
            own, wanted = self.sizes(value.sizes), self.sizes(target.sizes)
            name = self.gradient[1:]
            return f"It comes out as {own}; the gradient has the shape of {name}, {wanted}."
        return "The shapes fit, but the numbers are not those of the gradient."

    def nearest(self, aligned: Alignment | None) -> tuple[str, ...]:
        if aligned is None:
            return ("No small change makes it the gradient.",)
        return (
            "No small change makes it the gradient: of the factors of the derived formula, "
            f"{aligned.kept} of {aligned.wanted} are there.",
        )

    def silent(self) -> Iterator[str]:
        """Where NumPy would broadcast and the formula does not mean it."""
        if not self.found.style.code:
            return
        for node in walk(self.found.node):
            if not isinstance(node, Joined) or node.sign not in (*ENTRYWISE, "+", "-"):
                continue
            a, b = (self.values.quantity(part) for part in parts(node))
            whole = self.values.quantity(node)
            if a is None or b is None or whole is None or not (a.rank and b.rank):
                continue
            shapes = [tuple(np.shape(one.value)) for one in (a, b)]
            try:
                made = np.broadcast_shapes(*shapes)
            except ValueError:
                continue
            if made != tuple(np.shape(whole.value)):
                yield (
                    f"As NumPy code, {self.short(node)} is {self.sizes(made)}: a vector of one "
                    "axis goes to every row. Reshape it to a column."
                )

    # ── tables ───────────────────────────────────────────────────────────────────────────────

    def products(self, node: Tree, text: str) -> tuple[Product, ...]:
        """The formula from the inside out, up to where it fails."""
        rows = list(self._rows(node))
        failed = isinstance(self.values.of(node), Failure)
        if failed:
            flat = [self.values.quantity(part.node) for part in factors(node, self._whole)]
            sizes = [f"({self.sizes(one.sizes)})" for one in flat if one is not None and one.rank]
            if len(sizes) > 2:
                rows.append(Product("all factors", "".join(sizes)))
        return tuple(rows)

    def known(self, node: Tree) -> bool:
        """Whether a part is a step of the backward pass, as it stands."""
        meant = self.meanings.of(node)
        return meant is not None and meant.exact and meant.name in self.base.backward

    def _whole(self, node: Tree) -> bool:
        meant = self.meanings.of(node)
        return meant is not None and meant.name in self.base.backward

    def steps(self, node: Tree) -> tuple[Product, ...]:
        return tuple(self._rows(node))

    def _rows(self, node: Tree) -> Iterator[Product]:
        seen: set[Tree] = set()
        for part in walk(node):
            if part in seen or not isinstance(part, Joined | Called):
                continue
            seen.add(part)
            found = self.values.of(part)
            if isinstance(found, Failure):
                if found.node == part:
                    yield Product(self.short(part), self._shapes(part), "", self._brief(found))
                continue
            if not found.rank:
                continue
            meant = self.meanings.of(part)
            chain = isinstance(part, Joined) and part.sign in PRODUCTS
            if chain or (meant is not None and meant.name in self.base.backward):
                yield Product(self.short(part), self._shapes(part), meant.text if meant else "")

    def _brief(self, failure: Failure) -> str:
        """What meets what, for a table that shows the shapes already."""
        node = failure.node
        if isinstance(node, Joined) and isinstance(failure.error, Misfit):
            a, b = (self.values.quantity(part) for part in parts(node))
            if node.sign in MATRIX and a is not None and b is not None:
                return f"{self.size(a.sizes[-1])} meets {self.size(b.sizes[-2])}"
            return "not entry by entry"
        return "here it has no value"

    def _shapes(self, node: Tree) -> str:
        sides = [self.values.quantity(part) for part in parts(node)]
        whole = self.values.quantity(node)
        if isinstance(node, Joined) and node.sign in (*MATRIX, "⊗"):
            a, b = sides
            if a is not None and b is not None and a.rank and b.rank:
                factors = f"({self.sizes(a.sizes)})({self.sizes(b.sizes)})"
                return factors if whole is None else f"{factors} → {self.sizes(whole.sizes)}"
        if whole is None:
            return "".join(f"({self.sizes(one.sizes)})" for one in sides if one is not None)
        return self.sizes(whole.sizes)

    def derivation(self) -> tuple[str, str, tuple[tuple[Product, str], ...]]:
        """The derived gradient as one formula, and step by step with reasons."""
        if self.gradient not in self.derived.links:
            return "", "", ()
        whole = self.text(self.derived.whole(self.gradient))
        way = self.derived.way(self.gradient)
        links = (self.derived.links[self.gradient],) if way is None else way.links
        steps = [
            (Product(f"{link.name} = {self.text(link.formula)}", link.shapes), link.reason)
            for link in links
            if link.formula is not None
        ]
        return whole, self.derived.links[self.gradient].shapes, tuple(steps)
