"""Index expressions that are a number plus labels times steps, such as `2*p+u-1`."""

from __future__ import annotations

from dataclasses import dataclass

from backpass.language.expr import Label, Number, Product, SizeTerm, Sum, Term
from backpass.language.shapes import Size, size


@dataclass(frozen=True, slots=True)
class Affine:
    """`offset` + Σ step · label; every label once, in the order of appearance, no step zero."""

    offset: Size
    steps: tuple[tuple[Label, Size], ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        return tuple(label for label, _ in self.steps)


def affine(term: Term) -> Affine | None:
    """Read an index as a number plus labels times steps; None when it is anything else."""
    match term:
        case Label():
            return Affine(size(0), ((term, size(1)),))
        case Number(value=value):
            return Affine(size(value.numerator), ()) if value.denominator == 1 else None
        case SizeTerm(size=value):
            return Affine(value, ())
        case Sum(terms=terms):
            return _sum([affine(part) for part in terms])
        case Product(factors=factors):
            return _product([affine(part) for part in factors])
        case _:
            return None


def _sum(parts: list[Affine | None]) -> Affine | None:
    offset, steps = size(0), dict[Label, Size]()
    for part in parts:
        if part is None:
            return None
        offset += part.offset
        for label, step in part.steps:
            steps[label] = steps.get(label, size(0)) + step
    return Affine(offset, tuple((label, step) for label, step in steps.items() if step.terms))


def _product(parts: list[Affine | None]) -> Affine | None:
    scale, moving = size(1), None
    for part in parts:
        if part is None or (part.steps and moving is not None):
            return None
        if part.steps:
            moving = part
        else:
            scale *= part.offset
    moving = moving or Affine(size(1), ())
    return _sum([Affine(moving.offset * scale, tuple((a, s * scale) for a, s in moving.steps))])


def group(term: Term, axis: Size) -> tuple[Label, ...] | None:
    """The labels of a group such as `w*i+j` (j runs below w) that walks through an axis in order.

    The outermost comes first. A single label that covers the axis is a group as well.
    """
    form = affine(term)
    if form is None or form.offset.terms or not form.steps:
        return None
    found: list[Label] = []
    stride, left = size(1), dict(form.steps)
    while left:
        # a label of size 1 may share its stride with the next one, and then comes first
        inner = [label for label, step in left.items() if step == stride]
        if not inner:
            return None
        inner.sort(key=lambda label: label.size != size(1))
        found.append(inner[0])
        del left[inner[0]]
        stride *= inner[0].size
    return tuple(reversed(found)) if stride == axis else None
