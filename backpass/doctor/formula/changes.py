"""Each change of a formula in words: what stands there, what should, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backpass.doctor.formula.derived import Link
from backpass.doctor.formula.edit import Edit
from backpass.doctor.formula.explain import SHORT, Explained
from backpass.doctor.formula.report import Change
from backpass.doctor.formula.tree import (
    ENTRYWISE,
    Called,
    Joined,
    Name,
    Row,
    Tree,
    Turned,
    names,
    walk,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one formula."""

    said: Explained

    def of(self, repaired: Tree, edits: tuple[Edit, ...]) -> tuple[Change, ...]:
        """Each change with its reason; changes of one factor are told together."""
        groups: dict[object, list[Edit]] = {}
        for edit in edits:
            groups.setdefault(edit.old or (edit.new,), []).append(edit)
        return tuple(self._change(group, repaired) for group in groups.values())

    def _change(self, group: list[Edit], repaired: Tree) -> Change:
        kinds = {edit.kind for edit in group}
        first, last = group[0], group[-1]
        before = self.said.text(first.old) if first.old is not None else ""
        after = self.said.text(last.new) if last.new is not None else ""
        signs = [edit.how for edit in group if edit.kind == "sign of product"]
        if signs:
            after = f"{self._sign(signs[0])} {self.said.held(last.new)}" if last.new else after
            old = self._sign("" if signs[0] in ENTRYWISE else "⊙")
            before = f"{old} {before}".strip()
        if first.how == "swapped" and isinstance(first.old, Joined):
            if len(before) > SHORT:
                before = self.said.text(first.old.right)
                after = f"{before}, in front"
        elif "order" in kinds:
            after += ", in front" if any(edit.how == "in front" for edit in group) else ", moved"
        if kinds == {"missing"} and first.new is not None:
            factor = self.said.held(first.new)
            if isinstance(first.new, Joined) and {first.how, first.new.sign} <= {*ENTRYWISE}:
                factor = self.said.text(first.new)
            after = f"{self._sign(first.how)} {factor}".strip()
        link = self._about(group, repaired)
        return Change(before, after, " ".join(self._reasons(kinds, group, link)))

    def _sign(self, sign: str) -> str:
        if sign in ENTRYWISE:
            return self.said.found.style.entrywise
        return self.said.found.style.matrix

    def _about(self, group: list[Edit], repaired: Tree) -> Link | None:
        """The derived step that a change belongs to: the smallest part around it that is one."""
        for edit in group:
            if edit.about in self.said.derived.links:
                return self.said.derived.links[edit.about]
        new = group[-1].new
        for part in walk(repaired):
            if new is None or new not in set(walk(part)):
                continue
            meant = self.said.meanings.of(part)
            if meant is not None and meant.name in self.said.derived.links:
                return self.said.derived.links[meant.name]
        return self.said.derived.links.get(self.said.gradient)

    def _reasons(self, kinds: set[str], group: list[Edit], link: Link | None) -> Iterator[str]:
        edit = group[-1]
        if "dropped" in kinds:
            yield "The chain does not call for it."
            return
        jacobian = self._jacobian(edit.new, link)
        if jacobian:
            yield jacobian
        if link is not None and link.reason:
            yield f"{link.name}: {link.reason}."
        if "order" in kinds and link is not None and any(e.how == "in front" for e in group):
            found = self.said.values.quantity(Name(link.name))
            if found is not None and found.rank == 1:
                yield (
                    "A gradient that is a column takes each further Jacobian on its left: in "
                    "denominator layout chains grow to the left."
                )
        if "sign of product" in kinds and any(e.how in ENTRYWISE for e in group):
            yield self._diagonal(link)
        if "replaced" in kinds:
            yield from self._replaced(edit)

    def _jacobian(self, new: Tree | None, link: Link | None) -> str:
        """Where a weight stands, the chain rule asks for a derivative, and the weight is that."""
        inner = new.operand if isinstance(new, Turned) else new
        if not isinstance(inner, Name) or link is None or link.formula is None:
            return ""
        behind = [one for one in sorted(names(link.formula)) if one in self.said.derived.links]
        inputs = {one.name for one in self.said.base.passes.forward.inputs}
        if len(behind) != 1 or inner.text not in inputs or link.name[1:] in inputs:
            return ""
        asked = f"∂{behind[0][1:]}/∂{link.name[1:]}"
        return f"The chain rule asks for {asked} here, and that is {inner.text}."

    def _diagonal(self, link: Link | None) -> str:
        """Why a factor is joined entry by entry: its Jacobian has nothing beside the diagonal."""
        behind = names(link.formula) if link is not None and link.formula is not None else set()
        gradients = sorted(one for one in behind if one in self.said.derived.links)
        found = self.said.values.quantity(Name(link.name)) if link is not None else None
        if link is None or found is None or found.rank != 1 or len(gradients) != 1:
            return "A product with a diagonal Jacobian is one entry by entry."
        size = self.said.size(found.sizes[0])
        what = f"∂{gradients[0][1:]}/∂{link.name[1:]} is {size}×{size} and diagonal"
        return f"{what}: its product with a column is one entry by entry."

    def _replaced(self, edit: Edit) -> Iterator[str]:
        old, new = edit.old, edit.new
        assert old is not None
        assert new is not None
        inner = old.operand if isinstance(old, Turned) else old
        ones = isinstance(inner, Row) and set(inner.values) == {1}
        if ones and isinstance(new, Joined) and new.sign in (">", ">="):
            where = f"{self.said.text(new.left)} {new.sign} {self.said.text(new.right)}"
            yield f"Ones are this slope only where every {where}."
        elif ones:
            yield "A vector of ones is this slope only at a special point."
        slopes = self.said.base.functions.slopes
        if isinstance(inner, Called) and isinstance(new, Called) and inner.function in slopes:
            function = slopes[inner.function]
            if new.function == inner.function:
                yield f"{self.said.text(new)}: a slope is taken at what went into {function}."
            else:
                yield f"What goes through {slopes[new.function]} has the slope of that."
